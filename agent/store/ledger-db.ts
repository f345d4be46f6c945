/**
 * `ledger.db`, opened by the owner program alone. Every method is one transaction; what it returns has been read back
 * from disk, what it wrote is durable (rollback journal, synchronous=FULL).
 */
import { createHash, createHmac } from 'node:crypto';
import { chmodSync, closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { AgentError } from '../base/errors.ts';
import { wipeJournal } from './journal.ts';
import type { AgencyRow, RequestRow, ShareRow, StoredState, WaitingRow } from './ledger-rows.ts';
import { migrate } from './schema-version.ts';
import { asStoreError } from './sqlite-errors.ts';

const ledgerSchemaSteps = ['ledger.sql', 'ledger-2.sql'].map((name) =>
  readFileSync(join(import.meta.dirname, name), 'utf8'),
);

/**
 * How many messages wait at most. Anybody who can publish can make up the unsigned ones, so they never drive out what an
 * agency signed, and no agency drives out another's; within each the oldest make room.
 */
const waitingCounts = { perAgency: 50, unsigned: 300, all: 500 } as const;

export class LedgerDb {
  readonly #db: Database.Database;
  readonly #replayKey: Buffer;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    // It stands in the data directory itself, which may have been made for everybody to read. The journal follows its mode.
    closeSync(openSync(path, 'a', 0o600));
    for (const each of [path, `${path}-journal`]) if (existsSync(each)) chmodSync(each, 0o600);
    this.#db = new Database(path);
    this.#db.pragma('journal_mode = PERSIST');
    this.#db.pragma('synchronous = FULL');
    this.#db.pragma('secure_delete = ON');
    this.#db.pragma('foreign_keys = ON');
    this.#db.pragma('trusted_schema = OFF');
    try {
      migrate(this.#db, ledgerSchemaSteps);
    } catch (thrown) {
      this.#db.close();
      throw asStoreError(thrown, 'open the ledger');
    }
    this.#replayKey = Buffer.from(this.#get('replay_key'), 'hex');
    wipeJournal(this.#path);
  }

  close(): void {
    this.#db.close();
  }

  #get(name: string): string {
    const row = this.#db.prepare<[string], { value: string }>('SELECT value FROM setting WHERE name = ?').get(name);
    if (row === undefined)
      throw new AgentError('corrupt', 'store/missing-setting', `ledger.db lacks its setting ${name}`);
    return row.value;
  }

  #set(name: string, value: string): void {
    this.#db
      .prepare(
        'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      )
      .run(name, value);
  }

  /** Time never goes below this, whatever the system clock says. */
  get clockFloorS(): number {
    return Number(this.#get('clock_floor_s'));
  }

  raiseClockFloor(seconds: number): void {
    if (seconds > this.clockFloorS) this.#set('clock_floor_s', String(seconds));
  }

  // Agencies

  agency(agency: string): AgencyRow | undefined {
    return this.#db.prepare<[string], AgencyRow>('SELECT * FROM agency WHERE agency = ?').get(agency);
  }

  agencies(): AgencyRow[] {
    return this.#db.prepare<[], AgencyRow>('SELECT * FROM agency ORDER BY agency').all();
  }

  /** Keeps the newest document of an agency; an older or equal version changes nothing. Never enables it. */
  putAgency(row: {
    agency: string;
    version: number;
    envelope: Uint8Array;
    docHash: string;
    rootId: string;
    recipientSeenS: number | null;
  }): boolean {
    const result = this.#db
      .prepare(
        `INSERT INTO agency (agency, version, envelope, doc_hash, root_id, recipient_seen_s)
         VALUES (@agency, @version, @envelope, @docHash, @rootId, @recipientSeenS)
         ON CONFLICT (agency) DO UPDATE SET version = excluded.version, envelope = excluded.envelope,
           doc_hash = excluded.doc_hash, root_id = excluded.root_id, recipient_seen_s = excluded.recipient_seen_s
         WHERE excluded.version > agency.version`,
      )
      .run({ ...row, envelope: Buffer.from(row.envelope) });
    return result.changes > 0;
  }

  setAgencyEnabled(agency: string, enabled: boolean): void {
    this.#db.prepare('UPDATE agency SET enabled = ? WHERE agency = ?').run(enabled ? 1 : 0, agency);
  }

  suspendAgency(agency: string, first: Uint8Array, second: Uint8Array, atS: number): void {
    this.#db.transaction(() => {
      this.#db.prepare('UPDATE agency SET suspended = 1 WHERE agency = ?').run(agency);
      this.#db
        .prepare('INSERT INTO evidence (agency, first, second, found_at_s) VALUES (?, ?, ?, ?)')
        .run(agency, Buffer.from(first), Buffer.from(second), atS);
    })();
  }

  evidenceCount(agency: string): number {
    const row = this.#db
      .prepare<[string], { n: number }>('SELECT count(*) AS n FROM evidence WHERE agency = ?')
      .get(agency);
    return row?.n ?? 0;
  }

  revoke(agency: string, kind: 'request' | 'key', target: string): void {
    this.#db.prepare('INSERT OR IGNORE INTO revoked (agency, kind, target) VALUES (?, ?, ?)').run(agency, kind, target);
  }

  revoked(agency: string, kind: 'request' | 'key'): string[] {
    return this.#db
      .prepare<[string, string], { target: string }>('SELECT target FROM revoked WHERE agency = ? AND kind = ?')
      .all(agency, kind)
      .map((row) => row.target);
  }

  /** Remembers which request an agency's sequence number named; returns the earlier envelope if it was another. */
  claimSequence(
    agency: string,
    seq: number,
    requestHash: string,
    envelope: Uint8Array,
    dropAfterS: number,
  ): Buffer | undefined {
    const known = this.#db
      .prepare<[string, number], { request_hash: string; envelope: Buffer }>(
        'SELECT request_hash, envelope FROM sequence WHERE agency = ? AND seq = ?',
      )
      .get(agency, seq);
    if (known !== undefined) return known.request_hash === requestHash ? undefined : known.envelope;
    this.#db
      .prepare('INSERT INTO sequence (agency, seq, request_hash, envelope, drop_after_s) VALUES (?, ?, ?, ?, ?)')
      .run(agency, seq, requestHash, Buffer.from(envelope), dropAfterS);
    return undefined;
  }

  // Requests that wait for their agency

  putWaiting(row: {
    agency: string;
    topic: string;
    envelope: Uint8Array;
    receivedAtS: number;
    /** Whether the agency's own signatures have been seen on it. */
    signed: boolean;
  }): void {
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
  waiting(agency?: string): WaitingRow[] {
    return this.#db
      .prepare<[{ agency: string | null }], WaitingRow>(
        'SELECT * FROM waiting WHERE @agency IS NULL OR agency = @agency ORDER BY rowid',
      )
      .all({ agency: agency ?? null });
  }

  dropWaiting(envelopeHash: string): void {
    this.#db.prepare('DELETE FROM waiting WHERE envelope_hash = ?').run(envelopeHash);
  }

  // Replay

  #tag(text: string): Buffer {
    return createHmac('sha256', this.#replayKey).update(text).digest();
  }

  replayed(requestHash: string, agency: string, requestId: string): boolean {
    const find = this.#db.prepare<[Buffer], { tag: Buffer }>('SELECT tag FROM replay WHERE tag = ?');
    return [`hash:${requestHash}`, `id:${agency}:${requestId}`].some((t) => find.get(this.#tag(t)) !== undefined);
  }

  #remember(requestHash: string, agency: string, requestId: string, dropAfterS: number): void {
    const insert = this.#db.prepare('INSERT OR IGNORE INTO replay (tag, drop_after_s) VALUES (?, ?)');
    for (const text of [`hash:${requestHash}`, `id:${agency}:${requestId}`]) insert.run(this.#tag(text), dropAfterS);
  }

  /** A verified request that doesn't concern this house, or was refused: only its replay row stays. */
  rememberOnly(requestHash: string, agency: string, requestId: string, dropAfterS: number): void {
    this.#db.transaction(() => this.#remember(requestHash, agency, requestId, dropAfterS))();
  }

  // Requests

  accept(
    row: Omit<RequestRow, 'envelope' | 'agency_envelope' | 'note'> &
      Record<'envelope' | 'agency_envelope' | 'note', Uint8Array>,
    dropAfterS: number,
  ): void {
    this.#db.transaction(() => {
      this.#remember(row.request_hash, row.agency, row.request_id, dropAfterS);
      this.#db
        .prepare(
          `INSERT INTO request (request_hash, request_id, agency, case_number, envelope, agency_envelope, state, note, warnings,
             accepted_at_s, issued_at_s, expires_at_s, window_from_s, window_to_s)
           VALUES (@request_hash, @request_id, @agency, @case_number, @envelope, @agency_envelope, @state, @note, @warnings,
             @accepted_at_s, @issued_at_s, @expires_at_s, @window_from_s, @window_to_s)`,
        )
        .run({
          ...row,
          envelope: Buffer.from(row.envelope),
          agency_envelope: Buffer.from(row.agency_envelope),
          note: Buffer.from(row.note),
        });
    })();
  }

  requests(): RequestRow[] {
    return this.#db.prepare<[], RequestRow>('SELECT * FROM request ORDER BY accepted_at_s DESC, rowid DESC').all();
  }

  request(requestId: string): RequestRow | undefined {
    return this.#db.prepare<[string], RequestRow>('SELECT * FROM request WHERE request_id = ?').get(requestId);
  }

  acceptedSince(agency: string, sinceS: number): number {
    const row = this.#db
      .prepare<[string, number], { n: number }>(
        'SELECT count(*) AS n FROM request WHERE agency = ? AND accepted_at_s > ?',
      )
      .get(agency, sinceS);
    return row?.n ?? 0;
  }

  acceptedForCase(agency: string, caseNumber: string): number {
    const row = this.#db
      .prepare<[string, string], { n: number }>(
        'SELECT count(*) AS n FROM request WHERE agency = ? AND case_number = ?',
      )
      .get(agency, caseNumber);
    return row?.n ?? 0;
  }

  setState(requestHash: string, state: StoredState): void {
    this.#db.prepare('UPDATE request SET state = ? WHERE request_hash = ?').run(state, requestHash);
  }

  /** All at once, in place: which note changed its meaning can't be seen. */
  replaceNotes(notes: ReadonlyMap<string, Uint8Array>): void {
    const update = this.#db.prepare('UPDATE request SET note = ? WHERE request_hash = ?');
    this.#db.transaction(() => {
      for (const [hash, note] of notes) update.run(Buffer.from(note), hash);
    })();
  }

  /** Ends an accepted request: its row goes, that of a share which came to nothing with it, and one sealed record stays. */
  expire(requestHash: string, sealed: Uint8Array): void {
    this.#db.transaction(() => {
      this.#db.prepare('DELETE FROM share WHERE request_hash = ?').run(requestHash);
      this.#db.prepare('DELETE FROM request WHERE request_hash = ?').run(requestHash);
      this.#db.prepare('INSERT INTO record (sealed) VALUES (?)').run(Buffer.from(sealed));
    })();
    wipeJournal(this.#path);
  }

  recordCount(): number {
    return this.#db.prepare<[], { n: number }>('SELECT count(*) AS n FROM record').get()?.n ?? 0;
  }

  // Shares

  /** SEALING → COOLING: the share's files are complete and synced before this is called. */
  beginShare(share: ShareRow): void {
    this.#db.transaction(() => {
      this.#db
        .prepare(
          `INSERT INTO share (share_id, request_hash, body_bytes, release_not_before_ms, deadline_ms, grant_hash)
           VALUES (@share_id, @request_hash, @body_bytes, @release_not_before_ms, @deadline_ms, @grant_hash)`,
        )
        .run(share);
      this.setState(share.request_hash, 'COOLING');
    })();
  }

  shares(): ShareRow[] {
    return this.#db.prepare<[], ShareRow>('SELECT * FROM share ORDER BY rowid').all();
  }

  shareOf(requestHash: string): ShareRow | undefined {
    return this.#db.prepare<[string], ShareRow>('SELECT * FROM share WHERE request_hash = ?').get(requestHash);
  }

  // Ledger

  appendEntry(sealed: Uint8Array, atS: number): void {
    this.#db.transaction(() => {
      const last = this.#db.prepare<[], { hash: Buffer }>('SELECT hash FROM entry ORDER BY seq DESC LIMIT 1').get();
      const prev = last?.hash ?? Buffer.alloc(32);
      this.#db
        .prepare('INSERT INTO entry (at_s, prev_hash, sealed, hash) VALUES (?, ?, ?, ?)')
        .run(atS, prev, Buffer.from(sealed), entryHash(prev, atS, sealed));
    })();
  }

  entries(): { seq: number; at_s: number; prev_hash: Buffer; sealed: Buffer; hash: Buffer }[] {
    return this.#db
      .prepare<[], { seq: number; at_s: number; prev_hash: Buffer; sealed: Buffer; hash: Buffer }>(
        'SELECT * FROM entry ORDER BY seq',
      )
      .all();
  }

  /** Drops what may be forgotten. Called by a timer. */
  forget(nowS: number): void {
    this.#db.transaction(() => {
      this.#db.prepare('DELETE FROM replay WHERE drop_after_s < ?').run(nowS);
      this.#db.prepare('DELETE FROM sequence WHERE drop_after_s < ?').run(nowS);
      this.#db.prepare('DELETE FROM waiting WHERE received_at_s < ?').run(nowS - 15 * 24 * 3600);
    })();
    wipeJournal(this.#path);
  }
}

export function entryHash(prev: Uint8Array, atS: number, sealed: Uint8Array): Buffer {
  const at = Buffer.alloc(8);
  at.writeBigUInt64BE(BigInt(atS));
  return createHash('sha256').update(prev).update(at).update(sealed).digest();
}
