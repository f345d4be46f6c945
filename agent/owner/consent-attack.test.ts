/** Orders of approval, lock, revocation and crash by which a share could leave that should not, driven by hand. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { Running } from '../../test-fixtures/owner-program.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { LedgerDb } from '../store/ledger-db.ts';
import { AgencyBook } from './agency-book.ts';
import { Consent } from './consent.ts';
import { Decisions } from './decisions.ts';
import { ownerMethods } from './door.ts';
import { House } from './house.ts';
import { Intake } from './intake.ts';
import { Release } from './release.ts';
import type { Safeguards } from './safeguards.ts';
import { VaultHost } from './vault-host.ts';

const startMs = Math.floor(Date.now() / 1000) * 1000 - 600_000;

let house: TestHouse;
let db: LedgerDb;
let vaults: VaultHost;
let consent: Consent;
let makeConsent: () => Consent;
let release: Release;
let requestId: string;
let requestHash: string;
let clipId: string;
let aheadMs: number;
let steadyMs: number;
let safeguards: Safeguards;

const held = (...name: string[]): string => join(house.dataDir, 'owner/held', ...name);
const outbox = (...name: string[]): string => join(house.dataDir, 'spool/outbox', ...name);
const nowMs = (): number => Math.max(Date.now() + aheadMs, db.clockFloorS * 1000);

beforeEach(async () => {
  aheadMs = 0;
  steadyMs = 0;
  safeguards = { coolingOffMs: 0, secondApprover: null };
  house = await TestHouse.make();
  await house.pinRoot();
  clipId = house.addClip({ startMs });
  db = new LedgerDb(join(house.dataDir, 'ledger.db'));
  const known = new House(house.dataDir);
  known.setRoots([house.rootDescription]);
  vaults = new VaultHost({
    dataDir: house.dataDir,
    clock: systemClock,
    log: silentLog,
    onUnlocked: (vault) => consent.restoreDecisions(vault),
    onLocking: (actions) => consent.endSession(actions),
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
    clockTrusted: () => true,
    onPending: () => {},
    onRevoked: (hash) => consent.revoke(hash),
  });
  makeConsent = () =>
    new Consent({
      config: new Running(house).config,
      db,
      house: known,
      intake,
      decisions: new Decisions(known.ownerRecipient),
      askRecorder: () => Promise.reject(new Error('no recorder runs here')),
      vaults,
      clock: systemClock,
      nowMs,
      clockTrusted: () => true,
      agencies: new AgencyBook({ db, intake, regions: ['US-CA'], nowMs, onHeardAgain: () => {} }),
      safeguards: () => safeguards,
      canConfirm: () => true,
      health: async () => ({ clock: 'trusted', cameras: [], broker: 'not-configured' }),
      onChange: () => {},
      discardUnknown: () => release.discardUnknown(),
      onRootPinned: () => {},
    });
  consent = makeConsent();
  release = makeRelease();
  intake.importAgency(house.agency());
  db.setAgencyEnabled('test-police', true);
  const { topic, envelope, document } = house.request();
  intake.take(topic, envelope);
  requestId = document.request_id;
  requestHash = db.request(requestId)?.request_hash ?? '';
});
afterEach(async () => {
  await vaults.lock();
  db.close();
  house[Symbol.dispose]();
});

function makeRelease(): Release {
  return new Release({
    dataDir: house.dataDir,
    db,
    log: silentLog,
    nowMs,
    monotonicMs: () => steadyMs,
    clockTrusted: () => true,
    onChange: () => {},
    keepDemands: () => {},
  });
}

async function previewed(): Promise<{ requestId: string; previewId: string; passphrase: string }> {
  await consent.unlockDeciding({ passphrase: testPassphrase });
  await consent.review({ requestId });
  const selection = [{ clipId, fromMs: startMs, toMs: startMs + 20_000 }];
  const { previewId } = await consent.preview({ requestId, selection });
  return { requestId, previewId, passphrase: testPassphrase };
}

async function stateOf(): Promise<string> {
  return (await consent.showRequest({ requestId })).state;
}

function courierSays(shareId: string, state: string): void {
  writeFileSync(join(house.dataDir, 'spool/status', `${shareId}.json`), JSON.stringify({ state }));
}

it('a request taken back while its share is sealed leaves no share', async () => {
  const approval = consent.approve(await previewed());
  db.revoke('test-police', 'request', requestId);
  consent.revoke(requestHash);
  await expect(approval).rejects.toMatchObject({ code: 'consent/interrupted' });
  expect(await stateOf()).toBe('REVOKED');
  expect(db.shares()).toEqual([]);
  expect(readdirSync(held())).toEqual([]);
});

it('a lock while a share is sealed leaves a pending request and no files', async () => {
  const approval = consent.approve(await previewed());
  await Promise.all([expect(approval).rejects.toMatchObject({ kind: 'refused' }), consent.lock()]);
  expect(await stateOf()).toBe('PENDING');
  expect(db.shares()).toEqual([]);
  expect(readdirSync(held())).toEqual([]);
});

it('two approvals at once make one share, and a decline between them is refused', async () => {
  const params = await previewed();
  const both = [consent.approve(params), consent.approve(params)];
  await expect(consent.decline({ requestId })).rejects.toMatchObject({ code: 'owner/wrong-state' });
  const ends = await Promise.allSettled(both);
  expect(ends.map((e) => e.status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(db.shares()).toHaveLength(1);
  expect(readdirSync(held())).toHaveLength(1);
  expect(await stateOf()).toBe('COOLING');
});

it('an expiry that comes due while a share is sealed waits for its end', async () => {
  const approval = consent.approve(await previewed());
  aheadMs = 8 * 86_400_000;
  consent.expireDue();
  const { shareId } = await approval;
  consent.expireDue();
  expect(await stateOf()).toBe('COOLING');
  expect(db.shares()[0]?.share_id).toBe(shareId);
});

it('nothing of an agency that contradicted itself can be approved any more', async () => {
  const params = await previewed();
  db.suspendAgency('test-police', Buffer.from('a'), Buffer.from('b'), 1);
  await expect(consent.approve(params)).rejects.toMatchObject({ code: 'consent/agency-suspended' });
});

it('a status of the courier that comes too early, or for a share that was taken back, releases nothing', async () => {
  const { shareId } = await consent.approve(await previewed());
  db.setState(requestHash, 'COOLING');
  for (const state of ['body-done', 'done']) {
    courierSays(shareId, state);
    aheadMs = -3_600_000;
    release.tick();
    expect(existsSync(outbox(shareId))).toBe(false);
  }
  aheadMs = 1000;
  release.tick();
  await consent.withdraw({ requestId });
  courierSays(shareId, 'body-done');
  for (let i = 0; i < 3; i += 1) release.tick();
  expect(await stateOf()).toBe('WITHDRAWN');
  expect(existsSync(outbox(shareId, 'header.age')) || existsSync(held(shareId, 'header.age'))).toBe(false);
});

it('a pipe or a folder in the place of a status holds nothing up', async () => {
  const { shareId } = await consent.approve(await previewed());
  aheadMs = 1000;
  release.tick();
  const status = join(house.dataDir, 'spool/status', `${shareId}.json`);
  execFileSync('mkfifo', [status]);
  release.tick();
  await consent.withdraw({ requestId });
  release.tick();
  expect(existsSync(held(shareId))).toBe(false);
  expect(existsSync(outbox(shareId, 'withdrawn'))).toBe(true);
});

it('a revocation that is known but was not acted on stops a share before its key', async () => {
  const { shareId } = await consent.approve(await previewed());
  aheadMs = 1000;
  release.tick();
  expect(await stateOf()).toBe('BODY_UP');
  db.revoke('test-police', 'request', requestId);
  courierSays(shareId, 'body-done');
  for (let i = 0; i < 3; i += 1) release.tick();
  expect(await stateOf()).toBe('REVOKED');
  expect(existsSync(held(shareId))).toBe(false);
  expect(readdirSync(outbox(shareId))).not.toContain('header.age');
});

it('the key is not in the outbox before the row says RELEASE, also when the row cannot be written', async () => {
  const { shareId } = await consent.approve(await previewed());
  aheadMs = 1000;
  release.tick();
  courierSays(shareId, 'body-done');
  const setState = db.setState.bind(db);
  db.setState = () => {
    throw new Error('disk full');
  };
  expect(() => release.tick()).toThrow('disk full');
  expect(existsSync(outbox(shareId, 'header.age'))).toBe(false);
  db.setState = setState;
  release.tick();
  expect(await stateOf()).toBe('RELEASE');
  expect(existsSync(outbox(shareId, 'header.age'))).toBe(true);
});

it('a kill between staging and showing the body loses neither share nor body', async () => {
  const { shareId } = await consent.approve(await previewed());
  aheadMs = 1000;
  // What stands on the disk when the program dies after it staged the body and before the rename that shows it.
  mkdirSync(outbox(`.${shareId}`));
  writeFileSync(outbox(`.${shareId}`, 'dispatch.json'), '{}');
  release = makeRelease();
  release.tick();
  expect(await stateOf()).toBe('BODY_UP');
  expect(readdirSync(outbox(shareId)).toSorted()).toEqual(['body.age', 'dispatch.json']);
  expect(existsSync(held(shareId, 'body.age'))).toBe(true);
});

it('a deadline ends a share in every state before the key has arrived', async () => {
  const { shareId, deadlineMs } = await consent.approve(await previewed());
  for (const state of ['COOLING', 'BODY_UP', 'RELEASE'] as const) {
    db.setState(requestHash, state);
    aheadMs = deadlineMs - Date.now() + 1000;
    release.tick();
    expect(await stateOf()).toBe('FAILED');
  }
  release.tick();
  expect(existsSync(held(shareId)) || existsSync(outbox(shareId))).toBe(false);
});

it('a share that was withdrawn leaves, when its time is over, what an ignored request leaves', async () => {
  const { deadlineMs, shareId } = await consent.approve(await previewed());
  aheadMs = 1000;
  release.tick();
  await consent.withdraw({ requestId });
  consent.expireDue();
  expect(await stateOf()).toBe('WITHDRAWN');
  aheadMs = deadlineMs - Date.now() + 1000;
  release.tick();
  consent.expireDue();
  expect(db.requests()).toEqual([]);
  expect(db.shares()).toEqual([]);
  expect(db.recordCount()).toBe(1);
  expect(existsSync(held(shareId)) || existsSync(outbox(shareId))).toBe(false);
  db.forget(Math.floor(nowMs() / 1000));
  const disk = ['ledger.db', 'ledger.db-journal'].map((name) => house.read(name));
  for (const text of [requestId, shareId, requestHash]) expect(disk.some((bytes) => bytes.includes(text))).toBe(false);
});

it('a lock ends the vault also when its entry cannot be written', async () => {
  await consent.unlockDeciding({ passphrase: testPassphrase });
  const pid = vaults.require('deciding').pid ?? 0;
  const append = db.appendEntry.bind(db);
  db.appendEntry = () => {
    throw new Error('disk full');
  };
  await expect(consent.lock()).rejects.toThrow('disk full');
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  db.appendEntry = append;
});

it('a session that ends before the notes were read leaves earlier decisions standing', async () => {
  await consent.unlockDeciding({ passphrase: testPassphrase });
  await consent.decline({ requestId });
  await consent.lock();
  // As after a restart; the vault dies between the passphrase and the notes.
  consent = makeConsent();
  const restored = consent.restoreDecisions.bind(consent);
  consent.restoreDecisions = () => Promise.reject(new Error('the vault died'));
  await expect(consent.unlockDeciding({ passphrase: testPassphrase })).rejects.toThrow('the vault died');
  await consent.lock();
  expect(db.entries()).toHaveLength(2);
  consent.restoreDecisions = restored;
  await consent.unlockDeciding({ passphrase: testPassphrase });
  expect(await stateOf()).toBe('DECLINED');
});

it('a clip that was begun is not read on after a lock from elsewhere', async () => {
  const { clipMedia } = ownerMethods(consent, { checkLogin: async ({ name }) => ({ name }) });
  await consent.unlockDeciding({ passphrase: testPassphrase });
  expect(await clipMedia?.({ clipId, offset: 0, length: 100 })).toMatchObject({ base64: expect.any(String) as string });
  await vaults.lock();
  await expect(clipMedia?.({ clipId, offset: 100, length: 100 })).rejects.toMatchObject({ code: 'owner/locked' });
});

it('unpairing the client that unlocked ends its session', async () => {
  const { pairingId, viewingKey } = await consent.pair({ passphrase: testPassphrase, name: 'phone' });
  await consent.unlockViewing({ pairingId, viewingKey });
  await consent.unpair({ pairingId });
  await expect(consent.listClips({ fromMs: 0, toMs: 1 })).rejects.toMatchObject({ code: 'owner/locked' });
});

it('an expired pairing is not revived by setting the clock back', async () => {
  const { pairingId, viewingKey } = await consent.pair({ passphrase: testPassphrase, name: 'phone' });
  db.raiseClockFloor(Math.floor(Date.now() / 1000) + 91 * 86_400);
  await expect(consent.unlockViewing({ pairingId, viewingKey })).rejects.toMatchObject({
    code: 'vault/pairing-expired',
  });
});

it('many who try secrets at once do not keep the owner from locking', async () => {
  await consent.unlockDeciding({ passphrase: testPassphrase });
  const tries = Array.from({ length: 40 }, () => consent.pair({ passphrase: 'not the words', name: 'x' }));
  const ended = Promise.allSettled(tries);
  await consent.lock();
  // Of forty only four were let in line; the others were refused at once.
  expect(vaults.lockState).toBe('locked');
  const codes = (await ended).map((t) => (t.status === 'rejected' ? (t.reason as { code: string }).code : '')); // biome-ignore format: a list
  expect(codes.filter((code) => code === 'vault/wrong-passphrase')).toHaveLength(4);
  expect(codes.filter((code) => code === 'owner/busy')).toHaveLength(36);
  expect(await consent.unlockDeciding({ passphrase: testPassphrase })).toEqual({ lock: 'deciding' });
});
