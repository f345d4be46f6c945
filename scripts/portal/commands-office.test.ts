import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { AgencyOffice, foreignId } from '../../test-fixtures/portal/agency-office.ts';
import { runPortal } from './program.ts';

/** An office by its command line alone, with a real broker and intake: one story, so the tests depend on each other. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
let agency: AgencyOffice;
let requestId: string;
const startedAtMs = Date.now();
const hoursAgo = (hours: number): string => `${new Date(startedAtMs - hours * 3600_000).toISOString().slice(0, 16)}Z`;

beforeAll(async () => {
  agency = await AgencyOffice.make();
});
afterAll(async () => {
  await agency[Symbol.asyncDispose]();
});

interface Result {
  readonly status: number;
  readonly out: string;
  readonly error: string;
}

async function portal(...args: string[]): Promise<Result> {
  const result = { out: '', error: '' };
  const stop = new AbortController();
  const output = {
    out: (text: string): void => {
      result.out += text;
      // A server says where it listens and then goes on until it is told to stop.
      if (args[0] === 'serve' || args[0] === 'console') stop.abort();
    },
    error: (text: string): void => void (result.error += text),
  };
  const status = await runPortal(args, output, stop.signal);
  return { status, ...result };
}

async function ok<T = Record<string, unknown>>(...args: string[]): Promise<T> {
  const result = await portal(...args, '--json');
  expect(result).toMatchObject({ status: 0, error: '' });
  return JSON.parse(result.out) as T;
}

async function refusal(...args: string[]): Promise<string> {
  const result = await portal(...args);
  expect(result.status).toBeGreaterThan(0);
  expect(result.error).not.toMatch(/\n\s+at /);
  return /\(([a-z0-9/-]+)\)\n$/.exec(result.error)?.[1] ?? result.error;
}

const inOffice = (): string[] => ['--office', agency.office.dir];
const identity = (): string[] => ['--identity', agency.at('evidence/recipient.identity')];
const asOfficer = (): string[] => ['--as', 'officer', '--keys', agency.at('officer')];
const asApprover = (): string[] => ['--as', 'approver', '--keys', agency.at('approver')];

function draft(change: Record<string, string> = {}): string[] {
  const flags = {
    region: 'US-CA', circle: '37.7749,-122.4194', radius: '300', from: hoursAgo(5), to: hoursAgo(4), 'case-number': '26-1042',
    incident: 'burglary', opened: '2026-01-20', statement: 'A door was forced.', 'officer-name': 'J. Doe', badge: '77',
    phone: '+1 555 0100', authority: 'Penal Code 459', ...change,
  }; // biome-ignore format: a table
  return ['office', 'draft', ...inOffice(), ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])];
}

test('a request goes from draft to broker, each step by whom it belongs to', async () => {
  expect((await portal('office', 'list', ...inOffice())).out).toBe('No request has been written yet.\n');
  expect(await refusal(...draft({ from: hoursAgo(30 * 24 + 5) }))).toBe('request/window-too-long');
  expect(await refusal(...draft({ radius: '10' }))).toBe('request/area-too-small');
  ({ requestId } = await ok<{ requestId: string }>(...draft()));
  const sign = ['office', 'sign', requestId, ...inOffice()];
  expect(await refusal(...sign, '--as', 'chief', '--keys', agency.at('officer'))).toBe('portal/unknown-role');
  expect(await refusal(...sign, ...asApprover())).toBe('portal/wrong-state');
  await ok(...sign, ...asOfficer());
  await ok(...sign, ...asApprover());
  expect((await portal('office', 'list', ...inOffice())).out).toBe(`${requestId}  signed  26-1042\n`);
  const { topics } = await ok<{ topics: string[] }>('office', 'publish', requestId, ...inOffice());
  expect(topics).toEqual([`latchkey/1/US-CA/rq/west-city-pd/${requestId}`]);
  expect(await refusal('office', 'publish', foreignId(), ...inOffice())).toBe('portal/no-such-request');
});

test('shares, demands, deletions and outcomes', async () => {
  expect((await portal('share', 'list', ...inOffice())).out).toBe('Nothing has arrived yet.\n');
  const share = await agency.sendShare(requestId);
  expect((await portal('share', 'list', ...inOffice())).out).toMatch(/not opened yet\n$/);
  const opened = await portal('share', 'open', share.shareId, ...inOffice(), ...identity(), '--out', agency.at('copy'));
  expect([opened.status, opened.out]).toEqual([0, expect.stringContaining('Proved: 40-video.mp4 is unaltered')]);
  expect((await portal('share', 'list', ...inOffice())).out).toMatch(/holds\n$/);
  await agency.sendDemand(requestId, share);
  const demands = await ok<{ shareId: string; ground: string }[]>('demands', ...inOffice(), ...identity());
  expect(demands).toMatchObject([{ shareId: share.shareId, ground: 'owner_request' }]);
  expect((await portal('demands', ...inOffice(), ...identity())).out).toBe('No new demand has come.\n');
  expect((await portal('share', 'list', ...inOffice())).out).toMatch(/its owner demands deletion\n$/);
  const altered = await agency.sendShare(requestId, (video) => void (video[30_000] = (video[30_000] ?? 0) ^ 1));
  expect(await refusal('share', 'open', altered.shareId, ...inOffice(), ...identity())).toBe('portal/not-proved');
  const remove = ['share', 'delete', share.shareId, ...inOffice()];
  expect(await refusal(...remove, '--ground', 'Because!')).toBe('portal/not-confirmed');
  const removed = await portal(...remove, '--ground', 'owner_request');
  expect(removed.out).toContain(`A copy was made and is still to be deleted: ${agency.at('copy')}`);
  expect(await ok('outcome', 'due', ...inOffice())).toMatchObject([{ requestId, state: 'due', shares: 2 }]);
  const report = ['outcome', 'report', requestId, ...inOffice(), '--keys', agency.at('outcome')];
  expect(await refusal(...report, '--use', 'fame')).toBe('portal/unknown-use');
  await ok(...report, '--use', 'charge', '--disclosed', 'Superior Court', '--closed');
  expect(await ok('outcome', 'due', ...inOffice())).toMatchObject([{ state: 'reported' }]);
});

test('notices, the directory, revocation, and the chain of custody', async () => {
  const notice = [
    'notice',
    ...inOffice(),
    '--region',
    'US-CA',
    '--headline',
    'Parcel thefts',
    '--text',
    'On 5th Street.',
  ];
  await ok(...notice, '--keys', agency.at('officer'));
  expect(await refusal(...notice, '--keys', agency.at('officer'), '--days', '15')).toBe('notice/lifetime-too-long');
  const root = ['--root', agency.at('root/root.json')];
  const make = ['directory', 'make', join(agency.office.dir, 'agency.json'), '--region', 'US-CA', ...root];
  make.push('--directory-version', '1', '--out', agency.at('directory'), '--root-key', agency.at('root/root-1'));
  const { paths } = await ok<{ paths: string[] }>(...make, '--root-key', agency.at('root/root-2'));
  const { broker } = agency.office;
  const writer = ['--broker', broker.url, '--ca-file', broker.caFile ?? '', '--username', 'agency'];
  writer.push('--password-file', broker.passwordFile ?? '');
  const { topics } = await ok<{ topics: string[] }>('directory', 'publish', ...paths, ...root, ...writer);
  expect(topics).toEqual(['latchkey/1/US-CA/dir/1']);
  expect(await refusal('directory', 'publish', join(agency.office.dir, 'agency.json'), ...root, ...writer)).toBe(
    'envelope/wrong-type',
  );
  await ok('office', 'revoke', requestId, ...inOffice(), ...asApprover(), '--reason', 'Case closed');
  const verified = await ok<{ head: string; entries: number }>('custody', 'verify', ...inOffice());
  expect(verified.entries).toBeGreaterThan(8);
  expect((await portal('custody', 'verify', ...inOffice(), '--head', verified.head, '--list')).out).toContain(
    'received',
  );
  expect(await refusal('custody', 'verify', ...inOffice(), '--head', '0'.repeat(64))).toBe('portal/custody-truncated');
});

test('an office and its console are made by command; mistakes are named', async () => {
  mkdirSync(agency.at('empty'));
  writeFileSync(
    agency.at('desks.json'),
    JSON.stringify({ officer: [agency.at('officer')], approver: [agency.at('approver')] }),
  );
  const make = [
    'office',
    'make',
    '--agency',
    join(agency.office.dir, 'agency.json'),
    '--root',
    agency.at('root/root.json'),
  ];
  make.push('--broker', agency.office.broker.url, '--out', agency.at('second'));
  expect(await refusal(...make)).toBe('portal/no-desks');
  expect(await ok(...make, '--desks', agency.at('desks.json'))).toMatchObject({ agency: 'west-city-pd', trial: false });
  // Whoever runs this test can read both keys, and so gets neither signature nor console.
  const console = ['console', '--office', agency.at('second'), '--port', '0', ...asOfficer()];
  expect(await refusal(...console)).toBe('portal/one-identity');
  const trial = await ok<{ url: string; token: string }>('console', ...inOffice(), '--port', '0', ...asOfficer());
  expect(trial.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  expect(trial.token.length).toBeGreaterThan(20);
  expect(await refusal('serve', '--port', '0')).toBe('portal/no-office');
  expect(await ok('serve', '--port', '0', ...inOffice())).toMatchObject({
    url: expect.stringMatching(/\/files$/) as string,
  });
});
