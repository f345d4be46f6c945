/** Directories, alerts and reports as they come in, and what an agency's record does to its next request. */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestHouse, testPlace } from '../../test-fixtures/house.ts';
import { silentLog } from '../base/log.ts';
import { sha256Hex, toHex } from '../protocol/bytes.ts';
import { canonicalBytes } from '../protocol/canonical.ts';
import type { AgencyDocument, Documents } from '../protocol/documents.ts';
import { signEnvelope } from '../protocol/envelope.ts';
import type { SigningKey } from '../protocol/keys.ts';
import { tightenLimits } from '../protocol/limits.ts';
import { LedgerDb } from '../store/ledger-db.ts';
import { AgencyBook } from './agency-book.ts';
import { House } from './house.ts';
import { Intake } from './intake.ts';

const dayS = 86_400;
const hash = (letter: string): string => letter.repeat(64);

let house: TestHouse;
let db: LedgerDb;
let intake: Intake;
let book: AgencyBook;
let wallMs: number;
let trusted: boolean;
let verdicts: string[];
let heardAgain: number;

const nowS = (): number => Math.floor(wallMs / 1000);

function makeIntake(limits = tightenLimits({})): Intake {
  const known = new House(house.dataDir);
  known.setRoots([house.rootDescription]);
  return new Intake({
    dataDir: house.dataDir,
    db,
    house: known,
    regions: ['US-CA'],
    limits,
    log: silentLog,
    nowMs: () => wallMs,
    wallMs: () => wallMs,
    clockTrusted: () => trusted,
    onPending: () => {},
    onRevoked: () => {},
    onVerdict: (code) => verdicts.push(code),
  });
}

beforeEach(async () => {
  house = await TestHouse.make();
  db = new LedgerDb(join(house.dataDir, 'ledger.db'));
  wallMs = Date.now();
  trusted = true;
  verdicts = [];
  heardAgain = 0;
  intake = makeIntake();
  book = new AgencyBook({ db, intake, regions: ['US-CA'], nowMs: () => wallMs, onHeardAgain: () => (heardAgain += 1) });
});
afterEach(() => {
  db.close();
  house[Symbol.dispose]();
});

function take(topic: string, envelope: Uint8Array): string | undefined {
  verdicts.length = 0;
  intake.take(topic, envelope);
  return verdicts[0];
}

function enable(change?: (a: AgencyDocument) => AgencyDocument): void {
  intake.importAgency(house.agency(change));
  db.setAgencyEnabled('test-police', true);
}

/** A request as it would be made at the test's time. */
function ask(change: (r: Documents['request']) => Documents['request'] = (r) => r): string | undefined {
  const at = { issued_at: nowS(), expires_at: nowS() + 7 * dayS, window: { from: nowS() - 1800, to: nowS() } };
  const { topic, envelope } = house.request({ change: (r) => change({ ...r, ...at }) });
  return take(topic, envelope);
}

type Entries = Documents['directory']['entries'];

function pageOf(
  entries: Entries,
  more: Partial<Documents['directory']> = {},
  signers: readonly SigningKey[] = house.roots.slice(0, 2),
): { topic: string; envelope: Uint8Array } {
  const page = {
    region: 'US-CA',
    version: 1,
    issued_at: nowS(),
    expires_at: nowS() + 30 * dayS,
    page: 1,
    pages: 1,
    entries: [...entries],
    root_keys: house.roots.map((k) => toHex(k.publicKey)),
    ...more,
  };
  return {
    topic: `latchkey/1/US-CA/dir/${page.page}`,
    envelope: signEnvelope('directory', page, signers),
  };
}

function takePage(entries: Entries, more: Partial<Documents['directory']> = {}): string | undefined {
  const { topic, envelope } = pageOf(entries, more);
  return take(topic, envelope);
}

const hashOf = (document: AgencyDocument): string => sha256Hex(canonicalBytes(document));

