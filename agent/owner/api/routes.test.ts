/** Every route × who asks × under which host and from which origin, over real TLS. */
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { createAccount, removeAccount, replacePassword } from './accounts.ts';
import { type CallOptions, call, logIn, type Reply } from './fixture/call.ts';
import { MemoryService, passphrase } from './fixture/memory-service.ts';
import { type Access, routes } from './routes.ts';
import { type Api, startApi } from './server.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'latchkey-routes-'));
const stop = new AbortController();
const password = 'correct horse battery';
let service: MemoryService;
let api: Api;
let port: string;
const cookies: Record<Access, string | undefined> = { anyone: undefined, viewer: undefined, owner: undefined };

beforeAll(async () => {
  service = new MemoryService(Buffer.alloc(5000, 7), 20_000);
  await createAccount({ dataDir, name: 'ada', password, role: 'owner' });
  await createAccount({ dataDir, name: 'guest', password, role: 'viewer' });
  api = await startApi({
    service,
    dataDir,
    host: '127.0.0.1',
    port: 0,
    names: ['Door.example'],
    clock: systemClock,
    log: silentLog,
    signal: stop.signal,
    webDir: join(dataDir, 'no-page'),
    onChange: service.onChange,
  });
  port = new URL(api.url).port;
  cookies.viewer = await logIn(api.url, 'guest', password);
  cookies.owner = await logIn(api.url, 'ada', password);
});
afterAll(async () => {
  stop.abort();
  await api.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const paths = routes.map((route) => ({
  name: `${route.method} ${route.url}`,
  method: route.method,
  maxBodyBytes: route.maxBodyBytes,
  access: route.access,
  path: route.url.replace(':id', 'a'.repeat(32)).replace(':name', '40-video.mp4'),
}));

/** Sends a POST as JSON with an unusable body, so that a call that gets through changes nothing (400, not 200). */
function send(route: (typeof paths)[number], options: CallOptions): Promise<Reply> {
  const body = route.method === 'POST' ? { rawBody: '{"unknown":1}' } : {};
  return call(api.url, route.path, { method: route.method, ...body, ...options });
}

test('the table is what the page was promised, with its access', () => {
  const table = paths.map(({ name, access }) => `${access} ${name}`);
  expect(table).toEqual([
    'anyone POST /api/login',
    'viewer POST /api/logout',
    'viewer GET /api/session',
    'viewer GET /api/health',
    'viewer GET /api/events',
    'viewer POST /api/pair',
    'viewer POST /api/unpair',
    'viewer POST /api/unlock',
    'viewer POST /api/lock',
    'viewer GET /api/requests',
    'viewer GET /api/requests/:id',
    'owner POST /api/requests/:id/review',
    'owner POST /api/requests/:id/preview',
    'owner POST /api/clips/:id/people',
    'owner POST /api/redaction/cancel',
    'owner POST /api/requests/:id/approve',
    'owner POST /api/requests/:id/confirm',
    'owner POST /api/requests/:id/demand',
    'owner POST /api/requests/:id/decline',
    'owner POST /api/requests/:id/withdraw',
    'owner GET /api/previews/:id/:name',
    'viewer GET /api/clips',
    'viewer GET /api/clips/:id/video',
    'owner POST /api/clips/delete',
    'owner POST /api/clips/undelete',
    'viewer GET /api/clips/deleted',
    'owner POST /api/clips/pin',
    'viewer GET /api/agencies',
    'owner POST /api/agencies/:id/enabled',
    'owner POST /api/agencies/:id/muted',
    'owner POST /api/agencies/:id/per-day',
    'viewer GET /api/notices',
    'viewer GET /api/ledger',
    'viewer GET /api/ledger/head',
  ]);
});

const goodHosts = ['127.0.0.1', 'door.example', 'DOOR.EXAMPLE', `${hostname().split('.')[0]}.local`];
const badHosts = [
  'evil.example',
  'door.example.evil.example',
  'door.example.',
  'localhost',
  '192.0.2.7',
  '127.0.0.2',
  '2130706433',
  '[::ffff:127.0.0.1]',
  'door.example@evil.example',
  'door.example, evil.example',
];

describe.each(paths)('$name', (route) => {
  test('host: listed names answer, everything else is 421 before anything else is looked at', async () => {
    for (const host of badHosts) {
      const reply = await send(route, { headers: { host: `${host}:${port}` }, cookie: cookies.owner });
      expect([host, reply.status, reply.json['code']]).toEqual([host, 421, 'api/host-not-listed']);
    }
    // Unauthenticated, so that the event stream ends by itself; what matters is that it isn't 421.
    for (const host of goodHosts) {
      const reply = await send(route, { headers: { host: `${host}:${port}`, 'sec-fetch-site': 'same-origin' } });
      expect([host, reply.status]).toEqual([host, route.access === 'anyone' ? 400 : 401]);
    }
  });

  test('origin: foreign pages, other ports of this machine and unproven writes are 403', async () => {
    const own = `https://127.0.0.1:${port}`;
    const unsafe = route.method === 'POST';
    const refused: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'anything' },
      { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site', origin: own },
      { origin: 'null' },
      { origin: `http://127.0.0.1:${port}` },
      { origin: 'https://127.0.0.1:1' },
      { origin: 'https://127.0.0.1' },
    ];
    const accepted: Record<string, string>[] = [
      { 'sec-fetch-site': 'same-origin' },
      { origin: own },
      { 'sec-fetch-site': 'same-origin', origin: own },
    ];
    (unsafe ? refused : accepted).push({}, { 'sec-fetch-site': 'none' });
    const post = unsafe ? { rawBody: '{}' } : {};
    const type: Record<string, string> = unsafe ? { 'content-type': 'application/json' } : {};
    for (const [list, cookie, isRefused] of [
      [refused, cookies.owner, true],
      [accepted, undefined, false],
    ] as const) {
      for (const headers of list) {
        const options = { method: route.method, ...post, headers: { ...type, ...headers }, cookie, bare: true };
        const reply = await call(api.url, route.path, options);
        const code = reply.json['code'];
        expect([headers, code === 'api/cross-site' && reply.status === 403]).toEqual([headers, isRefused]);
      }
    }
  });

  test('access: nobody, a viewer and an owner', async () => {
    const follow = route.name === 'GET /api/events';
    for (const who of ['anyone', 'viewer', 'owner'] as const) {
      if (follow && who !== 'anyone') continue;
      if (route.path === '/api/logout') continue;
      const { status, json } = await send(route, { cookie: cookies[who] });
      const enough = route.access === 'anyone' || who === 'owner' || (who === 'viewer' && route.access === 'viewer');
      if (!enough) {
        expect([who, status, json['code']]).toEqual(
          who === 'anyone' ? [who, 401, 'api/not-logged-in'] : [who, 403, 'api/owner-only'],
        );
      } else {
        expect([who, json['code']]).not.toEqual([who, 'api/owner-only']);
        expect([who, status]).not.toEqual([who, 401]);
      }
    }
  });

  test('writes take JSON only, of at most 64 KiB or what the route says, without unknown keys', async () => {
    if (route.method !== 'POST') return;
    await call(api.url, '/api/unlock', { body: { passphrase }, cookie: cookies.owner });
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/json5',
    ]) {
      const reply = await send(route, { headers: { 'content-type': type }, cookie: cookies.owner });
      expect([type, reply.status, reply.json['code']]).toEqual([type, 415, 'api/not-json']);
    }
    const large = await send(route, {
      rawBody: `"${'x'.repeat(route.maxBodyBytes ?? 65_536)}"`,
      cookie: cookies.owner,
    });
    expect([large.status, large.json['code']]).toEqual([413, 'api/too-large']);
    for (const rawBody of ['{"unknown":1}', '{', '[]', '"text"', '{"__proto__":{"a":1}}']) {
      const reply = await send(route, { rawBody, cookie: cookies.owner });
      expect([rawBody, reply.status, reply.json['code']]).toEqual([rawBody, 400, 'api/bad-input']);
    }
  });

  test('every answer carries the security headers', async () => {
    const { headers } = await send(route, {});
    expect(headers['content-security-policy']).toMatch(/default-src 'self'.*frame-ancestors 'none'/);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-resource-policy': 'same-origin',
    });
  });
});

