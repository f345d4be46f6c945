/**
 * Whether somebody who sees only *when* a device sends can tell what a request meant to it. Four devices live side by side,
 * each its owner and courier as processes of their own, and get the same 200 requests: one declines them, one ignores
 * them, one stands elsewhere, one has opted out. Twins that acknowledge at QoS 1 once they have processed a request get them as
 * well, and are told apart by the same look at the same times, so this test would notice.
 */
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import { expect, it } from 'vitest';
import { Child } from '../../agent/base/child.ts';
import { ControlClient } from '../../agent/base/control.ts';
import type { RequestSummary } from '../../agent/owner/service.ts';
import { startMosquitto } from '../brokers/mosquitto.ts';
import { reportFigure } from '../figure.ts';
import { TestHouse, testPassphrase } from '../house.ts';
import { compareSamples, medianOf } from '../kolmogorov.ts';
import { until } from '../owner-program.ts';

const program = join(import.meta.dirname, '../device-process.ts');
const requestCount = 200;
/** At most five prompts a day come from one agency. */
const requestsPerAgency = 5;
const kinds = ['declines', 'ignores', 'elsewhere', 'opted out'] as const;
const elsewhere = { latE6: 34_000_000, lonE6: -118_000_000 };

/** Notes when something went up and when something came down, and nothing of what it was. */
interface Watched {
  readonly port: number;
  readonly upMs: number[];
  readonly downMs: number[];
  close(): Promise<void>;
}

function watch(port: number): Promise<Watched> {
  const [upMs, downMs]: [number[], number[]] = [[], []];
  const server = createServer((client) => {
    const remote = connect({ port, host: '127.0.0.1', noDelay: true });
    client.setNoDelay(true);
    const end = (): void => {
      client.destroy();
      remote.destroy();
    };
    for (const socket of [client, remote]) socket.on('error', end).on('close', end);
    client.on('data', (chunk: Buffer) => {
      upMs.push(performance.now());
      remote.write(chunk);
    });
    remote.on('data', (chunk: Buffer) => {
      // PINGRESP is no news; whatever is longer is.
      if (chunk.length > 4) downMs.push(performance.now());
      client.write(chunk);
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const on = typeof address === 'object' && address !== null ? address.port : 0;
      resolve({ port: on, upMs, downMs, close: () => new Promise((done) => server.close(() => done())) });
    });
  });
}

