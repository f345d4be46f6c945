/**
 * What the network sees of a house that had nothing to show, ignored a request, declined it, had opted out, or approved it:
 * a real broker with TLS, owner and courier as they run, every upstream byte counted. The first four are the same, to the
 * byte; the fifth differs only in that it calls the agency's endpoint. The daily digest is the same in all five.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import { afterAll, expect, it, vi } from 'vitest';
import { systemClock } from '../../agent/base/clock.ts';
import { type Log, silentLog } from '../../agent/base/log.ts';
import { runCourier } from '../../agent/courier/program.ts';
import { LedgerDb } from '../../agent/store/ledger-db.ts';
import { startScriptedServer } from '../brokers/http-script.ts';
import { startMosquitto } from '../brokers/mosquitto.ts';
import { startTcpProxy } from '../brokers/tcp-proxy.ts';
import { startTusServer } from '../brokers/tus-server.ts';
import { TestHouse, testPassphrase } from '../house.ts';
import { Running, until } from '../owner-program.ts';

vi.setConfig({ testTimeout: 240_000 });
const scenarios = ['no footage', 'ignored', 'declined', 'opted out', 'approved'] as const;
type Scenario = (typeof scenarios)[number];

interface Seen {
  readonly verdict: string;
  /** For each connection to the broker, what went up it: whole bytes, or by TLS the sizes of its records. */
  readonly broker: readonly (readonly string[])[];
  readonly brokerBytes: number;
  /** Upstream bytes after the subscription. */
  readonly answerBytes: number;
  readonly endpointConnections: number;
  readonly endpointBytes: number;
  /** What each connection to the host of the daily digest carried. */
  readonly digests: readonly string[];
  readonly logLines: readonly string[];
}

/** A client id is random in every connection and of one length. */
function shown(bytes: Buffer, tls: boolean): string[] {
  if (!tls) return [bytes.toString('latin1').replace(/[0-9a-f]{24}/, 'ID')];
  const records: string[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const length = bytes.readUInt16BE(at + 3);
    records.push(`${bytes[at]}:${length}`);
    at += 5 + length;
  }
  return records;
}

async function live(scenario: Scenario, tls: boolean): Promise<Seen> {
  await using stack = new AsyncDisposableStack();
  const house = await TestHouse.make();
  stack.defer(() => house[Symbol.dispose]());
  const startMs = Math.floor(Date.now() / 1000) * 1000 - 600_000;
  // The window of the request is the last half hour; the clip of the house without footage is older.
  const clipId = house.addClip({ startMs: scenario === 'no footage' ? startMs - 7_200_000 : startMs });
  const broker = await startMosquitto({ dir: join(house.dataDir, 'broker'), tls });
  stack.defer(() => broker.stop());
  const toBroker = await startTcpProxy({ port: broker.port });
  stack.defer(() => toBroker.close());
  const tus = await startTusServer(join(house.dataDir, 'endpoint'));
  stack.defer(() => tus.close());
  const toEndpoint = await startTcpProxy({ port: tus.port });
  stack.defer(() => toEndpoint.close());
  const url = `${tls ? 'mqtts' : 'mqtt'}://127.0.0.1:${toBroker.port}`;
  const login = tls ? { caFile: broker.caFile, username: 'device', passwordFile: broker.passwordFile('device') } : {};
  const push = await startScriptedServer(() => ({ status: 200 }));
  stack.defer(() => push.close());
  const toPush = await startTcpProxy({ port: push.port });
  stack.defer(() => toPush.close());
  // A device that has run since long ago: today's digest is due.
  const ledger = new LedgerDb(join(house.dataDir, 'ledger.db'));
  ledger.keep('digest', '2000-01-01');
  ledger.close();
  const logLines: string[] = [];
  const log: Log = {
    ...silentLog,
    info: (event, fields) => void logLines.push(`${event} ${JSON.stringify(fields ?? {})}`),
    warn: (event, fields) => void logLines.push(`${event} ${JSON.stringify(fields ?? {})}`),
  };
  const owner = new Running(house, { broker: { url, ...login } }, log);
  await owner.start();
  stack.defer(() => owner.stop());
  const stop = new AbortController();
  const done = runCourier({
    dataDir: house.dataDir,
    regions: ['US-CA'],
    broker: { url, ...login },
    uploads: { allowPrivateAddresses: true },
    digest: { url: `http://127.0.0.1:${toPush.port}/my-door` },
    signal: stop.signal,
    // It leaves a quarter of an hour after it was written.
    clock: { ...systemClock, wallMs: () => systemClock.wallMs() + 900_000 },
    log: silentLog,
  });
  stack.defer(async () => {
    stop.abort();
    await done;
  });
  await until('courier connected', async () => {
    return (await owner.call<{ broker: string }>('health')).broker === 'connected';
  });
  const subscribedBytes = toBroker.upstream[0]?.length ?? 0;
  const agency = await mqtt.connectAsync(broker.url, {
    protocolVersion: 5,
    ...(tls ? { ca: readFileSync(broker.caFile ?? ''), username: 'agency', password: broker.password('agency') } : {}),
  });
  stack.defer(() => agency.endAsync());
  const publish = (topic: string, bytes: Uint8Array): Promise<unknown> =>
    agency.publishAsync(topic, Buffer.from(bytes), { qos: 1, retain: true });
  await owner.call('addRoot', { passphrase: testPassphrase, root: house.rootDescription });
  const https = `http://127.0.0.1:${toEndpoint.port}${tus.path}`;
  await publish(
    'latchkey/1/US-CA/ag/test-police',
    house.agency((a) => ({ ...a, upload: { https } })),
  );
  await until('agency known', async () => (await owner.call<unknown[]>('listAgencies')).length === 1);
  await owner.call('setAgencyEnabled', { agency: 'test-police', enabled: scenario !== 'opted out' });
  owner.verdicts.length = 0;
  const request = house.request();
  await publish(request.topic, request.envelope);
  const verdict = await until('verdict', () => owner.verdicts[0]);
  const { request_id: requestId } = request.document;
  // The same session of the owner in each, whatever is done in it.
  if (scenario === 'approved') await owner.approve(requestId, clipId);
  else await owner.call('unlockDeciding', { passphrase: testPassphrase });
  if (scenario === 'declined') await owner.call('decline', { requestId });
  await owner.call('lock');
  await delay(2000);
  await until('digest', () => push.requests.length > 0);
  if (scenario === 'approved') await until('share', () => (tus.created.length === 2 ? true : undefined));
  const upstream = toBroker.upstream.map((bytes) => Buffer.from(bytes));
  return {
    verdict,
    broker: upstream.map((bytes) => shown(bytes, tls)),
    brokerBytes: upstream.reduce((sum, bytes) => sum + bytes.length, 0),
    answerBytes: upstream.reduce((sum, bytes) => sum + bytes.length, 0) - subscribedBytes,
    endpointConnections: toEndpoint.upstream.length,
    endpointBytes: toEndpoint.upstream.reduce((sum, bytes) => sum + bytes.length, 0),
    digests: toPush.upstream.map((bytes) => bytes.toString().replace(/:\d+\r\n/, ':PORT\r\n')),
    // Ports differ from run to run, and what is tried again is tried more or less often.
    logLines: [...new Set(logLines.map((line) => line.replaceAll(/"port":\d+/g, '"port"')))].toSorted(),
  };
}

