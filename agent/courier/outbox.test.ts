import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  dataDir,
  nowS,
  open,
  putShare,
  reaches,
  requestId,
  root,
  run,
  type Share,
  type ShareChange,
  scripted,
  shareId,
  status,
} from '../../test-fixtures/brokers/outbox-folder.ts';
import { startTcpProxy } from '../../test-fixtures/brokers/tcp-proxy.ts';
import { startTusServer } from '../../test-fixtures/brokers/tus-server.ts';
import { eventually } from '../../test-fixtures/eventually.ts';
import { systemClock } from '../base/clock.ts';
import { generateSigningKey } from '../protocol/keys.ts';
import { pieceBytes } from './checked-file.ts';

test('body first, header when released; cut three times in mid-body and still identical', async () => {
  const server = await startTusServer(join(root, 'server'));
  open.push(() => server.close());
  const proxy = await startTcpProxy({ port: server.port });
  open.push(() => proxy.close());
  proxy.cutAfterBytes.push(1_000_000, 2_500_000, 700_000);
  run();
  const share = putShare(`http://127.0.0.1:${proxy.port}/files`, { bodyBytes: 2 * pieceBytes + 1_234_567 });
  await reaches('body-done');
  expect(proxy.cutAfterBytes).toEqual([]);
  await delay(100);
  expect(server.created.map(({ metadata }) => metadata)).toEqual([
    { share_id: shareId, part: 'body', request_id: requestId },
  ]);
  share.release();
  await reaches('done');
  const [body, header] = server.created;
  expect(header?.metadata).toEqual({ share_id: shareId, part: 'header', request_id: requestId });
  expect(readFileSync(join(root, 'server', body?.id ?? '')).equals(share.body)).toBe(true);
  expect(readFileSync(join(root, 'server', header?.id ?? '')).equals(share.header)).toBe(true);
  expect(status()).toEqual({
    state: 'done',
    bodyUrl: `http://127.0.0.1:${proxy.port}/files/${body?.id}`,
    headerUrl: `http://127.0.0.1:${proxy.port}/files/${header?.id}`,
    offsetBytes: 300,
  });
  // The owner has recorded the end and takes the folder away; nothing of the share stays here.
  rmSync(share.dir, { recursive: true });
  await eventually(() => expect(existsSync(join(dataDir, 'spool', 'status', `${shareId}.json`))).toBe(false));
});

test('a program that was ended in mid-body goes on where the server is', async () => {
  const server = await startTusServer(join(root, 'server'));
  open.push(() => server.close());
  const proxy = await startTcpProxy({ port: server.port });
  open.push(() => proxy.close());
  const end = run();
  proxy.cutAfterBytes.push(pieceBytes + 500_000, 1);
  const share = putShare(`http://127.0.0.1:${proxy.port}/files`, { bodyBytes: 2 * pieceBytes });
  await eventually(() => expect(status()?.offsetBytes).toBeGreaterThan(0));
  await end();
  const before = status();
  expect(before?.state).toBe('uploading');
  run();
  await reaches('body-done');
  expect(status()?.bodyUrl).toBe(before?.bodyUrl);
  expect(server.created).toHaveLength(1);
  expect(readFileSync(join(root, 'server', server.created[0]?.id ?? '')).equals(share.body)).toBe(true);
});

test('what is sent says nothing about the sender', async () => {
  const server = await scripted((request) =>
    request.method === 'POST'
      ? { status: 201, headers: { Location: '/files/1' } }
      : { status: 204, headers: { 'Upload-Offset': String(request.body.length) } },
  );
  run();
  putShare(`${server.origin}/files`);
  await reaches('body-done');
  const [create, patch] = server.requests;
  expect(Object.keys(create?.headers ?? {}).toSorted()).toEqual([
    'connection',
    'content-length',
    'host',
    'tus-resumable',
    'upload-length',
    'upload-metadata',
  ]);
  expect(Object.keys(patch?.headers ?? {}).toSorted()).toEqual([
    'connection',
    'content-length',
    'content-type',
    'host',
    'tus-resumable',
    'upload-offset',
  ]);
});

test('withdrawn before the header: the body is deleted and nothing more is sent', async () => {
  const server = await startTusServer(join(root, 'server'));
  open.push(() => server.close());
  run();
  const share = putShare(`http://127.0.0.1:${server.port}/files`);
  await reaches('body-done');
  share.withdraw();
  await reaches('terminated');
  expect(existsSync(join(root, 'server', server.created[0]?.id ?? ''))).toBe(false);
  share.release();
  await delay(100);
  expect(server.created).toHaveLength(1);
});