describe('a directory', () => {
  it('of 1,500 agencies comes in eight pages, in any order, and the list of agencies stands it', () => {
    const all = Array.from({ length: 1500 }, (_, i) => ({
      agency: `agency-${10_000 + i}`,
      doc_hash: sha256Hex(Buffer.from(String(i))),
    }));
    const pages = [...Array(8).keys()].map((n) => pageOf(all.slice(n * 200, n * 200 + 200), { page: n + 1, pages: 8 }));
    for (const n of [7, 0, 3, 1, 6, 2, 5]) {
      expect(take(pages[n]?.topic ?? '', pages[n]?.envelope ?? new Uint8Array())).toBe('directory-page');
    }
    take(pages[4]?.topic ?? '', pages[4]?.envelope ?? new Uint8Array());
    expect(verdicts).toEqual(['directory-page', 'directory-complete']);
    enable();
    const rootId = db.agency('test-police')?.root_id ?? '';
    expect(db.published.listedHash('US-CA', rootId, 'agency-11499')).toBe(all[1499]?.doc_hash);
    expect(db.published.directory('US-CA', rootId)).toMatchObject({ version: 1 });
    const raw = new Database(join(house.dataDir, 'ledger.db'));
    const insert = raw.prepare(
      'INSERT INTO agency (agency, version, envelope, doc_hash, root_id) VALUES (?, 1, ?, ?, ?)',
    );
    raw.transaction(() => {
      for (const { agency } of all) {
        const document = house.agencyDocument((a) => ({ ...a, agency }));
        insert.run(agency, signEnvelope('agency', document, [house.roots[0]]), hashOf(document), rootId);
      }
    })();
    raw.close();
    const listed = book.list();
    expect(listed).toHaveLength(1501);
    expect(listed.filter(({ enabled }) => enabled).map(({ agency }) => agency)).toEqual(['test-police']);
  });

  it('never enables an agency, and holds requests back whose agency it lists otherwise or not at all', () => {
    enable();
    const newer = house.agencyDocument((a) => ({ ...a, version: 2 }));
    expect(takePage([{ agency: 'other-police', doc_hash: hash('a') }])).toBe('directory-page');
    expect(ask()).toBe('request/agency-unlisted');
    expect(takePage([{ agency: 'test-police', doc_hash: hashOf(newer) }], { version: 2 })).toBe('directory-page');
    expect(ask()).toBe('request/agency-outdated');
    expect(book.list()).toMatchObject([{ directory: 'agency-outdated', enabled: true }]);
    // The document that was withheld arrives: what waited is looked at.
    expect(
      take(
        'latchkey/1/US-CA/ag/test-police',
        house.agency((a) => ({ ...a, version: 2 })),
      ),
    ).toBe('agency-updated');
    expect(verdicts.filter((v) => v === 'accepted')).toHaveLength(2);
    // A directory that still lists the document before is behind, not ahead.
    const past = hashOf(house.agencyDocument());
    expect(takePage([{ agency: 'test-police', doc_hash: past }], { version: 3 })).toBe('directory-page');
    expect(ask()).toBe('accepted');
    expect(db.agency('other-police')).toBeUndefined();
  });

  it('only rises, and two pages under one version and number are kept as evidence', () => {
    const entry = (letter: string) => [{ agency: 'test-police', doc_hash: hash(letter) }];
    expect(takePage(entry('a'), { version: 5 })).toBe('directory-page');
    expect(takePage(entry('a'), { version: 4 })).toBe('directory/older');
    expect(takePage(entry('a'), { version: 5 })).toBeUndefined();
    expect(takePage(entry('b'), { version: 5 })).toBe('directory/equivocation');
    enable();
    const rootId = db.agency('test-police')?.root_id ?? '';
    expect(db.evidence(`root:${rootId}`)).toHaveLength(1);
    expect(db.published.listedHash('US-CA', rootId, 'test-police')).toBe(hash('a'));
    // A newer one that is not complete yet leaves the complete one in force.
    expect(takePage(entry('c'), { version: 6, pages: 2 })).toBe('directory-page');
    expect(db.published.listedHash('US-CA', rootId, 'test-police')).toBe(hash('a'));
  });

  it('whose time is over casts no doubt, and before the clock is believed it waits', () => {
    enable();
    trusted = false;
    const page = pageOf([], { expires_at: nowS() + 3600 });
    expect(take(page.topic, page.envelope)).toBe('directory/held-for-clock');
    const forged = pageOf([], {}, [house.officer, house.approver]).envelope;
    expect(take(page.topic, forged)).toBe('envelope/not-enough-signers');
    trusted = true;
    intake.retryAll();
    expect(verdicts).toContain('directory-complete');
    expect(ask()).toBe('request/agency-unlisted');
    wallMs += 2 * 3600_000;
    expect(ask()).toBe('accepted');
  });

  it('under a foreign topic is refused', () => {
    const { envelope } = pageOf([]);
    expect(take('latchkey/1/US-CA/dir/2', envelope)).toBe('directory/topic-mismatch');
  });
});

