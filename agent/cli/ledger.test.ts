import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { passphrase } from '../owner/api/fixture/memory-service.ts';
import type { LedgerEntry, LedgerHead } from '../owner/service.ts';
import { register as agencies } from './agencies.ts';
import { runCommand } from './fixture/command.ts';
import { type Installation, makeInstallation } from './fixture/installation.ts';
import { register as ledger } from './ledger.ts';
import { register as requests } from './requests.ts';

let place: Installation;

beforeEach(async () => {
  place = makeInstallation();
  await place.startOwner();
});
afterEach(() => place[Symbol.asyncDispose]());

const run = (...args: readonly string[]) =>
  runCommand([ledger, agencies, requests], [...args, '--config', place.configPath]);

function entry(number: number, actions: readonly string[], more: Partial<LedgerEntry> = {}): LedgerEntry {
  const hash = String(number).padStart(64, '0');
  return { entry: number, atMs: 1_795_262_400_000, hash, readable: true, actions, moreCount: 0, ...more };
}

describe('latchkey ledger', () => {
  const head: LedgerHead = { entryCount: 120, headHash: '120'.padStart(64, '0') };

  beforeEach(() => {
    const all = Array.from({ length: 120 }, (_, i) =>
      i === 6
        ? entry(7, [], { readable: false })
        : entry(i + 1, ['view a', 'view b', `decline \u001b[2J${i}`], { moreCount: i }),
    );
    place.service.listLedger = async ({ from, count }) =>
      all.filter((e) => e.entry >= from).slice(0, Math.min(count, 100));
    place.service.ledgerHead = async () => head;
  });

  it('lists every session in one line, over several answers, and what does not open too', async () => {
    const { stdout, status } = await run('ledger', 'list');
    const lines = stdout.trimEnd().split('\n');
    expect(status).toBe(0);
    expect(lines).toHaveLength(120);
    expect(lines[0]).toMatch(/^1 .*view 2, decline 1$/);
    expect(lines[6]).toContain('does not open');
    expect(lines[119]).toContain('and 119 more');
    expect((JSON.parse((await run('ledger', 'list', '--json')).stdout) as unknown[]).length).toBe(120);
    expect((await run('ledger', 'export')).stdout.trimEnd().split('\n')).toHaveLength(120);
  });

  it('shows one session without letting it touch the terminal', async () => {
    const { stdout } = await run('ledger', 'show', '3');
    expect(stdout).toContain('  view a\n  view b\n');
    expect(stdout).not.toContain('\u001b');
    for (const bad of ['0', '121', 'x']) {
      expect((await run('ledger', 'show', bad)).stderr).toContain('(ledger/no-such-entry)');
    }
  });

  it('verifies the chain, a noted head, and says where it breaks', async () => {
    expect((await run('ledger', 'verify')).stdout).toContain(`Head 120:${head.headHash}`);
    expect((await run('ledger', 'verify', '--head', `9:${'9'.padStart(64, '0')}`)).status).toBe(0);
    expect((await run('ledger', 'verify', '--head', `9:${'8'.padStart(64, '0')}`)).stderr).toContain(
      '(ledger/head-differs)',
    );
    expect((await run('ledger', 'verify', '--head', `121:${'1'.padStart(64, '0')}`)).stderr).toContain(
      '(ledger/head-differs)',
    );
    expect((await run('ledger', 'verify', '--head', '9')).stderr).toContain('(ledger/bad-head)');
    place.service.ledgerHead = async () => ({ ...head, brokenAtEntry: 4 });
    const broken = await run('ledger', 'verify', '--json');
    expect([broken.status, broken.stderr]).toEqual([6, expect.stringContaining('(ledger/broken)')]);
    expect(JSON.parse(broken.stdout)).toMatchObject({ brokenAtEntry: 4 });
  });
});

