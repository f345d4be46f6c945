/**
 * The part of `ledger.db` that is about what agencies and roots publish: numbers taken, directories, notices, what was
 * asked of this owner, and which reports are due. Nothing here tells what the owner did.
 */
import type Database from 'better-sqlite3';
import type { DirectoryRow, DutyRow, NoticeRow, NumberedKind } from './ledger-rows.ts';

/** An agency's own documents are few; whoever signs thousands fills no disk here. The oldest make room. */
const noticesPerAgency = 50;
const dutiesPerAgency = 5000;
const numbersPerKind = 300;

export class PublishedRows {
  readonly #db: Database.Database;
  readonly #tag: (text: string) => Buffer;

  constructor(db: Database.Database, tag: (text: string) => Buffer) {
    this.#db = db;
    this.#tag = tag;
  }

  /** Remembers which document an agency's number named; returns the earlier envelope if it was another. */
  claimNumber(claim: {
    readonly agency: string;
    readonly kind: NumberedKind;
    readonly seq: number;
    readonly docHash: string;
    readonly envelope: Uint8Array;
    readonly dropAfterS: number;
  }): Buffer | undefined {
    const known = this.#db
      .prepare<[string, string, number], { doc_hash: string; envelope: Buffer }>(
        'SELECT doc_hash, envelope FROM numbered WHERE agency = ? AND kind = ? AND seq = ?',
      )
      .get(claim.agency, claim.kind, claim.seq);
    if (known !== undefined) return known.doc_hash === claim.docHash ? undefined : known.envelope;
    this.#db.transaction(() => {
      this.#db
        .prepare(
          `INSERT INTO numbered (agency, kind, seq, doc_hash, envelope, drop_after_s)
           VALUES (@agency, @kind, @seq, @docHash, @envelope, @dropAfterS)`,
        )
        .run({ ...claim, envelope: Buffer.from(claim.envelope) });
      this.#db
        .prepare(
          `DELETE FROM numbered WHERE agency = @agency AND kind = @kind AND rowid NOT IN
           (SELECT rowid FROM numbered WHERE agency = @agency AND kind = @kind ORDER BY rowid DESC LIMIT @most)`,
        )
        .run({ agency: claim.agency, kind: claim.kind, most: numbersPerKind });
    })();
    return undefined;
  }

  // What was asked: counted beyond the life of each request, so that short-lived ones can't slip under the caps.

  #caseTag(agency: string, caseNumber: string): Buffer {
    return this.#tag(`case:${agency}:${sameCase(caseNumber)}`);
  }

  noteAsked(agency: string, caseNumber: string, atS: number): void {
    this.#db
      .prepare('INSERT INTO asked (agency, case_tag, at_s) VALUES (?, ?, ?)')
      .run(agency, this.#caseTag(agency, caseNumber), atS);
  }

  askedSince(agency: string, sinceS: number): number {
    return this.#count('SELECT count(*) AS n FROM asked WHERE agency = ? AND at_s > ?', agency, sinceS);
  }

  askedForCase(agency: string, caseNumber: string): number {
    const tag = this.#caseTag(agency, caseNumber);
    return this.#count('SELECT count(*) AS n FROM asked WHERE agency = ? AND case_tag = ?', agency, tag);
  }

  #count(sql: string, ...parameters: readonly (string | number | Buffer)[]): number {
    return this.#db.prepare<unknown[], { n: number }>(sql).get(...parameters)?.n ?? 0;
  }

  // Directories

  directoryPages(region: string, rootId: string): { version: number; page: number; envelope: Buffer }[] {
    return this.#db
      .prepare<[string, string], { version: number; page: number; envelope: Buffer }>(
        'SELECT version, page, envelope FROM directory_page WHERE region = ? AND root_id = ? ORDER BY version, page',
      )
      .all(region, rootId);
  }

  /** Keeps a page, and drops those of versions that are neither this one nor the complete one. */
  putDirectoryPage(page: {
    readonly region: string;
    readonly rootId: string;
    readonly version: number;
    readonly page: number;
    readonly pageHash: string;
    readonly envelope: Uint8Array;
  }): void {
    this.#db.transaction(() => {
      this.#db
        .prepare(
          `INSERT OR IGNORE INTO directory_page (region, root_id, version, page, page_hash, envelope)
           VALUES (@region, @rootId, @version, @page, @pageHash, @envelope)`,
        )
        .run({ ...page, envelope: Buffer.from(page.envelope) });
      const complete = this.directory(page.region, page.rootId)?.version ?? 0;
      this.#db
        .prepare('DELETE FROM directory_page WHERE region = ? AND root_id = ? AND version NOT IN (?, ?)')
        .run(page.region, page.rootId, page.version, complete);
    })();
  }

  directory(region: string, rootId: string): DirectoryRow | undefined {
    return this.#db
      .prepare<[string, string], DirectoryRow>('SELECT * FROM directory WHERE region = ? AND root_id = ?')
      .get(region, rootId);
  }

  /** A complete directory takes the place of the one before, in one transaction. */
  putDirectory(row: DirectoryRow, documents: ReadonlyMap<string, string>): void {
    this.#db.transaction(() => {
      this.#db
        .prepare(
          `INSERT OR REPLACE INTO directory (region, root_id, version, expires_at_s)
           VALUES (@region, @root_id, @version, @expires_at_s)`,
        )
        .run(row);
      this.#db.prepare('DELETE FROM directory_entry WHERE region = ? AND root_id = ?').run(row.region, row.root_id);
      const insert = this.#db.prepare(
        'INSERT INTO directory_entry (region, root_id, agency, doc_hash) VALUES (?, ?, ?, ?)',
      );
      for (const [agency, docHash] of documents) insert.run(row.region, row.root_id, agency, docHash);
      this.#db
        .prepare('DELETE FROM directory_page WHERE region = ? AND root_id = ? AND version < ?')
        .run(row.region, row.root_id, row.version);
    })();
  }

  listedHash(region: string, rootId: string, agency: string): string | undefined {
    return this.#db
      .prepare<[string, string, string], { doc_hash: string }>(
        'SELECT doc_hash FROM directory_entry WHERE region = ? AND root_id = ? AND agency = ?',
      )
      .get(region, rootId, agency)?.doc_hash;
  }

  // Notices

  putNotice(row: Omit<NoticeRow, 'envelope'> & { readonly envelope: Uint8Array }): void {
    this.#db.transaction(() => {
      this.#db
        .prepare(
          `INSERT OR IGNORE INTO notice (agency, seq, envelope, issued_at_s, expires_at_s)
           VALUES (@agency, @seq, @envelope, @issued_at_s, @expires_at_s)`,
        )
        .run({ ...row, envelope: Buffer.from(row.envelope) });
      this.#db
        .prepare(
          `DELETE FROM notice WHERE agency = @agency AND seq NOT IN
           (SELECT seq FROM notice WHERE agency = @agency ORDER BY issued_at_s DESC, seq DESC LIMIT @most)`,
        )
        .run({ agency: row.agency, most: noticesPerAgency });
    })();
  }

  /** Those still up, newest first. */
  notices(nowS: number): NoticeRow[] {
    return this.#db
      .prepare<[number], NoticeRow>('SELECT * FROM notice WHERE expires_at_s > ? ORDER BY issued_at_s DESC, seq DESC')
      .all(nowS);
  }

  noticesSince(agency: string, sinceS: number): number {
    return this.#count('SELECT count(*) AS n FROM notice WHERE agency = ? AND issued_at_s > ?', agency, sinceS);
  }

  // Reports that are due

  #dutyTag(agency: string, requestHash: string): Buffer {
    return this.#tag(`duty:${agency}:${requestHash}`);
  }

  /** A verified request: its agency owes a report by then. */
  oweReport(agency: string, requestHash: string, dueS: number, dropAfterS: number): void {
    this.#db
      .prepare(
        `INSERT INTO duty (tag, agency, due_s, drop_after_s) VALUES (?, ?, ?, ?)
         ON CONFLICT (tag) DO UPDATE SET due_s = coalesce(duty.due_s, excluded.due_s)`,
      )
      .run(this.#dutyTag(agency, requestHash), agency, dueS, dropAfterS);
    this.#boundDuties(agency);
  }

  /** Keeps the newest report of each request; false for one that is not newer than what is known. */
  putReport(report: {
    readonly agency: string;
    readonly requestHash: string;
    readonly seq: number;
    readonly status: 'open' | 'closed';
    readonly uses: readonly string[];
    readonly shares: string;
    readonly retained: string;
    readonly dropAfterS: number;
  }): boolean {
    const { requestHash, uses, ...row } = report;
    const result = this.#db
      .prepare(
        `INSERT INTO duty (tag, agency, seq, status, uses, shares, retained, drop_after_s)
         VALUES (@tag, @agency, @seq, @status, @uses, @shares, @retained, @dropAfterS)
         ON CONFLICT (tag) DO UPDATE SET seq = excluded.seq, status = excluded.status, uses = excluded.uses,
           shares = excluded.shares, retained = excluded.retained, drop_after_s = excluded.drop_after_s
         WHERE duty.seq IS NULL OR excluded.seq > duty.seq`,
      )
      .run({ ...row, tag: this.#dutyTag(report.agency, requestHash), uses: uses.join(' ') });
    this.#boundDuties(report.agency);
    return result.changes > 0;
  }

  #boundDuties(agency: string): void {
    this.#db
      .prepare(
        `DELETE FROM duty WHERE agency = @agency AND rowid NOT IN
         (SELECT rowid FROM duty WHERE agency = @agency ORDER BY rowid DESC LIMIT @most)`,
      )
      .run({ agency, most: dutiesPerAgency });
  }

  duties(agency: string): DutyRow[] {
    return this.#db
      .prepare<[string], DutyRow>('SELECT due_s, status, uses, shares, retained FROM duty WHERE agency = ?')
      .all(agency);
  }

  /** Reports that should have come by now and have not. */
  overdueCount(agency: string, nowS: number): number {
    return this.#count('SELECT count(*) AS n FROM duty WHERE agency = ? AND seq IS NULL AND due_s < ?', agency, nowS);
  }

  /** Within the caller's transaction. */
  forget(nowS: number): void {
    const dayS = 24 * 3600;
    this.#db.prepare('DELETE FROM numbered WHERE drop_after_s < ?').run(nowS);
    this.#db.prepare('DELETE FROM asked WHERE at_s < ?').run(nowS - 400 * dayS);
    this.#db.prepare('DELETE FROM notice WHERE expires_at_s < ?').run(nowS);
    this.#db.prepare('DELETE FROM duty WHERE drop_after_s < ?').run(nowS);
  }
}

/** Two spellings of one case number are one case: case, spaces and punctuation don't count. */
export function sameCase(caseNumber: string): string {
  const bare = caseNumber
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
  return bare === '' ? caseNumber : bare;
}
