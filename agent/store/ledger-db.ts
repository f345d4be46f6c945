/**
 * `ledger.db`, opened by the owner program alone. Every method is one transaction; what it returns has been read back
 * from disk, what it wrote is durable (rollback journal, synchronous=FULL).
 */
import { createHmac } from 'node:crypto';
import { chmodSync, closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { AgentError } from '../base/errors.ts';
import { wipeJournal } from './journal.ts';
import { ChainRows, type EntryRow } from './ledger-chain.ts';
import { PublishedRows } from './ledger-published.ts';
import type { AgencyRow, DemandRow, NewShare, RequestRow, ShareRow, StoredState, WaitingRow } from './ledger-rows.ts';
import { type NewWaiting, WaitingRows } from './ledger-waiting.ts';
import { migrate } from './schema-version.ts';
import { asStoreError } from './sqlite-errors.ts';

const ledgerSchemaSteps = ['ledger.sql', 'ledger-2.sql', 'ledger-3.sql'].map((name) =>
  readFileSync(join(import.meta.dirname, name), 'utf8'),
);

export class LedgerDb {
  readonly #db: Database.Database;
  readonly #replayKey: Buffer;
  readonly #path: string;
  readonly #chain: ChainRows;
  readonly #waiting: WaitingRows;
  /** What agencies and roots publish. */
  readonly published: PublishedRows;

  constructor(path: string) {
    this.#path = path;
    // It stands in the data directory itself, which may have been made for everybody to read. The journal follows its mode.
    closeSync(openSync(path, 'a', 0o600));
    for (const each of [path, `${path}-journal`]) if (existsSync(each)) chmodSync(each, 0o600);
    this.#db = new Database(path);
    try {
      this.#db.pragma('journal_mode = PERSIST');
      this.#db.pragma('synchronous = FULL');
      this.#db.pragma('secure_delete = ON');
      this.#db.pragma('trusted_schema = OFF');
      migrate(this.#db, ledgerSchemaSteps);
      this.#db.pragma('foreign_keys = ON');
    } catch (thrown) {
      this.#db.close();
      throw asStoreError(thrown, 'open the ledger');
    }
    this.#replayKey = Buffer.from(this.#get('replay_key'), 'hex');
    this.#chain = new ChainRows(this.#db);
    this.#waiting = new WaitingRows(this.#db);
    this.published = new PublishedRows(this.#db, (text) => this.#tag(text));
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

  /** What a room of the owner program keeps between starts, as text that it parses itself. */
  keep(name: 'safeguards' | 'digest', value: string): void {
    this.#set(name, value);
  }

  kept(name: 'safeguards' | 'digest'): string | undefined {
    return this.#db.prepare<[string], { value: string }>('SELECT value FROM setting WHERE name = ?').get(name)?.value;
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
    return this.#db.transaction(() => {
      const known = this.agency(row.agency);
      const fresh = this.#replaceAgency(row);
      if (fresh && known !== undefined) {
        this.#db
          .prepare('INSERT OR IGNORE INTO agency_past (agency, doc_hash) VALUES (?, ?)')
          .run(known.agency, known.doc_hash);
      }
      return fresh;
    })();
  }

  /** Whether this document of the agency was known here and has been replaced since. */
  isPastDocument(agency: string, docHash: string): boolean {
    return (
      this.#db
        .prepare<[string, string], { agency: string }>(
          'SELECT agency FROM agency_past WHERE agency = ? AND doc_hash = ?',
        )
        .get(agency, docHash) !== undefined
    );
  }

  #replaceAgency(row: Parameters<LedgerDb['putAgency']>[0]): boolean {
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

  setAgencyMuted(agency: string, muted: boolean): void {
    this.#db.prepare('UPDATE agency SET muted = ? WHERE agency = ?').run(muted ? 1 : 0, agency);
  }

  setDailyLimit(agency: string, limit: number | null): void {
    this.#db.prepare('UPDATE agency SET daily_limit = ? WHERE agency = ?').run(limit, agency);
  }

  suspendAgency(agency: string, first: Uint8Array, second: Uint8Array, atS: number): void {
    this.#db.transaction(() => {
      this.#db.prepare('UPDATE agency SET suspended = 1 WHERE agency = ?').run(agency);
      this.keepEvidence(agency, first, second, atS);
    })();
  }

  /** Two documents that contradict each other, as signed. Of one signer only the first few are kept: one is proof. */
  keepEvidence(signer: string, first: Uint8Array, second: Uint8Array, atS: number): void {
    if (this.evidenceCount(signer) >= 8) return;
    this.#db
      .prepare('INSERT INTO evidence (agency, first, second, found_at_s) VALUES (?, ?, ?, ?)')
      .run(signer, Buffer.from(first), Buffer.from(second), atS);
  }

  evidence(signer: string): { first: Buffer; second: Buffer; found_at_s: number }[] {
    return this.#db
      .prepare<[string], { first: Buffer; second: Buffer; found_at_s: number }>(
        'SELECT first, second, found_at_s FROM evidence WHERE agency = ? ORDER BY id',
      )
      .all(signer);
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

  // Requests that wait for their agency

  putWaiting(row: NewWaiting): void {
    this.#waiting.put(row);
  }

  /** Of one agency, or of all; oldest first. */
  waiting(agency?: string): WaitingRow[] {
    return this.#waiting.of(agency);
  }

  dropWaiting(envelopeHash: string): void {
    this.#waiting.drop(envelopeHash);
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
      this.published.noteAsked(row.agency, row.case_number, row.accepted_at_s);
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
  beginShare(share: NewShare, demand?: Pick<DemandRow, 'demand_id' | 'deadline_s'>): ShareRow {
    return this.#db.transaction(() => {
      const row = this.#db
        .prepare(
          `INSERT INTO share (share_id, request_hash, body_bytes, release_not_before_ms, deadline_ms, grant_hash,
             cooling_left_ms, second_approver)
           VALUES (@share_id, @request_hash, @body_bytes, @release_not_before_ms, @deadline_ms, @grant_hash,
             @cooling_left_ms, @second_approver) RETURNING *`,
        )
        .get(share) as ShareRow;
      if (demand !== undefined) {
        this.putDemand({ ...demand, share_id: share.share_id, ground: 'retention_due', state: 'waiting' });
      }
      this.setState(share.request_hash, 'COOLING');
      return row;
    })();
  }

  setCoolingLeft(shareId: string, leftMs: number): void {
    this.#db.prepare('UPDATE share SET cooling_left_ms = ? WHERE share_id = ?').run(leftMs, shareId);
  }

  confirmShare(shareId: string, atS: number): void {
    this.#db
      .prepare('UPDATE share SET confirmed_at_s = ? WHERE share_id = ? AND confirmed_at_s IS NULL')
      .run(atS, shareId);
  }

  /** RELEASE → SHARED: from now on the agency's promises count. */
  finishShare(
    share: Pick<ShareRow, 'share_id' | 'request_hash'>,
    atS: number,
    dues: { deleteS: number; outcomeS: number },
  ): void {
    this.#db.transaction(() => {
      this.#db
        .prepare('UPDATE share SET shared_at_s = ?, delete_due_s = ?, outcome_due_s = ? WHERE share_id = ?')
        .run(atS, dues.deleteS, dues.outcomeS, share.share_id);
      this.setState(share.request_hash, 'SHARED');
    })();
  }

  /** What the agency reported of this very share. A deletion once confirmed stays confirmed. */
  noteOutcome(requestHash: string, outcome: 'open' | 'closed', deletedAtS: number | null): void {
    this.#db
      .prepare('UPDATE share SET outcome = ?, deleted_at_s = coalesce(deleted_at_s, ?) WHERE request_hash = ?')
      .run(outcome, deletedAtS, requestHash);
  }

  putDemand(demand: DemandRow): void {
    this.#db
      .prepare(
        `INSERT INTO demand (demand_id, share_id, ground, state, deadline_s)
         VALUES (@demand_id, @share_id, @ground, @state, @deadline_s)`,
      )
      .run(demand);
  }

  demands(): DemandRow[] {
    return this.#db.prepare<[], DemandRow>('SELECT * FROM demand ORDER BY rowid').all();
  }

  setDemandState(demandId: string, state: DemandRow['state']): void {
    this.#db.prepare('UPDATE demand SET state = ? WHERE demand_id = ?').run(state, demandId);
  }

  shares(): ShareRow[] {
    return this.#db.prepare<[], ShareRow>('SELECT * FROM share ORDER BY rowid').all();
  }

  shareOf(requestHash: string): ShareRow | undefined {
    return this.#db.prepare<[string], ShareRow>('SELECT * FROM share WHERE request_hash = ?').get(requestHash);
  }

  // Ledger

  appendEntry(sealed: Uint8Array, atS: number): void {
    this.#chain.append(sealed, atS);
  }

  entries(): EntryRow[] {
    return this.#chain.all();
  }

  /** Drops what may be forgotten. Called by a timer. */
  forget(nowS: number): void {
    this.#db.transaction(() => {
      this.#db.prepare('DELETE FROM replay WHERE drop_after_s < ?').run(nowS);
      this.published.forget(nowS);
      this.#db.prepare('DELETE FROM waiting WHERE received_at_s < ?').run(nowS - 15 * 24 * 3600);
    })();
    wipeJournal(this.#path);
  }
}