describe('what the owner narrows', () => {
  it('is set for one agency and shown in its line', async () => {
    expect((await run('agencies', 'mute', 'cedar-falls-pd')).stdout).toContain('muted');
    expect((await run('agencies', 'unmute', 'cedar-falls-pd')).stdout).toContain('enabled');
    expect((await run('agencies', 'limit', 'cedar-falls-pd', '2')).stdout).toContain('enabled, 2 a day');
    expect((await run('agencies', 'limit', 'cedar-falls-pd', 'default')).stdout).toMatch(/enabled {2}/);
    for (const bad of ['many', '10', '2.5']) {
      expect((await run('agencies', 'limit', 'cedar-falls-pd', bad)).stderr).toContain('agencies/bad-limit');
    }
  });

  it('evidence and alerts are printed without control characters', async () => {
    expect((await run('agencies', 'evidence', 'cedar-falls-pd')).stdout).toContain('None');
    const text = Buffer.from('{"a":"\u001b[2J"}').toString('base64');
    place.service.showEvidence = async () => [{ firstBase64: text, secondBase64: text, foundAtMs: 0 }];
    const shown = (await run('agencies', 'evidence', 'cedar-falls-pd')).stdout;
    expect(shown).toContain('two documents under one number');
    expect(shown).not.toContain('\u001b');
    expect((await run('agencies', 'alerts')).stdout).toContain('Parcels taken on Alder Street');
    // Broken by the terminal, the rest of a long one would begin where the time of another stands.
    const [notice] = place.service.notices;
    place.service.notices = [{ ...notice!, text: `${'x'.repeat(78)}2026-11-21 20:00:00 +00:00  City: all is well` }];
    const lines = (await run('agencies', 'alerts')).stdout.trimEnd().split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.filter((line) => !line.startsWith(' '))).toHaveLength(1);
  });
});

describe('requests', () => {
  const id = 'a'.repeat(32);

  it('confirm asks for the password of the second approver', async () => {
    const detail = await place.service.showRequest({ requestId: id });
    const share = {
      shareId: '1'.repeat(32),
      state: 'COOLING',
      bytes: 1,
      releaseNotBeforeMs: 0,
      deadlineMs: 1,
    } as const;
    place.service.showRequest = async () => ({ ...detail, share: { ...share, waitsFor: 'grandma' } });
    place.service.confirm = async ({ account }) => ({ ...share, shareId: account.padEnd(32, '0') });
    expect((await run('requests', 'show', id)).stdout).toMatch(/Waits for +grandma/);
    const args = ['requests', 'confirm', id, '--as', 'grandma', '--config', place.configPath];
    const confirmed = await runCommand([requests], args, { input: 'her own password\n' });
    expect([confirmed.status, confirmed.stderr]).toEqual([0, expect.stringContaining('Password of grandma')]);
    expect(confirmed.stdout).toContain('Confirmed.');
  });

  it('demand says what was promised and what became of it', async () => {
    const detail = await place.service.showRequest({ requestId: id });
    const after = {
      sharedAtMs: 0,
      deleteDueMs: 1,
      outcomeDueMs: 2,
      outcome: 'overdue',
      deletion: 'demanded',
      demands: [],
    } as const;
    const share = {
      shareId: '1'.repeat(32),
      state: 'SHARED',
      bytes: 1,
      releaseNotBeforeMs: 0,
      deadlineMs: 1,
      after,
    } as const;
    place.service.showRequest = async () => ({ ...detail, state: 'SHARED', share });
    expect((await run('requests', 'show', id)).stdout).toMatch(/Outcome +OVERDUE/);
    const args = ['requests', 'demand', id, '--config', place.configPath];
    expect((await runCommand([requests], args, { input: `${passphrase}\n` })).stderr).toContain(
      '(consent/nothing-shared)',
    );
    place.service.demandDeletion = async () => share;
    expect((await runCommand([requests], args, { input: `${passphrase}\n` })).stdout).toContain(
      'signed and on its way',
    );
  });
});
