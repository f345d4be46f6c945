import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { localTls } from '../../test-fixtures/local-tls.ts';
import { type Intake, type IntakeOptions, type ReceivedShare, startIntake } from './intake.ts';

const requestId = 'ab'.repeat(16);
const shareId = '12'.repeat(16);
const tus = { 'Tus-Resumable': '1.0.0' };
const expiresAt = 1_800_000_000;
let dir: string;
let nowMs: number;
let received: ReceivedShare[];
let intakes: Intake[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'intake-'));
  nowMs = (expiresAt - 1000) * 1000;
  received = [];
  intakes = [];
});
afterEach(async () => {
  for (const intake of intakes) await intake.close();
  // The file store makes its folder in the background, and must find the place where it stands.
  await delay(50);
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

async function start(change: Partial<IntakeOptions> = {}): Promise<Intake> {
  const intake = await startIntake({
    dir,
    port: 0,
    knownRequests: () => [{ requestId, expiresAt }],
    onShare: (share) => received.push(share),
    nowMs: () => nowMs,
    ...change,
  });
  intakes.push(intake);
  return intake;
}

interface Creation {
  readonly share_id?: string;
  readonly part?: string;
  readonly request_id?: string;
}

async function create(intake: Intake, bytes: number, change: Creation = {}): Promise<Response> {
  const metadata = { share_id: shareId, part: 'body', request_id: requestId, ...change };
  const pairs = Object.entries(metadata).map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`);
  return fetch(intake.url, {
    method: 'POST',
    headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': String(bytes), 'Upload-Metadata': pairs.join(',') },
  });
}

async function send(intake: Intake, bytes: Buffer, change: Creation = {}): Promise<string> {
  const created = await create(intake, bytes.length, change);
  expect(created.status).toBe(201);
  const url = new URL(created.headers.get('location') ?? '', intake.url).href;
  const patched = await fetch(url, {
    method: 'PATCH',
    headers: { 'Tus-Resumable': '1.0.0', 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' },
    body: new Uint8Array(bytes),
  });
  expect(patched.status).toBe(204);
  return url;
}

test('a share is there when body and header are, under its own id, and is announced once', async () => {
  const intake = await start();
  const [body, header] = [randomBytes(100_000), randomBytes(200)];
  const bodyUrl = await send(intake, body);
  expect([received, readdirSync(join(dir, 'shares'))]).toEqual([[], []]);
  await send(intake, header, { part: 'header' });
  const shareDir = join(dir, 'shares', shareId);
  expect(received).toEqual([{ shareId, requestId, dir: shareDir, receivedAtMs: nowMs }]);
  expect(readFileSync(join(shareDir, 'body.age')).equals(body)).toBe(true);
  expect(readFileSync(join(shareDir, 'header.age')).equals(header)).toBe(true);
  // A sender that crashed before noting the end can still ask, but nobody can read, and nothing is replaced.
  const head = await fetch(bodyUrl, { method: 'HEAD', headers: { 'Tus-Resumable': '1.0.0' } });
  expect([head.status, head.headers.get('upload-offset')]).toEqual([200, '100000']);
  expect((await fetch(bodyUrl)).status).toBe(405);
  expect((await create(intake, 10)).status).toBe(403);
  await fetch(bodyUrl, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0' } });
  expect(readFileSync(join(shareDir, 'body.age')).equals(body)).toBe(true);
});

test('the order does not matter, nor a restart in between', async () => {
  const first = await start();
  await send(first, randomBytes(200), { part: 'header' });
  await first.close();
  intakes = [];
  await send(await start(), randomBytes(70_000));
  expect(received).toHaveLength(1);
});

test('a body that was withdrawn is gone', async () => {
  const intake = await start();
  const url = await send(intake, randomBytes(70_000));
  const deleted = await fetch(url, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0' } });
  expect(deleted.status).toBe(204);
  expect(readdirSync(join(dir, 'incoming'))).toEqual([]);
});

test.each<[string, number, number, Creation]>([
  ['an unknown request', 403, 100, { request_id: 'cd'.repeat(16) }],
  ['a share id that is no id', 400, 100, { share_id: '../../etc/passwd' }],
  ['an unknown part', 400, 100, { part: 'tail' }],
  ['a body over 4 GiB', 413, 4 * 1024 ** 3 + 1, {}],
  ['a header over 64 KiB', 413, 65_537, { part: 'header' }],
  ['nothing', 413, 0, {}],
])('%s is refused (%i)', async (_what, status, bytes, change) => {
  const intake = await start();
  expect((await create(intake, bytes, change)).status).toBe(status);
  expect(readdirSync(join(dir, 'incoming'))).toEqual([]);
});

test('devices may still send for two days after the request has expired, and not longer', async () => {
  const intake = await start();
  nowMs = (expiresAt + 47 * 3600) * 1000;
  expect((await create(intake, 100)).status).toBe(201);
  nowMs = (expiresAt + 48 * 3600) * 1000;
  expect((await create(intake, 100)).status).toBe(403);
});

test('only so many uploads of one request may be open; complete shares do not count', async () => {
  nowMs = Date.now();
  const intake = await start({ maxOpenPerRequest: 2 });
  await send(intake, randomBytes(70_000));
  await send(intake, randomBytes(100), { part: 'header' });
  const other = '34'.repeat(16);
  expect((await create(intake, 10, { share_id: other })).status).toBe(201);
  expect((await create(intake, 10, { share_id: other })).status).toBe(201);
  expect((await create(intake, 10, { share_id: other })).status).toBe(429);
});

test('a place at which nothing has come for an hour goes to the next; a body that waits for its header keeps its own', async () => {
  nowMs = Date.now();
  const intake = await start({ maxOpenPerRequest: 2 });
  const body = randomBytes(70_000);
  const bodyUrl = await send(intake, body);
  const held = await create(intake, 90_000, { share_id: '34'.repeat(16) });
  const heldUrl = new URL(held.headers.get('location') ?? '', intake.url).href;
  expect((await create(intake, 10, { share_id: '56'.repeat(16) })).status).toBe(429);
  const anHourAgo = new Date(nowMs - 3_601_000);
  for (const url of [bodyUrl, heldUrl])
    utimesSync(join(dir, 'incoming', url.split('/').at(-1) ?? ''), anHourAgo, anHourAgo);
  expect((await create(intake, 10, { share_id: '56'.repeat(16) })).status).toBe(201);
  expect((await fetch(heldUrl, { method: 'HEAD', headers: tus })).status).toBe(404);
  expect((await create(intake, 10, { share_id: '78'.repeat(16) })).status).toBe(429);
  await intake.close();
  const again = await start({ maxOpenPerRequest: 3 });
  await send(again, randomBytes(200), { part: 'header' });
  await expect.poll(() => received.map((share) => share.shareId)).toEqual([shareId]);
  expect(readFileSync(join(dir, 'shares', shareId, 'body.age')).equals(body)).toBe(true);
});

test('what never got its header is deleted seven days after the last moment, shares stay', async () => {
  const intake = await start();
  await send(intake, randomBytes(70_000));
  await send(intake, randomBytes(100), { part: 'header' });
  await send(intake, randomBytes(100), { share_id: '56'.repeat(16) });
  nowMs = (expiresAt + 48 * 3600 + 6 * 86_400) * 1000;
  expect(intake.purge()).toBe(0);
  nowMs += 86_400_000;
  expect(intake.purge()).toBe(3);
  expect(readdirSync(join(dir, 'incoming'))).toEqual([]);
  expect(existsSync(join(dir, 'shares', shareId, 'body.age'))).toBe(true);
});

test('who sent a share may demand its deletion long after the request is over, a few times; others may not', async () => {
  const intake = await start();
  const demand = async (id: string): Promise<number[]> => {
    const body = await create(intake, 500, { share_id: id });
    if (body.status !== 201) return [body.status];
    await fetch(new URL(body.headers.get('location') ?? '', intake.url), { method: 'DELETE', headers: tus });
    await send(intake, randomBytes(500), { share_id: id });
    await send(intake, randomBytes(200), { share_id: id, part: 'header' });
    return [201];
  };
  nowMs = (expiresAt + 100 * 86_400) * 1000;
  expect(await demand('01'.repeat(16))).toEqual([403]);
  nowMs = expiresAt * 1000;
  await send(intake, randomBytes(70_000));
  await send(intake, randomBytes(100), { part: 'header' });
  nowMs = (expiresAt + 100 * 86_400) * 1000;
  expect((await create(intake, 70_000, { share_id: '02'.repeat(16) })).status).toBe(403);
  for (let i = 3; i < 7; i += 1) expect(await demand(`0${i}`.repeat(16))).toEqual([201]);
  expect(await demand('07'.repeat(16))).toEqual([429]);
  nowMs = (expiresAt + 500 * 86_400) * 1000;
  expect(await demand('08'.repeat(16))).toEqual([403]);
  expect(readdirSync(join(dir, 'demands')).toSorted()).toEqual([3, 4, 5, 6].map((i) => `0${i}`.repeat(16)));
  expect(received).toHaveLength(1);
});

test('a port that is taken is said', async () => {
  const intake = await start();
  await expect(start({ port: Number(new URL(intake.url).port) })).rejects.toMatchObject({
    code: 'portal/cannot-listen',
  });
});

test('with a certificate it speaks TLS', async () => {
  const { authority, leaf: tls } = await localTls();
  const intake = await start({ tls });
  expect(intake.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/files$/);
  const status = await new Promise((resolve, reject) => {
    get(intake.url, { ca: authority.certificatePem }, (response) => resolve(response.statusCode)).on('error', reject);
  });
  expect(status).toBe(405);
});
