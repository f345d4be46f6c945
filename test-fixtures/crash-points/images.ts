/** Disks as they were left at a point: laid out again, and what stands in their ledger once SQLite has recovered it. */
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { EntryRow } from '../../agent/store/ledger-chain.ts';
import type { Image } from './trace.ts';

export interface LedgerFacts {
  readonly state: string | undefined;
  readonly shareId: string | undefined;
  readonly demands: readonly { readonly demand_id: string; readonly ground: string; readonly state: string }[];
  readonly entries: readonly EntryRow[];
  /** Every row of every table. */
  readonly digest: string;
}

/** What the owner's ledger says of one request, by SQLite alone. */
export function readLedger(path: string, requestId: string): LedgerFacts {
  const db = new Database(path);
  try {
    const all = <T>(sql: string, ...values: unknown[]): T[] => db.prepare<unknown[], T>(sql).all(...values);
    const [row] = all<{ state: string; request_hash: string }>('SELECT * FROM request WHERE request_id = ?', requestId);
    const [share] = all<{ share_id: string }>('SELECT * FROM share WHERE request_hash = ?', row?.request_hash ?? '');
    const tables = all<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    const digest = createHash('sha256');
    for (const { name } of tables) digest.update(JSON.stringify([name, all(`SELECT * FROM "${name}"`)]));
    return {
      state: row?.state,
      shareId: share?.share_id,
      demands: all('SELECT * FROM demand'),
      entries: all('SELECT * FROM entry ORDER BY seq'),
      digest: digest.digest('hex'),
    };
  } finally {
    db.close();
  }
}

export interface Laying {
  readonly image: Image;
  readonly store: string;
  readonly dataDir: string;
  readonly intake: string;
  /** Folders that the trace left out, as they were all the time. */
  readonly same: Readonly<Record<string, string>>;
}

export function layOut({ image, store, dataDir, intake, same }: Laying): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  mkdirSync(intake, { recursive: true });
  const entries = Object.entries(image.files).toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [path, content] of entries) {
    if (content === null) mkdirSync(join(dataDir, path), { recursive: true, mode: 0o700 });
  }
  for (const [path, content] of entries) {
    if (content !== null) copyFileSync(join(store, content), join(dataDir, path));
  }
  for (const [path, content] of Object.entries(image.intake ?? {})) {
    copyFileSync(join(store, content), join(intake, path));
  }
  for (const [name, from] of Object.entries(same)) cpSync(from, join(dataDir, name), { recursive: true });
}

export interface KnownImage {
  readonly image: Image;
  readonly ledger: LedgerFacts;
  /** Two images of one kind are one and the same to whoever starts on them: equal files, equal rows, equal intake. */
  readonly kind: string;
}

export function know(image: Image, options: { store: string; work: string; requestId: string }): KnownImage {
  const { store, work, requestId } = options;
  const folder = join(work, 'ledger');
  mkdirSync(folder, { recursive: true });
  for (const name of ['ledger.db', 'ledger.db-journal']) {
    const content = image.files[name];
    if (typeof content === 'string') copyFileSync(join(store, content), join(folder, name));
  }
  const ledger = readLedger(join(folder, 'ledger.db'), requestId);
  rmSync(folder, { recursive: true, force: true });
  const others = Object.entries(image.files).filter(([path]) => !path.startsWith('ledger.db'));
  const rest = JSON.stringify([others.toSorted(([a], [b]) => (a < b ? -1 : 1)), image.intake]);
  const kind = createHash('sha256').update(ledger.digest).update(rest).digest('hex').slice(0, 16);
  return { image, ledger, kind };
}

export function hasFile(image: Image, pattern: RegExp): boolean {
  return Object.entries(image.files).some(([path, content]) => content !== null && pattern.test(path));
}
