/**
 * The whole device as `latchkey run` starts it, under a trace of system calls: recorder, ffmpeg, owner and vault never reach
 * for the network; the courier only for its broker, and for an agency's endpoint only once a share was approved.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Child } from '../../agent/base/child.ts';
import { ControlClient } from '../../agent/base/control.ts';
import type { ClipSummary, Preview, RequestSummary } from '../../agent/owner/service.ts';
import { LedgerDb } from '../../agent/store/ledger-db.ts';
import { type MosquittoFixture, startMosquitto } from '../brokers/mosquitto.ts';
import { startTusServer, type TusServerFixture } from '../brokers/tus-server.ts';
import { TestHouse, testPassphrase } from '../house.ts';
import { networkTraceArgs, readNetworkTrace } from '../network-trace.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });
const main = join(import.meta.dirname, '../../agent/main.ts');
let work: string;
let house: TestHouse;
let broker: MosquittoFixture;
let endpoint: TusServerFixture;
let device: Child;
const tracePath = (): string => join(work, 'trace');

beforeEach(async () => {
  work = mkdtempSync(join(tmpdir(), 'lk-matrix-'));
  house = await TestHouse.make();
  broker = await startMosquitto({ dir: join(work, 'broker'), tls: true });
  endpoint = await startTusServer(join(work, 'endpoint'));
  mkdirSync(join(work, 'home'));
  // Today's digest is due and written; it goes nowhere, because nobody has said where to.
  const ledger = new LedgerDb(join(house.dataDir, 'ledger.db'));
  ledger.keep('digest', '2000-01-01');
  ledger.close();
  const config = {
    dataDir: house.dataDir,
    cameras: [
      {
        id: 'porch',
        name: 'Porch',
        source: {
          kind: 'file',
          path: join(import.meta.dirname, '../streams/porch-day.mp4'),
          pace: 'realtime',
          loop: true,
        },
        person: { model: 'off' },
        clip: { mode: 'motion' },
      },
    ],
    regions: ['US-CA'],
    broker: {
      url: broker.url,
      caFile: broker.caFile,
      username: 'device',
      passwordFile: broker.passwordFile('device'),
    },
    uploads: { allowPrivateAddresses: true },
    web: { port: 0 },
    clock: 'trust-system',
    coolingOffMs: 0,
    releaseSpreadMs: 0,
  };
  writeFileSync(join(work, 'config.json'), JSON.stringify(config));
  device = new Child({
    command: 'strace',
    args: [
      ...networkTraceArgs,
      '-o',
      tracePath(),
      process.execPath,
      main,
      'run',
      '--config',
      join(work, 'config.json'),
    ],
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { HOME: join(work, 'home') },
    graceMs: 30_000,
  });
});
afterEach(async () => {
  await device.stop();
  await endpoint.close();
  await broker.stop();
  house[Symbol.dispose]();
  rmSync(work, { recursive: true, force: true });
});

async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (let i = 0; i < 600; i += 1) {
    const found = await look().catch(() => undefined);
    if (found !== undefined && found !== false) return found;
    await delay(200);
  }
  throw new Error(`never came: ${what}; ${device.lastLines.slice(-5).join('\n')}`);
}

it('nobody but the courier reaches for the network, and the courier not without a cause', async () => {
  const clipId = house.addClip({ startMs: Math.floor(Date.now() / 1000) * 1000 - 600_000 });
  using owner = await until('the owner', () => ControlClient.connect(join(house.dataDir, 'run', 'owner.sock')));
  const call = <T>(method: string, params: object = {}): Promise<T> => owner.call(method, params) as Promise<T>;
  await until('all connected', async () => {
    const health = await call<{ broker: string; cameras: { state: string }[] }>('health');
    return health.broker === 'connected' && health.cameras[0]?.state === 'streaming';
  });
  const publisher = await mqtt.connectAsync(broker.url, {
    protocolVersion: 5,
    ca: readFileSync(broker.caFile ?? ''),
    username: 'agency',
    password: broker.password('agency'),
  });
  const publish = (topic: string, bytes: Uint8Array): Promise<unknown> =>
    publisher.publishAsync(topic, Buffer.from(bytes), { qos: 1, retain: true });
  await call('addRoot', { passphrase: testPassphrase, root: house.rootDescription });
  const address = `http://127.0.0.1:${endpoint.port}${endpoint.path}`;
  const agency = house.agency((a) => ({ ...a, upload: { https: address } }));
  await publish('latchkey/1/US-CA/ag/test-police', agency);
  await until('the agency', async () => (await call<unknown[]>('listAgencies')).length === 1);
  await call('setAgencyEnabled', { agency: 'test-police', enabled: true });

  // Declined, ignored, elsewhere, without footage, invalid.
  const [declined, ignored] = [house.request(), house.request()];
  const elsewhere = house.request({
    change: (r) => ({ ...r, area: { circle: { lat_e6: 34_000_000, lon_e6: -118_000_000, radius_m: 300 } } }),
  });
  const nowS = Math.floor(Date.now() / 1000);
  const nothing = house.request({ change: (r) => ({ ...r, window: { from: nowS - 90_000, to: nowS - 86_400 } }) });
  const invalid = house.request({ signers: [house.approver] });
  for (const request of [declined, ignored, elsewhere, nothing, invalid])
    await publish(request.topic, request.envelope);
  await until('pending requests', async () => (await call<RequestSummary[]>('listRequests')).length >= 2);
  await call('unlockDeciding', { passphrase: testPassphrase });
  await call('decline', { requestId: declined.document.request_id });
  await delay(2000);
  const approvedAtMs = Date.now();

  const approved = house.request({ change: (r) => ({ ...r, case: { ...r.case, number: '26-900' } }) });
  await publish(approved.topic, approved.envelope);
  const requestId = approved.document.request_id;
  await until('the request', async () => {
    return (await call<RequestSummary[]>('listRequests')).some((r) => r.requestId === requestId);
  });
  await call('unlockDeciding', { passphrase: testPassphrase });
  const { clips } = await call<{ clips: ClipSummary[] }>('review', { requestId });
  const clip = clips.find((one) => one.clipId === clipId);
  const selection = [{ clipId, fromMs: clip?.startMs, toMs: clip?.endMs }];
  const { previewId } = await call<Preview>('preview', { requestId, selection });
  await call('approve', { requestId, previewId, passphrase: testPassphrase });
  await until('both parts', async () => endpoint.created.length === 2);
  await call('lock');
  await publisher.endAsync();
  await device.stop();

  expect(existsSync(join(house.dataDir, 'spool', 'notices', 'digest.json'))).toBe(true);

  const { calls, programs } = readNetworkTrace(tracePath());
  for (const name of ['supervisor', 'recorder', 'courier', 'owner', 'vault', 'ffmpeg'])
    expect(programs).toContain(name);
  const outward = calls.filter(({ call: what }) => what !== 'bind');
  expect(outward.filter(({ program }) => program !== 'courier')).toEqual([]);
  const targets = (from: number, to: number): string[] => [
    ...new Set(
      outward.filter(({ atMs }) => atMs >= from && atMs < to).map((one) => `${one.call} ${one.address}:${one.port}`),
    ),
  ];
  expect(targets(0, approvedAtMs)).toEqual([`connect 127.0.0.1:${broker.port}`]);
  expect(targets(approvedAtMs, Number.POSITIVE_INFINITY)).toEqual([`connect 127.0.0.1:${endpoint.port}`]);
  // One connection to the broker from the beginning to the end: nothing that arrived made it begin anew.
  expect(outward.filter(({ port }) => port === broker.port)).toHaveLength(1);
  // Only the page of the owner listens, on this machine only.
  expect(calls.filter(({ call: what }) => what === 'bind').map(({ program, address: on }) => [program, on])).toEqual([
    ['owner', '127.0.0.1'],
  ]);
});
