import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RequestOptions, TestHouse, testPassphrase, testPlace } from '../../test-fixtures/house.ts';
import { Running, until } from '../../test-fixtures/owner-program.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { parseConfig } from '../config/loader.ts';
import { generateIdentity, parseIdentity } from '../protocol/age-file.ts';
import { signEnvelope } from '../protocol/envelope.ts';
import { recipientKeyId } from '../protocol/keys.ts';
import { openNote } from '../protocol/sealed-note.ts';
import { LedgerDb } from '../store/ledger-db.ts';
import { readVaultFile } from '../vault/vault-file.ts';
import { createAccount } from './api/accounts.ts';
import { runOwner } from './program.ts';
import type { ClipSummary, Preview, RequestDetail, RequestSummary, ShareSummary } from './service.ts';

const fail = (code: string) => expect.objectContaining({ code });

let house: TestHouse;
let owner: Running;
const clipStartMs = Math.floor(Date.now() / 1000) * 1000 - 600_000;

beforeEach(async () => {
  house = await TestHouse.make();
  owner = new Running(house);
  await owner.start();
});
afterEach(async () => {
  await owner.stop();
  house[Symbol.dispose]();
});

describe('a message from outside', () => {
  it('is pending only when it is signed, ours, and within every cap; each refusal has its code', async () => {
    await owner.enable();
    const nowS = Math.floor(Date.now() / 1000);
    const good = house.request();
    expect(await owner.verdictOn(good.topic, good.envelope)).toBe('accepted');
    expect(await owner.verdictOn(good.topic, good.envelope)).toBe('request/replayed');
    const one = house.request({ signers: [house.officer] });
    expect(await owner.verdictOn(one.topic, one.envelope)).toBe('envelope/not-enough-signers');
    const altered = JSON.parse(Buffer.from(house.request().envelope).toString('utf8')) as { payload: string };
    altered.payload = Buffer.from(
      Buffer.from(altered.payload, 'base64').toString('utf8').replace('burglary', 'BURGLARY'),
    ).toString('base64');
    expect(await owner.verdictOn(good.topic, Buffer.from(JSON.stringify(altered)))).toBe('envelope/not-enough-signers');
    const expired = await owner.send({
      change: (r) => ({
        ...r,
        issued_at: nowS - 8 * 86_400,
        expires_at: nowS - 1,
        window: { from: nowS - 9 * 86_400, to: nowS - 9 * 86_400 + 3600 },
      }),
    });
    expect(expired.verdict).toBe('request/expired');
    const elsewhere = await owner.send({
      change: (r) => ({ ...r, area: { circle: { lat_e6: 38_580_000, lon_e6: -121_490_000, radius_m: 300 } } }),
    });
    expect(elsewhere.verdict).toBe('request/elsewhere');
    const topic = house.request();
    expect(await owner.verdictOn(good.topic, topic.envelope)).toBe('request/topic-mismatch');
    expect(await owner.verdictOn(topic.topic.replace('US-CA', 'US-NV'), topic.envelope)).toBe('inbox/other-region');
    expect(await owner.verdictOn('latchkey/1/US-CA/zz', topic.envelope)).toBe('topic/malformed');
    expect(await owner.call<RequestSummary[]>('listRequests')).toHaveLength(1);
    expect(readdirSync(join(house.dataDir, 'spool/inbox')).filter((n) => !n.startsWith('.'))).toEqual([]);
  });

  it('of an agency that is unknown or not enabled waits, and is taken up when the owner enables it', async () => {
    const early = house.request();
    expect(await owner.verdictOn(early.topic, early.envelope)).toBe('request/unknown-agency');
    await owner.call('addRoot', { passphrase: testPassphrase, root: house.rootDescription });
    expect(await owner.verdictOn('latchkey/1/US-CA/ag/test-police', house.agency())).toBe('agency-updated');
    const second = await owner.send();
    expect(second.verdict).toBe('request/agency-not-enabled');
    expect(await owner.call('listRequests')).toEqual([]);
    await owner.call('setAgencyEnabled', { agency: 'test-police', enabled: true });
    expect(await owner.call('listRequests')).toHaveLength(2);
    await expect(owner.call('setAgencyEnabled', { agency: 'nobody', enabled: true })).rejects.toThrow(
      fail('owner/no-such-agency'),
    );
  });

  it('never enables an agency by itself, and nobody without our roots can add one', async () => {
    expect(await owner.verdictOn('latchkey/1/US-CA/ag/test-police', house.agency())).toBe('agency/no-root');
    await owner.enable();
    using stranger = await TestHouse.make();
    expect(await owner.verdictOn('latchkey/1/US-CA/ag/test-police', stranger.agency())).toBe(
      'envelope/not-enough-signers',
    );
    expect(await owner.verdictOn('latchkey/1/US-CA/ag/other', house.agency())).toBe('agency/topic-mismatch');
  });

  it('that vouches for an agency waits for its root to be pinned', async () => {
    expect(await owner.verdictOn('latchkey/1/US-CA/ag/test-police', house.agency())).toBe('agency/no-root');
    expect(await owner.call('listAgencies')).toEqual([]);
    await owner.call('addRoot', { passphrase: testPassphrase, root: house.rootDescription });
    expect(await owner.call('listAgencies')).toMatchObject([{ agency: 'test-police', enabled: false }]);
  });

  it('is capped by day and by case, and two requests under one number suspend the agency', async () => {
    await owner.enable();
    const sameCase = (r: Parameters<NonNullable<RequestOptions['change']>>[0]) => ({
      ...r,
      case: { ...r.case, number: 'one case' },
    });
    expect((await owner.send({ change: sameCase })).verdict).toBe('accepted');
    expect((await owner.send({ change: sameCase })).verdict).toBe('accepted');
    expect((await owner.send({ change: sameCase })).verdict).toBe('request/too-many-for-case');
    for (let i = 0; i < 3; i += 1) expect((await owner.send()).verdict).toBe('accepted');
    expect((await owner.send()).verdict).toBe('request/too-many-today');
    expect((await owner.send({ change: (r) => ({ ...r, seq: 1 }) })).verdict).toBe('request/equivocation');
    expect((await owner.send()).verdict).toBe('request/agency-suspended');
    const [agency] = await owner.call<{ enabled: boolean }[]>('listAgencies');
    expect(agency?.enabled).toBe(false);
  });

  it('that is revoked disappears, also when the revocation comes first', async () => {
    await owner.enable();
    const { requestId } = await owner.send();
    const revoke = (target: string, seq: number) =>
      signEnvelope(
        'revocation',
        { agency: 'test-police', kind: 'request', target, seq, prev: null, reason: 'solved' },
        [house.officer],
      );
    expect(await owner.verdictOn('latchkey/1/US-CA/rv/test-police/1', revoke(requestId, 1))).toBe('revoked-request');
    expect(await owner.state(requestId)).toBe('REVOKED');
    const later = house.request();
    await owner.verdictOn('latchkey/1/US-CA/rv/test-police/2', revoke(later.document.request_id, 2));
    expect(await owner.verdictOn(later.topic, later.envelope)).toBe('request/revoked');
    expect(await owner.verdictOn('latchkey/1/US-CA/rv/nobody/2', revoke(requestId, 3))).toBe(
      'revocation/unknown-agency',
    );
  });

  it('that is garbage is dropped, and what follows is still read', async () => {
    await owner.enable();
    writeFileSync(join(house.dataDir, 'spool/inbox/1-garbage.json'), '{"topic": 1}');
    await until('verdict', () => owner.verdicts.includes('inbox/malformed'));
    writeFileSync(join(house.dataDir, 'spool/inbox/2-huge.json'), Buffer.alloc(200_000, 32));
    writeFileSync(join(house.dataDir, 'spool/inbox/3-notjson.json'), '\u0000');
    expect((await owner.send()).verdict).toBe('accepted');
    await until('inbox empty', () => readdirSync(join(house.dataDir, 'spool/inbox')).every((n) => n.startsWith('.')));
  });
});