test('a server that refuses the deletion is tolerated; withdrawn before anything was sent, nothing is connected', async () => {
  const server = await scripted((request) =>
    request.method === 'POST'
      ? { status: 201, headers: { Location: '/files/1' } }
      : request.method === 'DELETE'
        ? { status: 403 }
        : { status: 204, headers: { 'Upload-Offset': String(request.body.length) } },
  );
  const end = run();
  const share = putShare(`${server.origin}/files`);
  await reaches('body-done');
  share.withdraw();
  await reaches('terminated');
  expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'DELETE']);
  await end();
  rmSync(share.dir, { recursive: true });
  rmSync(join(dataDir, 'spool', 'status', `${shareId}.json`));
  const before = server.connectionCount();
  putShare(`${server.origin}/files`, { files: (dir) => writeFileSync(join(dir, 'withdrawn'), '') });
  run();
  await reaches('terminated');
  expect(server.connectionCount()).toBe(before);
});

test('a share that may not leave yet waits without a connection', async () => {
  const server = await scripted(() => ({ status: 500 }));
  run();
  putShare(`${server.origin}/files`, { releaseNotBefore: nowS() + 300 });
  await delay(150);
  expect(server.connectionCount()).toBe(0);
});

const strangers = generateSigningKey();
test.each<[string, string, ShareChange]>([
  ['signed by somebody else', 'envelope/not-enough-signers', { signer: strangers }],
  ['for another share', 'courier/other-share', { shareId: 'ef'.repeat(16) }],
  ['whose release is after its deadline', 'dispatch/no-time', { releaseNotBefore: nowS() + 700 }],
  ['over its deadline', 'upload/deadline', { deadline: nowS() - 1 }],
  ['that is no envelope', 'envelope/not-json', { files: (dir) => writeFileSync(join(dir, 'dispatch.json'), 'x') }],
  [
    'for another body of the same size',
    'upload/changed-files',
    { files: (dir) => writeFileSync(join(dir, 'body.age'), randomBytes(50_000)) },
  ],
  [
    'for a longer body',
    'upload/changed-files',
    { files: (dir) => writeFileSync(join(dir, 'body.age'), randomBytes(10)) },
  ],
])('a dispatch %s opens no socket', async (_what, code, change) => {
  const server = await scripted(() => ({ status: 500 }));
  run();
  putShare(`${server.origin}/files`, change);
  await reaches('failed', code);
  expect(server.connectionCount()).toBe(0);
});

test('a body without a dispatch opens no socket; once there is one, the share is sent', async () => {
  const server = await startTusServer(join(root, 'server'));
  open.push(() => server.close());
  const fast = { ...systemClock, monotonicMs: () => performance.now() * 100 };
  run({ clock: fast });
  const held = join(root, 'held.json');
  const share = putShare(`http://127.0.0.1:${server.port}/files`, {
    files: (dir) => renameSync(join(dir, 'dispatch.json'), held),
  });
  await reaches('failed', 'courier/no-dispatch');
  expect(server.created).toHaveLength(0);
  renameSync(held, join(share.dir, 'dispatch.json'));
  await reaches('body-done');
  expect(status()).not.toHaveProperty('code');
});

test('a missing body is a changed one', async () => {
  const fast = { ...systemClock, monotonicMs: () => performance.now() * 100 };
  run({ clock: fast });
  putShare('http://127.0.0.1:9/files', { files: (dir) => rmSync(join(dir, 'body.age')) });
  await reaches('failed', 'upload/changed-files');
});

test('another header than the approved one is not sent', async () => {
  const server = await startTusServer(join(root, 'server'));
  open.push(() => server.close());
  run();
  const share = putShare(`http://127.0.0.1:${server.port}/files`);
  await reaches('body-done');
  writeFileSync(join(share.dir, 'header.age'), randomBytes(300));
  await reaches('failed', 'upload/changed-files');
  expect(server.created).toHaveLength(1);
});

test('a file changed while it is sent stops at the changed piece', async () => {
  let share: Share | undefined;
  const server = await scripted((request) => {
    if (request.method === 'POST') return { status: 201, headers: { Location: '/files/1' } };
    const end = Number(request.headers['upload-offset']) + request.body.length;
    if (share !== undefined) {
      const altered = Buffer.from(share.body);
      altered[altered.length - 1] = (altered[altered.length - 1] ?? 0) ^ 1;
      writeFileSync(join(share.dir, 'body.age'), altered);
    }
    return { status: 204, headers: { 'Upload-Offset': String(end) } };
  });
  share = putShare(`${server.origin}/files`, { bodyBytes: pieceBytes + 10 });
  run();
  await reaches('failed', 'upload/changed-files');
  expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH']);
});
