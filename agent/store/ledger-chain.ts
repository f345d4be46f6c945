/** The ledger proper: one sealed entry of one size for each unlock session, each covering the one before. */
import { createHash } from 'node:crypto';
import type Database from 'better-sqlite3';

export interface EntryRow {
  readonly seq: number;
  readonly at_s: number;
  readonly prev_hash: Buffer;
  readonly sealed: Buffer;
  readonly hash: Buffer;
}

export interface ChainHead {
  /** 0 before the first entry. */
  readonly seq: number;
  /** Hash of that entry, hex; 64 zeros before the first. */
  readonly hash: string;
}

export function entryHash(prev: Uint8Array, atS: number, sealed: Uint8Array): Buffer {
  const at = Buffer.alloc(8);
  at.writeBigUInt64BE(BigInt(atS));
  return createHash('sha256').update(prev).update(at).update(sealed).digest();
}

/** The head if every entry covers the one before and the numbers have no gap, else the number of the first that doesn't. */
export function checkChain(entries: readonly EntryRow[]): { readonly head: ChainHead; readonly brokenAt?: number } {
  let prev: Buffer = Buffer.alloc(32);
  let seq = 0;
  for (const entry of entries) {
    const whole =
      entry.seq === seq + 1 &&
      entry.prev_hash.equals(prev) &&
      entry.hash.equals(entryHash(prev, entry.at_s, entry.sealed));
    if (!whole) return { head: { seq, hash: prev.toString('hex') }, brokenAt: entry.seq };
    prev = entry.hash;
    seq = entry.seq;
  }
  return { head: { seq, hash: prev.toString('hex') } };
}

export class ChainRows {
  readonly #db: Database.Database;

  constructor(db: Database.Database) {
    this.#db = db;
  }

  append(sealed: Uint8Array, atS: number): void {
    this.#db.transaction(() => {
      const last = this.#db.prepare<[], { hash: Buffer }>('SELECT hash FROM entry ORDER BY seq DESC LIMIT 1').get();
      const prev = last?.hash ?? Buffer.alloc(32);
      this.#db
        .prepare('INSERT INTO entry (at_s, prev_hash, sealed, hash) VALUES (?, ?, ?, ?)')
        .run(atS, prev, Buffer.from(sealed), entryHash(prev, atS, sealed));
    })();
  }

  all(): EntryRow[] {
    return this.#db.prepare<[], EntryRow>('SELECT * FROM entry ORDER BY seq').all();
  }
}
