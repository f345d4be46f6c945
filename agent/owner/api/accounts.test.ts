import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { createAccount, type HashPassword, hasAccounts, hashPassword, isOwner, listAccounts } from './accounts.ts';
import { Logins } from './logins.ts';
import { addressKey } from './throttle.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'latchkey-accounts-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const password = 'correct horse battery';
const makeLogins = (clock = new ManualClock(0), hash: HashPassword = hashPassword): Logins =>
  new Logins({ dataDir, clock, random: () => 0, hash });
const cheapHash: HashPassword = async (text, salt) => Buffer.concat([salt, Buffer.from(text)], 32);

test('no account exists by itself; one that was made logs in, whatever the case of its name', async () => {
  expect(hasAccounts(dataDir)).toBe(false);
  await createAccount({ dataDir, name: 'Ada', password, role: 'owner' });
  await createAccount({ dataDir, name: 'guest', password: 'another password', role: 'viewer' });
  expect(listAccounts(dataDir)).toEqual([
    { name: 'ada', role: 'owner' },
    { name: 'guest', role: 'viewer' },
  ]);
  const account = await makeLogins().checkLogin({ name: 'ADA', password, address: '10.0.0.2' });
  expect(account).toEqual({ name: 'ada', role: 'owner' });
});

test('the file holds Argon2id hashes with their cost, no password, and is private', async () => {
  await createAccount({ dataDir, name: 'ada', password, role: 'owner' });
  const path = join(dataDir, 'owner', 'accounts.json');
  const text = readFileSync(path, 'utf8');
  expect(text).not.toContain(password);
  expect(text).toContain('"memoryKiB": 19456');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('only an owner’s log-in can confirm a share; the page and the command line agree on who that is', async () => {
  await createAccount({ dataDir, name: 'ada', password, role: 'owner' });
  await createAccount({ dataDir, name: 'guest', password, role: 'viewer' });
  expect(['ada', 'guest', 'nobody'].map((name) => isOwner(dataDir, name))).toEqual([true, false, false]);
});

test('composed and decomposed letters are the same password', async () => {
  await createAccount({ dataDir, name: 'ada', password: 'pâté en croûte', role: 'owner' });
  const login = { name: 'ada', password: 'pâté en croûte'.normalize('NFD'), address: '10.0.0.2' };
  await expect(makeLogins().checkLogin(login)).resolves.toMatchObject({ name: 'ada' });
});

test.each([
  ['login/bad-name', { name: '../etc', password }],
  ['login/bad-name', { name: '', password }],
  ['login/short-password', { name: 'ada', password: 'short' }],
  ['login/short-password', { name: 'ada', password: 'x'.repeat(1025) }],
])('%s', async (code, account) => {
  await expect(createAccount({ dataDir, ...account, role: 'owner' })).rejects.toMatchObject({ code, kind: 'usage' });
});

test('login/account-exists, login/too-many and login/accounts-damaged', async () => {
  await createAccount({ dataDir, name: 'ada', password, role: 'owner' });
  const again = createAccount({ dataDir, name: 'Ada', password, role: 'viewer' });
  await expect(again).rejects.toMatchObject({ code: 'login/account-exists' });
  const path = join(dataDir, 'owner', 'accounts.json');
  const { accounts } = JSON.parse(readFileSync(path, 'utf8')) as { accounts: object[] };
  const full = Array.from({ length: 32 }, (_, i) => ({ ...accounts[0], name: `user${i}` }));
  writeFileSync(path, JSON.stringify({ accounts: full }));
  const more = createAccount({ dataDir, name: 'one-more', password, role: 'viewer' });
  await expect(more).rejects.toMatchObject({ code: 'login/too-many' });
  writeFileSync(path, '{"accounts": [{"name": "ada", "role": "root"}]}');
  expect(() => hasAccounts(dataDir)).toThrow(expect.objectContaining({ code: 'login/accounts-damaged' }));
});

test('an unknown name does the same work and gets the same answer as a wrong password', async () => {
  await createAccount({ dataDir, name: 'ada', password, role: 'owner' });
  const costs: unknown[] = [];
  const counting: HashPassword = (text, salt, cost) => {
    costs.push({ memoryKiB: cost.memoryKiB, passes: cost.passes });
    return hashPassword(text, salt, cost);
  };
  const logins = makeLogins(new ManualClock(0), counting);
  const failures: unknown[] = [];
  for (const name of ['ada', 'nobody']) {
    await logins.checkLogin({ name, password: 'wrong password', address: '10.0.0.2' }).catch((e: unknown) => {
      failures.push((e as { toReport: () => unknown }).toReport());
    });
  }
  expect(costs[0]).toEqual(costs[1]);
  expect(failures[0]).toMatchObject({ code: 'login/wrong', kind: 'refused' });
  expect(failures[0]).toEqual(failures[1]);
});

test('after five wrong tries the sixth waits, longer each time, and a right one clears the count', async () => {
  await createAccount({ dataDir, name: 'ada', password, role: 'owner' });
  const clock = new ManualClock(0);
  const logins = makeLogins(clock);
  const attempt = (text: string, address = '10.0.0.2'): Promise<unknown> =>
    logins.checkLogin({ name: 'ada', password: text, address }).catch((error: unknown) => error);
  for (let i = 0; i < 5; i++) expect(await attempt('wrong password')).toMatchObject({ code: 'login/wrong' });
  // Even the right password has to wait now, and waiting tries aren't counted; a neighbour isn't held up.
  const throttled = await attempt(password);
  expect(throttled).toMatchObject({ code: 'login/throttled', detail: { waitMs: 30_000 } });
  expect(await attempt(password, '10.0.0.3')).toMatchObject({ name: 'ada' });
  await clock.advance(30_000);
  expect(await attempt('wrong password')).toMatchObject({ code: 'login/wrong' });
  expect(await attempt(password)).toMatchObject({ code: 'login/throttled', detail: { waitMs: 60_000 } });
  await clock.advance(60_000);
  expect(await attempt(password)).toMatchObject({ name: 'ada' });
  expect(await attempt('wrong password')).toMatchObject({ code: 'login/wrong' });
});

test('many addresses together are throttled by the account, many accounts by the address', async () => {
  const logins = makeLogins(new ManualClock(0), cheapHash);
  const codeOf = (name: string, address: string): Promise<string> =>
    logins.checkLogin({ name, password, address }).then(
      () => 'in',
      (error: { code: string }) => error.code,
    );
  const byAccount = [];
  for (let i = 0; i < 41; i++) byAccount.push(await codeOf('ada', `10.0.1.${i}`));
  expect(byAccount.indexOf('login/throttled')).toBe(40);
  const byAddress = [];
  for (let i = 0; i < 21; i++) byAddress.push(await codeOf(`user${i}`, '10.0.2.1'));
  expect(byAddress.indexOf('login/throttled')).toBe(20);
});

test('guesses made all at once are counted before they are judged; beyond eight waiting: login/busy', async () => {
  const logins = makeLogins(new ManualClock(0), cheapHash);
  const codes = await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      logins.checkLogin({ name: i < 7 ? 'ada' : `user${i}`, password, address: `10.0.0.${i < 7 ? 1 : i}` }).then(
        () => 'in',
        (error: { code: string }) => error.code,
      ),
    ),
  );
  expect(codes.filter((code) => code === 'login/throttled')).toHaveLength(2);
  expect(codes.filter((code) => code === 'login/busy')).toHaveLength(2);
});

test('an IPv6 /64 counts as one address and a mapped IPv4 as itself', () => {
  expect(addressKey('2001:db8::1')).toBe(addressKey('2001:0db8:0:0:ffff:ffff:ffff:ffff'));
  expect(addressKey('2001:db8:0:1::1')).not.toBe(addressKey('2001:db8::1'));
  expect(addressKey('::ffff:10.0.0.2')).toBe('10.0.0.2');
  expect(addressKey('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
});
