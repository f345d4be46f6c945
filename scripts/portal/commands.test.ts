import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../agent/base/clock.ts';
import { silentLog } from '../../agent/base/log.ts';
import { runCourier } from '../../agent/courier/program.ts';
import { readShareStatus } from '../../agent/courier/share-status.ts';
import { sha256Hex, toHex } from '../../agent/protocol/bytes.ts';
import { peekDocument, signEnvelope } from '../../agent/protocol/envelope.ts';
import { generateSigningKey } from '../../agent/protocol/keys.ts';
import { eventually } from '../../test-fixtures/eventually.ts';
import { makeShare } from '../../test-fixtures/portal/hand-made-share.ts';
import { runPortal } from './program.ts';

/**
 * The whole agency side by its command line, with a real Mosquitto and a real courier at the other end: one story, told in
 * order, so the tests of this file depend on each other.
 */
const main = join(import.meta.dirname, 'main.ts');
let dir: string;
const started: { stop(): Promise<unknown> }[] = [];
const startedAtMs = Date.now();
const home = process.cwd();

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'portal-'));
  mkdirSync(join(dir, 'requests'));
  process.chdir(dir);
});
afterAll(async () => {
  process.chdir(home);
  for (const running of started.toReversed()) await running.stop();
  rmSync(dir, { recursive: true, force: true });
});

interface Result {
  readonly status: number;
  readonly out: string;
  readonly error: string;
}

/** In this process, where the program itself stands in a folder of the test's own. */
async function portal(...args: string[]): Promise<Result> {
  const result = { out: '', error: '' };
  const output = {
    out: (text: string): void => void (result.out += text),
    error: (text: string): void => void (result.error += text),
  };
  const status = await runPortal(args, output, new AbortController().signal);
  return { status, ...result };
}

async function ok(...args: string[]): Promise<Record<string, unknown>> {
  const result = await portal(...args, '--json');
  expect(result).toMatchObject({ status: 0, error: '' });
  return JSON.parse(result.out) as Record<string, unknown>;
}

async function refusal(...args: string[]): Promise<string> {
  const result = await portal(...args);
  expect(result.status).toBeGreaterThan(0);
  expect(result.error).not.toMatch(/\n\s+at /);
  return /\(([a-z0-9/-]+)\)\n$/.exec(result.error)?.[1] ?? result.error;
}

/** Starts a command that runs on; resolves with its first line of JSON. */
function start(...args: string[]): Promise<Record<string, unknown>> {
  const stop = new AbortController();
  return new Promise((resolve, reject) => {
    const output = { out: (text: string) => resolve(JSON.parse(text) as Record<string, unknown>), error: reject };
    const ended = runPortal([...args, '--json'], output, stop.signal);
    started.push({
      stop: () => {
        stop.abort();
        return ended;
      },
    });
  });
}

const file = (name: string): Buffer => readFileSync(join(dir, name));
const hoursAgo = (hours: number): string => `${new Date(startedAtMs - hours * 3600_000).toISOString().slice(0, 16)}Z`;
const authority = ['--agency', 'agency.json', '--root', 'root/root.json'];
const draftFlags = (change: Record<string, string> = {}): string[] => {
  const flags = {
    agency: 'agency.json', region: 'US-CA', circle: '37.7749,-122.4194', radius: '300', from: hoursAgo(5), to: hoursAgo(4),
    'case-number': '26-1042', incident: 'burglary', opened: '2026-01-20', statement: 'A door was forced.',
    'officer-name': 'J. Doe', badge: '77', phone: '+1 555 0100', authority: 'Penal Code 459', out: 'draft.json', ...change,
  }; // biome-ignore format: a table
  return ['request', 'write', ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])];
};
let brokerFlags: string[];
let agencyFlags: string[];

test('keys: each in its own private file; officer and approver never in one folder', async () => {
  await ok('root', 'make', '--name', 'State registry', '--out', 'root');
  for (const role of ['officer', 'approver', 'outcome']) await ok('keys', role, '--out', `desk-${role}`);
  await ok('keys', 'recipient', '--out', 'evidence');
  expect(statSync(join(dir, 'desk-officer', 'officer.key.json')).mode & 0o777).toBe(0o600);
  expect(statSync(join(dir, 'evidence', 'recipient.identity')).mode & 0o777).toBe(0o600);
  expect(JSON.parse(file('root/root.json').toString())).toMatchObject({ latchkey_root: 1, threshold: 2 });
  expect(await refusal('keys', 'approver', '--out', 'desk-officer')).toBe('portal/keys-together');
  expect(await refusal('keys', 'officer', '--out', 'desk-officer')).toBe('portal/exists');
  expect(await refusal('keys', 'judge', '--out', 'desk-officer')).toBe('portal/unknown-role');
  expect(await refusal('root', 'make', '--name', '', '--out', 'root-2')).toBe('portal/bad-name');
});

