import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ScriptedRequest } from '../../test-fixtures/brokers/http-script.ts';
import {
  dataDir,
  memoryServer,
  metadataOf,
  nowS,
  open,
  putShare,
  reaches,
  run,
  scripted,
  shareId,
} from '../../test-fixtures/brokers/outbox-folder.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { pieceBytes } from './checked-file.ts';
import { writeShareStatus } from './share-status.ts';

test.each([301, 302, 307, 308])('a redirect (%i) is not followed', async (code) => {
  const other = await scripted(() => ({ status: 201 }));
  const server = await scripted(() => ({ status: code, headers: { Location: `${other.origin}/files` } }));
  run();
  putShare(`${server.origin}/files`);
  await reaches('failed', 'upload/redirected');
  expect(other.connectionCount()).toBe(0);
});

test('a Location on another host is not used', async () => {
  const other = await scripted(() => ({ status: 204 }));
  const server = await scripted(() => ({ status: 201, headers: { Location: `${other.origin}/files/1` } }));
  run();
  putShare(`${server.origin}/files`);
  await reaches('failed', 'upload/foreign-location');
  expect([other.connectionCount(), server.requests.length]).toEqual([0, 1]);
});

test.each([
  ['missing', undefined],
  ['empty', ''],
  ['with a log-in in it', 'http://who@HOST/files/1'],
  ['of another scheme', 'https://HOST/files/1'],
  ['without a host', 'http:///'],
  ['too long to be remembered', `http://HOST/${'x'.repeat(9000)}`],
])('a Location that is %s is not used', async (_what, location) => {
  const server = await scripted((request) => ({
    status: 201,
    headers: location === undefined ? {} : { Location: location.replace('HOST', String(request.headers.host)) },
  }));
  run();
  putShare(`${server.origin}/files`);
  await reaches('failed', 'upload/foreign-location');
  expect(server.requests.map(({ method }) => method)).toEqual(['POST']);
});

test('an address remembered from an earlier run is used only at the endpoint of the dispatch', async () => {
  const other = await scripted(() => ({ status: 204 }));
  const memory = memoryServer(() => undefined);
  const server = await scripted(memory.answer);
  writeShareStatus(dataDir, shareId, { state: 'uploading', offsetBytes: 0, bodyUrl: `${other.origin}/files/1` });
  const end = run();
  const share = putShare(`${server.origin}/files`);
  await reaches('body-done');
  await end();
  expect(memory.uploads.get('/files/1')?.equals(share.body)).toBe(true);
  // Nor is it taken back anywhere else.
  writeShareStatus(dataDir, shareId, { state: 'body-done', offsetBytes: 0, bodyUrl: `${other.origin}/files/1` });
  share.withdraw();
  run();
  await reaches('terminated');
  expect(other.connectionCount()).toBe(0);
});

test('a key that is not released in time is not waited for any longer', async () => {
  const memory = memoryServer(() => undefined);
  const server = await scripted(memory.answer);
  let aheadMs = 0;
  run({ clock: { ...systemClock, wallMs: () => Date.now() + aheadMs } });
  const share = putShare(`${server.origin}/files`);
  await reaches('body-done');
  aheadMs = 3600_000;
  await reaches('failed', 'upload/deadline');
  share.release();
  expect([...memory.uploads.values()]).toEqual([share.body]);
});

test('a server that says no is not asked again', async () => {
  const server = await scripted(() => ({ status: 403 }));
  run();
  putShare(`${server.origin}/files`);
  await reaches('failed', 'upload/refused');
  expect(server.requests).toHaveLength(1);
});

test('a server that fails for ever is tried with pauses until the deadline', async () => {
  const server = await scripted((_request, index) => (index % 2 === 0 ? { status: 500 } : 'reset'));
  const codes = new Set<unknown>();
  run({ log: { ...silentLog, warn: (_event, fields) => codes.add(fields?.code) } });
  putShare(`${server.origin}/files`, { deadline: nowS() + 2 });
  await reaches('failed', 'upload/deadline');
  expect(server.requests.length).toBeGreaterThan(5);
  expect(codes).toEqual(new Set(['upload/unavailable']));
  expect(server.requests.every(({ method }) => method === 'POST')).toBe(true);
});

test.each([404, 410])('an upload that is gone (%i) starts over with the same ciphertext', async (code) => {
  let once = true;
  const memory = memoryServer(({ method }) => {
    if (method !== 'PATCH' || !once) return undefined;
    once = false;
    return { status: code };
  });
  const server = await scripted(memory.answer);
  run();
  const share = putShare(`${server.origin}/files`);
  await reaches('body-done');
  expect(memory.uploads.get('/files/2')?.equals(share.body)).toBe(true);
  expect(metadataOf(server.requests[2] as ScriptedRequest)['share_id']).toBe(shareId);
});

test('an offset above what was sent is not believed', async () => {
  let lies = 0;
  const memory = memoryServer((request) => {
    if (request.method === 'PATCH' && lies === 0) {
      lies += 1;
      return { status: 204, headers: { 'Upload-Offset': String(2 * pieceBytes) } };
    }
    if (request.method === 'PATCH' && lies === 1) return { status: 503 };
    if (request.method === 'HEAD' && lies === 1) {
      lies += 1;
      return { status: 200, headers: { 'Upload-Offset': String(2 * pieceBytes) } };
    }
    return undefined;
  });
  const server = await scripted(memory.answer);
  run();
  const share = putShare(`${server.origin}/files`, { bodyBytes: 2 * pieceBytes });
  await reaches('body-done');
  expect(memory.uploads.get('/files/3')?.equals(share.body)).toBe(true);
});

test('a server at another offset is followed; one of another length is not ours', async () => {
  let step = 0;
  const memory = memoryServer((request) => {
    if (request.method === 'PATCH' && step === 0) {
      step = 1;
      return { status: 409 };
    }
    if (request.method === 'HEAD' && step === 1) {
      step = 2;
      return { status: 200, headers: { 'Upload-Offset': '0', 'Upload-Length': '7' } };
    }
    return undefined;
  });
  const server = await scripted(memory.answer);
  run();
  const share = putShare(`${server.origin}/files`);
  await reaches('body-done');
  expect(memory.uploads.get('/files/2')?.equals(share.body)).toBe(true);
});

test('a server that loses every upload is given up', async () => {
  const memory = memoryServer(({ method }) => (method === 'PATCH' ? { status: 410 } : undefined));
  const server = await scripted(memory.answer);
  run();
  putShare(`${server.origin}/files`);
  await reaches('failed', 'upload/refused');
  expect(memory.uploads.size).toBe(6);
});

test('an endpoint inside the house is refused before it is connected to, by address and by name', async () => {
  let connections = 0;
  const server = createServer(() => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  open.push(() => new Promise((resolve) => server.close(() => resolve())));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
    const end = run({ uploads: { allowPrivateAddresses: false } });
    const share = putShare(`https://${host}:${port}/files`);
    await reaches('failed', 'upload/private-address');
    await end();
    rmSync(share.dir, { recursive: true });
    rmSync(join(dataDir, 'spool', 'status', `${shareId}.json`));
  }
  expect(connections).toBe(0);
});

test('a proxy that is not one is said', async () => {
  run({ uploads: { allowPrivateAddresses: true, proxy: 'socks5://127.0.0.1:1' } });
  putShare('http://127.0.0.1:9/files');
  await reaches('failed', 'courier/bad-proxy');
});