test('what is not in the table does not exist: 401 before log-in, 404 after; other methods too', async () => {
  for (const path of ['/api/nothing', '/api', '/API/health', '/api/../api/health2']) {
    const reply = await call(api.url, path, { cookie: cookies.owner });
    expect([path, reply.status, reply.json['code']]).toEqual([path, 404, 'api/no-such-route']);
  }
  expect((await call(api.url, '/api/nothing')).status).toBe(401);
  const encoded = await call(api.url, '/%61pi/health', {
    headers: { 'sec-fetch-site': 'same-site' },
    cookie: cookies.owner,
  });
  expect(encoded.status).not.toBe(200);
  const put = { method: 'PUT', body: {}, cookie: cookies.owner };
  expect((await call(api.url, '/api/lock', put)).status).toBe(404);
  const absolute = await call(api.url, `https://127.0.0.1:${port}/api/health`, { cookie: cookies.owner });
  expect([absolute.status, absolute.json['code']]).toEqual([421, 'api/host-not-listed']);
});

test('a viewer may lock and look, and may not unlock deciding even with the passphrase', async () => {
  const reply = await call(api.url, '/api/unlock', { body: { passphrase }, cookie: cookies.viewer });
  expect([reply.status, reply.json['code']]).toEqual([403, 'api/owner-only']);
  const locked = await call(api.url, '/api/lock', { body: {}, cookie: cookies.viewer });
  expect([locked.status, locked.json]).toEqual([200, { lock: 'locked' }]);
});

