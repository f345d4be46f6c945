import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  type ScriptedAnswer,
  type ScriptedServer,
  startScriptedServer,
} from '../../test-fixtures/brokers/http-script.ts';
import { startTcpProxy } from '../../test-fixtures/brokers/tcp-proxy.ts';
import { localTls } from '../../test-fixtures/local-tls.ts';
import { systemClock } from '../base/clock.ts';
import { type Log, silentLog } from '../base/log.ts';
import { type DigestOptions, digestDueMs, sendDigests } from './digest.ts';

const day = '2026-11-22';
const nextDay = '2026-11-23';
let dataDir: string;
let wallMs: number;
let codes: string[];
const open: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'digest-'));
  mkdirSync(join(dataDir, 'spool', 'notices'), { recursive: true });
  wallMs = digestDueMs(day);
  codes = [];
});
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** As the owner program writes it. */
function write(value: unknown): void {
  writeFileSync(join(dataDir, 'spool', 'notices', 'digest.json'), JSON.stringify(value));
}

function start(digest: DigestOptions): () => Promise<void> {
  const stop = new AbortController();
  const note = (_event: string, about: unknown): void => void codes.push((about as { code: string }).code);
  const log: Log = { ...silentLog, warn: note, error: note };
  const clock = { ...systemClock, wallMs: () => wallMs };
  const retry = { firstMs: 10, maxMs: 20 };
  const done = sendDigests({ dataDir, digest, signal: stop.signal, clock, log, pollMs: 5, retry });
  const end = (): Promise<void> => {
    stop.abort();
    return done;
  };
  open.push(end);
  return end;
}

async function server(answer: (index: number) => ScriptedAnswer = () => ({ status: 200 })): Promise<ScriptedServer> {
  const started = await startScriptedServer((_request, index) => answer(index));
  open.push(() => started.close());
  return started;
}

const idle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));

test('it leaves at a quarter past eight, once a day, also over a restart', async () => {
  const { origin, requests } = await server();
  wallMs = digestDueMs(day) - 1;
  write({ code: 'daily-digest', day });
  const end = start({ url: `${origin}/my-door` });
  await idle();
  expect(requests).toHaveLength(0);
  wallMs += 1;
  await vi.waitFor(() => expect(requests).toHaveLength(1));
  await idle();
  await end();
  start({ url: `${origin}/my-door` });
  await idle();
  expect(requests).toHaveLength(1);
  expect(requests[0]).toMatchObject({ method: 'POST', path: '/my-door' });
  expect(requests[0]?.body.toString()).toBe(
    'Latchkey, your daily word. It is the same every day. Whatever waits for you is shown at home.\n',
  );
  write({ code: 'daily-digest', day: nextDay });
  await idle();
  expect(requests).toHaveLength(1);
  wallMs = digestDueMs(nextDay);
  await vi.waitFor(() => expect(requests).toHaveLength(2));
  const local = new Date(digestDueMs(nextDay));
  expect([local.getHours(), local.getMinutes()]).toEqual([8, 15]);
  expect(codes).toEqual([]);
});

test('two days are the same bytes, and say nothing of the machine or its software', async () => {
  const { port } = await server();
  const proxy = await startTcpProxy({ port });
  open.push(() => proxy.close());
  writeFileSync(join(dataDir, 'token'), 'tk_secret\n');
  write({ code: 'daily-digest', day });
  start({ url: `http://127.0.0.1:${proxy.port}/my-door`, tokenFile: join(dataDir, 'token') });
  await vi.waitFor(() => expect(proxy.upstream).toHaveLength(1));
  write({ code: 'daily-digest', day: nextDay });
  wallMs = digestDueMs(nextDay);
  await vi.waitFor(() => expect(proxy.upstream).toHaveLength(2));
  await idle();
  const [first, second] = proxy.upstream.map((bytes) => bytes.toString());
  expect(second).toBe(first);
  expect(first?.split('\r\n').slice(0, -1)).toEqual([
    'POST /my-door HTTP/1.1',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Length: 94',
    'Authorization: Bearer tk_secret',
    'Connection: close',
    `Host: 127.0.0.1:${proxy.port}`,
    '',
  ]);
});

