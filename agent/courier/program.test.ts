import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startMosquitto } from '../../test-fixtures/brokers/mosquitto.ts';
import { eventually } from '../../test-fixtures/eventually.ts';
import { localTls } from '../../test-fixtures/local-tls.ts';
import { systemClock } from '../base/clock.ts';
import { ControlClient } from '../base/control.ts';
import { silentLog } from '../base/log.ts';
import { sha256Hex, toHex } from '../protocol/bytes.ts';
import { signEnvelope } from '../protocol/envelope.ts';
import { generateSigningKey } from '../protocol/keys.ts';
import { type CourierOptions, type CourierStatus, runCourier } from './program.ts';
import { readShareStatus } from './share-status.ts';

let root: string;
let dataDir: string;
const open: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'courier-'));
  dataDir = join(root, 'data');
  mkdirSync(join(dataDir, 'keys'), { recursive: true });
});
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
  rmSync(root, { recursive: true, force: true });
});

function start(change: Partial<CourierOptions>): () => Promise<void> {
  const stop = new AbortController();
  const done = runCourier({
    dataDir,
    regions: ['US-CA'],
    broker: null,
    uploads: { allowPrivateAddresses: true },
    signal: stop.signal,
    clock: systemClock,
    log: silentLog,
    ...change,
  });
  const end = (): Promise<void> => {
    stop.abort();
    return done;
  };
  open.push(end);
  return end;
}

async function status(): Promise<CourierStatus> {
  using client = await ControlClient.connect(join(dataDir, 'run', 'courier.sock'));
  return (await client.call('status')) as CourierStatus;
}

test('messages reach the spool, the control socket tells how many, and a restart spools no repeat', async () => {
  const broker = await startMosquitto({ dir: join(root, 'broker'), tls: true });
  open.push(() => broker.stop());
  const agency = await mqtt.connectAsync(broker.url, {
    ca: readFileSync(broker.caFile ?? ''),
    username: 'agency',
    password: broker.password('agency'),
    protocolVersion: 5,
  });
  open.push(() => agency.endAsync());
  await agency.publishAsync('latchkey/1/US-CA/ag/some-agency', 'envelope', { qos: 1, retain: true });
  const options = {
    broker: {
      url: broker.url,
      caFile: broker.caFile,
      username: 'device',
      passwordFile: broker.passwordFile('device'),
    },
  };
  const end = start(options);
  await eventually(async () => expect(await status()).toEqual({ broker: 'connected', spooled: 1, dropped: 0 }));
  const [name = ''] = readdirSync(join(dataDir, 'spool', 'inbox'));
  const message = JSON.parse(readFileSync(join(dataDir, 'spool', 'inbox', name), 'utf8')) as Record<string, unknown>;
  expect(message['topic']).toBe('latchkey/1/US-CA/ag/some-agency');
  expect(Buffer.from(String(message['envelope']), 'base64').toString()).toBe('envelope');
  await end();
  start(options);
  await eventually(async () => expect(await status()).toEqual({ broker: 'connected', spooled: 0, dropped: 0 }));
  await agency.publishAsync('latchkey/1/US-CA/ag/other-agency', 'envelope', { qos: 1, retain: true });
  await eventually(() => expect(readdirSync(join(dataDir, 'spool', 'inbox'))).toHaveLength(2));
  await broker.stop();
  await eventually(async () => expect((await status()).broker).toBe('unavailable'));
});

test('without a broker, or with one that can not be used, the rest goes on and says so', async () => {
  const end = start({});
  await eventually(async () => expect((await status()).broker).toBe('not-configured'));
  await end();
  start({ broker: { url: 'mqtts://broker.example', caFile: join(root, 'none.pem') } });
  await eventually(async () =>
    expect(await status()).toMatchObject({ broker: 'unavailable', code: 'courier/missing-file' }),
  );
});

test('the control method forgetSeen lets a retained message be spooled again at the next refresh', async () => {
  const broker = await startMosquitto({ dir: join(root, 'broker') });
  open.push(() => broker.stop());
  const agency = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
  open.push(() => agency.endAsync());
  await agency.publishAsync('latchkey/1/US-CA/ag/some-agency', 'envelope', { qos: 1, retain: true });
  start({ broker: { url: broker.url }, refreshMs: 100 });
  await eventually(async () => expect((await status()).spooled).toBe(1));
  using client = await ControlClient.connect(join(dataDir, 'run', 'courier.sock'));
  await client.call('forgetSeen');
  await eventually(async () => expect((await status()).spooled).toBe(2));
});

test('a share goes out over TLS through a CONNECT proxy, to a server vouched for by the given authority only', async () => {
  const { authority, leaf } = await localTls();
  const caFile = join(root, 'ca.pem');
  writeFileSync(caFile, authority.certificatePem);
  let received = 0;
  const server = createHttpsServer({ cert: leaf.certificatePem, key: leaf.keyPem }, (request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => {
      received += bytes;
      if (request.method === 'POST') response.writeHead(201, { Location: '1' }).end();
      else response.writeHead(204, { 'Upload-Offset': String(bytes) }).end();
    });
  });
  const asked: string[] = [];
  const proxy = createHttpServer().on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    const remote = connect({ port: Number(request.url?.split(':')[1]), host: '127.0.0.1' }, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(remote).pipe(socket);
    });
    for (const end of [socket, remote]) end.on('error', () => [socket, remote].map((one) => one.destroy()));
  });
  const [port, proxyPort] = await Promise.all(
    [server, proxy].map(
      (one) =>
        new Promise<number>((resolve) => {
          one.listen(0, '127.0.0.1', () => {
            const address = one.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
          open.push(async () => {
            one.closeAllConnections();
            one.close();
          });
        }),
    ),
  );
  const ownerRoot = generateSigningKey();
  writeFileSync(join(dataDir, 'keys', 'owner-root.pub'), toHex(ownerRoot.publicKey));
  const shareId = '12'.repeat(16);
  const body = randomBytes(5000);
  const nowS = Math.floor(Date.now() / 1000);
  const dir = join(dataDir, 'spool', 'outbox', shareId);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'body.age'), body);
  const dispatch = {
    grant_hash: '0'.repeat(64),
    share_id: shareId,
    request_id: '34'.repeat(16),
    body: { bytes: body.length, sha256: sha256Hex(body) },
    header: { bytes: 1, sha256: sha256Hex(body) },
    endpoint: `https://localhost:${port}/files/`,
    release_not_before: nowS - 1,
    deadline: nowS + 600,
  };
  writeFileSync(join(dir, 'dispatch.json'), signEnvelope('dispatch', dispatch, [ownerRoot]));
  const uploads = { allowPrivateAddresses: true, proxy: `http://127.0.0.1:${proxyPort}` };
  const retry = { firstMs: 10, maxMs: 20 };
  const end = start({ uploads, retry });
  await eventually(() => expect(asked.length).toBeGreaterThan(1));
  await end();
  expect(received).toBe(0);
  start({ uploads: { ...uploads, caFile }, retry });
  await eventually(() => expect(readShareStatus(dataDir, shareId)?.state).toBe('body-done'));
  expect(received).toBe(body.length);
  expect(new Set(asked)).toEqual(new Set([`localhost:${port}`]));
});
