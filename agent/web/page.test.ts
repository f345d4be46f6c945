/** The page in a real browser over real TLS, with an owner's service in memory behind it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { createAccount } from '../owner/api/accounts.ts';
import { hostileText, MemoryService, passphrase } from '../owner/api/fixture/memory-service.ts';
import { type Api, startApi } from '../owner/api/server.ts';

const root = join(import.meta.dirname, '../..');
const password = 'correct horse battery';
const work = mkdtempSync(join(tmpdir(), 'latchkey-page-'));
const webDir = join(work, 'dist');
/** Where pictures of the pages go, for a person to look at; nowhere unless asked. */
const shots = process.env['LATCHKEY_SHOTS'];
let browser: Browser;
let video: Buffer;
let still: Buffer;
let context: BrowserContext;
let page: Page;
let api: Api;
let service: MemoryService;
let stop: AbortController;
let foreign: string[];
let problems: string[];

beforeAll(async () => {
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  execFileSync(process.execPath, [vite, 'build', 'agent/web', '--outDir', webDir, '--logLevel', 'error'], {
    cwd: root,
  });
  const fragmented = join(work, 'fragmented.mp4');
  const flags = 'frag_keyframe+empty_moov+default_base_moof';
  const source = join(root, 'test-fixtures/streams/porch-day.mp4');
  const quiet = ['-nostdin', '-v', 'error', '-i', source, '-c', 'copy', '-movflags', flags];
  const ffmpeg = process.env['FFMPEG_BIN'] ?? 'ffmpeg';
  execFileSync(ffmpeg, [...quiet, fragmented]);
  video = readFileSync(fragmented);
  const picture = ['-nostdin', '-v', 'error', '-ss', '8', '-i', source, '-frames:v', '1', '-s', '192x108'];
  still = execFileSync(ffmpeg, [...picture, '-f', 'mjpeg', 'pipe:1']);
  const args =
    '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
  // A foreign name that resolves to this machine: what a rebinding attack arranges by DNS.
  const rebound = '--host-resolver-rules=MAP rebound.example 127.0.0.1';
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: [...args.split(' '), rebound] });
});
afterAll(async () => {
  await browser?.close();
  rmSync(work, { recursive: true, force: true });
});

beforeEach(async () => {
  stop = new AbortController();
  const dataDir = mkdtempSync(join(work, 'run-'));
  service = new MemoryService(video, 20_000, still);
  await createAccount({ dataDir, name: 'ada', password, role: 'owner' });
  await createAccount({ dataDir, name: 'guest', password, role: 'viewer' });
  api = await startApi({
    service,
    dataDir,
    host: '127.0.0.1',
    port: 0,
    names: [],
    clock: systemClock,
    log: silentLog,
    signal: stop.signal,
    onChange: service.onChange,
    webDir,
  });
  await openBrowser({});
});
afterEach(async () => {
  await context.close();
  stop.abort();
  await api.close();
  expect(problems).toEqual([]);
  expect(foreign).toEqual([]);
});

async function openBrowser(options: { width?: number; dark?: boolean }): Promise<void> {
  await context?.close();
  context = await browser.newContext({
    ignoreHTTPSErrors: true,
    viewport: { width: options.width ?? 1100, height: 800 },
    colorScheme: options.dark === true ? 'dark' : 'light',
    timezoneId: 'America/Chicago',
  });
  context.setDefaultTimeout(15_000);
  page = await context.newPage();
  foreign = [];
  problems = [];
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'data:' && `${origin}/` !== api.url) foreign.push(request.url());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    // A refused log-in or passphrase is a 4xx, which the browser prints too.
    const refused = /the server responded with a status of 4\d\d/.test(message.text());
    if (message.type() === 'error' && !refused) problems.push(message.text());
  });
}

async function logIn(name = 'ada'): Promise<void> {
  await page.goto(api.url);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Requests', level: 1 }).waitFor();
}

