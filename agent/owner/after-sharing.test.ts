/** From approval to the day on which a share should be gone: cooling-off, second approver, withdrawal, demands, ledger. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { Running } from '../../test-fixtures/owner-program.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { openFile, parseIdentity, splitFile } from '../protocol/age-file.ts';
import { fromHex } from '../protocol/bytes.ts';
import { checkDispatch } from '../protocol/dispatch.ts';
import { peekDocument } from '../protocol/envelope.ts';
import { LedgerDb } from '../store/ledger-db.ts';
import type { StoredState } from '../store/ledger-rows.ts';
import { Aftermath } from './aftermath.ts';
import { AgencyBook } from './agency-book.ts';
import { Consent } from './consent.ts';
import { Decisions } from './decisions.ts';
import { Digest, digestDay } from './digest.ts';
import { House } from './house.ts';
import { Intake } from './intake.ts';
import { Release } from './release.ts';
import type { Safeguards } from './safeguards.ts';
import { VaultHost } from './vault-host.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const minuteMs = 60_000;
const startMs = Math.floor(Date.now() / 1000) * 1000 - 600_000;

let house: TestHouse;
let db: LedgerDb;
let vaults: VaultHost;
let consent: Consent;
let release: Release;
let aftermath: Aftermath;
let requestId: string;
let clipId: string;
let aheadMs: number;
let steadyMs: number;
let trusted: boolean;
let safeguards: Safeguards;
let owners: Set<string>;

const nowMs = (): number => Math.max(Date.now() + aheadMs, db.clockFloorS * 1000);
const path = (...parts: string[]): string => join(house.dataDir, ...parts);
const outbox = (): string[] => readdirSync(path('spool/outbox')).filter((name) => !name.startsWith('.'));

beforeEach(async () => {
  aheadMs = 0;
  steadyMs = 0;
  trusted = true;
  safeguards = { coolingOffMs: hourMs, secondApprover: null };
  owners = new Set(['ada', 'grandma']);
  house = await TestHouse.make();
  await house.pinRoot();
  clipId = house.addClip({ startMs });
  db = new LedgerDb(path('ledger.db'));
  const known = new House(house.dataDir);
  known.setRoots([house.rootDescription]);
  vaults = new VaultHost({
    dataDir: house.dataDir,
    clock: { ...systemClock, monotonicMs: () => steadyMs },
    log: silentLog,
    onUnlocked: (vault) => consent.restoreDecisions(vault),
    onLocking: (actions, lostCount) => consent.endSession(actions, lostCount),
    onLockState: () => {},
  });
  const intake = new Intake({
    dataDir: house.dataDir,
    db,
    house: known,
    regions: ['US-CA'],
    log: silentLog,
    nowMs,
    wallMs: Date.now,
    clockTrusted: () => trusted,
    onPending: () => {},
    onRevoked: (hash) => consent.revoke(hash),
  });
  consent = new Consent({
    config: new Running(house).config,
    db,
    house: known,
    intake,
    agencies: new AgencyBook({ db, intake, regions: ['US-CA'], nowMs, onHeardAgain: () => {} }),
    safeguards: () => safeguards,
    canConfirm: (name) => owners.has(name),
    decisions: new Decisions(known.ownerRecipient),
    askRecorder: () => Promise.reject(new Error('no recorder runs here')),
    vaults,
    clock: systemClock,
    nowMs,
    clockTrusted: () => trusted,
    health: async () => ({ clock: 'trusted', cameras: [], broker: 'not-configured' }),
    onChange: () => {},
    discardUnknown: () => release.discardUnknown(),
    onRootPinned: () => {},
  });
  restart();
  intake.importAgency(house.agency());
  db.setAgencyEnabled('test-police', true);
  const { topic, envelope, document } = house.request();
  intake.take(topic, envelope);
  requestId = document.request_id;
});
afterEach(async () => {
  await vaults.lock();
  db.close();
  house[Symbol.dispose]();
});

/** As after a start of the program: only what is on the disk is known. */
function restart(): void {
  aftermath = new Aftermath({ dataDir: house.dataDir, db, log: silentLog, nowMs, clockTrusted: () => trusted });
  release = new Release({
    dataDir: house.dataDir,
    db,
    log: silentLog,
    nowMs,
    monotonicMs: () => steadyMs,
    clockTrusted: () => trusted,
    onChange: () => {},
    keepDemands: (shareId, held) => aftermath.keepDemands(shareId, held),
  });
}

