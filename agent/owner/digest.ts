/**
 * The daily digest: the only word about requests that leaves the house, written at a fixed hour every day, of one length and
 * the same for everybody, whether anything happened or not. The courier knows what text stands for its code.
 */
import { join } from 'node:path';
import { ensurePrivateDir, writeFileDurable } from '../base/files.ts';
import type { LedgerDb } from '../store/ledger-db.ts';

const hour = 8;

/** The day whose digest should have been written by now, in local time: `2026-11-22`. Pure. */
export function digestDay(wallMs: number, offsetMinutes: number): string {
  return new Date(wallMs + (offsetMinutes - hour * 60) * 60_000).toISOString().slice(0, 10);
}

export class Digest {
  readonly #folder: string;
  readonly #db: LedgerDb;

  constructor(dataDir: string, db: LedgerDb) {
    this.#folder = join(dataDir, 'spool', 'notices');
    this.#db = db;
    ensurePrivateDir(this.#folder);
  }

  /**
   * The file first: a digest that is written twice is the same file. On the very first start it waits for the next day.
   * `wallMs` is to be a believed time; one that was wrong all the same, and years ahead, must not silence the digest until then.
   */
  tick(wallMs: number): void {
    const day = digestDay(wallMs, -new Date(wallMs).getTimezoneOffset());
    const known = this.#db.kept('digest');
    if (day === known) return;
    if (known !== undefined)
      writeFileDurable(join(this.#folder, 'digest.json'), `${JSON.stringify({ code: 'daily-digest', day })}\n`, 0o640);
    this.#db.keep('digest', day);
  }
}
