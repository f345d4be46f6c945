import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type MosquittoFixture, startMosquitto } from '../../test-fixtures/brokers/mosquitto.ts';
import { startTcpProxy } from '../../test-fixtures/brokers/tcp-proxy.ts';
import { eventually } from '../../test-fixtures/eventually.ts';
import { systemClock } from '../base/clock.ts';
import { type Log, silentLog } from '../base/log.ts';
import { Backoff } from '../base/retry.ts';
import { type BrokerOptions, readBrokerAddress } from './broker-address.ts';
import { type BrokerState, maxPacketBytes, type SubscriberOptions, subscribeForever } from './subscriber.ts';

const filters = ['latchkey/1/US-CA/#', 'latchkey/1/US-NV/#'];
let dir: string;
let stop: AbortController;
const open: (() => Promise<void>)[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'subscriber-'));
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  for (const close of open.splice(0).toReversed()) await close();
  rmSync(dir, { recursive: true, force: true });
});

interface Listening {
  readonly messages: { topic: string; payload: string }[];
  readonly states: BrokerState[];
  readonly codes: string[];
}

function listen(broker: BrokerOptions, change: Partial<SubscriberOptions> = {}): Listening {
  const result: Listening = { messages: [], states: [], codes: [] };
  const log: Log = { ...silentLog, error: (_event, thrown) => result.codes.push((thrown as { code: string }).code) };
  const done = subscribeForever({
    address: readBrokerAddress(broker),
    filters,
    keepaliveS: 120,
    refreshMs: 3600_000,
    onMessage: (topic, payload) => result.messages.push({ topic, payload: payload.toString() }),
    onState: (state) => result.states.push(state),
    signal: stop.signal,
    clock: systemClock,
    log,
    backoff: new Backoff({ firstMs: 20, maxMs: 50 }),
    ...change,
  });
  open.push(() => {
    stop.abort();
    return done;
  });
  return result;
}

async function startBroker(tls = false): Promise<MosquittoFixture> {
  const fixture = await startMosquitto({ dir: join(dir, 'broker'), tls });
  open.push(() => fixture.stop());
  return fixture;
}

const retain = { qos: 1, retain: true } as const;

test('regions are listened to over TLS 1.3 with the shared read-only credential; the retained past arrives too', async () => {
  const fixture = await startBroker(true);
  const ca = readFileSync(fixture.caFile ?? '');
  const agency = await mqtt.connectAsync(fixture.url, {
    ca,
    username: 'agency',
    password: fixture.password('agency'),
    protocolVersion: 5,
  });
  open.push(() => agency.endAsync());
  await agency.publishAsync('latchkey/1/US-CA/rq/a/1', 'before', retain);
  const heard = listen({
    url: fixture.url,
    caFile: fixture.caFile,
    username: 'device',
    passwordFile: fixture.passwordFile('device'),
  });
  await eventually(() => expect(heard.messages).toHaveLength(1));
  await agency.publishAsync('latchkey/1/US-NV/ag/a', 'after', retain);
  await agency.publishAsync('latchkey/1/US-TX/ag/a', 'elsewhere', retain);
  await agency.publishAsync('latchkey/1/US-CA/ag/a', 'last', retain);
  await eventually(() => expect(heard.messages.map((m) => m.payload)).toEqual(['before', 'after', 'last']));
  expect(heard.states).toEqual(['connected']);
  // The credential on every device can't be used to publish, whoever extracts it.
  const thief = await mqtt.connectAsync(fixture.url, {
    ca,
    username: 'device',
    password: fixture.password('device'),
    protocolVersion: 5,
  });
  open.push(() => thief.endAsync());
  await expect(thief.publishAsync('latchkey/1/US-CA/rq/a/1', 'forged', retain)).rejects.toThrow(/Not authorized/);
});

test('a broker whose certificate is not vouched for is not spoken to', async () => {
  const fixture = await startBroker(true);
  const heard = listen({ url: fixture.url });
  await eventually(() => expect(heard.codes).toContain('courier/broker-unavailable'));
  expect(heard.states).not.toContain('connected');
});

