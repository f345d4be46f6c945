import { readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { SigningKey } from '../../../agent/protocol/keys.ts';
import { AgencyOffice } from '../../../test-fixtures/portal/agency-office.ts';
import { deskConsole, logIn, Stage } from '../../../test-fixtures/portal/console-stage.ts';
import { readSigningKey } from '../key-files.ts';
import { listRequests } from '../office-requests.ts';
import { listShares } from '../office-shares.ts';
import { html } from './html.ts';
import { type Console, startConsole } from './server.ts';
import { Sessions } from './session.ts';
import type { Desk } from './visit.ts';

/** Other users of the machine, other sites in the officer's browser, and texts that want to be markup. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const markup = `<img src=x onerror=alert(1)>"'><script>alert(2)</script>{{7*7}}\${7*7}`;
let agency: AgencyOffice;
let console: Console;
let port: number;
let requestId: string;

beforeAll(async () => {
  agency = await AgencyOffice.make();
  console = await deskConsole(agency, 'officer');
  port = Number(new URL(console.url).port);
  requestId = await agency.publishedRequest({ caseNumber: markup.slice(0, 64), statement: markup });
  await agency.sendShare(requestId);
});
afterAll(async () => {
  await console.close();
  await agency[Symbol.asyncDispose]();
});

function keylessDesk(): Desk {
  const key = (): SigningKey => readSigningKey('officer', agency.at('officer'));
  return {
    office: agency.office,
    role: 'officer',
    actor: 'ana',
    nowMs: Date.now,
    key,
    outcomeKey: undefined,
    identity: undefined,
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    request.on('error', reject);
    // A body that is only announced: what matters is what is answered before it comes.
    if (body === undefined && headers['content-length'] !== undefined) request.flushHeaders();
    else request.end(body);
  });
}

const formType = { 'content-type': 'application/x-www-form-urlencoded' };
const sameOrigin = { ...formType, 'sec-fetch-site': 'same-origin' };

async function cookie(): Promise<string> {
  const answer = await ask('/login', { method: 'POST', headers: sameOrigin, body: `token=${console.token}` });
  expect(answer.status).toBe(303);
  const [set = ''] = [answer.headers['set-cookie']].flat();
  expect(set).toMatch(/; HttpOnly; SameSite=Strict; Path=\//);
  return set.split(';')[0] ?? '';
}

async function secret(of: string): Promise<string> {
  const { text } = await ask('/requests', { headers: { cookie: of } });
  return /name="form_secret" value="([^"]+)"/.exec(text)?.[1] ?? '';
}

test('nothing is shown or done without the token', async () => {
  for (const path of [
    '/',
    '/requests',
    '/requests/new',
    '/outcomes',
    '/deletions',
    '/notices',
    '/custody',
    `/requests/${requestId}`,
    '/nowhere',
  ]) {
    const answer = await ask(path);
    expect([path, answer.status, answer.headers['location'], answer.text]).toEqual([path, 303, '/login', '']);
    const post = await ask(path, { method: 'POST', headers: sameOrigin, body: '' });
    expect([path, post.status]).toEqual([path, 403]);
  }
  const guessed = await ask('/', { headers: { cookie: `portal-${port}=${'a'.repeat(32)}` } });
  expect(guessed.status).toBe(303);
});

test('only under its own names, whoever made another name point here', async () => {
  const own = await cookie();
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1:${port + 1}`, `[::1]:${port}`]) {
    expect([host, (await ask('/', { headers: { host, cookie: own } })).status]).toEqual([host, 421]);
  }
});

test('another site can neither act nor look, whatever headers it brings', async () => {
  const own = await cookie();
  const body = `form_secret=${await secret(own)}&region=US-CA&headline=x&text=y&days=3`;
  const foreign: Record<string, string>[] = [
    {}, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'https://evil.example' }, { origin: 'null' },
    { origin: `http://127.0.0.1:${port + 1}` }, { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' },
  ]; // biome-ignore format: a table
  for (const headers of foreign) {
    const answer = await ask('/notices', { method: 'POST', headers: { ...formType, cookie: own, ...headers }, body });
    expect([headers, answer.status]).toEqual([headers, 403]);
    if (headers['sec-fetch-site'] === 'cross-site')
      expect((await ask('/', { headers: { cookie: own, ...headers } })).status).toBe(403);
  }
  for (const wrong of ['', `form_secret=${'a'.repeat(32)}`, 'form_secret=']) {
    const answer = await ask('/notices', { method: 'POST', headers: { ...sameOrigin, cookie: own }, body: wrong });
    expect([wrong, answer.status]).toEqual([wrong, 403]);
  }
  // Another session's secret is not this one's.
  const other = await secret(await cookie());
  const mixed = await ask('/notices', {
    method: 'POST',
    headers: { ...sameOrigin, cookie: own },
    body: `form_secret=${other}`,
  });
  expect(mixed.status).toBe(403);
});

test('every page says what a browser may do with it: no script, no frame, no copy', async () => {
  const own = await cookie();
  for (const path of ['/', '/login', '/style.css', '/requests/new', '/nowhere']) {
    const { headers } = await ask(path, { headers: { cookie: own } });
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; (?!.*script-src).*frame-ancestors 'none'/);
    expect([headers['x-content-type-options'], headers['cache-control']]).toEqual(['nosniff', 'no-store']);
  }
});

test('paths lead nowhere but to the pages', async () => {
  const own = await cookie();
  const { shareId = '' } = listShares(agency.office)[0] ?? {};
  for (const path of [
    '/../../../etc/passwd',
    '/requests/../../office.json',
    '/requests/%2e%2e%2f%2e%2e%2foffice.json',
    `/shares/${shareId}/files/..%2fshare.json`,
    `/shares/${shareId}/files/../../../../agency.json`,
    `/shares/${shareId}/files/share.json`,
    `/shares/${'a'.repeat(31)}`,
    '/shares/__proto__',
    '//evil.example/',
    '/style.css/../server.ts',
    '/requests/constructor',
    `/requests/${'0'.repeat(32)}`,
  ]) {
    // biome-ignore format: a list
    const answer = await ask(path, { headers: { cookie: own } });
    expect([path, answer.status]).toEqual([path, 404]);
  }
});

test('forms that are no forms, and forms without end', async () => {
  const own = await cookie();
  const json = await ask('/notices', {
    method: 'POST',
    headers: { cookie: own, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' },
    body: '{}',
  });
  expect([json.status, json.text]).toEqual([400, expect.stringContaining('portal/not-a-form')]);
  const announced = await ask('/notices', {
    method: 'POST',
    headers: { ...sameOrigin, cookie: own, 'content-length': '70000', connection: 'close' },
  });
  expect([announced.status, announced.text]).toEqual([400, expect.stringContaining('portal/form-too-large')]);
  const large = await ask('/notices', {
    method: 'POST',
    headers: { ...sameOrigin, cookie: own },
    body: 'a'.repeat(70_000),
  }).catch(() => undefined);
  expect([undefined, 400]).toContain(large?.status);
  const chunked = await new Promise<number>((resolve) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, path: '/notices', method: 'POST', headers: { ...sameOrigin, cookie: own } },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    request.on('error', () => resolve(0));
    const pour = setInterval(() => (request.destroyed ? clearInterval(pour) : request.write('b'.repeat(10_000))), 5);
    request.once('close', () => clearInterval(pour));
  });
  expect([0, 400]).toContain(chunked);
  const method = await ask('/requests', {
    method: 'DELETE',
    headers: { cookie: own, 'sec-fetch-site': 'same-origin' },
  });
  expect(method.status).toBe(405);
});

test('a connection that never says what it wants is ended', async () => {
  const impatient = await startConsole({ desk: keylessDesk(), port: 0, limits: { headersMs: 300, requestMs: 600 } });
  try {
    const at = Number(new URL(impatient.url).port);
    const closes = (text: string): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect(at, '127.0.0.1', () => socket.write(text));
        const drip = setInterval(() => socket.write('a'), 100);
        socket.on('error', () => undefined).resume();
        socket.once('close', () => {
          clearInterval(drip);
          resolve();
        });
      });
    await Promise.all([
      closes('GET / HTTP/1.1\r\nX: '),
      closes(
        `POST /login HTTP/1.1\r\nHost: 127.0.0.1:${at}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\n`,
      ),
    ]);
  } finally {
    await impatient.close();
  }
});

test('a console without a key says so, and mistakes in a form have their codes', async () => {
  const bare = await startConsole({ desk: keylessDesk(), port: 0 });
  const before = port;
  try {
    port = Number(new URL(bare.url).port);
    const set = await ask('/login', { method: 'POST', headers: sameOrigin, body: `token=${bare.token}` });
    const own = String([set.headers['set-cookie']].flat()[0]).split(';')[0] ?? '';
    const hidden = await secret(own);
    const { shareId = '' } = listShares(agency.office)[0] ?? {};
    const post = async (path: string, fields = ''): Promise<string> => {
      const body = `form_secret=${hidden}&${fields}`;
      const answer = await ask(path, { method: 'POST', headers: { ...sameOrigin, cookie: own }, body });
      return /<code>([a-z/-]+)<\/code>/.exec(answer.text)?.[1] ?? String(answer.status);
    };
    expect(await post(`/shares/${shareId}/open`)).toBe('portal/no-identity');
    expect(await post(`/outcomes/${requestId}`)).toBe('portal/no-outcome-key');
    expect(await post(`/shares/${shareId}/delete`, 'ground=not_needed')).toBe('portal/not-confirmed');
    expect(await post(`/shares/${'0'.repeat(32)}/delete`, 'ground=not_needed&sure=yes')).toBe('portal/no-such-share');
    expect(await post('/requests', 'circle=37.7,-122.4&radius=300&from=soon&to=later')).toBe('portal/bad-time');
    expect(await post('/notices', 'region=US-CA&headline=x&text=x&days=many')).toBe('portal/bad-number');
    expect(listShares(agency.office)[0]?.deletedAtMs).toBeUndefined();
  } finally {
    port = before;
    await bare.close();
  }
});

test('the token is not to be guessed: five tries, then a pause, even for the right one; a session ends by itself', () => {
  let nowMs = 0;
  const sessions = new Sessions(() => nowMs);
  for (let i = 0; i < 5; i += 1) expect(sessions.logIn(`${i}`)).toBeUndefined();
  expect(sessions.logIn(sessions.token)).toBe('wait');
  nowMs += 30_000;
  const session = sessions.logIn(sessions.token);
  if (session === undefined || session === 'wait') throw new Error('not let in');
  expect(sessions.find(session.id)).toBe(session);
  nowMs += 30 * 60_000 + 1;
  expect(sessions.find(session.id)).toBeUndefined();
});

test('text is text, wherever it stands', () => {
  expect(html`<a title="${markup}">${markup}</a>`.text).not.toMatch(/<img|<script|"'>/);
  expect(html`${[undefined, false, 0, 'a', html`<b>`, ['&']]}`.text).toBe('0a<b>&amp;');
});

test('in a real browser: markup in a case is shown as text, and another site reaches nothing', async () => {
  const stage = await Stage.open();
  let evil: Server | undefined;
  try {
    const page = await stage.page();
    await logIn(page, console);
    for (const path of ['', 'requests', `requests/${requestId}`, 'outcomes', 'deletions', 'custody']) {
      await page.goto(`${console.url}${path}`);
      expect(await page.locator('img, script, iframe').count()).toBe(0);
    }
    await page.goto(`${console.url}requests/${requestId}`);
    expect(await page.getByText(markup).count()).toBe(1);
    expect(stage.foreign).toEqual([]);
    // Another site, open in the browser that is logged in: by form, by frame, by picture, by fetch.
    const target = `http://127.0.0.1:${port}`;
    const attack = `<form id="f" method="post" action="${target}/notices"><input name="headline" value="x"><input name="text" value="x"><input name="days" value="3"><input name="region" value="US-CA"></form>
<iframe id="i" src="${target}/"></iframe><img src="${target}/style.css"><script>
fetch('${target}/', {credentials: 'include', mode: 'no-cors'}).then(r => document.title = 'opaque:' + r.type + r.status, () => document.title = 'failed');
setTimeout(() => document.getElementById('f').submit(), 500);</script>`;
    evil = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(attack));
    await new Promise<void>((resolve) => evil?.listen(0, '127.0.0.1', resolve));
    const address = evil.address();
    const evilPort = typeof address === 'object' && address !== null ? address.port : 0;
    await page.goto(`http://evil.example:${evilPort}/`);
    await page.getByText('Not from this console').waitFor();
    // The same, from another port of the same machine, which browsers count as the same site.
    await page.goto(`http://127.0.0.1:${evilPort}/`);
    await page.getByText('Not from this console').waitFor();
    // And with a name of the attacker's that points to the console itself.
    await page.goto(`http://evil.example:${port}/`);
    await page.getByText('Misdirected').waitFor();
    await delay(100);
    const { seq } = JSON.parse(readFileSync(join(agency.office.dir, 'sequence.json'), 'utf8')) as { seq: number };
    expect([seq, listRequests(agency.office, Date.now()).length]).toEqual([1, 1]);
    expect(stage.problems).toEqual([]);
  } finally {
    evil?.close();
    await stage[Symbol.asyncDispose]();
  }
});