function notice(change: Partial<Documents['notice']> = {}): { topic: string; envelope: Uint8Array } {
  const document = {
    agency: 'test-police',
    region: 'US-CA',
    seq: 1,
    headline: 'Parcels taken',
    text: 'Two reports since Monday.',
    issued_at: nowS(),
    expires_at: nowS() + dayS,
    ...change,
  };
  return {
    topic: `latchkey/1/${document.region}/nt/${document.agency}/${document.seq}`,
    envelope: signEnvelope('notice', document, [house.officer]),
  };
}

function takeNotice(change: Partial<Documents['notice']> = {}): string | undefined {
  const { topic, envelope } = notice(change);
  return take(topic, envelope);
}

describe('an alert', () => {
  it('is shown while it is up, if it is of an agency that is heard and about this place', () => {
    expect(takeNotice()).toBe('notice/unknown-agency');
    intake.importAgency(house.agency((a) => ({ ...a, kind: 'group' })));
    expect(takeNotice()).toBe('notice/agency-not-enabled');
    book.setEnabled('test-police', true);
    expect(heardAgain).toBe(1);
    expect(takeNotice()).toBe('notice');
    expect(book.notices()).toMatchObject([{ headline: 'Parcels taken', agencyName: 'Test Police Department' }]);
    const far = { circle: { lat_e6: 38_580_000, lon_e6: -121_490_000, radius_m: 300 } };
    expect(takeNotice({ seq: 2, area: far })).toBe('notice/elsewhere');
    const near = { circle: { lat_e6: testPlace.latE6, lon_e6: testPlace.lonE6, radius_m: 300 } };
    expect(takeNotice({ seq: 3, area: near, headline: 'Here' })).toBe('notice');
    expect(book.notices().map((n) => n.headline)).toContain('Here');
    const { envelope } = notice();
    expect(take('latchkey/1/US-CA/nt/test-police/9', envelope)).toBe('notice/topic-mismatch');
    expect(takeNotice()).toBe('notice/replayed');
    wallMs += 2 * dayS * 1000;
    expect(book.notices()).toEqual([]);
    // A group may alert and nothing else.
    expect(ask()).toBe('request/not-an-agency');
  });

  it('is silent while its agency is muted, limited to five a day, and a contradiction suspends', () => {
    enable();
    for (let seq = 1; seq <= 5; seq += 1) expect(takeNotice({ seq })).toBe('notice');
    expect(takeNotice({ seq: 6 })).toBe('notice/too-many-today');
    book.setMuted('test-police', true);
    expect(book.notices()).toEqual([]);
    expect(takeNotice({ seq: 7 })).toBe('notice/agency-muted');
    book.setMuted('test-police', false);
    expect(book.notices()).toHaveLength(5);
    expect(takeNotice({ seq: 1, headline: 'Something else' })).toBe('notice/equivocation');
    expect(book.evidence('test-police')).toHaveLength(1);
    expect(book.notices()).toEqual([]);
    expect(takeNotice({ seq: 8 })).toBe('notice/agency-suspended');
  });

  it('waits while the clock is not believed', () => {
    enable();
    trusted = false;
    expect(takeNotice()).toBe('notice/held-for-clock');
    trusted = true;
    intake.retryAll();
    expect(book.notices()).toHaveLength(1);
  });
});