test('an intake and a broker are started; the agency document is signed by two root keys', async () => {
  const intake = await start('serve', '--out', 'intake', '--requests', 'requests', '--port', '0');
  const broker = await start('broker', '--out', 'broker', '--port', '0', '--run');
  brokerFlags = ['--broker', String(broker['url']), '--ca-file', String(broker['caFile'])];
  const writer = broker['agency'] as { username: string; passwordFile: string };
  brokerFlags.push('--username', writer.username, '--password-file', writer.passwordFile);
  expect(await refusal('broker', '--out', 'broker')).toBe('portal/exists');
  agencyFlags = [
    'agency', 'make', '--id', 'west-city-pd', '--name', 'West City Police', '--region', 'US-CA',
    '--officer', 'desk-officer/officer.pub.json', '--approver', 'desk-approver/approver.pub.json',
    '--outcome', 'desk-outcome/outcome.pub.json', '--recipient', 'evidence/recipient.pub.json',
    '--root', 'root/root.json', '--root-key', 'root/root-1', '--endpoint', String(intake['url']),
  ]; // biome-ignore format: a table
  expect(await refusal(...agencyFlags, '--out', 'agency.json')).toBe('envelope/not-enough-signers');
  expect(await refusal(...agencyFlags, '--root-key', 'root/root-1', '--out', 'x')).toBe('envelope/not-enough-signers');
  await ok(...agencyFlags, '--root-key', 'root/root-3', '--out', 'agency.json');
  const published = await ok('agency', 'publish', 'agency.json', '--root', 'root/root.json', ...brokerFlags);
  expect(published['topics']).toEqual(['latchkey/1/US-CA/ag/west-city-pd']);
  // The credential that every device holds can't be used to publish.
  const reader = [...brokerFlags.slice(0, 4), '--username', 'device', '--password-file', 'broker/device.password'];
  expect(await refusal('agency', 'publish', 'agency.json', '--root', 'root/root.json', ...reader)).toBe(
    'portal/broker-unavailable',
  );
});

test('a request is written, signed at two desks, checked as devices will, and published', async () => {
  await ok(...draftFlags());
  await ok(
    'request',
    'sign',
    'draft.json',
    '--as',
    'officer',
    '--keys',
    'desk-officer',
    '--trial',
    '--out',
    'half.json',
  );
  expect(await refusal('request', 'check', 'half.json', ...authority)).toBe('envelope/not-enough-signers');
  expect(await refusal('request', 'publish', 'half.json', ...authority, ...brokerFlags)).toBe(
    'envelope/not-enough-signers',
  );
  await ok(
    'request',
    'sign',
    'half.json',
    '--as',
    'approver',
    '--keys',
    'desk-approver',
    '--trial',
    '--out',
    'requests/one.json',
  );
  const checked = await ok('request', 'check', 'requests/one.json', ...authority);
  const published = await ok('request', 'publish', 'requests/one.json', ...authority, ...brokerFlags);
  expect(published['topics']).toEqual([checked['topic']]);
  expect(published['expiresInS']).toBeGreaterThan(6.9 * 86_400);
});

test('what devices would refuse is not published, under the code of the devices', async () => {
  const cases: [string, Record<string, string>][] = [
    ['request/window-too-long', { from: hoursAgo(10) }],
    ['request/area-too-small', { radius: '50' }],
    ['request/lifetime-too-long', { days: '15' }],
    ['request/terms', { 'delete-by-days': '400' }],
  ];
  for (const [code, change] of cases) {
    await ok(...draftFlags({ ...change, out: 'bad.json' }));
    await ok(
      'request',
      'sign',
      'bad.json',
      '--as',
      'officer',
      '--keys',
      'desk-officer',
      '--trial',
      '--out',
      'bad-1.json',
    );
    await ok(
      'request',
      'sign',
      'bad-1.json',
      '--as',
      'approver',
      '--keys',
      'desk-approver',
      '--trial',
      '--out',
      'bad-2.json',
    );
    expect(await refusal('request', 'publish', 'bad-2.json', ...authority, ...brokerFlags)).toBe(code);
  }
});