describe('consent', () => {
  let clipId: string;
  let requestId: string;

  beforeEach(async () => {
    clipId = house.addClip({ startMs: clipStartMs });
    await owner.enable();
    requestId = (await owner.send()).requestId;
  });

  it('goes from review to a released key, each step after the one before', async () => {
    await expect(owner.call('review', { requestId })).rejects.toThrow(fail('owner/locked'));
    await owner.call('unlockDeciding', { passphrase: testPassphrase });
    const { request, clips } = await owner.call<{ request: RequestDetail; clips: ClipSummary[] }>('review', {
      requestId,
    });
    expect(request).toMatchObject({ state: 'REVIEWING', agencyName: 'Test Police Department' });
    expect(request.signers.officerKeyId).toMatch(/^[0-9a-f]{16}$/);
    expect(clips).toMatchObject([{ clipId, cameraName: 'Front door', labels: ['person'], cut: false }]);
    const selection = [{ clipId, fromMs: clipStartMs, toMs: clipStartMs + 20_000 }];
    const preview = await owner.call<Preview>('preview', { requestId, selection });
    const piece = await owner.call<{ base64: string; totalBytes: number }>('previewMedia', {
      previewId: preview.previewId,
      name: '40-video.mp4',
      offset: 0,
      length: 1000,
    });
    expect(piece.totalBytes).toBe(preview.media[0]?.bytes);
    expect(Buffer.from(piece.base64, 'base64').toString('latin1', 4, 8)).toBe('ftyp');
    const approve = (passphrase: string, previewId = preview.previewId) =>
      owner.call<ShareSummary>('approve', { requestId, previewId, passphrase });
    await expect(approve('wrong')).rejects.toThrow(fail('vault/wrong-passphrase'));
    await expect(approve(testPassphrase, 'f'.repeat(64))).rejects.toThrow(fail('consent/not-previewed'));
    expect(owner.outbox()).toEqual([]);
    const share = await approve(testPassphrase);
    await expect(approve(testPassphrase)).rejects.toThrow(fail('consent/not-previewed'));

    const folder = join(house.dataDir, 'spool/outbox', share.shareId);
    await until('body in the outbox', () => existsSync(join(folder, 'body.age')));
    // The key stays at home until the courier has said that the body arrived.
    expect(readdirSync(folder).toSorted()).toEqual(['body.age', 'dispatch.json']);
    expect(existsSync(join(house.dataDir, 'owner/held', share.shareId, 'header.age'))).toBe(true);
    expect(await owner.state(requestId)).toBe('BODY_UP');
    owner.courierSays(share.shareId, 'body-done');
    await until('key in the outbox', () => existsSync(join(folder, 'header.age')));
    expect(await owner.state(requestId)).toBe('RELEASE');
    await expect(owner.call('withdraw', { requestId })).rejects.toThrow(fail('owner/wrong-state'));
    owner.courierSays(share.shareId, 'done');
    await until('shared', async () => (await owner.state(requestId)) === 'SHARED');
    expect(owner.outbox()).toEqual([]);
    expect(existsSync(join(house.dataDir, 'owner/held', share.shareId))).toBe(false);
  });

  it('that was withdrawn leaves nothing to release, before and after the body began to leave', async () => {
    const share = await owner.approve(requestId, clipId);
    const folder = join(house.dataDir, 'spool/outbox', share.shareId);
    await until('body in the outbox', () => existsSync(join(folder, 'body.age')));
    expect(await owner.call('lock')).toEqual({ lock: 'locked' });
    // Withdrawing works while locked.
    expect(await owner.call('withdraw', { requestId })).toEqual({ state: 'WITHDRAWN' });
    await until('courier is told', () => existsSync(join(folder, 'withdrawn')));
    expect(existsSync(join(house.dataDir, 'owner/held', share.shareId))).toBe(false);
    owner.courierSays(share.shareId, 'body-done');
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(existsSync(join(folder, 'header.age'))).toBe(false);
    owner.courierSays(share.shareId, 'terminated');
    await until('outbox empty', () => owner.outbox().length === 0);
    expect(await owner.state(requestId)).toBe('WITHDRAWN');
    await expect(owner.call('withdraw', { requestId })).rejects.toThrow(fail('owner/wrong-state'));
  });

  it('that was revoked in cooling-off ends the same way', async () => {
    const share = await owner.approve(requestId, clipId);
    const revocation = signEnvelope(
      'revocation',
      { agency: 'test-police', kind: 'request', target: requestId, seq: 1, prev: null, reason: 'solved' },
      [house.officer],
    );
    await owner.verdictOn('latchkey/1/US-CA/rv/test-police/1', revocation);
    expect(await owner.state(requestId)).toBe('REVOKED');
    await until('key destroyed', () => !existsSync(join(house.dataDir, 'owner/held', share.shareId, 'header.age')));
  });

  it('survives a restart: a decline stays, and on the disk it looks like silence', async () => {
    const other = (await owner.send()).requestId;
    await owner.call('unlockDeciding', { passphrase: testPassphrase });
    expect(await owner.call('decline', { requestId })).toEqual({ state: 'DECLINED' });
    await expect(owner.call('review', { requestId })).rejects.toThrow(fail('owner/wrong-state'));
    await owner.call('lock');
    await owner.stop();

    const db = new LedgerDb(join(house.dataDir, 'ledger.db'));
    const rows = db.requests();
    expect(rows.map((r) => r.state)).toEqual(['PENDING', 'PENDING']);
    expect(db.entries()).toHaveLength(1);
    const secrets = await readVaultFile(house.dataDir, testPassphrase);
    const identity = parseIdentity(secrets.ownerIdentity);
    const notes = new Map(rows.map((r) => [r.request_id, openNote(r.note, identity)]));
    expect(notes.get(requestId)).toBe('declined');
    expect(notes.get(other)).toBe('none');
    db.close();
    const raw = readFileSync(join(house.dataDir, 'ledger.db'));
    expect(raw.includes('declined')).toBe(false);
    expect(raw.includes('DECLINED')).toBe(false);

    owner = new Running(house);
    await owner.start();
    expect(await owner.state(requestId)).toBe('PENDING');
    await owner.call('unlockDeciding', { passphrase: testPassphrase });
    expect(await owner.state(requestId)).toBe('DECLINED');
    expect(await owner.state(other)).toBe('PENDING');
  });

  it('can be refused while locked; a restart before the notes are next sealed makes that silence again', async () => {
    await owner.call('decline', { requestId });
    expect(await owner.state(requestId)).toBe('DECLINED');
    await owner.stop();
    owner = new Running(house);
    await owner.start();
    await owner.call('unlockDeciding', { passphrase: testPassphrase });
    expect(await owner.state(requestId)).toBe('PENDING');
    await owner.call('lock');
    // The notes have been read by now, so this one is durable at once.
    await owner.call('decline', { requestId });
    await owner.stop();
    owner = new Running(house);
    await owner.start();
    await owner.call('unlockDeciding', { passphrase: testPassphrase });
    expect(await owner.state(requestId)).toBe('DECLINED');
  });

  it('that was cut by a crash while sealing is pending again, and its parts are gone', async () => {
    await owner.stop();
    const half = join(house.dataDir, 'owner/held', 'a'.repeat(32));
    mkdirSync(half, { recursive: true });
    writeFileSync(join(half, 'body.age'), 'half');
    owner = new Running(house);
    await owner.start();
    expect(existsSync(half)).toBe(false);
    expect(await owner.state(requestId)).toBe('PENDING');
    const share = await owner.approve(requestId, clipId);
    expect(share.state).not.toBe('FAILED');
  });

  it('goes on after a restart in the middle of a release', async () => {
    const share = await owner.approve(requestId, clipId);
    await until('body up', async () => (await owner.state(requestId)) === 'BODY_UP');
    await owner.stop();
    owner.courierSays(share.shareId, 'body-done');
    owner = new Running(house);
    await owner.start();
    await until('released', async () => (await owner.state(requestId)) === 'RELEASE');
    owner.courierSays(share.shareId, 'done');
    await until('shared', async () => (await owner.state(requestId)) === 'SHARED');
  });

  it('fails, and is seen to fail, when the courier gives up', async () => {
    const share = await owner.approve(requestId, clipId);
    await until('body up', async () => (await owner.state(requestId)) === 'BODY_UP');
    owner.courierSays(share.shareId, 'failed');
    await until('failed', async () => (await owner.state(requestId)) === 'FAILED');
    await until('key destroyed', () => !existsSync(join(house.dataDir, 'owner/held', share.shareId)));
  });
});