const rows: string[] = [];
afterAll(() => {
  const out = process.env['LATCHKEY_SHOTS'];
  if (out === undefined) return;
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'wire-scenarios.txt'), `${rows.join('\n')}\n`);
});

async function liveAll(which: readonly Scenario[], tls: boolean): Promise<Map<Scenario, Seen>> {
  const seen = new Map<Scenario, Seen>();
  for (const scenario of which) {
    const one = await live(scenario, tls);
    seen.set(scenario, one);
    const broker = `${one.broker.length} connection, ${one.brokerBytes} bytes (${one.answerBytes} after SUBSCRIBE)`;
    const records = tls ? `records ${one.broker.map((sizes) => sizes.join(' ')).join(' | ')}` : 'plain';
    rows.push(
      `${scenario}: broker ${broker}, ${records}; endpoint ${one.endpointConnections} connections, ${one.endpointBytes} bytes; daily digest ${one.digests.length} connection, ${one.digests.join('').length} bytes`,
    );
  }
  return seen;
}

it('by TLS: no footage, ignored, declined and opted out are one; approving adds only the upload', async () => {
  const seen = await liveAll(scenarios, true);
  const nothing = seen.get('no footage');
  expect(nothing?.broker).toHaveLength(1);
  expect(nothing?.digests).toHaveLength(1);
  // ClientHello, ChangeCipherSpec, Finished, then CONNECT and SUBSCRIBE in one record each, and nothing more.
  expect(nothing?.broker[0]?.map((record) => record.split(':')[0])).toEqual(['22', '20', '23', '23', '23']);
  for (const [scenario, each] of seen) {
    const { broker, brokerBytes, answerBytes, endpointBytes, endpointConnections, digests } = each;
    expect([scenario, broker, brokerBytes, answerBytes]).toEqual([scenario, nothing?.broker, nothing?.brokerBytes, 0]);
    expect([scenario, digests]).toEqual([scenario, nothing?.digests]);
    const calls = scenario === 'approved';
    expect([scenario, endpointConnections > 0, endpointBytes > 1_000_000]).toEqual([scenario, calls, calls]);
  }
  expect(scenarios.map((scenario) => seen.get(scenario)?.verdict)).toEqual([
    'accepted',
    'accepted',
    'accepted',
    'request/agency-not-enabled',
    'accepted',
  ]);
  // The log names classes: what was decided, or whether there was footage, can't be told from it.
  const [none, ignored, declined] = scenarios.map((scenario) => seen.get(scenario)?.logLines);
  expect(ignored).toEqual(none);
  expect(declined).toEqual(none);
});

it('in the clear: the very same bytes, but for the random client id', async () => {
  const seen = await liveAll(['no footage', 'ignored', 'declined'], false);
  const [none, ignored, declined] = [...seen.values()].map(({ broker }) => broker);
  expect(none?.[0]?.[0]).toContain('latchkey/1/US-CA/#');
  expect(ignored).toEqual(none);
  expect(declined).toEqual(none);
});