test('mistakes at the command line are named', async () => {
  expect(await refusal(...draftFlags({ circle: 'here' }))).toBe('portal/bad-place');
  expect(await refusal(...draftFlags({ from: 'yesterday' }))).toBe('portal/bad-time');
  expect(await refusal(...draftFlags({ days: 'many' }))).toBe('portal/bad-number');
  expect(await refusal(...draftFlags({ point: '37.7,-122.4' }))).toBe('portal/no-area');
  expect(await refusal(...draftFlags({ agency: 'none.json' }))).toBe('portal/missing-file');
  const sign = ['request', 'sign', 'root/root.json', '--out', 'x'];
  expect(await refusal(...sign, '--as', 'officer', '--keys', 'desk-officer')).toBe('portal/no-desks');
  expect(await refusal(...sign, '--as', 'officer', '--keys', 'desk-officer', '--trial')).toBe('payload/schema');
  expect(await refusal(...sign, '--as', 'chief', '--keys', 'desk-officer')).toBe('portal/unknown-role');
  expect(
    await refusal('request', 'check', 'requests/one.json', '--agency', 'agency.json', '--root', 'agency.json'),
  ).toBe('portal/malformed-file');
  const nowhere = ['--broker', 'mqtt://127.0.0.1:1'];
  expect(await refusal('request', 'publish', 'requests/one.json', ...authority, ...nowhere)).toBe(
    'portal/broker-unavailable',
  );
  writeFileSync(join(dir, 'broken.conf'), 'nonsense\n');
  mkdirSync(join(dir, 'broken'));
  const files = JSON.parse(file('broker/broker.json').toString()) as object;
  const broken = { ...files, configPath: join(dir, 'broken.conf'), url: 'mqtts://127.0.0.1:1' };
  writeFileSync(join(dir, 'broken', 'broker.json'), JSON.stringify(broken));
  expect(await refusal('broker', '--out', 'broken', '--run')).toBe('portal/broker-not-started');
  expect((await portal('request', 'write')).status).toBe(2);
});

test('the program itself: results on standard output, one line for a mistake, a status by kind', () => {
  const made = execFileSync(process.execPath, [main, 'keys', 'recipient', '--out', 'program', '--json'], { cwd: dir });
  expect(JSON.parse(made.toString())).toMatchObject({ role: 'recipient' });
  const mistake = spawnSync(process.execPath, [main, 'keys', 'judge', '--out', 'program'], { cwd: dir });
  expect([mistake.status, mistake.stdout.toString()]).toEqual([2, '']);
  expect(mistake.stderr.toString()).toBe(
    'Cannot make a key for "judge": there is no such role (portal/unknown-role)\n',
  );
});

test('every command shows an example', async () => {
  const commands = [
    ['keys'], ['root', 'make'], ['agency', 'make'], ['agency', 'publish'], ['request', 'write'], ['request', 'sign'],
    ['request', 'check'], ['request', 'publish'], ['revoke'], ['broker'], ['serve'], ['open'], ['office', 'make'],
    ['office', 'draft'], ['office', 'list'], ['office', 'sign'], ['office', 'publish'], ['office', 'revoke'], ['console'],
    ['share', 'list'], ['share', 'open'], ['share', 'delete'], ['demands'], ['outcome', 'due'], ['outcome', 'report'],
    ['notice'], ['custody', 'verify'], ['directory', 'make'], ['directory', 'publish'],
  ]; // biome-ignore format: a list
  for (const command of commands) {
    const help = await portal(...command, '--help');
    expect([help.status, help.out]).toEqual([0, expect.stringContaining('Example:\n  portal')]);
  }
});

