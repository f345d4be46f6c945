/**
 * Owner and courier as they run, a real broker between them and the agency, and an endpoint that counts every connection.
 * Whatever the owner does short of approving, and whatever an outsider sends, nobody connects to it.
 */
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../agent/base/clock.ts';
import { silentLog } from '../../agent/base/log.ts';
import { runCourier } from '../../agent/courier/program.ts';
import { type MosquittoFixture, startMosquitto } from '../brokers/mosquitto.ts';
import { TestHouse, testPassphrase } from '../house.ts';
import { Running, until } from '../owner-program.ts';

let house: TestHouse;
let owner: Running;
let broker: MosquittoFixture;
let endpoint: Server;
let connectionCount: number;
let clipId: string;
const stop = { courier: new AbortController(), done: Promise.resolve() };
const clipStartMs = Math.floor(Date.now() / 1000) * 1000 - 600_000;

beforeEach(async () => {
  house = await TestHouse.make();
  clipId = house.addClip({ startMs: clipStartMs });
  broker = await startMosquitto({ dir: join(house.dataDir, 'broker') });
  connectionCount = 0;
  endpoint = createServer((socket) => {
    connectionCount += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  const address = endpoint.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  owner = new Running(house, { broker: { url: broker.url } });
  await owner.start();
  stop.courier = new AbortController();
  stop.done = runCourier({
    dataDir: house.dataDir,
    regions: ['US-CA'],
    broker: { url: broker.url },
    uploads: { allowPrivateAddresses: true },
    signal: stop.courier.signal,
    clock: systemClock,
    log: silentLog,
  });
  await until('courier connected', async () => {
    const { broker: state } = await owner.call<{ broker: string }>('health');
    return state === 'connected';
  });
  await owner.call('addRoot', { passphrase: testPassphrase, root: house.rootDescription });
  await publish('latchkey/1/US-CA/ag/test-police', agencyDocument(port));
  await until('agency known', async () => (await owner.call<unknown[]>('listAgencies')).length === 1);
  await owner.call('setAgencyEnabled', { agency: 'test-police', enabled: true });
  owner.verdicts.length = 0;
});

afterEach(async () => {
  stop.courier.abort();
  await stop.done;
  await owner.stop();
  await broker.stop();
  endpoint.close();
  house[Symbol.dispose]();
});

const agencyDocument = (port: number) =>
  house.agency((a) => ({ ...a, upload: { https: `http://127.0.0.1:${port}/files/` } }));

async function publish(topic: string, payload: Uint8Array): Promise<void> {
  const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
  await client.publishAsync(topic, Buffer.from(payload), { qos: 1, retain: true });
  await client.endAsync();
}

async function arrive(request: ReturnType<TestHouse['request']>): Promise<string> {
  const before = owner.verdicts.length;
  await publish(request.topic, request.envelope);
  return until('verdict', () => owner.verdicts[before]);
}

/** Longer than the owner and the courier need for their next look around. */
async function expectSilence(): Promise<void> {
  await delay(1500);
  expect(connectionCount).toBe(0);
  expect(owner.outbox()).toEqual([]);
}

describe('nothing leaves the house', () => {
  it('when the owner declines, ignores, types a wrong passphrase or withdraws', async () => {
    const [declined, ignored, mistyped, withdrawn] = [
      house.request(),
      house.request(),
      house.request(),
      house.request(),
    ];
    for (const request of [declined, ignored, mistyped, withdrawn]) expect(await arrive(request)).toBe('accepted');
    await owner.call('unlockDeciding', { passphrase: testPassphrase });
    await owner.call('decline', { requestId: declined.document.request_id });
    const requestId = mistyped.document.request_id;
    await owner.call('review', { requestId });
    const selection = [{ clipId, fromMs: clipStartMs, toMs: clipStartMs + 20_000 }];
    const { previewId } = await owner.call<{ previewId: string }>('preview', { requestId, selection });
    await expect(owner.call('approve', { requestId, previewId, passphrase: 'wrong' })).rejects.toMatchObject({
      code: 'vault/wrong-passphrase',
    });
    await owner.stop();
    owner = new Running(house, { broker: { url: broker.url }, coolingOffMs: 3_600_000 });
    await owner.start();
    await owner.approve(withdrawn.document.request_id, clipId);
    await owner.call('withdraw', { requestId: withdrawn.document.request_id });
    await expectSilence();
  });

  it('for requests that are expired, replayed, altered, signed once, or of an unknown agency', async () => {
    const nowS = Math.floor(Date.now() / 1000);
    const expired = house.request({
      change: (r) => ({
        ...r,
        issued_at: nowS - 86_400,
        expires_at: nowS - 1,
        window: { from: nowS - 2 * 86_400, to: nowS - 2 * 86_400 + 3600 },
      }),
    });
    expect(await arrive(expired)).toBe('request/expired');
    expect(await arrive(house.request({ signers: [house.approver] }))).toBe('envelope/not-enough-signers');
    const good = house.request();
    const altered = Buffer.from(good.envelope);
    const at = altered.indexOf('"payload":"') + 40;
    altered[at] = altered[at] === 0x41 ? 0x42 : 0x41;
    expect(await arrive({ ...good, envelope: altered })).toMatch(/^envelope\//);
    expect(await arrive(good)).toBe('accepted');
    // The same bytes under another name at the broker: the courier spools them again, the owner knows them.
    const again = Buffer.concat([good.envelope, Buffer.from('\n')]);
    expect(await arrive({ ...good, envelope: again })).toBe('request/replayed');
    const unknown = house.request({ change: (r) => ({ ...r, agency: 'nobody-known' }) });
    expect(await arrive(unknown)).toBe('request/unknown-agency');
    await expectSilence();
  });

  it('but an approved share does call at the endpoint, so this test would notice', async () => {
    const request = house.request();
    await arrive(request);
    await owner.approve(request.document.request_id, clipId);
    await until('a connection', () => connectionCount > 0);
  });
});
