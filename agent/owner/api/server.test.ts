import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect as connectPlain, createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PeerCertificate } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../../test-fixtures/eventually.ts';
import { certificateFingerprint } from '../../base/certificates.ts';
import { ManualClock, systemClock } from '../../base/clock.ts';
import { createLog, silentLog } from '../../base/log.ts';
import { createAccount } from './accounts.ts';
import { call, logIn } from './fixture/call.ts';
import { MemoryService, passphrase } from './fixture/memory-service.ts';
import { type Api, type ApiOptions, startApi } from './server.ts';

const dayMs = 86_400_000;
const password = 'correct horse battery';
let dataDir: string;
let stop: AbortController;
let api: Api | undefined;
const service = (): MemoryService => new MemoryService(Buffer.from('0123456789'), 20_000);

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'latchkey-api-'));
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await api?.close();
  api = undefined;
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(more: Partial<ApiOptions> = {}, account = true): Promise<Api> {
  if (account) await createAccount({ dataDir, name: 'ada', password, role: 'owner' });
  api = await startApi({
    service: service(),
    dataDir,
    host: '127.0.0.1',
    port: 0,
    names: ['door.example'],
    clock: systemClock,
    log: silentLog,
    signal: stop.signal,
    webDir: join(dataDir, 'page'),
    ...more,
  });
  return api;
}