describe('while the clock is not believed', () => {
  it('requests wait, and are looked at as soon as it is', async () => {
    await owner.stop();
    owner = new Running(house);
    owner.trust = 'unsynchronised';
    await owner.start();
    await owner.enable();
    const { verdict, requestId } = await owner.send();
    expect(verdict).toBe('request/held-for-clock');
    expect(await owner.call('health')).toMatchObject({ clock: 'unsynchronised', pendingCount: 0 });
    owner.trust = 'synchronised';
    await until('pending', async () => (await owner.state(requestId)) === 'PENDING');
  });

  it("an agency's new recipient is not taken up, because nobody knows since when it stands", async () => {
    await owner.enable();
    owner.trust = 'unsynchronised';
    const other = generateIdentity().recipient;
    const changed = house.agency((a) => ({
      ...a,
      version: 2,
      recipient: { kid: recipientKeyId(other), age: other, since: a.recipient.since },
    }));
    expect(await owner.verdictOn('latchkey/1/US-CA/ag/test-police', changed)).toBe('agency/held-for-clock');
    expect(await owner.call('listAgencies')).toMatchObject([{ version: 1 }]);
    owner.trust = 'synchronised';
    await until('taken up', async () => {
      const [agency] = await owner.call<{ version: number }[]>('listAgencies');
      return agency?.version === 2;
    });
  });

  it('nothing can be approved', async () => {
    const clipId = house.addClip({ startMs: clipStartMs });
    await owner.enable();
    const { requestId } = await owner.send();
    owner.trust = 'unsynchronised';
    await expect(owner.approve(requestId, clipId)).rejects.toThrow(fail('consent/clock-untrusted'));
  });
});