test('a device hears the request and sends a share; the agency opens it and reads what is proved', async () => {
  const dataDir = join(dir, 'device');
  const ownerRoot = generateSigningKey();
  mkdirSync(join(dataDir, 'keys'), { recursive: true });
  writeFileSync(join(dataDir, 'keys', 'owner-root.pub'), toHex(ownerRoot.publicKey));
  const stop = new AbortController();
  const [, url = '', , caFile = ''] = brokerFlags;
  const done = runCourier({
    dataDir,
    regions: ['US-CA'],
    broker: { url, caFile, username: 'device', passwordFile: join(dir, 'broker', 'device.password') },
    uploads: { allowPrivateAddresses: true },
    signal: stop.signal,
    clock: systemClock,
    log: silentLog,
  });
  started.push({
    stop: () => {
      stop.abort();
      return done;
    },
  });
  const inbox = join(dataDir, 'spool', 'inbox');
  await eventually(() => expect(readdirSync(inbox)).toHaveLength(2));
  const messages = readdirSync(inbox).map(
    (name) =>
      JSON.parse(readFileSync(join(inbox, name), 'utf8')) as {
        topic: string;
        envelope: string;
      },
  );
  const envelopeOf = (type: string): Buffer =>
    Buffer.from(messages.find(({ topic }) => topic.includes(`/${type}/`))?.envelope ?? '', 'base64');
  expect(envelopeOf('rq').equals(file('requests/one.json'))).toBe(true);
  const agency = peekDocument('agency', envelopeOf('ag')).unverified;
  const request = peekDocument('request', envelopeOf('rq')).unverified;

  const share = makeShare({ request: envelopeOf('rq'), agency });
  const nowS = Math.floor(Date.now() / 1000);
  const sized = (bytes: Uint8Array): { bytes: number; sha256: string } => ({
    bytes: bytes.length,
    sha256: sha256Hex(bytes),
  });
  const dispatch = {
    grant_hash: '0'.repeat(64),
    share_id: share.shareId,
    request_id: request.request_id,
    body: sized(share.body),
    header: sized(share.header),
    endpoint: agency.upload.https,
    release_not_before: nowS - 1,
    deadline: request.expires_at + 48 * 3600,
  };
  const made = join(dir, 'made');
  mkdirSync(made);
  writeFileSync(join(made, 'dispatch.json'), signEnvelope('dispatch', dispatch, [ownerRoot]));
  writeFileSync(join(made, 'body.age'), share.body);
  writeFileSync(join(made, 'header.age'), share.header);
  renameSync(made, join(dataDir, 'spool', 'outbox', share.shareId));
  await eventually(() => expect(readShareStatus(dataDir, share.shareId)?.state).toBe('done'));

  const received = join('intake', 'shares', share.shareId);
  const open = [
    'open',
    received,
    '--identity',
    'evidence/recipient.identity',
    '--request',
    'requests/one.json',
    ...authority,
  ];
  const opened = (await ok(...open, '--out', 'footage')) as { verdict: Record<string, unknown> };
  expect(opened.verdict).toMatchObject({
    problems: [],
    requestMatches: true,
    requestSignature: 'valid',
    grantSignature: 'valid',
    shareId: share.shareId,
  });
  expect(file('footage/40-video.mp4').equals(share.video)).toBe(true);
  const words = await portal(...open);
  expect(words.out).toContain('Proved: 40-video.mp4 is unaltered');
  expect(words.out).toContain('Cannot be known: whether the signer was an honest camera.');
  await ok('keys', 'recipient', '--out', 'elsewhere');
  expect(await refusal('open', received, '--identity', 'elsewhere/recipient.identity')).toBe('age/wrong-key');
  expect(await refusal('open', received, '--identity', 'agency.json')).toBe('portal/malformed-file');

  // The same share, put under another announcement.
  mkdirSync(join(dir, 'swapped'));
  for (const name of ['body.age', 'header.age']) copyFileSync(join(dir, received, name), join(dir, 'swapped', name));
  const receipt = { shareId: 'ff'.repeat(16), requestId: request.request_id, receivedAtMs: 0 };
  writeFileSync(join(dir, 'swapped', 'share.json'), JSON.stringify(receipt));
  expect(await refusal('open', 'swapped', '--identity', 'evidence/recipient.identity')).toBe('portal/other-share');
});

test('an altered video is opened, and said not to be proved', async () => {
  const agency = peekDocument('agency', file('agency.json')).unverified;
  const alter = (video: Buffer): void => void (video[30_000] = (video[30_000] ?? 0) ^ 1);
  const share = makeShare({ request: file('requests/one.json'), agency, alter });
  mkdirSync(join(dir, 'altered'));
  writeFileSync(join(dir, 'altered', 'body.age'), share.body);
  writeFileSync(join(dir, 'altered', 'header.age'), share.header);
  const result = await portal('open', 'altered', '--identity', 'evidence/recipient.identity');
  expect(result.status).toBe(5);
  expect(result.out).toContain('NOT PROVED: a file differs');
  expect(result.error).toContain('portal/not-proved');
  expect(existsSync(join(dir, 'altered', '40-video.mp4'))).toBe(false);
});

test('a revoked request is taken off the broker, and the revocation stays', async () => {
  const { request_id: id } = peekDocument('request', file('requests/one.json')).unverified;
  const revoke = ['revoke', ...authority, '--reason', 'Case closed', ...brokerFlags];
  const published = await ok(...revoke, '--request', id, '--as', 'officer', '--keys', 'desk-officer');
  // The draft, four bad drafts, and now this one: every document of the agency has its own number.
  expect(published['topics']).toEqual(['latchkey/1/US-CA/rv/west-city-pd/6']);
  const inbox = join(dir, 'device', 'spool', 'inbox');
  await eventually(() => expect(readdirSync(inbox)).toHaveLength(3));
  const key = await ok(...revoke, '--as', 'approver', '--keys', 'desk-approver');
  expect(key['topics']).toEqual(['latchkey/1/US-CA/rv/west-city-pd/7']);
});