function pass(ms: number): void {
  aheadMs += ms;
  steadyMs += ms;
}

async function approve(account?: string): Promise<string> {
  await consent.unlockDeciding({ passphrase: testPassphrase });
  await consent.review({ requestId });
  const selection = [{ clipId, fromMs: startMs, toMs: startMs + 20_000 }];
  const { previewId } = await consent.preview({ requestId, selection });
  const { shareId } = await consent.approve({ requestId, previewId, passphrase: testPassphrase, account });
  return shareId;
}

function courierSays(id: string, state: string): void {
  writeFileSync(path('spool/status', `${id}.json`), JSON.stringify({ state }));
}

/** Approved, cooled off, arrived, and locked. */
async function shared(): Promise<string> {
  const shareId = await approve();
  await consent.lock();
  release.tick();
  pass(hourMs);
  release.tick();
  courierSays(shareId, 'body-done');
  release.tick();
  courierSays(shareId, 'done');
  release.tick();
  expect((await consent.showRequest({ requestId })).state).toBe('SHARED');
  return shareId;
}

const shareOf = async () => (await consent.showRequest({ requestId })).share;

describe('a review', () => {
  it('ends with a lock, and after ten minutes in which nothing was asked; the request waits as before', async () => {
    const lockOf = async () => (await consent.health()).lock;
    const stateOf = async () => (await consent.showRequest({ requestId })).state;
    await consent.unlockDeciding({ passphrase: testPassphrase });
    await consent.review({ requestId });
    pass(10 * minuteMs);
    await vaults.lockIfIdle();
    expect([await lockOf(), await stateOf()]).toEqual(['deciding', 'REVIEWING']);
    // Looking again is asking.
    await consent.review({ requestId });
    pass(10 * minuteMs);
    await vaults.lockIfIdle();
    expect(await lockOf()).toBe('deciding');
    pass(1);
    await vaults.lockIfIdle();
    expect([await lockOf(), await stateOf()]).toEqual(['locked', 'PENDING']);
    await expect(consent.review({ requestId })).rejects.toMatchObject({ code: 'owner/locked' });
  });
});

describe('cooling-off', () => {
  it('is not shortened by a clock that is set forward, in one program or over a restart', async () => {
    const shareId = await approve();
    release.tick();
    aheadMs += 3 * hourMs;
    release.tick();
    expect(outbox()).toEqual([]);
    pass(hourMs / 2);
    release.tick();
    restart();
    aheadMs += 3 * hourMs;
    release.tick();
    expect(outbox()).toEqual([]);
    // What had passed before the restart was marked, but for its last seconds.
    pass(hourMs / 2 + 16_000);
    release.tick();
    expect(outbox()).toEqual([shareId]);
  });

  it('stands still while the device is off: whoever waits must be able to take back', async () => {
    const shareId = await approve();
    release.tick();
    // Off for half a day: the wall clock went on, the steady one begins where it begins.
    aheadMs += 12 * hourMs;
    restart();
    release.tick();
    pass(hourMs - minuteMs);
    release.tick();
    expect(outbox()).toEqual([]);
    expect(await consent.withdraw({ requestId })).toEqual({ state: 'WITHDRAWN' });
    pass(minuteMs);
    release.tick();
    expect(outbox()).toEqual([]);
    expect(existsSync(path('owner/held', shareId))).toBe(false);
  });

  it('waits for the clock too, and for nobody who sets it back', async () => {
    await approve();
    release.tick();
    trusted = false;
    pass(2 * hourMs);
    release.tick();
    expect(outbox()).toEqual([]);
    trusted = true;
    aheadMs -= 2 * hourMs;
    release.tick();
    expect(outbox()).toEqual([]);
  });
});