describe('the owner program', () => {
  it('refuses malformed arguments and unknown ids by code', async () => {
    await expect(owner.call('approve', { requestId: 'x' })).rejects.toThrow(fail('owner/bad-arguments'));
    await expect(owner.call('showRequest', { requestId: 'x' })).rejects.toThrow(fail('owner/no-such-request'));
    await expect(owner.call('unlockViewing', { pairingId: '../../etc', viewingKey: 'x' })).rejects.toThrow(
      fail('owner/bad-pairing-id'),
    );
    await expect(owner.call('unlockViewing', { pairingId: 'a'.repeat(16), viewingKey: 'x' })).rejects.toThrow(
      fail('owner/not-paired'),
    );
    await expect(owner.call('nonsense')).rejects.toThrow(fail('base/unknown-method'));
  });

  it('opens viewing for a paired client, and forgets it when unpaired', async () => {
    const clipId = house.addClip({ startMs: clipStartMs });
    const { pairingId, viewingKey } = await owner.call<{ pairingId: string; viewingKey: string }>('pair', {
      passphrase: testPassphrase,
      name: 'phone',
    });
    expect(await owner.call('unlockViewing', { pairingId, viewingKey })).toEqual({ lock: 'viewing' });
    expect(await owner.call('listClips', { fromMs: clipStartMs, toMs: Date.now() })).toMatchObject([{ clipId }]);
    const piece = await owner.call<{ totalBytes: number }>('clipMedia', { clipId, offset: 0, length: 100 });
    expect(piece.totalBytes).toBeGreaterThan(100_000);
    await expect(owner.call('review', { requestId: 'a'.repeat(32) })).rejects.toThrow(fail('owner/not-deciding'));
    await owner.call('lock');
    expect(await owner.call('listPairings')).toEqual([
      { pairingId, name: 'phone', createdAtMs: expect.any(Number), expiresAtMs: expect.any(Number) },
    ]);
    await owner.call('unpair', { pairingId });
    expect(await owner.call('listPairings')).toEqual([]);
    await expect(owner.call('unlockViewing', { pairingId, viewingKey })).rejects.toThrow(fail('owner/not-paired'));
  });

  it('does not start with a limit that is laxer than the protocol', async () => {
    const lax = new Running(house, { limits: { maxWindowS: 14_401 } });
    const signal = new AbortController().signal;
    await expect(runOwner({ config: lax.config, signal, clock: systemClock, log: silentLog })).rejects.toThrow(
      fail('policy/limit-too-lax'),
    );
  });

  it('shows requests of one case about overlapping places together, and keeps to the limits of the configuration', async () => {
    await owner.stop();
    owner = new Running(house, { limits: { maxWindowS: 1800 } });
    await owner.start();
    await owner.enable();
    const about = (number: string, latOff: number) => ({
      change: (r: Parameters<NonNullable<RequestOptions['change']>>[0]) => ({
        ...r,
        case: { ...r.case, number },
        area: { circle: { lat_e6: testPlace.latE6 + latOff, lon_e6: testPlace.lonE6, radius_m: 300 } },
      }),
    });
    const first = await owner.send(about('26-100', 0));
    const second = await owner.send(about('26 / 100', 1500));
    const other = await owner.send(about('26-101', 0));
    expect([first, second, other].map(({ verdict }) => verdict)).toEqual(['accepted', 'accepted', 'accepted']);
    const list = await owner.call<RequestSummary[]>('listRequests');
    const related = new Map(list.map((r) => [r.requestId, r.related]));
    expect(related.get(first.requestId)).toEqual([second.requestId]);
    expect(related.get(second.requestId)).toEqual([first.requestId]);
    expect(related.get(other.requestId)).toEqual([]);
    const long = await owner.send({
      change: (r) => ({ ...r, window: { from: r.window.from - 1, to: r.window.to } }),
    });
    expect(long.verdict).toBe('request/window-too-long');
  });

  it('asks a second approver for a log-in at its socket, counts wrong tries, and says what stands between', async () => {
    const password = 'a password of her own';
    await createAccount({ dataDir: house.dataDir, name: 'grandma', password, role: 'owner' });
    await owner.stop();
    const clipId = house.addClip({ startMs: clipStartMs });
    owner = new Running(house, { secondApprover: 'grandma' });
    await owner.start();
    await owner.enable();
    expect(await owner.call('health')).toMatchObject({ safeguards: { coolingOffMs: 0, secondApprover: 'grandma' } });
    const { requestId } = await owner.send();
    const share = await owner.approve(requestId, clipId);
    expect(share.waitsFor).toBe('grandma');
    const confirm = (name: string, word: string) => owner.call('confirm', { requestId, name, password: word });
    await expect(confirm('grandma', 'a guess of ten')).rejects.toThrow(fail('login/wrong'));
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(owner.outbox()).toEqual([]);
    await confirm('Grandma', password);
    await until('body up', async () => (await owner.state(requestId)) === 'BODY_UP');
    // Taking the second approver away is not done in a hurry.
    await owner.stop();
    owner = new Running(house);
    await owner.start();
    expect(await owner.call('health')).toMatchObject({
      safeguards: { secondApprover: 'grandma', coming: { secondApprover: null } },
    });
  });

  it('says what is missing in a folder without an owner', async () => {
    const config = parseConfig(
      {
        dataDir: join(house.dataDir, 'empty'),
        cameras: [{ id: 'front', name: 'x', source: { kind: 'file', path: 'x' } }],
        regions: ['US-CA'],
      },
      house.dataDir,
    );
    const signal = new AbortController().signal;
    await expect(runOwner({ config, signal, clock: systemClock, log: silentLog })).rejects.toThrow(
      fail('owner/not-enrolled'),
    );
    writeFileSync(join(house.dataDir, 'owner/place.json'), '{"latE6": 1e9}');
    await expect(runOwner({ config: owner.config, signal, clock: systemClock, log: silentLog })).rejects.toThrow(
      fail('owner/damaged-house'),
    );
  });
});
