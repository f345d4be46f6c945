import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCustody } from './custody.ts';
import { type Intake, type IntakeOptions, startIntake } from './intake.ts';

/** What somebody who means harm sends to the intake: nothing of it is stored, read back, changed, or holds it up for ever. */
const requestId = 'ab'.repeat(16);
const shareId = '12'.repeat(16);
const tus = { 'Tus-Resumable': '1.0.0' };
const octets = { 'Content-Type': 'application/offset+octet-stream' };
let dir: string;
let intakes: Intake[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'intake-'));
  intakes = [];
});
afterEach(async () => {
  for (const intake of intakes) await intake.close();
  await delay(50);
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

async function start(change: Partial<IntakeOptions> = {}): Promise<Intake> {
  const knownRequests = () => [{ requestId, expiresAt: Math.floor(Date.now() / 1000) + 1000 }];
  const intake = await startIntake({ dir, port: 0, knownRequests, ...change });
  intakes.push(intake);
  return intake;
}

function metadataOf(metadata: Readonly<Record<string, string>>): string {
  return Object.entries(metadata)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join(',');
}

async function create(intake: Intake, bytes: number, headers: Readonly<Record<string, string>> = {}, part = 'body') {
  const metadata = metadataOf({ share_id: shareId, part, request_id: requestId });
  return fetch(intake.url, {
    method: 'POST',
    headers: { ...tus, 'Upload-Length': String(bytes), 'Upload-Metadata': metadata, ...headers },
  });
}

async function patch(url: string, offset: number, bytes: Uint8Array): Promise<number> {
  const headers = { ...tus, ...octets, 'Upload-Offset': String(offset) };
  return (await fetch(url, { method: 'PATCH', headers, body: new Uint8Array(bytes) })).status;
}

async function created(intake: Intake, bytes: number, part = 'body'): Promise<string> {
  const answer = await create(intake, bytes, {}, part);
  expect(answer.status).toBe(201);
  return new URL(answer.headers.get('location') ?? '', intake.url).href;
}

async function sendShare(intake: Intake): Promise<{ bodyUrl: string; body: Buffer }> {
  const body = randomBytes(80_000);
  const bodyUrl = await created(intake, body.length);
  expect(await patch(bodyUrl, 0, body)).toBe(204);
  expect(await patch(await created(intake, 200, 'header'), 0, randomBytes(200))).toBe(204);
  return { bodyUrl, body };
}

test('features of tus that would get around the checks at creation are refused', async () => {
  const intake = await start();
  for (const headers of [
    { 'Upload-Defer-Length': '1' },
    { 'Upload-Concat': 'partial' },
    { 'Upload-Concat': 'final;/files/a /files/b' },
    { 'X-HTTP-Method-Override': 'GET' },
    { 'Upload-Checksum': 'sha1 AAAA' },
  ]) {
    expect([headers, (await create(intake, 100, headers)).status]).toEqual([headers, 400]);
  }
  expect(readdirSync(join(dir, 'incoming'))).toEqual([]);
});

test('nothing that was sent can be read back, and no page of another site can look', async () => {
  const intake = await start();
  const { bodyUrl, body } = await sendShare(intake);
  for (const method of ['GET', 'PUT', 'TRACE', 'PROPFIND']) {
    const status = await rawStatus(
      intake,
      `${method} ${new URL(bodyUrl).pathname} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    expect([method, status]).toEqual([method, method === 'TRACE' || method === 'PROPFIND' ? expect.any(Number) : 405]);
    expect(status).toBeGreaterThanOrEqual(400);
  }
  const answer = await fetch(bodyUrl, { method: 'HEAD', headers: { ...tus, Origin: 'https://evil.example' } });
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  const asked = await fetch(bodyUrl, { method: 'POST', headers: { ...tus, 'X-HTTP-Method-Override': 'GET' } });
  expect([asked.status, (await asked.arrayBuffer()).byteLength]).toEqual([400, 0]);
  expect(readFileSync(join(dir, 'shares', shareId, 'body.age')).equals(body)).toBe(true);
});

test('a path that leads elsewhere is no upload', async () => {
  const intake = await start();
  await sendShare(intake);
  const paths = [
    '/files/../shares', '/files/..%2f..%2fetc%2fpasswd', '/files/%2e%2e/custody', `/files/x/../${shareId}`, '/files//etc/passwd',
    '/files/%00', `/files/${shareId}/..`, '/', '/custody/00000001.json', `/shares/${shareId}/body.age`, '/files/AAAA', 'http://other/files/',
  ]; // biome-ignore format: a list
  for (const path of paths) {
    for (const method of ['HEAD', 'PATCH', 'DELETE']) {
      const status = await rawStatus(
        intake,
        `${method} ${path} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      expect([path, method, [404, 405].includes(status)]).toEqual([path, method, true]);
    }
  }
  expect(readdirSync(join(dir, 'shares'))).toEqual([shareId]);
});

test('what became a share can neither be changed nor made again; deleting the upload does not reach it', async () => {
  const intake = await start();
  const { bodyUrl, body } = await sendShare(intake);
  expect(await patch(bodyUrl, body.length, randomBytes(10))).toBe(403);
  expect(await patch(bodyUrl, 0, randomBytes(10))).toBe(403);
  expect((await create(intake, 100)).status).toBe(403);
  const file = join(dir, 'shares', shareId, 'body.age');
  expect(statSync(file).mode & 0o222).toBe(0);
  expect((await fetch(bodyUrl, { method: 'DELETE', headers: tus })).status).toBe(204);
  expect(readFileSync(file).equals(body)).toBe(true);
});

test('an upload can be neither longer than announced nor filled from another place', async () => {
  const intake = await start();
  const url = await created(intake, 1000);
  expect(await patch(url, 0, randomBytes(1001))).toBe(413);
  expect(await patch(url, 500, randomBytes(10))).toBe(409);
  // Without a length, as chunks: more than was announced never becomes a share.
  const stream = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 10; i += 1) controller.enqueue(randomBytes(1000));
      controller.close();
    },
  });
  const headers = { ...tus, ...octets, 'Upload-Offset': '0' };
  const options = { method: 'PATCH', headers, body: stream, duplex: 'half' } as RequestInit;
  const status = await fetch(url, options).then(
    (answer) => answer.status,
    () => 0,
  );
  expect(status).not.toBe(204);
  const id = url.split('/').at(-1) ?? '';
  expect(statSync(join(dir, 'incoming', id)).size).toBeLessThanOrEqual(1000);
});