describe('an approval', () => {
  it('is refused when after the cooling-off nothing could arrive in time', async () => {
    // The request ends in seven days and shares are taken for two more.
    safeguards = { coolingOffMs: 9 * dayMs - 20 * 60_000, secondApprover: null };
    await expect(approve()).rejects.toMatchObject({ code: 'consent/no-time' });
    expect(db.shares()).toEqual([]);
    expect((await consent.showRequest({ requestId })).state).toBe('REVIEWING');
  });
});

describe('withdrawing needs no key', () => {
  it('while everything is locked: in cooling off, with the body on its way, and not after the release', async () => {
    const shareId = await approve();
    await consent.lock();
    expect(await consent.withdraw({ requestId })).toEqual({ state: 'WITHDRAWN' });
    release.tick();
    expect(existsSync(path('owner/held', shareId))).toBe(false);
    aftermath.tick();
    expect(db.demands().map((d) => d.state)).toEqual(['dropped']);
  });

  it('with the body out: the key is destroyed at home and the courier called back', async () => {
    const shareId = await approve();
    await consent.lock();
    release.tick();
    pass(hourMs);
    release.tick();
    expect(outbox()).toEqual([shareId]);
    const body = readFileSync(path('spool/outbox', shareId, 'body.age'));
    expect(await consent.withdraw({ requestId })).toEqual({ state: 'WITHDRAWN' });
    release.tick();
    expect(existsSync(path('owner/held', shareId))).toBe(false);
    expect(readdirSync(path('spool/outbox', shareId))).toContain('withdrawn');
    // All that server, courier and agency have: the body, and the agency's key.
    const identity = parseIdentity(house.agencyIdentity.identity);
    expect(() => openFile({ header: new Uint8Array(), body }, identity)).toThrow();
    const found = spawnSync('grep', ['-rl', 'age-encryption.org', path('owner/held'), path('spool')], {
      encoding: 'utf8',
    });
    expect(found.stdout).toBe('');
  });

  it('and while a share is being sealed it leaves a pending request and no share', async () => {
    await consent.unlockDeciding({ passphrase: testPassphrase });
    await consent.review({ requestId });
    const selection = [{ clipId, fromMs: startMs, toMs: startMs + 20_000 }];
    const { previewId } = await consent.preview({ requestId, selection });
    const approval = consent.approve({ requestId, previewId, passphrase: testPassphrase });
    expect(await consent.withdraw({ requestId })).toEqual({ state: 'PENDING' });
    await expect(approval).rejects.toMatchObject({ code: 'consent/interrupted' });
    expect(db.shares()).toEqual([]);
    expect(readdirSync(path('owner/held'))).toEqual([]);
  });

  it('in every state, while everything is locked: what is on its way is taken back, and nothing else is touched', async () => {
    await approve();
    await consent.lock();
    const hash = db.request(requestId)?.request_hash ?? '';
    const after = async (state: StoredState): Promise<unknown> => {
      db.setState(hash, state);
      const answer = await consent.withdraw({ requestId }).catch((thrown: unknown) => thrown);
      return [answer, db.request(requestId)?.state];
    };
    for (const state of ['COOLING', 'BODY_UP'] as const) {
      expect(await after(state)).toEqual([{ state: 'WITHDRAWN' }, 'WITHDRAWN']);
    }
    for (const state of ['PENDING', 'RELEASE', 'SHARED', 'WITHDRAWN', 'REVOKED', 'EXPIRED', 'FAILED'] as const) {
      expect(await after(state)).toEqual([expect.objectContaining({ code: 'owner/wrong-state' }), state]);
    }
    db.setState(hash, 'PENDING');
    expect(await consent.decline({ requestId })).toEqual({ state: 'DECLINED' });
    await expect(consent.withdraw({ requestId })).rejects.toMatchObject({ code: 'owner/wrong-state' });
  });

  it('not before an approval and not after the release', async () => {
    await expect(consent.withdraw({ requestId })).rejects.toMatchObject({ code: 'owner/wrong-state' });
    await shared();
    await expect(consent.withdraw({ requestId })).rejects.toMatchObject({ code: 'owner/wrong-state' });
  });
});

