/** The ledger as its owner reads it: entries open with the viewing key only; that they are whole can be seen without. */
import { z } from 'zod';
import { checkChain } from '../store/ledger-chain.ts';
import type { LedgerDb } from '../store/ledger-db.ts';
import type { VaultClient } from '../vault/client.ts';
import type { LedgerEntry, LedgerHead } from './service.ts';

/** Entries are 4 KiB each: so many fit through the vault's door, and an answer's line, at once. */
const maxEntries = 100;
export const sessionEntryBytes = 4096;

const entrySchema = z.object({ v: z.literal(1), actions: z.array(z.string()), more: z.number().int().optional() });

/** What left the house or was decided is told before what was changed, and that before what was looked at. */
const foremost = new Set(['approve', 'confirm', 'withdraw', 'decline', 'demand', 'own-share', 'export', 'review']);

/** The first of equal actions by what they are, the others after everything else. */
function ranks(actions: readonly string[]): number[] {
  const seen = new Set<string>();
  return actions.map((action) => {
    if (seen.has(action)) return 3;
    seen.add(action);
    const [verb = ''] = action.split(' ');
    if (verb === 'view') return 2;
    return foremost.has(verb) ? 0 : 1;
  });
}

/**
 * What a session leaves, always of one size; actions that don't fit are counted, as are the `lostCount` before. Which ones
 * fit goes by what they are: whoever looks at a hundred clips first must not hide what they did then.
 */
export function entryText(actions: readonly string[], lostCount = 0): string {
  const most = sessionEntryBytes - 48 - 2;
  const rank = ranks(actions);
  const order = actions.map((_, i) => i).toSorted((a, b) => (rank[a] ?? 0) - (rank[b] ?? 0) || a - b);
  const write = (kept: number): string => {
    const chosen = new Set(order.slice(0, kept));
    const more = actions.length - kept + lostCount;
    const told = actions.filter((_, i) => chosen.has(i));
    return JSON.stringify({ v: 1, actions: told, ...(more > 0 ? { more } : {}) });
  };
  let kept = actions.length;
  while (kept > 0 && Buffer.byteLength(write(kept)) > most) kept = Math.floor(kept * 0.9);
  return write(kept);
}

export function ledgerHead(db: LedgerDb): LedgerHead {
  const { head, brokenAt } = checkChain(db.entries());
  return { entryCount: head.seq, headHash: head.hash, ...(brokenAt === undefined ? {} : { brokenAtEntry: brokenAt }) };
}

/** Entries from number `from` on. One that doesn't open is listed as such: it must not hide. */
export async function readEntries(
  db: LedgerDb,
  vault: VaultClient,
  range: { readonly from: number; readonly count: number },
): Promise<readonly LedgerEntry[]> {
  const chosen = db.entries().filter((e) => e.seq >= range.from);
  const rows = chosen.slice(0, Math.min(range.count, maxEntries));
  const notes = await vault.openNotes(rows.map((e) => ({ id: String(e.seq), sealed: new Uint8Array(e.sealed) })));
  const texts = new Map(notes.map(({ id, text }) => [id, text]));
  return rows.map((e) => {
    const base = { entry: e.seq, atMs: e.at_s * 1000, hash: e.hash.toString('hex') };
    try {
      const { actions, more } = entrySchema.parse(JSON.parse(texts.get(String(e.seq)) ?? ''));
      return { ...base, readable: true, actions, moreCount: more ?? 0 };
    } catch {
      return { ...base, readable: false, actions: [], moreCount: 0 };
    }
  });
}