test('headers and metadata of any size and shape are answered, and nothing is stored', async () => {
  const intake = await start();
  const hostile = [
    'share_id', ',,,', 'share_id ====', `share_id ${Buffer.from('\0').toString('base64')}`, `__proto__ ${Buffer.from('x').toString('base64')}`,
    `${'a'.repeat(6000)} AAAA`, metadataOf({ share_id: '../../../etc/cron.d/x', part: 'body', request_id: requestId }),
    metadataOf({ share_id: shareId, part: '__proto__', request_id: requestId }), metadataOf({ share_id: shareId, part: 'body', request_id: '' }),
  ]; // biome-ignore format: a list
  for (const metadata of hostile) {
    const { status } = await create(intake, 100, { 'Upload-Metadata': metadata });
    expect([metadata.slice(0, 40), status >= 400 && status < 500]).toEqual([metadata.slice(0, 40), true]);
  }
  for (const length of ['-1', '1e9', 'NaN', '99999999999999999999', '']) {
    const { status } = await create(intake, 1, { 'Upload-Length': length });
    expect([length, status >= 400 && status < 500]).toEqual([length, true]);
  }
  const status = await rawStatus(intake, `POST /files HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`);
  expect(status).toBe(431);
  expect(readdirSync(join(dir, 'incoming'))).toEqual([]);
});

test('a sender that holds connections loses them: without headers, with a body that never ends, and beyond the count', async () => {
  const limits = { headersMs: 300, requestMs: 900, idleMs: 400, connections: 10 };
  const intake = await start({ limits });
  const slow = await open(intake, 'POST /files HTTP/1.1\r\nHost: x\r\n');
  const drip = setInterval(() => slow.write('A: b\r\n'), 100);
  const url = await created(intake, 100_000);
  const silent = await open(
    intake,
    `PATCH ${new URL(url).pathname} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n` +
      'Content-Type: application/offset+octet-stream\r\nContent-Length: 100000\r\n\r\nabc',
  );
  await Promise.all([ended(slow), ended(silent)]);
  clearInterval(drip);
  const many = await Promise.all(Array.from({ length: 30 }, () => open(intake, '')));
  await Promise.all(many.map(ended));
  // Honest senders are served all the while, and the bytes that came are kept to be resumed.
  const head = await fetch(url, { method: 'HEAD', headers: tus });
  expect([head.status, Number(head.headers.get('upload-offset'))]).toEqual([200, 3]);
});

test('a share whose last step was cut off by a crash is made at the next start, and logged once', async () => {
  const intake = await start();
  await sendShare(intake);
  await intake.close();
  intakes = [];
  rmSync(join(dir, 'custody'), { recursive: true });
  rmSync(join(dir, 'shares', shareId), { recursive: true });
  await start();
  expect(readCustody(dir).map(({ event }) => event)).toEqual(['received']);
  expect(existsSync(join(dir, 'shares', shareId, 'header.age'))).toBe(true);
  await start();
  expect(readCustody(dir)).toHaveLength(1);
});

function open(intake: Intake, text: string): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(intake.url).port), '127.0.0.1', () => {
      socket.write(text);
      resolve(socket);
    });
    socket.on('error', () => undefined);
  });
}

function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    socket.resume();
    socket.once('close', () => resolve());
  });
}

async function rawStatus(intake: Intake, text: string): Promise<number> {
  const socket = await open(intake, text);
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
}