test('a failure of the service keeps its code, and its kind decides the status', async () => {
  const wrong = await call(api.url, '/api/unlock', { body: { passphrase: 'wrong' }, cookie: cookies.owner });
  expect([wrong.status, wrong.json]).toEqual([
    403,
    { code: 'vault/wrong-passphrase', kind: 'refused', message: 'Cannot unlock: wrong passphrase' },
  ]);
  const unknown = await call(api.url, `/api/requests/${'f'.repeat(32)}`, { cookie: cookies.owner });
  expect([unknown.status, unknown.json['code']]).toEqual([400, 'owner/unknown-request']);
});

test('what one session unlocked stays closed to every other, and to itself after a lock', async () => {
  const now = Date.now();
  const asked = async (cookie: string | undefined): Promise<unknown[]> => {
    const clips = await call(api.url, `/api/clips?from=${now - 1000}&to=${now}`, { cookie });
    const video = await call(api.url, `/api/clips/${'a'.repeat(32)}/video`, { cookie });
    const review = await call(api.url, `/api/requests/${'a'.repeat(32)}/review`, { method: 'POST', body: {}, cookie });
    const health = await call(api.url, '/api/health', { cookie });
    return [clips.json['code'], video.json['code'], review.json['code'], health.json['lock']];
  };
  const other = await logIn(api.url, 'ada', password);
  await call(api.url, '/api/unlock', { body: { passphrase }, cookie: other });
  expect((await service.health()).lock).toBe('deciding');
  expect(await asked(cookies.viewer)).toEqual(['owner/locked', 'owner/locked', 'api/owner-only', 'locked']);
  const fresh = await logIn(api.url, 'ada', password);
  expect(await asked(fresh)).toEqual(['owner/locked', 'owner/locked', 'owner/locked', 'locked']);
  const { pairingId, viewingKey } = await service.pair({ passphrase, name: 'phone' });
  const viewing = await call(api.url, '/api/unlock', { body: { pairingId, viewingKey }, cookie: fresh });
  expect(viewing.json['lock']).toBe('viewing');
  expect((await asked(fresh)).slice(2)).toEqual(['owner/not-deciding', 'viewing']);
  expect((await asked(other))[3]).toBe('deciding');
  await call(api.url, '/api/lock', { body: {}, cookie: cookies.viewer });
  expect(await asked(other)).toEqual(['owner/locked', 'owner/locked', 'owner/locked', 'locked']);
  // Opened again by somebody else: still closed here.
  await call(api.url, '/api/unlock', { body: { passphrase }, cookie: fresh });
  expect((await asked(other))[3]).toBe('locked');
});

test('another password, another role or no account any more ends what is logged in under it, and nothing else', async () => {
  const lives = async (cookie: string): Promise<boolean> =>
    (await call(api.url, '/api/session', { cookie })).status === 200;
  await createAccount({ dataDir, name: 'bea', password, role: 'owner' });
  const before = await logIn(api.url, 'bea', password);
  const ada = await logIn(api.url, 'ada', password);
  await replacePassword({ dataDir, name: 'Bea', password: 'another good password' });
  expect([await lives(before), await lives(ada)]).toEqual([false, true]);
  const after = await logIn(api.url, 'bea', 'another good password');
  expect(await lives(after)).toBe(true);
  removeAccount(dataDir, 'bea');
  expect(await lives(after)).toBe(false);
  // Somebody else of that name is somebody else.
  await createAccount({ dataDir, name: 'bea', password: 'another good password', role: 'viewer' });
  expect([await lives(after), await lives(ada)]).toEqual([false, true]);
});