test('over TLS the records have the same sizes every day, and only the given authority is believed', async () => {
  const { authority, leaf } = await localTls();
  const bodies: string[] = [];
  const secure = createServer({ cert: leaf.certificatePem, key: leaf.keyPem }, (request, response) => {
    request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()));
    request.on('end', () => response.writeHead(200).end('{}'));
  });
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  open.push(async () => {
    secure.closeAllConnections();
    secure.close();
  });
  const proxy = await startTcpProxy({ port: (secure.address() as AddressInfo).port });
  open.push(() => proxy.close());
  const url = `https://localhost:${proxy.port}/my-door`;
  write({ code: 'daily-digest', day });
  const end = start({ url });
  await vi.waitFor(() => expect(codes).toContain('digest/unavailable'));
  await end();
  expect(bodies).toEqual([]);
  const caFile = join(dataDir, 'ca.pem');
  writeFileSync(caFile, authority.certificatePem);
  start({ url, caFile });
  await vi.waitFor(() => expect(bodies).toHaveLength(1));
  write({ code: 'daily-digest', day: nextDay });
  wallMs = digestDueMs(nextDay);
  await vi.waitFor(() => expect(bodies).toHaveLength(2));
  await idle();
  const sizes = proxy.upstream.slice(-2).map((bytes) => {
    const records: string[] = [];
    for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3))
      records.push(`${bytes[at]}:${bytes.readUInt16BE(at + 3)}`);
    // Whether the closing alert (19 bytes) still gets out hangs on who closes first.
    return records.filter((record) => record !== '23:19');
  });
  expect(sizes[0]?.length).toBeGreaterThan(1);
  expect(sizes[1]).toEqual(sizes[0]);
});

test('a busy server is asked again, one that says no or points elsewhere is not before the next day', async () => {
  const busy = await server((index) => (index === 0 ? { status: 503 } : index === 1 ? 'reset' : { status: 200 }));
  write({ code: 'daily-digest', day });
  const end = start({ url: busy.origin });
  await vi.waitFor(() => expect(busy.requests).toHaveLength(3));
  await idle();
  await end();
  expect([busy.requests.length, codes]).toEqual([3, ['digest/unavailable', 'digest/unavailable']]);

  rmSync(join(dataDir, 'spool', 'notices', 'sent.json'));
  codes = [];
  const elsewhere = await server();
  const away = await server(() => ({ status: 307, headers: { location: elsewhere.origin } }));
  start({ url: away.origin });
  await vi.waitFor(() => expect(codes).toEqual(['digest/refused']));
  await idle();
  expect([away.requests.length, elsewhere.requests.length]).toEqual([1, 0]);
  wallMs = digestDueMs(nextDay);
  write({ code: 'daily-digest', day: nextDay });
  await vi.waitFor(() => expect(away.requests).toHaveLength(2));
});

test('what has no fixed text is not sent, whoever wrote it', async () => {
  const { origin, requests } = await server();
  start({ url: origin });
  for (const value of [
    { code: 'request-waits', day },
    { code: 'constructor', day },
    { code: 'daily-digest', day: '2026-11-22T08:15' },
    { code: 'daily-digest' },
    null,
  ]) {
    codes = [];
    rmSync(join(dataDir, 'spool', 'notices', 'digest.json'), { force: true });
    await idle();
    write(value);
    await vi.waitFor(() => expect(codes).toEqual(['courier/bad-digest']));
  }
  expect(requests).toHaveLength(0);
});

test('an address without encryption, or a token that is missing, sends nothing and says so', async () => {
  write({ code: 'daily-digest', day });
  const end = start({ url: 'http://ntfy.example/my-door' });
  await vi.waitFor(() => expect(codes).toEqual(['digest/not-encrypted']));
  await end();
  codes = [];
  const { origin, requests } = await server();
  start({ url: origin, tokenFile: join(dataDir, 'none') });
  await vi.waitFor(() => expect(codes).toEqual(['courier/missing-file']));
  write({ code: 'daily-digest', day: nextDay });
  wallMs = digestDueMs(nextDay);
  writeFileSync(join(dataDir, 'none'), 'word\r\nX-Injected: yes');
  await vi.waitFor(() => expect(codes).toEqual(['courier/missing-file', 'digest/bad-token']));
  await idle();
  expect(requests).toHaveLength(0);
  expect(() => readFileSync(join(dataDir, 'spool', 'notices', 'sent.json'))).toThrow();
});