async function openFirstRequest(): Promise<void> {
  await page.getByRole('link', { name: /Burglary/ }).click();
  await page.getByRole('heading', { name: 'A request for footage' }).waitFor();
}

async function lookAtClips(): Promise<void> {
  await page.getByLabel('Passphrase').fill(passphrase);
  await page.getByRole('button', { name: 'Look at the clips' }).click();
  await page.getByRole('checkbox').first().waitFor();
}

async function chooseAndPreview(): Promise<void> {
  await page.getByRole('checkbox').first().check();
  await page.getByRole('button', { name: 'Show exactly what would be sent' }).click();
  await page.getByRole('heading', { name: 'Exactly this would be sent' }).waitFor();
}

async function plays(label: RegExp): Promise<void> {
  const player = page.getByLabel(label);
  await player.evaluate((element) => {
    const media = element as HTMLVideoElement;
    media.muted = true;
    return media.play();
  });
  await page.waitForFunction((pattern) => {
    const all = [...document.querySelectorAll('video')];
    const media = all.find((v) => new RegExp(pattern).test(v.getAttribute('aria-label') ?? ''));
    return media !== undefined && media.currentTime > 0.5 && media.videoWidth === 640;
  }, label.source);
}

/** No serious or critical finding of axe; nothing wider than the screen; a picture if asked for. */
async function check(name: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(serious.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
  const [scroll, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect([name, scroll]).toEqual([name, width]);
  if (shots === undefined) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

test('log in, pair, review, watch the preview, approve, withdraw', async () => {
  await page.goto(api.url);
  await page.getByLabel('Name').fill('ada');
  await page.getByLabel('Password').fill('wrong password');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('the name or the password is wrong').waitFor();
  await logIn();

  await page.getByRole('button', { name: 'Pair this browser' }).click();
  await page.getByLabel('Passphrase').fill(passphrase);
  await page.getByRole('button', { name: 'Pair', exact: true }).click();
  await page.getByText('Open for viewing').waitFor();

  await openFirstRequest();
  await page.getByText('This is voluntary. You may say yes, no, or nothing. It is not a warrant.').waitFor();
  await page.getByText('Sat 21 Nov 2026, 14:00:00 to 16:00:00 UTC\u221206:00').waitFor();
  await page.getByRole('img', { name: /Your home is inside the area/ }).waitFor();
  await lookAtClips();
  expect(await page.getByRole('checkbox', { checked: true }).count()).toBe(0);
  await page.getByRole('button', { name: 'Show exactly what would be sent' }).click();
  await page.getByText('Choose at least one clip first.').waitFor();
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('To approve, first choose clips').waitFor();

  await chooseAndPreview();
  await plays(/^What would be sent/);
  await page.getByText('https://evidence.cedarfalls.example/files').waitFor();
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('To approve, type the passphrase.').waitFor();
  await page.getByLabel('Passphrase, to approve').fill('not the passphrase');
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('wrong passphrase').waitFor();
  expect(service.calls.filter((each) => each.startsWith('COOLING'))).toEqual([]);
  await page.getByLabel('Passphrase, to approve').fill(passphrase);
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('You said yes; nothing has left the house yet').waitFor();

  // Withdrawing needs neither the passphrase nor an open lock.
  await page.getByRole('button', { name: 'Lock', exact: true }).click();
  await page.getByText('Locked', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Withdraw' }).click();
  await page.getByText('You withdrew it').waitFor();
  expect(service.calls).toEqual(['REVIEWING a', 'COOLING a', 'WITHDRAWN a']);
});

test('what was chosen differently must be previewed again, and trimming stays inside the clip', async () => {
  await logIn();
  await openFirstRequest();
  await lookAtClips();
  await chooseAndPreview();
  const end = page.getByRole('slider', { name: 'To', exact: true });
  await end.focus();
  for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowLeft');
  await page.getByText('Send only this part (18 s)').waitFor();
  expect(await page.getByRole('heading', { name: 'Exactly this would be sent' }).count()).toBe(0);
  await end.press('Home');
  await page.getByText('Send only this part (1 s)').waitFor();
});

test('declining takes one press, no passphrase and no unlocking', async () => {
  await logIn();
  await openFirstRequest();
  const buttons = await Promise.all(
    ['Approve', 'Decline'].map(async (name) => {
      const button = page.getByRole('button', { name, exact: true });
      const box = await button.boundingBox();
      const look = await button.evaluate((element) => {
        const { backgroundColor, color, fontSize, fontWeight, opacity, borderColor } = getComputedStyle(element);
        return { backgroundColor, color, fontSize, fontWeight, opacity, borderColor };
      });
      return { width: Math.round(box?.width ?? 0), height: Math.round(box?.height ?? 0), look };
    }),
  );
  expect(buttons[0]).toEqual(buttons[1]);
  await page.getByRole('button', { name: 'Decline' }).click();
  await page.getByText('You said no; nobody is told').waitFor();
  expect(service.calls).toEqual(['DECLINED a']);
});

test('hostile agency text is text: no markup, no link, no title, no request', async () => {
  await logIn();
  await page.getByText(hostileText).first().waitFor();
  await check('inbox-hostile');
  await page.locator(`a[href="#/requests/${'b'.repeat(32)}"]`).click();
  await page.getByRole('heading', { name: 'A request for footage' }).waitFor();
  await page.getByRole('heading', { name: 'Who asks' }).waitFor();
  expect(await page.getByText(hostileText).count()).toBeGreaterThan(5);
  expect(await page.locator('main img, main script').count()).toBe(0);
  expect(await page.locator('main a').evaluateAll((links) => links.map((a) => a.getAttribute('href')))).toEqual([
    '#/requests',
  ]);
  expect(await page.title()).toBe('Requests · Latchkey');
  await page.getByText('Attending one is lawful').waitFor();
  await check('review-hostile');
});

test('a foreign name that resolves to this device gets nothing but 421, also from a browser that is logged in', async () => {
  await logIn();
  const { port } = new URL(api.url);
  const other = await context.newPage();
  const answer = await other.goto(`https://rebound.example:${port}/`);
  expect(answer?.status()).toBe(421);
  const status = await other.evaluate(() => fetch('/api/health').then((response) => response.status));
  expect(status).toBe(421);
});

test('a page on another port of this machine can neither decide nor read for a logged-in owner', async () => {
  await logIn();
  const attacker = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>other</title>');
  });
  await new Promise<void>((resolve) => attacker.listen(0, '127.0.0.1', resolve));
  try {
    const other = await context.newPage();
    await other.goto(`http://127.0.0.1:${(attacker.address() as AddressInfo).port}/`);
    const got = await other.evaluate(
      async ([url, id]) => {
        const decline = `${url}api/requests/${id}/decline`;
        const plain = { method: 'POST', body: '{}', credentials: 'include' } as const;
        const tell = (promise: Promise<Response>): Promise<string> =>
          promise.then(
            (response) => `${response.type} ${response.status}`,
            () => 'blocked',
          );
        const form = document.createElement('form');
        const frame = document.createElement('iframe');
        frame.name = 'frame';
        document.body.append(frame, form);
        Object.assign(form, { action: decline, method: 'post', target: 'frame', enctype: 'text/plain' });
        form.submit();
        await new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
        return [
          await tell(fetch(decline, { ...plain, mode: 'no-cors' })),
          await tell(fetch(decline, { ...plain, headers: { 'content-type': 'application/json' } })),
          await tell(fetch(`${url}api/requests`, { credentials: 'include' })),
          await tell(fetch(`${url}api/requests`, { credentials: 'include', mode: 'no-cors' })),
        ];
      },
      [api.url, 'a'.repeat(32)] as const,
    );
    expect(got.slice(1)).toEqual(['blocked', 'blocked', 'blocked']);
    expect(service.calls).toEqual([]);
  } finally {
    attacker.close();
  }
});

test('a change made elsewhere shows without a reload', async () => {
  await logIn();
  await service.decline({ requestId: 'a'.repeat(32) });
  await page.getByText('You said no; nobody is told').waitFor();
});

test('looking back needs viewing, then shows a day and plays', async () => {
  await logIn();
  await page.goto(`${api.url}#/clips?day=2026-11-21`);
  await page.getByText('Clips are sealed. Unlock viewing').waitFor();
  await service.unlockDeciding({ passphrase });
  await page.getByText('3 clips').waitFor();
  await page.getByRole('button', { name: /^Play the clip from 14:12/ }).click();
  await plays(/^Clip from 14:12/);
  await page.getByRole('button', { name: 'Day after' }).click();
  await page.getByText('No clip on this day.').waitFor();
});

test('a viewer sees that deciding is not theirs', async () => {
  await logIn('guest');
  await openFirstRequest();
  await page.getByText('Deciding is for an owner’s log-in').waitFor();
  expect(await page.getByRole('button', { name: /Approve|Decline|Look at/ }).count()).toBe(0);
  await page.getByRole('link', { name: 'Agencies' }).click();
  await page.getByRole('checkbox', { name: 'May ask me' }).waitFor();
  expect(await page.getByRole('checkbox', { name: 'May ask me' }).isDisabled()).toBe(true);
});

test('by keyboard alone: from log-in to a decline', async () => {
  await page.goto(api.url);
  await page.getByLabel('Name').waitFor();
  const tabTo = async (matches: (text: string) => boolean): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      const text = await page.evaluate(() => {
        const active = document.activeElement as HTMLInputElement | null;
        return active?.labels?.[0]?.textContent ?? active?.textContent ?? '';
      });
      if (matches(text)) return;
    }
    throw new Error('the keyboard does not get there');
  };
  await tabTo((text) => text === 'Name');
  await page.keyboard.type('ada');
  await tabTo((text) => text === 'Password');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Requests', level: 1 }).waitFor();
  await tabTo((text) => text.includes('Burglary'));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'A request for footage' }).waitFor();
  await tabTo((text) => text === 'Decline');
  await page.keyboard.press('Enter');
  await page.getByText('You said no; nobody is told').waitFor();
});

