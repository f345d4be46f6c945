import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asAgentError } from '../../agent/base/errors.ts';
import { type Desks, openDesk, readDesks } from './desks.ts';
import { makeSigningKey } from './key-files.ts';
import { makeOffice } from './office.ts';
import { draftRequest } from './office-requests.ts';
import { runPortal } from './program.ts';
import { readRoot } from './root.ts';

/**
 * Officer and approver as two users of the operating system: the portal itself is run as each of them. Numbers that no
 * account has will do for the kernel.
 */
const main = join(import.meta.dirname, 'main.ts');
const [officerId, approverId, group] = [61_001, 61_002, 61_100];
const isRoot = process.geteuid?.() === 0;
let dir: string;
const at = (name: string): string => join(dir, name);

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'desks-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function code(role: 'officer' | 'approver', keys: string, desks: Desks): string {
  try {
    openDesk(role, keys, desks);
  } catch (thrown) {
    return asAgentError(thrown).code;
  }
  return 'opened';
}

describe('one account that could sign for both', () => {
  test('is refused before its key is used, whoever it is', () => {
    makeSigningKey('officer', at('officer'));
    makeSigningKey('approver', at('approver'));
    const desks = { officer: [at('officer')], approver: [at('approver')] };
    expect(code('officer', at('officer'), desks)).toBe('portal/one-identity');
    expect(code('approver', at('approver'), desks)).toBe('portal/one-identity');
    expect(code('officer', at('officer'), { ...desks, approver: [at('officer')] })).toBe('portal/keys-together');
  });

  test('cannot hide the other desk by naming a place where it is not', () => {
    makeSigningKey('officer', at('officer'));
    expect(code('officer', at('officer'), { officer: [], approver: [at('nowhere')] })).toBe('portal/desk-missing');
    // Desks of the other role on other machines are said to be so by an empty list.
    expect(code('officer', at('officer'), { officer: [at('officer')], approver: [] })).toBe('opened');
  });

  test('a key that others may look at is refused', () => {
    makeSigningKey('officer', at('officer'));
    const desks = { officer: [], approver: [] };
    chmodSync(at('officer/officer.key.json'), 0o640);
    expect(code('officer', at('officer'), desks)).toBe('portal/key-exposed');
    chmodSync(at('officer/officer.key.json'), 0o600);
    chmodSync(at('officer'), 0o711);
    expect(code('officer', at('officer'), desks)).toBe('portal/key-exposed');
  });

  test('the list of desks is read strictly', () => {
    writeFileSync(at('desks.json'), '{"officer":["a"]}');
    expect(() => readDesks(at('desks.json'))).toThrow(expect.objectContaining({ code: 'portal/malformed-file' }));
  });
});