function outcomeOn(
  requestHash: string,
  change: Partial<Documents['outcome']> = {},
): { topic: string; envelope: Uint8Array } {
  const document: Documents['outcome'] = {
    agency: 'test-police',
    request_hash: requestHash,
    seq: 1,
    status: 'closed',
    use: ['vehicle_id'],
    shares: '1-4',
    deleted: [1, 2, 3, 4].map(() => randomBytes(32).toString('hex')),
    retained: '0',
    disclosures: [],
    ...change,
  };
  return {
    topic: `latchkey/1/US-CA/oc/test-police/${document.seq}`,
    envelope: signEnvelope('outcome', document, [house.outcomeKey]),
  };
}

function report(requestHash: string, change: Partial<Documents['outcome']> = {}): string | undefined {
  const { topic, envelope } = outcomeOn(requestHash, change);
  return take(topic, envelope);
}

/** Requests about another place: what is owed is public, and says nothing of this house. */
function askElsewhere(): string {
  const area = { circle: { lat_e6: 38_580_000, lon_e6: -121_490_000, radius_m: 300 } };
  const made = house.request({
    change: (r) => ({
      ...r,
      area,
      issued_at: nowS(),
      expires_at: nowS() + 7 * dayS,
      window: { from: nowS() - 1800, to: nowS() },
    }),
  });
  expect(take(made.topic, made.envelope)).toBe('request/elsewhere');
  return sha256Hex(canonicalBytes(made.document));
}

describe('a report of an outcome', () => {
  it('is counted for its agency, the newest of each request, under its own topic', () => {
    expect(report(hash('a'))).toBe('outcome/unknown-agency');
    intake.importAgency(house.agency());
    expect(report(hash('a'))).toBe('outcome/agency-not-enabled');
    db.setAgencyEnabled('test-police', true);
    expect(report(hash('a'), { status: 'open', use: [] })).toBe('outcome');
    expect(book.list()[0]?.score).toMatchObject({ openCount: 1, closedCount: 0 });
    expect(report(hash('a'), { seq: 3 })).toBe('outcome');
    expect(report(hash('a'), { seq: 2 })).toBe('outcome/older');
    expect(report(hash('b'), { seq: 4, use: ['vehicle_id', 'charge'] })).toBe('outcome');
    expect(book.list()[0]?.score).toEqual({
      dueCount: 2,
      overdueCount: 0,
      openCount: 0,
      closedCount: 2,
      uses: { vehicle_id: 2, charge: 1 },
    });
    const { envelope } = outcomeOn(hash('c'), { seq: 5 });
    expect(take('latchkey/1/US-CA/oc/test-police/6', envelope)).toBe('outcome/topic-mismatch');
    expect(report(hash('d'), { seq: 4 })).toBe('outcome/equivocation');
    expect(report(hash('e'), { seq: 9 })).toBe('outcome/agency-suspended');
  });

  it('more than three that are overdue mute their agency, until it has caught up', () => {
    enable();
    const owed = [1, 2, 3, 4].map(askElsewhere);
    wallMs += (7 + 60) * dayS * 1000 - 5000;
    expect(ask()).toBe('accepted');
    wallMs += 10_000;
    expect(book.list()).toMatchObject([{ muted: 'overdue-outcomes', score: { overdueCount: 4 } }]);
    expect(ask()).toBe('request/agency-muted');
    // One of them, even an open one: three are tolerated, and what waited is looked at.
    expect(report(owed[0] ?? '', { status: 'open' })).toBe('outcome');
    expect(verdicts).toContain('accepted');
    expect(book.list()).toMatchObject([{ muted: 'no', score: { overdueCount: 3 } }]);
  });

  it('of a share of this house says that it was deleted only if it names that share', () => {
    enable();
    expect(ask()).toBe('accepted');
    const [request] = db.requests();
    const requestHash = request?.request_hash ?? '';
    db.beginShare({
      share_id: '5'.repeat(32),
      request_hash: requestHash,
      body_bytes: 1,
      release_not_before_ms: 1,
      deadline_ms: 2,
      grant_hash: hash('f'),
      cooling_left_ms: 0,
      second_approver: null,
    });
    expect(report(requestHash)).toBe('outcome');
    expect(db.shareOf(requestHash)).toMatchObject({ outcome: 'closed', deleted_at_s: null });
    const own = createHash('sha256').update('5'.repeat(32)).digest('hex');
    const padded = [own, ...[1, 2, 3].map(() => randomBytes(32).toString('hex'))];
    expect(report(requestHash, { seq: 2, deleted: padded })).toBe('outcome');
    expect(db.shareOf(requestHash)?.deleted_at_s).toBe(nowS());
    // Once said, it stays said.
    wallMs += 1000_000;
    expect(report(requestHash, { seq: 3, status: 'open' })).toBe('outcome');
    expect(db.shareOf(requestHash)).toMatchObject({ outcome: 'open', deleted_at_s: nowS() - 1000 });
  });
});