function start(stack: AsyncDisposableStack, role: string, dataDir: string, port: number): void {
  const child = new Child({
    command: process.execPath,
    args: [program, role, dataDir, `mqtt://127.0.0.1:${port}`],
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  stack.defer(async () => void (await child.stop()));
}

interface Times {
  /** Between one packet of the device and its next. */
  readonly gapsMs: readonly number[];
  /** From the arrival of a request to the next packet of the device. */
  readonly answersMs: readonly number[];
}

function timesOf({ upMs, downMs }: Watched, fromMs: number): Times {
  const up = upMs.filter((at) => at >= fromMs);
  const gapsMs = up.slice(1).map((at, i) => at - (up[i] ?? at));
  const answersMs = downMs.flatMap((at) => {
    const next = at < fromMs ? undefined : up.find((sent) => sent >= at);
    return next === undefined ? [] : [next - at];
  });
  return { gapsMs, answersMs };
}

async function measure(): Promise<Map<string, Times>> {
  await using stack = new AsyncDisposableStack();
  const issuer = await TestHouse.make();
  stack.defer(() => issuer[Symbol.dispose]());
  const broker = await startMosquitto({ dir: join(issuer.dataDir, 'broker') });
  stack.defer(() => broker.stop());
  const agencies = Array.from({ length: requestCount / requestsPerAgency }, (_, i) => `test-police-${i}`);
  const watched = new Map<string, Watched>();
  const owners = new Map<string, ControlClient>();
  const add = async (name: string): Promise<{ house: TestHouse; port: number }> => {
    const house = await TestHouse.make();
    stack.defer(() => house[Symbol.dispose]());
    const one = await watch(broker.port);
    stack.defer(() => one.close());
    watched.set(name, one);
    if (name.endsWith('elsewhere')) writeFileSync(join(house.dataDir, 'owner/place.json'), JSON.stringify(elsewhere));
    return { house, port: one.port };
  };
  for (const kind of kinds) {
    const { house, port } = await add(kind);
    house.addClip({ startMs: Date.now() - 600_000 });
    start(stack, 'owner', house.dataDir, port);
    const path = join(house.dataDir, 'run/owner.sock');
    owners.set(kind, await until('an owner', () => ControlClient.connect(path).catch(() => undefined)));
    start(stack, 'courier', house.dataDir, port);
  }
  for (const owner of owners.values()) stack.defer(() => owner.close());
  for (const name of ['twin, match', 'twin, elsewhere']) {
    const { house, port } = await add(name);
    const root = { keys: issuer.rootDescription.keysHex, threshold: 2 };
    writeFileSync(join(house.dataDir, 'twin-root.json'), JSON.stringify(root));
    start(stack, 'twin', house.dataDir, port);
  }
  const publisher = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
  stack.defer(() => publisher.endAsync());
  const publish = (topic: string, bytes: Uint8Array): Promise<unknown> =>
    publisher.publishAsync(topic, Buffer.from(bytes), { qos: 1, retain: true });
  for (const owner of owners.values()) {
    await owner.call('addRoot', { passphrase: testPassphrase, root: issuer.rootDescription });
  }
  for (const id of agencies)
    await publish(
      `latchkey/1/US-CA/ag/${id}`,
      issuer.agency((a) => ({ ...a, agency: id })),
    );
  for (const [kind, owner] of owners) {
    const known = async (): Promise<boolean> =>
      ((await owner.call('listAgencies')) as unknown[]).length === agencies.length;
    await until('all agencies', known);
    for (const agency of agencies) {
      if (kind !== 'opted out') await owner.call('setAgencyEnabled', { agency, enabled: true });
    }
  }
  const fromMs = performance.now();
  for (let i = 0; i < requestCount; i += 1) {
    const agency = agencies[Math.floor(i / requestsPerAgency)] ?? '';
    const request = issuer.request({ change: (r) => ({ ...r, agency }) });
    await publish(request.topic, request.envelope);
    // Off the beat of the pings, so that every phase between them is met.
    await delay(700 + Math.random() * 700);
    if (i % 20 !== 19) continue;
    // What a person does now and then: unlock, look, decline, lock.
    const owner = owners.get('declines');
    await owner?.call('unlockDeciding', { passphrase: testPassphrase });
    const pending = ((await owner?.call('listRequests')) ?? []) as RequestSummary[];
    for (const { requestId, state } of pending) {
      if (state === 'PENDING') await owner?.call('decline', { requestId });
    }
    await owner?.call('lock');
  }
  const seen = async (kind: string): Promise<number> => {
    return (((await owners.get(kind)?.call('listRequests')) ?? []) as RequestSummary[]).length;
  };
  // That the devices did differ: two had every request before their owners, two none.
  expect(await Promise.all(kinds.map(seen))).toEqual([requestCount, requestCount, 0, 0]);
  return new Map([...watched].map(([name, one]) => [name, timesOf(one, fromMs)]));
}

function differences(times: Map<string, Times>): string[] {
  const of = (name: string): Times => times.get(name) ?? { gapsMs: [], answersMs: [] };
  const base = of('elsewhere');
  return kinds.flatMap((kind) => {
    const one = of(kind);
    const gaps = compareSamples(one.gapsMs, base.gapsMs);
    const answers = compareSamples(one.answersMs, base.answersMs);
    const shiftMs = Math.abs(medianOf(one.gapsMs) - medianOf(base.gapsMs));
    const line = `${kind}: gaps n ${one.gapsMs.length}, p ${gaps.p.toFixed(4)}, shift ${shiftMs.toFixed(2)} ms; after a request p ${answers.p.toFixed(4)}`;
    reportFigure(line);
    return gaps.p > 0.001 && answers.p > 0.001 && shiftMs < 5 ? [] : [line];
  });
}

it('by its times alone nobody can tell what a request meant to a device; a twin that acknowledges is found out', async () => {
  let times = await measure();
  const caught = (): number => {
    const [match, none] = ['twin, match', 'twin, elsewhere'].map((name) => times.get(name)?.answersMs ?? []);
    const { p } = compareSamples(match ?? [], none ?? []);
    const [a, b] = [medianOf(match ?? []), medianOf(none ?? [])];
    reportFigure(`twin: p ${p.toExponential(1)}, median ${a.toFixed(2)} ms with a match, ${b.toFixed(2)} ms elsewhere`);
    return p;
  };
  expect(times.get('elsewhere')?.gapsMs.length).toBeGreaterThanOrEqual(200);
  expect(caught()).toBeLessThan(0.001);
  if (differences(times).length === 0) return;
  // One chance in a thousand for each comparison: once more, afresh.
  times = await measure();
  expect(differences(times)).toEqual([]);
});
