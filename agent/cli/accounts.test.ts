import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { Running } from '../../test-fixtures/owner-program.ts';
import type { LedgerEntry } from '../owner/service.ts';
import { register } from './accounts.ts';
import { type CommandResult, runCommand } from './fixture/command.ts';

let folder: string;
let house: TestHouse;
let owner: Running;
let config: string;

async function start(settings: object): Promise<void> {
  owner = new Running(house, settings);
  await owner.start();
  const { dataDir } = house;
  const cameras = [{ id: 'front', name: 'Front', source: { kind: 'file', path: 'x' } }];
  writeFileSync(config, JSON.stringify({ dataDir, cameras, regions: ['US-CA'] }));
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lk-accounts-'));
  house = await TestHouse.make();
  config = join(folder, 'config.json');
});
afterEach(async () => {
  await owner.stop();
  house[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const run = (input: string, ...args: readonly string[]): Promise<CommandResult> =>
  runCommand([register], ['accounts', ...args, '--config', config], { input });
const code = (text: string): readonly unknown[] => [expect.any(Number), expect.stringContaining(`(${text})`)];

test('log-ins are added, listed, given another password and removed; each is in the ledger, no password anywhere', async () => {
  await start({});
  const file = join(folder, 'password');
  const made = await run('', 'add', 'Ada', '--password-file', file);
  expect([made.status, made.stdout]).toEqual([0, expect.stringMatching(/^Added ada, owner: /)]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const guest = await run('\n', 'add', 'guest', '--viewer', '--json');
  expect(JSON.parse(guest.stdout)).toEqual({ name: 'guest', role: 'viewer' });
  const shown = /password (\S{16})\n/.exec(guest.stderr)?.[1] ?? '';
  expect(shown).toHaveLength(16);
  const listed = await run('', 'list');
  expect(listed.stdout).toMatch(/^ada {4}owner {3}answers requests .*\nguest {2}viewer {2}reads, /);
  expect(JSON.parse((await run('', 'list', '--json')).stdout)).toHaveLength(2);

  const changed = await run('another password\n', 'password', 'guest');
  expect(changed.stdout).toContain('Whoever was logged in as guest is logged out.');
  expect((await run('', 'remove', 'guest')).stdout).toContain('Removed guest');
  await owner.call('unlockDeciding', { passphrase: testPassphrase });
  await owner.call('lock');
  await owner.call('unlockDeciding', { passphrase: testPassphrase });
  const [entry] = await owner.call<LedgerEntry[]>('listLedger', { from: 1, count: 1 });
  expect(entry?.actions).toEqual([
    'account-add ada owner',
    'account-add guest viewer',
    'account-password guest',
    'account-remove guest',
  ]);
  const stored = readFileSync(join(house.dataDir, 'owner', 'accounts.json'), 'utf8');
  for (const secret of [readFileSync(file, 'utf8').trim(), shown, 'another password']) expect(stored).not.toContain(secret); // biome-ignore format: one check
});

test('what cannot be done is said: a bad name, a short password, one that is there, one that is not, the last owner', async () => {
  await start({});
  await run('\n', 'add', 'ada');
  const refused = async (...args: Parameters<typeof run>) => {
    const { status, stderr } = await run(...args);
    return [status, stderr];
  };
  expect(await refused('\n', 'add', '../etc')).toEqual(code('login/bad-name'));
  expect(await refused('short\n', 'add', 'bea')).toEqual(code('init/bad-answer'));
  expect(await refused('\n', 'add', 'ADA')).toEqual(code('login/account-exists'));
  expect(await refused('\n', 'password', 'bea')).toEqual(code('login/no-such-account'));
  // Nobody is asked, and no file is made, for what can't be.
  const file = join(folder, 'made');
  expect(await refused('', 'add', 'Ada', '--password-file', file)).toEqual(code('login/account-exists'));
  expect(await refused('', 'password', 'bea', '--password-file', file)).toEqual(code('login/no-such-account'));
  expect(existsSync(file)).toBe(false);
  expect(await refused('', 'add', 'bea')).toEqual([2, expect.stringContaining('--password-file (cli/no-password)')]);
  expect(await refused('', 'remove', 'bea')).toEqual(code('login/no-such-account'));
  expect(await refused('', 'remove', 'ada')).toEqual(code('login/last-owner'));
  expect(await refused('\n', 'add', 'x'.repeat(100))).toEqual(code('owner/bad-arguments'));
});

test('the second approver’s log-in can be made, but neither removed nor given a password by another', async () => {
  await start({ secondApprover: 'grandma' });
  await run('\n', 'add', 'ada');
  // By mistake as a viewer, who could confirm nothing: that can be undone.
  await run('her own password\n', 'add', 'grandma', '--viewer');
  expect((await run('', 'remove', 'grandma')).status).toBe(0);
  await run('her own password\n', 'add', 'grandma');
  for (const args of [
    ['remove', 'Grandma'],
    ['password', 'grandma'],
  ]) {
    const { status, stderr } = await run('a password of mine\n', ...args);
    expect([status, stderr]).toEqual([5, expect.stringContaining('(login/second-approver)')]);
  }
  const present = join(folder, 'present');
  const change = () => run('a newer password\n', 'password', 'grandma', '--present-password-file', present);
  writeFileSync(present, 'not her password\n');
  expect((await change()).stderr).toContain('(login/wrong)');
  writeFileSync(present, 'her own password\n');
  expect((await change()).status).toBe(0);
  expect((await run('\n', 'password', 'ada')).status).toBe(0);
});