describe('a second approver', () => {
  it('must be another person, and nothing leaves before they said yes, whatever time passes', async () => {
    safeguards = { coolingOffMs: hourMs, secondApprover: 'nobody' };
    await expect(approve('ada')).rejects.toMatchObject({ code: 'consent/no-second-approver' });
    safeguards = { coolingOffMs: hourMs, secondApprover: 'grandma' };
    await expect(approve('grandma')).rejects.toMatchObject({ code: 'consent/same-person' });
    await expect(consent.confirm({ requestId, account: 'grandma' })).rejects.toMatchObject({
      code: 'owner/wrong-state',
    });
    const shareId = await approve('ada');
    expect(await shareOf()).toMatchObject({ waitsFor: 'grandma' });
    // Who approves can't lift it for a share that is already made.
    safeguards = { coolingOffMs: 0, secondApprover: null };
    release.tick();
    pass(2 * hourMs);
    release.tick();
    expect(outbox()).toEqual([]);
    await expect(consent.confirm({ requestId, account: 'ada' })).rejects.toMatchObject({ code: 'consent/not-second' });
    // A log-in of that name that is no owner's any more, whichever door it comes through.
    owners.delete('grandma');
    await expect(consent.confirm({ requestId, account: 'grandma' })).rejects.toMatchObject({
      code: 'consent/not-second',
    });
    owners.add('grandma');
    expect(await consent.confirm({ requestId, account: 'grandma' })).not.toHaveProperty('waitsFor');
    restart();
    release.tick();
    expect(outbox()).toEqual([shareId]);
  });
});

describe('after sharing', () => {
  it('every share has its deadlines, and what became of it', async () => {
    await shared();
    const day = Math.floor(nowMs() / 1000) * 1000;
    const after = (await shareOf())?.after;
    expect(after).toMatchObject({ outcome: 'due', deletion: 'due', demands: [{ state: 'waiting' }] });
    expect(Math.abs((after?.deleteDueMs ?? 0) - (day + 90 * dayMs))).toBeLessThan(10_000);
    expect(Math.abs((after?.outcomeDueMs ?? 0) - (day + 60 * dayMs))).toBeLessThan(10_000);
    pass(61 * dayMs);
    expect((await shareOf())?.after).toMatchObject({ outcome: 'overdue', deletion: 'due' });
    db.noteOutcome(db.request(requestId)?.request_hash ?? '', 'closed', null);
    expect((await shareOf())?.after).toMatchObject({ outcome: 'closed' });
  });

  it('the demand that was signed at approval goes out on its day while everything is locked', async () => {
    const shareId = await shared();
    pass(90 * dayMs - hourMs);
    aftermath.tick();
    expect(outbox()).toEqual([]);
    restart();
    pass(2 * hourMs);
    trusted = false;
    aftermath.tick();
    expect(outbox()).toEqual([]);
    trusted = true;
    aftermath.tick();
    const [demandId = ''] = outbox();
    expect(demandId).not.toBe(shareId);
    expect((await shareOf())?.after).toMatchObject({ deletion: 'demanded' });
    const folder = path('spool/outbox', demandId);
    const { document } = checkDispatch(
      readFileSync(join(folder, 'dispatch.json')),
      fromHex(readFileSync(path('keys/owner-root.pub'), 'utf8').trim()),
    );
    expect(document.share_id).toBe(demandId);
    expect(document.release_not_before * 1000).toBeLessThanOrEqual(nowMs());
    const file = Buffer.concat([readFileSync(join(folder, 'header.age')), readFileSync(join(folder, 'body.age'))]);
    const opened = openFile(splitFile(file), parseIdentity(house.agencyIdentity.identity));
    expect(peekDocument('demand', opened).unverified).toMatchObject({ share_id: shareId, ground: 'retention_due' });
    courierSays(demandId, 'done');
    aftermath.tick();
    expect(outbox()).toEqual([]);
    expect(readdirSync(path('owner/demands'))).toEqual([]);
    expect(db.demands().map((d) => d.state)).toEqual(['sent']);
  });

  it('no demand goes out for what was deleted in time, and one that cannot be delivered is given up', async () => {
    await shared();
    db.noteOutcome(db.request(requestId)?.request_hash ?? '', 'closed', Math.floor(nowMs() / 1000));
    expect((await shareOf())?.after).toMatchObject({ deletion: 'confirmed' });
    aftermath.tick();
    expect(db.demands().map((d) => d.state)).toEqual(['dropped']);
    await consent.unlockDeciding({ passphrase: testPassphrase });
    await consent.demandDeletion({ requestId, ground: 'owner_request', passphrase: testPassphrase });
    aftermath.tick();
    const [demandId = ''] = outbox();
    courierSays(demandId, 'failed');
    aftermath.tick();
    expect(outbox()).toEqual([]);
    expect(db.demands().map((d) => d.state)).toEqual(['dropped', 'failed']);
  });

  it('the owner can demand a deletion at once, with the passphrase, of what was shared', async () => {
    await consent.unlockDeciding({ passphrase: testPassphrase });
    const demand = (passphrase: string) => consent.demandDeletion({ requestId, ground: 'terms_breach', passphrase });
    await expect(demand(testPassphrase)).rejects.toMatchObject({ code: 'consent/nothing-shared' });
    const shareId = await shared();
    await expect(demand(testPassphrase)).rejects.toMatchObject({ code: 'owner/locked' });
    await consent.unlockDeciding({ passphrase: testPassphrase });
    await expect(demand('wrong')).rejects.toMatchObject({ code: 'vault/wrong-passphrase' });
    expect((await demand(testPassphrase)).after).toMatchObject({ deletion: 'demanded' });
    aftermath.tick();
    const [demandId = ''] = outbox();
    expect(existsSync(path('spool/outbox', demandId, 'header.age'))).toBe(true);
    expect(shareId).not.toBe(demandId);
  });

  it('demands that were cut while they were made leave nothing', () => {
    const half = path('owner/demands', 'a'.repeat(32));
    execFileSync('mkdir', ['-p', half]);
    restart();
    expect(existsSync(half)).toBe(false);
  });

  it('a demand that is over leaves nothing on its way, also if a crash came while that was cleared', async () => {
    await shared();
    pass(91 * dayMs);
    aftermath.tick();
    const [demandId = ''] = outbox();
    courierSays(demandId, 'done');
    db.setDemandState(demandId, 'sent');
    rmSync(path('spool/outbox', demandId, 'dispatch.json'));
    restart();
    expect(outbox()).toEqual([]);
    expect(readdirSync(path('spool/status'))).toEqual([]);
    expect(readdirSync(path('owner/demands'))).toEqual([]);
  });
});

