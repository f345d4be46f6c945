/** Opens the ledger of a disk after a power cut and holds it against what its owner program had been told is safe. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkChain } from '../../agent/store/ledger-chain.ts';
import { LedgerDb } from '../../agent/store/ledger-db.ts';
import type { DiskOperation } from './trace.ts';

interface Promised {
  /** Of a request: any of these may be found, the last is what it was about to become. */
  readonly states: ReadonlyMap<string, readonly string[]>;
  /** Hashes of the entries, from the first on. */
  readonly entries: readonly string[];
  readonly floorS: number;
  readonly recordCount: number;
  /** Envelopes of requests that are over. */
  readonly erased: readonly Buffer[];
}

export function ledgerPromisedBefore(operations: readonly DiskOperation[], cut: number): Promised {
  const states = new Map<string, string[]>();
  const entries: string[] = [];
  const erased: Buffer[] = [];
  let [floorS, recordCount] = [0, 0];
  for (const operation of operations.slice(0, cut)) {
    if (operation.kind !== 'mark') continue;
    const [word = '', what = '', value = '', number = ''] = operation.text.split(' ');
    if (word === 'changing') states.set(what, [...(states.get(what) ?? ['none']), value]);
    if (word === 'is') states.set(what, [value]);
    if (word === 'entry') entries.push(value);
    if (word === 'floor') floorS = Number(what);
    if (word === 'expired') {
      states.set(what, ['gone']);
      recordCount = Number(value);
      erased.push(Buffer.alloc(64, createHash('sha256').update(`envelope ${number}`).digest('hex')));
    }
  }
  return { states, entries, floorS, recordCount, erased };
}

/** What is not as promised, in words; empty when all is. */
export function brokenLedgerPromises(folder: string, promised: Promised): string[] {
  const path = join(folder, 'ledger.db');
  if (!existsSync(path) && promised.states.size === 0) return [];
  const broken: string[] = [];
  try {
    broken.push(...brokenRows(path, promised));
  } catch (thrown) {
    broken.push(`the ledger cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
  const disk = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
  for (const envelope of promised.erased)
    if (disk.includes(envelope)) broken.push('a request that is over is still on the disk');
  return broken;
}

function brokenRows(path: string, promised: Promised): string[] {
  const broken: string[] = [];
  const db = new LedgerDb(path);
  try {
    const rows = new Map(db.requests().map((row) => [row.request_hash, row]));
    for (const [hash, allowed] of promised.states) {
      const found = rows.get(hash)?.state ?? (allowed.includes('gone') ? 'gone' : 'none');
      if (!allowed.includes(found)) broken.push(`${hash} is ${found}, not ${allowed.join(' or ')}`);
      const seen = db.replayed(hash, 'test-police', hash.slice(0, 32));
      if (!seen && !allowed.includes('none')) broken.push(`${hash} could be asked again`);
    }
    const entries = db.entries();
    const { brokenAt } = checkChain(entries);
    if (brokenAt !== undefined) broken.push(`the ledger is broken at ${brokenAt}`);
    for (const [at, hash] of promised.entries.entries()) {
      if (entries[at]?.hash.toString('hex') !== hash) broken.push(`entry ${at + 1} went back`);
    }
    if (db.clockFloorS < promised.floorS) broken.push('time went back');
    if (db.recordCount() < promised.recordCount) broken.push('a record is lost');
    return broken;
  } finally {
    db.close();
  }
}
