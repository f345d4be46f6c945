/** Messages that wait in `ledger.db` for their agency, its root, or a clock that can be believed. */
import { createHash } from 'node:crypto';
import type Database from 'better-sqlite3';
import type { WaitingRow } from './ledger-rows.ts';

/**
 * How many messages wait at most. Anybody who can publish can make up the unsigned ones, so they never drive out what an
 * agency signed, and no agency drives out another's; within each the oldest make room.
 */
const waitingCounts = { perAgency: 50, unsigned: 300, all: 500 } as const;

export interface NewWaiting {
  readonly agency: string;
  readonly topic: string;
  readonly envelope: Uint8Array;
  readonly receivedAtS: number;
  /** Whether the agency's own signatures have been seen on it. */
  readonly signed: boolean;
}

export class WaitingRows {
  readonly #db: Database.Database;

  constructor(db: Database.Database) {
    this.#db = db;
  }

  put(row: NewWaiting): void {
    const { perAgency, unsigned, all } = waitingCounts;
    // With the topic: a copy published under another topic must not take the place of the true one.
    const hash = createHash('sha256').update(row.topic).update('\0').update(row.envelope).digest('hex');
    const signed = row.signed ? 1 : 0;
    this.#db.transaction(() => {
      this.#db
        .prepare(
          `INSERT OR IGNORE INTO waiting (envelope_hash, agency, topic, envelope, received_at_s, signed)
           VALUES (?, ?, ?, ?, ?, ?)`,
        )
        .run(hash, row.agency, row.topic, Buffer.from(row.envelope), row.receivedAtS, signed);
      this.#db
        .prepare(
          `DELETE FROM waiting WHERE agency = @agency AND signed = @signed AND rowid NOT IN
           (SELECT rowid FROM waiting WHERE agency = @agency AND signed = @signed ORDER BY rowid DESC LIMIT @perAgency)`,
        )
        .run({ agency: row.agency, signed, perAgency });
      this.#db
        .prepare(
          `DELETE FROM waiting WHERE signed = 0 AND rowid NOT IN
           (SELECT rowid FROM waiting WHERE signed = 0 ORDER BY rowid DESC LIMIT ?)`,
        )
        .run(unsigned);
      this.#db
        .prepare(
          `DELETE FROM waiting WHERE rowid NOT IN
           (SELECT rowid FROM waiting ORDER BY signed DESC, rowid DESC LIMIT ?)`,
        )
        .run(all);
    })();
  }

  /** Of one agency, or of all; oldest first. */
  of(agency?: string): WaitingRow[] {
    return this.#db
      .prepare<[{ agency: string | null }], WaitingRow>(
        'SELECT * FROM waiting WHERE @agency IS NULL OR agency = @agency ORDER BY rowid',
      )
      .all({ agency: agency ?? null });
  }

  drop(envelopeHash: string): void {
    this.#db.prepare('DELETE FROM waiting WHERE envelope_hash = ?').run(envelopeHash);
  }
}