describe('the ledger', () => {
  it('says what each session did, to nobody without the key, and its head only extends', async () => {
    expect(await consent.ledgerHead()).toEqual({ entryCount: 0, headHash: '0'.repeat(64) });
    const shareId = await approve();
    await consent.lock();
    const first = await consent.ledgerHead();
    expect(first.entryCount).toBe(1);
    // Done while locked: it stands in the entry of the session that follows.
    await consent.withdraw({ requestId });
    await expect(consent.listLedger({ from: 1, count: 10 })).rejects.toMatchObject({ code: 'owner/locked' });
    await consent.unlockDeciding({ passphrase: testPassphrase });
    await consent.lock();
    await consent.unlockDeciding({ passphrase: testPassphrase });
    const entries = await consent.listLedger({ from: 1, count: 10 });
    const hash = db.request(requestId)?.request_hash ?? '';
    expect(entries.map((e) => e.actions)).toEqual([
      [`review ${hash}`, `approve ${hash} ${shareId}`],
      [`withdraw ${hash}`],
    ]);
    expect(entries[0]?.hash).toBe(first.headHash);
    expect((await consent.ledgerHead()).headHash).toBe(entries[1]?.hash);
    expect(await consent.listLedger({ from: 2, count: 1 })).toHaveLength(1);
    const raw = readFileSync(path('ledger.db'));
    for (const text of ['withdraw ', 'approve ', shareId.slice(0, 8).repeat(2)]) expect(raw.includes(text)).toBe(false);
  });

  it('a changed or missing entry breaks the chain where it is, and one that does not open is listed as such', async () => {
    for (let i = 0; i < 3; i += 1) db.appendEntry(Buffer.alloc(4096, i), 1000 + i);
    expect(await consent.ledgerHead()).not.toHaveProperty('brokenAtEntry');
    await consent.unlockDeciding({ passphrase: testPassphrase });
    expect(await consent.listLedger({ from: 1, count: 10 })).toMatchObject([1, 2, 3].map(() => ({ readable: false })));
    const sqlite = (sql: string) =>
      execFileSync('python3', [
        '-c',
        `import sqlite3,sys;c=sqlite3.connect(sys.argv[1]);c.execute(sys.argv[2]);c.commit()`,
        path('ledger.db'),
        sql,
      ]);
    sqlite('UPDATE entry SET at_s = 7 WHERE seq = 2');
    expect(await consent.ledgerHead()).toMatchObject({ entryCount: 1, brokenAtEntry: 2 });
    sqlite('DELETE FROM entry WHERE seq = 2');
    expect(await consent.ledgerHead()).toMatchObject({ entryCount: 1, brokenAtEntry: 3 });
  });

  it('an entry has one size, however much was done', async () => {
    await consent.unlockDeciding({ passphrase: testPassphrase });
    for (let i = 0; i < 400; i += 1) vaults.note(`view ${createHash('sha256').update(String(i)).digest('hex')}`);
    await consent.lock();
    expect(db.entries().map((e) => e.sealed.length)).toEqual([4096]);
    await consent.unlockDeciding({ passphrase: testPassphrase });
    const [entry] = await consent.listLedger({ from: 1, count: 1 });
    expect((entry?.actions.length ?? 0) + (entry?.moreCount ?? 0)).toBe(400);
    expect(entry?.actions.length).toBeGreaterThan(20);
  });

  it('what was decided and changed stands in the entry, however much was looked at before', async () => {
    await consent.unlockDeciding({ passphrase: testPassphrase });
    const nth = (i: number): string => createHash('sha256').update(String(i)).digest('hex').slice(0, 32);
    // More than are kept in memory; the same ones again would crowd out others as well.
    for (let i = 0; i < 12_000; i += 1) vaults.note(`view ${nth(i % 2)}`);
    for (let i = 0; i < 30; i += 1) vaults.note(`view ${nth(i)}`);
    vaults.note(`delete ${nth(1)}`);
    vaults.note(`approve ${'d'.repeat(64)} ${'e'.repeat(32)}`);
    await consent.lock();
    await consent.unlockDeciding({ passphrase: testPassphrase });
    const [entry] = await consent.listLedger({ from: 1, count: 1 });
    expect(entry?.actions.slice(-2)).toEqual([`delete ${nth(1)}`, `approve ${'d'.repeat(64)} ${'e'.repeat(32)}`]);
    expect((entry?.actions.length ?? 0) + (entry?.moreCount ?? 0)).toBe(12_032);
  });
});

describe('the digest', () => {
  it('is the same file every day at eight, whether anything happened or not', () => {
    const digest = new Digest(house.dataDir, db);
    const file = path('spool/notices/digest.json');
    const eight = new Date(2026, 10, 22, 8, 0, 1).getTime();
    digest.tick(eight - 2000);
    expect(existsSync(file)).toBe(false);
    digest.tick(eight);
    const first = readFileSync(file, 'utf8');
    expect(JSON.parse(first)).toEqual({ code: 'daily-digest', day: '2026-11-22' });
    digest.tick(eight + 20 * hourMs);
    expect(readFileSync(file, 'utf8')).toBe(first);
    new Digest(house.dataDir, db).tick(eight + 24 * hourMs);
    expect(readFileSync(file, 'utf8')).toHaveLength(first.length);
    expect(readFileSync(file, 'utf8')).not.toBe(first);
    // A clock that was years ahead and is set right again has not silenced the days until then.
    digest.tick(eight + 10_000 * hourMs);
    digest.tick(eight + 48 * hourMs);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ day: '2026-11-24' });
    expect(digestDay(Date.UTC(2026, 10, 22, 7, 59), 0)).toBe('2026-11-21');
  });
});