function peer(url: string, options: object = {}): Promise<{ certificate: PeerCertificate; protocol: string | null }> {
  return new Promise((resolve, reject) => {
    const at = { host: '127.0.0.1', port: Number(new URL(url).port), rejectUnauthorized: false, ...options };
    const socket = connect(at, () => {
      resolve({ certificate: socket.getPeerCertificate(), protocol: socket.getProtocol() });
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

test('a browser that trusts the house authority gets a verified page, by name and by address', async () => {
  const { url, fingerprint } = await start();
  const ca = readFileSync(join(dataDir, 'owner', 'tls', 'house-ca.pem'), 'utf8');
  expect(certificateFingerprint(ca)).toBe(fingerprint);
  const trusted = { ca, rejectUnauthorized: true };
  await expect(peer(url, { ...trusted, servername: 'door.example' })).resolves.toMatchObject({ protocol: 'TLSv1.3' });
  await expect(peer(url, trusted)).resolves.toBeDefined();
  await expect(peer(url, { ...trusted, servername: 'bank.example' })).rejects.toMatchObject({
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
});

test('TLS 1.2 is the oldest that is spoken', async () => {
  const { url } = await start();
  await expect(peer(url, { maxVersion: 'TLSv1.2' })).resolves.toMatchObject({ protocol: 'TLSv1.2' });
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
  await expect(peer(url, old)).rejects.toBeDefined();
});

test('the leaf renews itself with less than 30 days left, without a restart; the authority stays', async () => {
  const clock = new ManualClock(Date.now());
  const { url, fingerprint } = await start({ clock });
  const first = (await peer(url)).certificate.fingerprint256;
  await clock.advance(360 * dayMs);
  expect((await peer(url)).certificate.fingerprint256).toBe(first);
  await clock.advance(8 * dayMs);
  await eventually(async () => expect((await peer(url)).certificate.fingerprint256).not.toBe(first));
  const ca = readFileSync(join(dataDir, 'owner', 'tls', 'house-ca.pem'), 'utf8');
  expect(certificateFingerprint(ca)).toBe(fingerprint);
});

test('a clock that was years wrong at the start leaves no certificate behind that browsers refuse', async () => {
  for (const [wrongMs, sameAuthority] of [
    [0, true],
    [Date.now() + 3000 * dayMs, false],
  ] as const) {
    const clock = new ManualClock(wrongMs);
    const { url, fingerprint, close } = await start({ clock }, wrongMs === 0);
    const rightMs = Math.max(Date.now(), Date.UTC(2026, 10, 21));
    clock.stepWall(rightMs - wrongMs);
    await clock.advance(600_000);
    await eventually(async () => {
      const { valid_from: from, valid_to: to } = (await peer(url)).certificate;
      expect(Date.parse(from)).toBeLessThanOrEqual(rightMs);
      expect(Date.parse(to)).toBeGreaterThan(rightMs + 300 * dayMs);
    });
    const ca = readFileSync(join(dataDir, 'owner', 'tls', 'house-ca.pem'), 'utf8');
    expect(certificateFingerprint(ca) === fingerprint).toBe(sameAuthority);
    await close();
    rmSync(join(dataDir, 'owner', 'tls'), { recursive: true });
  }
});

test('a new address gets into the certificate, a public one never does', async () => {
  const clock = new ManualClock(Date.now());
  let addresses = ['127.0.0.1'];
  const { url } = await start({ clock, addresses: () => addresses });
  addresses = ['127.0.0.1', '192.168.7.9', '2001:db8::9'];
  await clock.advance(600_000);
  await eventually(async () => expect((await peer(url)).certificate.subjectaltname).toContain('192.168.7.9'));
  expect((await peer(url)).certificate.subjectaltname?.toUpperCase()).not.toContain('2001:DB8');
});

test('a restart keeps authority and leaf; a name outside the authority makes a new one', async () => {
  const one = await start();
  const leaf = (await peer(one.url)).certificate.fingerprint256;
  await one.close();
  const two = await start({}, false);
  expect(two.fingerprint).toBe(one.fingerprint);
  expect((await peer(two.url)).certificate.fingerprint256).toBe(leaf);
  await two.close();
  const three = await start({ names: ['door.example', 'porch.example'] }, false);
  expect(three.fingerprint).not.toBe(one.fingerprint);
  const ca = readFileSync(join(dataDir, 'owner', 'tls', 'house-ca.pem'), 'utf8');
  await expect(peer(three.url, { ca, rejectUnauthorized: true, servername: 'porch.example' })).resolves.toBeDefined();
});

test('api/tls-damaged, api/bad-name and api/cannot-listen stop the start', async () => {
  mkdirSync(join(dataDir, 'owner', 'tls'), { recursive: true });
  writeFileSync(join(dataDir, 'owner', 'tls', 'authority.json'), '{}');
  await expect(start()).rejects.toMatchObject({ code: 'api/tls-damaged', kind: 'corrupt' });
  rmSync(join(dataDir, 'owner', 'tls'), { recursive: true });
  await expect(start({ names: ['door example'] }, false)).rejects.toMatchObject({ code: 'api/bad-name' });
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  await expect(start({ port }, false)).rejects.toMatchObject({ code: 'api/cannot-listen', kind: 'unavailable' });
  taken.close();
});

const lanAddress = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find((entry) => entry.family === 'IPv4' && !entry.internal)?.address;

test.skipIf(lanAddress === undefined)(
  'only loopback listens until an account exists (skipped on a machine without a network address)',
  async () => {
    const clock = new ManualClock(Date.now());
    const { url } = await start({ clock, host: '0.0.0.0' }, false);
    const { port } = new URL(url);
    const reaches = (host: string): Promise<boolean> =>
      new Promise((resolve) => {
        const socket = connectPlain({ host, port: Number(port) }, () => {
          socket.destroy();
          resolve(true);
        });
        socket.once('error', () => resolve(false));
      });
    expect([await reaches('127.0.0.1'), await reaches(lanAddress ?? '')]).toEqual([true, false]);
    await clock.advance(2000);
    expect(await reaches(lanAddress ?? '')).toBe(false);
    await createAccount({ dataDir, name: 'ada', password, role: 'owner' });
    await clock.advance(2000);
    await eventually(async () => expect(await reaches(lanAddress ?? '')).toBe(true));
    expect(await reaches('127.0.0.1')).toBe(true);
  },
);

test('the cookie is __Host-, Secure, HttpOnly, SameSite=Strict; logging out ends the session', async () => {
  const { url } = await start();
  const login = await call(url, '/api/login', { body: { name: 'ada', password } });
  expect(login.json).toEqual({ name: 'ada', role: 'owner' });
  const header = login.headers['set-cookie']?.[0] ?? '';
  expect(header).toMatch(/^__Host-latchkey=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/);
  const cookie = header.split(';')[0];
  expect((await call(url, '/api/session', { cookie })).json).toEqual({ name: 'ada', role: 'owner' });
  const forged = `__Host-latchkey=${'A'.repeat(43)}`;
  expect((await call(url, '/api/session', { cookie: forged })).status).toBe(401);
  const out = await call(url, '/api/logout', { body: {}, cookie });
  expect(out.headers['set-cookie']?.[0]).toContain('Max-Age=0');
  expect((await call(url, '/api/session', { cookie })).status).toBe(401);
});

test('a session ends after 12 hours without use and after 30 days with it', async () => {
  const clock = new ManualClock(Date.now());
  const { url } = await start({ clock });
  const statusOf = async (cookie: string): Promise<number> => (await call(url, '/api/session', { cookie })).status;
  const idle = await logIn(url, 'ada', password);
  await clock.advance(12 * 3_600_000);
  expect(await statusOf(idle)).toBe(401);
  const used = await logIn(url, 'ada', password);
  for (let hours = 0; hours < 30 * 24 - 10; hours += 10) {
    await clock.advance(10 * 3_600_000);
    if (hours + 10 < 30 * 24) expect(await statusOf(used)).toBe(200);
  }
  await clock.advance(10 * 3_600_000);
  expect(await statusOf(used)).toBe(401);
});

test('login/wrong is 401, and the sixth try is 429 with the time to wait', async () => {
  const { url } = await start({ random: () => 0 });
  const attempt = (text: string) => call(url, '/api/login', { body: { name: 'ada', password: text } });
  for (let i = 0; i < 5; i++) expect((await attempt('wrong password')).status).toBe(401);
  const sixth = await attempt(password);
  expect([sixth.status, sixth.json['code']]).toEqual([429, 'login/throttled']);
  expect(sixth.json['waitMs']).toBeGreaterThan(29_000);
  expect(sixth.headers['set-cookie']).toBeUndefined();
});

test('video comes whole or in ranges, and beyond its end is 416', async () => {
  const { url } = await start();
  const cookie = await logIn(url, 'ada', password);
  await call(url, '/api/unlock', { body: { passphrase }, cookie });
  const from = Date.UTC(2026, 10, 21);
  const clips = await call(url, `/api/clips?from=${from}&to=${from + dayMs}`, { cookie });
  const [first] = JSON.parse(clips.text) as { clipId: string }[];
  const fetchPart = (range?: string) =>
    call(url, `/api/clips/${first?.clipId}/video`, { cookie, headers: range === undefined ? {} : { range } });
  const whole = await fetchPart();
  expect([whole.status, whole.text]).toEqual([200, '0123456789']);
  expect(whole.headers).toMatchObject({ 'content-type': 'video/mp4', 'accept-ranges': 'bytes' });
  for (const [range, text, contentRange] of [
    ['bytes=0-', '0123456789', 'bytes 0-9/10'],
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=8-99', '89', 'bytes 8-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-99', '0123456789', 'bytes 0-9/10'],
  ]) {
    const part = await fetchPart(range);
    expect([range, part.status, part.text, part.headers['content-range']]).toEqual([range, 206, text, contentRange]);
  }
  for (const range of ['bytes=4-2', 'bytes=0-1,3-4', 'bytes=-', 'lines=1-2']) {
    expect([range, (await fetchPart(range)).status]).toEqual([range, 200]);
  }
  for (const range of ['bytes=10-', 'bytes=10-12', 'bytes=-0']) {
    const beyond = await fetchPart(range);
    expect([range, beyond.status, beyond.json['code']]).toEqual([range, 416, 'api/bad-range']);
  }
  for (const query of [
    '',
    '?from=1',
    '?from=5&to=5',
    `?from=0&to=${41 * dayMs}`,
    '?from=1e3&to=2000',
    '?from=-1&to=5',
  ]) {
    const reply = await call(url, `/api/clips${query}`, { cookie });
    expect([query, reply.status, reply.json['code']]).toEqual([query, 400, 'api/bad-input']);
  }
});

test('changes are told as events while the session lives; of one account the 13th, of all the 33rd, is api/too-many-streams', async () => {
  const memory = service();
  const clock = new ManualClock(Date.now());
  const { url } = await start({ service: memory, onChange: memory.onChange, clock });
  const cookie = await logIn(url, 'ada', password);
  const streams: { text: string; ended: boolean }[] = [];
  await createAccount({ dataDir, name: 'bea', password, role: 'viewer' });
  await createAccount({ dataDir, name: 'cem', password, role: 'viewer' });
  const [bea, cem] = [await logIn(url, 'bea', password), await logIn(url, 'cem', password)];
  const open = (as = cookie): Promise<number> =>
    new Promise((resolve, reject) => {
      const stream = { text: '', ended: false };
      const at = { host: '127.0.0.1', port: new URL(url).port, path: '/api/events', rejectUnauthorized: false };
      const sent = request({ ...at, agent: false, headers: { cookie: as } }, (response) => {
        if (response.statusCode === 200) streams.push(stream);
        response.setEncoding('utf8').on('data', (text: string) => {
          stream.text += text;
        });
        response.once('close', () => {
          stream.ended = true;
        });
        resolve(response.statusCode ?? 0);
      });
      sent.once('error', reject);
      sent.end();
    });
  for (let i = 0; i < 12; i++) expect(await open()).toBe(200);
  expect(await open()).toBe(503);
  for (let i = 0; i < 12; i++) expect(await open(bea)).toBe(200);
  for (let i = 0; i < 8; i++) expect(await open(cem)).toBe(200);
  const refused = await call(url, '/api/events', { cookie: cem });
  expect(refused.json['code']).toBe('api/too-many-streams');
  await memory.decline({ requestId: 'a'.repeat(32) });
  const line = `event: change\ndata: {"kind":"request","requestId":"${'a'.repeat(32)}","state":"DECLINED"}\n\n`;
  await eventually(() => expect(streams.every((stream) => stream.text.endsWith(line))).toBe(true));
  await clock.advance(20_000);
  await eventually(() => expect(streams.every((stream) => stream.text.endsWith(': still here\n\n'))).toBe(true));
  for (const each of [cookie, bea, cem]) await call(url, '/api/logout', { body: {}, cookie: each });
  await memory.lock();
  await eventually(() => expect(streams.every((stream) => stream.ended)).toBe(true));
  expect(streams.some((stream) => stream.text.includes('lock'))).toBe(false);
});

test('the page is served without a session, named files for good, and nothing outside its folder', async () => {
  const webDir = join(dataDir, 'page');
  mkdirSync(join(webDir, 'assets'), { recursive: true });
  writeFileSync(join(webDir, 'index.html'), '<!doctype html>page');
  writeFileSync(join(webDir, 'assets', 'a1.js'), '1');
  writeFileSync(join(webDir, '.hidden'), 'secret');
  const { url } = await start({ webDir });
  const page = await call(url, '/', { headers: { 'sec-fetch-site': 'cross-site' } });
  expect([page.status, page.text]).toEqual([200, '<!doctype html>page']);
  expect(page.headers).toMatchObject({ 'cache-control': 'no-cache', 'x-frame-options': 'DENY' });
  expect(page.headers['content-security-policy']).toContain("default-src 'self'");
  expect((await call(url, '/assets/a1.js')).headers['cache-control']).toContain('immutable');
  for (const path of ['/.hidden', '/../owner/accounts.json', '/%2e%2e/owner/accounts.json', '/assets/', '/none']) {
    const { status, text } = await call(url, path);
    expect([path, status >= 400, text.includes('secret')]).toEqual([path, true, false]);
  }
});

test('api/page-not-built says so; a bug answers without its text, and is logged', async () => {
  const lines: string[] = [];
  const broken = service();
  broken.health = () => Promise.reject(new Error('secret detail'));
  const { url } = await start({ service: broken, log: createLog('owner', { write: (line) => lines.push(line) }) });
  const page = await call(url, '/');
  expect([page.status, page.json['code']]).toEqual([503, 'api/page-not-built']);
  const cookie = await logIn(url, 'ada', password);
  const reply = await call(url, '/api/health', { cookie });
  expect([reply.status, reply.json['code'], reply.json['kind']]).toEqual([500, 'api/unexpected', 'bug']);
  expect(reply.text).not.toContain('secret detail');
  expect(lines.join('')).toContain('api-failed');
});

test('an abort stops it: no listener, no open handle of ours', async () => {
  const running = await start();
  stop.abort();
  await running.close();
  await expect(call(running.url, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('a path that cannot be decoded is refused under a foreign name like any other, and repeats nothing', async () => {
  const { url } = await start();
  for (const path of ['/api/%zz', '/%zz', '/%c0%ae%c0%ae/x']) {
    const foreign = await call(url, path, { headers: { host: 'evil.example' } });
    expect([path, foreign.status, foreign.json['code']]).toEqual([path, 421, 'api/host-not-listed']);
    const own = await call(url, path);
    expect([path, own.status, own.json['code']]).toEqual([path, 400, 'api/bad-input']);
    for (const reply of [foreign, own]) {
      expect(reply.headers['content-security-policy']).toContain("default-src 'self'");
      expect(reply.text).not.toContain('%');
    }
  }
});

test('a request with two hosts is refused, whichever comes first', async () => {
  const { url } = await start();
  const raw = (hosts: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), rejectUnauthorized: false }, () => {
        socket.write(`GET / HTTP/1.1\r\n${hosts.map((h) => `Host: ${h}\r\n`).join('')}Connection: close\r\n\r\n`);
      });
      let text = '';
      socket.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      socket.once('error', reject);
      socket.once('close', () => resolve(text.split(' ')[1] ?? ''));
    });
  expect(await raw(['door.example', 'evil.example'])).toBe('421');
  expect(await raw(['evil.example', 'door.example'])).toBe('421');
  expect(await raw(['door.example'])).not.toBe('421');
});

test('one account that logs in again and again ends its own sessions, not those of others', async () => {
  const { url } = await start();
  await createAccount({ dataDir, name: 'bea', password, role: 'viewer' });
  const owner = await logIn(url, 'ada', password);
  const first = await logIn(url, 'bea', password);
  for (let i = 0; i < 16; i += 1) await logIn(url, 'bea', password);
  expect((await call(url, '/api/session', { cookie: owner })).status).toBe(200);
  expect((await call(url, '/api/session', { cookie: first })).status).toBe(401);
});