test('a wrong credential is unavailable, not a crash', async () => {
  const fixture = await startBroker(true);
  const heard = listen({ url: fixture.url, caFile: fixture.caFile, username: 'device' });
  await eventually(() => expect(heard.codes.length).toBeGreaterThan(1));
  expect(new Set(heard.codes)).toEqual(new Set(['courier/broker-unavailable']));
});

const withoutId = (text: string | undefined): string | undefined => text?.replace(/[0-9a-f]{24}/, 'ID');

test('two connections send the same bytes but for the client id, and 300 messages cause not one byte upstream', async () => {
  const fixture = await startBroker();
  const proxy = await startTcpProxy({ port: fixture.port });
  open.push(() => proxy.close());
  const heard = listen({ url: `mqtt://127.0.0.1:${proxy.port}` });
  await eventually(() => expect(heard.states).toEqual(['connected']));
  const before = proxy.upstream[0]?.length ?? 0;
  const agency = await mqtt.connectAsync(fixture.url, { protocolVersion: 5 });
  open.push(() => agency.endAsync());
  for (let i = 0; i < 300; i++) await agency.publishAsync(`latchkey/1/US-CA/rq/a/${i % 7}`, `${i}`, retain);
  await eventually(() => expect(heard.messages).toHaveLength(300));
  expect(before).toBeGreaterThan(0);
  expect(proxy.upstream[0]?.length).toBe(before);

  proxy.cutAll();
  await eventually(() => expect(heard.states.filter((s) => s === 'connected')).toHaveLength(2));
  await eventually(() => expect(proxy.upstream.at(-1)?.length).toBe(before));
  const [first, second] = [proxy.upstream[0], proxy.upstream.at(-1)].map((bytes) => bytes?.toString('latin1') ?? '');
  expect(first).not.toBe(second);
  expect(withoutId(first)).toBe(withoutId(second));
  expect(first).toContain(filters[1]);
});

test('after the subscription only pings go upstream, whatever comes down', async () => {
  const fixture = await startBroker();
  const proxy = await startTcpProxy({ port: fixture.port });
  open.push(() => proxy.close());
  const heard = listen({ url: `mqtt://127.0.0.1:${proxy.port}` }, { keepaliveS: 1 });
  await eventually(() => expect(heard.states).toEqual(['connected']));
  const before = proxy.upstream[0]?.length ?? 0;
  const agency = await mqtt.connectAsync(fixture.url, { protocolVersion: 5 });
  open.push(() => agency.endAsync());
  for (let i = 0; i < 25; i++) {
    await agency.publishAsync('latchkey/1/US-CA/rq/a/1', `${i}`, retain);
    await delay(100);
  }
  const pings = proxy.upstream[0]?.subarray(before).toString('hex') ?? '';
  expect(pings).toMatch(/^(c000){2,4}$/);
});

test('a broker that goes away and comes back is listened to again', async () => {
  const fixture = await startBroker();
  const heard = listen({ url: fixture.url });
  await eventually(() => expect(heard.states).toEqual(['connected']));
  await fixture.stop();
  await eventually(() => expect(heard.states).toContain('unavailable'));
  await fixture.start();
  await eventually(() => expect(heard.states.at(-1)).toBe('connected'));
  const agency = await mqtt.connectAsync(fixture.url, { protocolVersion: 5 });
  open.push(() => agency.endAsync());
  await agency.publishAsync('latchkey/1/US-CA/ag/a', 'back', retain);
  await eventually(() => expect(heard.messages.at(-1)?.payload).toBe('back'));
});

test('the refresh renews the connection, so that retained messages are read again', async () => {
  const fixture = await startBroker();
  const agency = await mqtt.connectAsync(fixture.url, { protocolVersion: 5 });
  open.push(() => agency.endAsync());
  await agency.publishAsync('latchkey/1/US-CA/ag/a', 'kept', retain);
  const heard = listen({ url: fixture.url }, { refreshMs: 200 });
  await eventually(() => expect(heard.messages.length).toBeGreaterThanOrEqual(3));
  expect(new Set(heard.messages.map((m) => m.payload))).toEqual(new Set(['kept']));
  expect(heard.states).not.toContain('unavailable');
});