describe('what the owner narrows', () => {
  it('a muted agency is not heard, keeps what waits, and is heard again', () => {
    enable();
    book.setMuted('test-police', true);
    expect(ask()).toBe('request/agency-muted');
    expect(db.requests()).toHaveLength(0);
    book.setMuted('test-police', false);
    expect(db.requests()).toHaveLength(1);
  });

  it('prompts a day: zero to five, no more', () => {
    enable();
    for (const bad of [-1, 6, 1.5]) {
      expect(() => book.setPerDay('test-police', bad)).toThrow(
        expect.objectContaining({ code: 'policy/limit-too-lax' }),
      );
    }
    book.setPerDay('test-police', 1);
    expect(ask()).toBe('accepted');
    expect(ask()).toBe('request/too-many-today');
    expect(book.setPerDay('test-police', null)).toMatchObject({ perDay: 5 });
    for (let i = 0; i < 4; i += 1) expect(ask()).toBe('accepted');
    expect(ask()).toBe('request/too-many-today');
    wallMs += dayS * 1000 + 1000;
    expect(ask()).toBe('accepted');
  });

  it('short-lived requests, and other spellings of a case, do not slip under the caps', () => {
    enable();
    const short = (number: string) => ask((r) => ({ ...r, expires_at: nowS() + 60, case: { ...r.case, number } }));
    expect(short('CASE-77')).toBe('accepted');
    wallMs += 120_000;
    for (const row of db.requests()) db.expire(row.request_hash, row.note);
    expect(short('case 77')).toBe('accepted');
    wallMs += 120_000;
    for (const row of db.requests()) db.expire(row.request_hash, row.note);
    expect(short('Case—７７')).toBe('request/too-many-for-case');
    for (const number of ['a', 'b', 'c']) expect(short(number)).toBe('accepted');
    for (const row of db.requests()) db.expire(row.request_hash, row.note);
    expect(short('d')).toBe('request/too-many-today');
  });

  it('a limit of the configuration is kept to the second, and a laxer one is refused', () => {
    enable();
    intake = makeIntake(tightenLimits({ maxWindowS: 1800 }));
    expect(ask()).toBe('accepted');
    expect(ask((r) => ({ ...r, window: { from: nowS() - 1801, to: nowS() } }))).toBe('request/window-too-long');
    expect(() => tightenLimits({ maxWindowS: 14_401 })).toThrow(
      expect.objectContaining({ code: 'policy/limit-too-lax' }),
    );
  });
});