describe.skipIf(!isRoot)('two real users (needs root, to become them)', () => {
  interface Result {
    readonly status: number | null;
    readonly out: string;
    readonly error: string;
  }

  function as(uid: number, ...args: string[]): Result {
    // Root's own groups would let the child into places that the user may not enter.
    const command = [
      '--reuid',
      String(uid),
      '--regid',
      String(group),
      '--clear-groups',
      process.execPath,
      main,
      ...args,
    ];
    const done = spawnSync('setpriv', command, { cwd: dir, env: { PATH: process.env['PATH'] ?? '' } });
    return { status: done.status, out: done.stdout.toString(), error: done.stderr.toString() };
  }
  const refusal = ({ error }: Result): string => /\(([a-z0-9/-]+)\)\n$/.exec(error)?.[1] ?? error;

  function reachable(): boolean {
    for (let path = main; path !== '/'; path = dirname(path)) {
      if (
        spawnSync('setpriv', ['--reuid', '61001', '--regid', '61100', '--clear-groups', 'test', '-r', path]).status !==
        0
      )
        return false;
    }
    return true;
  }

  /** As root, in this process: what is set up before the two begin. */
  async function setUp(...args: string[]): Promise<void> {
    const said: string[] = [];
    const output = { out: (): void => undefined, error: (text: string): void => void said.push(text) };
    expect([await runPortal(args, output, new AbortController().signal), said]).toEqual([0, []]);
  }

  test('each signs at the own desk; neither can read the other key; root can do neither', async (context) => {
    if (!reachable()) return context.skip('the checkout is closed to other users');
    chmodSync(dir, 0o2770);
    chownSync(dir, 0, group);
    expect(as(officerId, 'keys', 'officer', '--out', 'desk-o')).toMatchObject({ status: 0, error: '' });
    expect(as(approverId, 'keys', 'approver', '--out', 'desk-a')).toMatchObject({ status: 0, error: '' });
    // The group's bit is inherited, but a desk lets nobody in.
    for (const desk of ['desk-o', 'desk-a']) expect([desk, statSync(at(desk)).mode & 0o777]).toEqual([desk, 0o700]);
    await setUp('root', 'make', '--name', 'Registry', '--out', at('root'));
    await setUp('keys', 'recipient', '--out', at('evidence'));
    const files = ['--officer', at('desk-o/officer.pub.json'), '--approver', at('desk-a/approver.pub.json')];
    files.push('--recipient', at('evidence/recipient.pub.json'), '--root', at('root/root.json'));
    files.push('--root-key', at('root/root-1'), '--root-key', at('root/root-2'), '--out', at('agency.json'));
    const about = ['--id', 'west-city-pd', '--name', 'West City Police', '--region', 'US-CA'];
    await setUp('agency', 'make', ...about, ...files, '--endpoint', 'https://intake.example/files');
    const desks = { officer: [at('desk-o')], approver: [at('desk-a')] };
    const agency = readFileSync(at('agency.json'));
    const nowMs = Date.now();
    const broker = { url: 'mqtt://127.0.0.1:1' };
    const office = makeOffice({
      dir: at('office'),
      agency,
      root: readRoot(at('root/root.json')),
      desks,
      broker,
      nowMs,
    });
    const nowS = Math.floor(nowMs / 1000);
    const { requestId } = draftRequest(
      office,
      {
        region: 'US-CA',
        area: { circle: { lat_e6: 37_774_900, lon_e6: -122_419_400, radius_m: 300 } },
        case: { number: '26-1', incident: 'burglary', opened_on: '2026-01-20', statement: 'A door was forced.' },
        contact: { name: 'J. Doe', badge: '77', phone: '+1 555 0100' },
        window: { from: nowS - 7200, to: nowS - 3600 },
        authority: 'Penal Code 459',
      },
      nowMs,
    );
    spawnSync('chgrp', ['-R', String(group), at('office')]);
    spawnSync('chmod', ['-R', 'g+rwX,o=', at('office')]);
    spawnSync('find', [at('office'), '-type', 'd', '-exec', 'chmod', 'g+s', '{}', '+']);
    const sign = (uid: number, role: string, keys: string): Result =>
      as(uid, 'office', 'sign', requestId, '--office', 'office', '--as', role, '--keys', keys);
    expect(code('officer', at('desk-o'), desks)).toBe('portal/foreign-key');
    expect(sign(officerId, 'officer', 'desk-o')).toMatchObject({ status: 0, error: '' });
    // The officer at the approver's desk: the kernel says no.
    expect(refusal(sign(officerId, 'approver', 'desk-a'))).toBe('portal/foreign-key');
    expect(sign(approverId, 'approver', 'desk-a')).toMatchObject({ status: 0, error: '' });
    expect(existsSync(at(`office/signed/${requestId}.json`))).toBe(true);
    // Root with an approver's key of its own would be able to read both.
    await setUp('keys', 'approver', '--out', at('desk-r'));
    expect(code('approver', at('desk-r'), desks)).toBe('portal/one-identity');
    // An officer who is let into the approver's desk can no longer sign.
    chmodSync(at('desk-a'), 0o750);
    chmodSync(at('desk-a/approver.key.json'), 0o640);
    chownSync(at('desk-a/approver.key.json'), approverId, group);
    chownSync(at('desk-a'), approverId, group);
    expect(refusal(sign(officerId, 'officer', 'desk-o'))).toBe('portal/one-identity');
    expect(refusal(sign(approverId, 'approver', 'desk-a'))).toBe('portal/key-exposed');
  }, 180_000);
});