/** A broker that accepts everything and then sends `bytes`. */
async function hostileBroker(bytes: Buffer, subackCodes = [0, 0]): Promise<{ port: number; received: Buffer[] }> {
  const received: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    const index = received.push(Buffer.alloc(0)) - 1;
    socket.on('data', (chunk: Buffer) => {
      const all = Buffer.concat([received[index] ?? Buffer.alloc(0), chunk]);
      received[index] = all;
      if (all.includes('US-NV/#')) {
        const id = all.subarray(all.indexOf('latchkey/1/') - 5).subarray(0, 2);
        socket.write(Buffer.concat([Buffer.from([0x90, 5]), id, Buffer.from([0, ...subackCodes]), bytes]));
      } else if (index === received.length - 1 && chunk[0] === 0x10) {
        socket.write(Buffer.from([0x20, 3, 0, 0, 0]));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  open.push(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, received };
}

function publishPacket(qos: number): Buffer {
  const topic = Buffer.from('latchkey/1/US-CA/rq/a/1');
  const body = Buffer.concat([
    Buffer.from([0, topic.length]),
    topic,
    Buffer.from(qos > 0 ? [0, 9, 0] : [0]),
    Buffer.from('x'),
  ]);
  return Buffer.concat([Buffer.from([0x30 | (qos << 1), body.length]), body]);
}

test.each([1, 2])(
  'a broker that asks for an acknowledgement (QoS %i) gets a closed connection and no byte',
  async (qos) => {
    const hostile = await hostileBroker(publishPacket(qos));
    const heard = listen({ url: `mqtt://127.0.0.1:${hostile.port}` });
    await eventually(() => expect(heard.codes).toContain('courier/upstream-refused'));
    await delay(50);
    const upstream = hostile.received[0] ?? Buffer.alloc(0);
    expect(upstream.subarray(-filters[1]!.length - 1).toString('latin1')).toBe(`${filters[1]}\0`);
  },
);

test('a packet over the limit is refused by its announced length', async () => {
  const length = maxPacketBytes + 1;
  const head = Buffer.from([0x30, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14]);
  const hostile = await hostileBroker(head);
  const heard = listen({ url: `mqtt://127.0.0.1:${hostile.port}` });
  await eventually(() => expect(heard.codes).toContain('courier/oversized-packet'));
});

test('what is not MQTT ends the connection', async () => {
  const hostile = await hostileBroker(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff]));
  const heard = listen({ url: `mqtt://127.0.0.1:${hostile.port}` });
  await eventually(() => expect(heard.codes).toContain('courier/bad-packet'));
});

test('a refused region is said', async () => {
  const hostile = await hostileBroker(Buffer.alloc(0), [0, 0x87]);
  const heard = listen({ url: `mqtt://127.0.0.1:${hostile.port}` });
  await eventually(() => expect(heard.codes).toContain('courier/broker-refused'));
});

function codeOf(options: BrokerOptions): string {
  try {
    readBrokerAddress(options);
    return 'accepted';
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
}

test('addresses that would expose the device are refused', () => {
  expect(codeOf({ url: 'mqtt://broker.example' })).toBe('courier/broker-not-encrypted');
  expect(codeOf({ url: 'https://broker.example' })).toBe('courier/bad-broker-url');
  expect(codeOf({ url: 'mqtts://user:secret@broker.example' })).toBe('courier/bad-broker-url');
  expect(codeOf({ url: 'mqtts://broker.example', caFile: join(dir, 'none.pem') })).toBe('courier/missing-file');
  expect(readBrokerAddress({ url: 'mqtts://broker.example' })).toMatchObject({
    port: 8883,
    servername: 'broker.example',
  });
  expect(readBrokerAddress({ url: 'mqtt://[::1]:9' })).toMatchObject({ host: '::1', port: 9, tls: false });
});

test('nothing in this room can publish', () => {
  const room = import.meta.dirname;
  const sources = readdirSync(room).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  expect(sources).toContain('subscriber.ts');
  for (const name of sources) expect(readFileSync(join(room, name), 'utf8')).not.toMatch(/\.publish|publishAsync/);
});