test.each([
  ['phone', { width: 375 }],
  ['wide-dark', { width: 1100, dark: true }],
] as const)('every page fits and passes axe: %s', async (name, look) => {
  await openBrowser(look);
  await page.goto(api.url);
  await page.getByLabel('Name').waitFor();
  await check(`${name}-1-login`);
  await logIn();
  await check(`${name}-2-inbox`);
  await page.getByRole('button', { name: 'Pair this browser' }).click();
  await check(`${name}-3-pair`);
  await page.getByRole('button', { name: 'Not now' }).click();
  await openFirstRequest();
  await check(`${name}-4-request`);
  await lookAtClips();
  await chooseAndPreview();
  await plays(/^What would be sent/);
  await check(`${name}-5-preview`);
  await page.getByLabel('Passphrase, to approve').fill(passphrase);
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByRole('button', { name: 'Withdraw' }).waitFor();
  await check(`${name}-6-approved`);
  await page.goto(`${api.url}#/clips?day=2026-11-21`);
  await page.getByText('3 clips').waitFor();
  await check(`${name}-7-clips`);
  await page.getByRole('link', { name: 'Agencies' }).click();
  await page.getByRole('checkbox', { name: 'May ask me' }).waitFor();
  await check(`${name}-8-agencies`);
});

test('the page is small and holds no inline script', () => {
  const html = readFileSync(join(webDir, 'index.html'), 'utf8');
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|\son\w+=|javascript:/i);
  const scripts = readdirSync(join(webDir, 'assets')).filter((name) => name.endsWith('.js'));
  const bytes = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(join(webDir, 'assets', name))).length, 0);
  expect(bytes).toBeLessThanOrEqual(120_000);
});
