import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ControlClient, ControlServer } from '../base/control.ts';
import { AgentError } from '../base/errors.ts';
import { hostileText, passphrase } from '../owner/api/fixture/memory-service.ts';
import { fromHex } from '../protocol/bytes.ts';
import { fingerprint } from '../protocol/words.ts';
import { register as agencies } from './agencies.ts';
import { register as backup } from './backup.ts';
import { register as clips } from './clips.ts';
import { register as demo } from './demo.ts';
import { register as detect } from './detect.ts';
import { register as doctor } from './doctor.ts';
import { type CommandResult, runCommand } from './fixture/command.ts';
import { type Installation, makeInstallation } from './fixture/installation.ts';
import { Terminal } from './fixture/terminal.ts';
import { register as init } from './init.ts';
import { register as ledger } from './ledger.ts';
import { register as lock } from './lock.ts';
import { register as mask } from './mask.ts';
import { register as models } from './models.ts';
import { OwnerClient } from './owner-client.ts';
import { register as pair } from './pair.ts';
import { register as program } from './program.ts';
import type { Register } from './program-line.ts';
import { register as requests } from './requests.ts';
import { register as restore } from './restore.ts';
import { register as run } from './run.ts';
import { register as status } from './status.ts';
import { register as unlock } from './unlock.ts';
import { register as verify } from './verify.ts';
import { register as watch } from './watch.ts';

const all: readonly Register[] = [
  ledger,
  init,
  run,
  status,
  pair,
  unlock,
  lock,
  requests,
  agencies,
  clips,
  verify,
  watch,
  demo,
  detect,
  doctor,
  backup,
  restore,
  mask,
  models,
  program,
];
const requestId = 'a'.repeat(32);
const hostileId = 'b'.repeat(32);

let place: Installation;
let passphraseFile: string;

function file(name: string, text: string): string {
  const path = join(place.folder, name);
  writeFileSync(path, text);
  return path;
}

function latchkey(line: readonly string[], input = ''): Promise<CommandResult> {
  return runCommand(all, line, { env: { HOME: place.folder, LATCHKEY_CONFIG: place.configPath }, input });
}

beforeAll(async () => {
  place = makeInstallation();
  await place.startOwner();
  passphraseFile = file('passphrase', `${passphrase}\n`);
});
afterAll(async () => place[Symbol.asyncDispose]());

describe('a mistake is answered in one line, with its kind as the exit status, and never with a stack trace', () => {
  const rootKeys = ['11', '22', '33'].map((two) => two.repeat(32));
  const root = (): string =>
    file('root.json', JSON.stringify({ latchkey_root: 1, name: 'Linn County', threshold: 2, keys: rootKeys }));
  const nowhere = (...line: readonly string[]): string[] => [...line, '--config', join(place.folder, 'none.json')];

  it.each<[string, number, string, () => readonly string[], string?]>([
    ['an unknown command', 2, "unknown command 'sesame'", () => ['sesame']],
    ['a missing argument', 2, "missing required argument 'id'", () => ['requests', 'show']],
    ['an unknown option', 2, "unknown option '--loud'", () => ['status', '--loud']],
    ['a configuration that is not there', 3, '(config/missing)', () => nowhere('status')],
    ['a configuration that is wrong', 3, '(config/invalid)', () => ['status', '--config', file('bad.json', '{}')]],
    ['a program that is not running', 4, '(base/program-not-running)', () => {
      const other = file('other.json', JSON.stringify({ dataDir: 'other', cameras: [{ id: 'a', name: 'A', source: { kind: 'file', path: 'x' } }], regions: ['US-IA'] }));
      return ['status', '--config', other];
    }],
    ['starting without keys', 3, '(run/not-initialised)', () => ['run']],
    ['a recorder for an unknown camera', 3, '(program/unknown-camera)', () => ['program', 'recorder', '--camera', 'attic']],
    ['a passphrase file that is not there', 2, '(cli/secret-file)', () => ['unlock', '--passphrase-file', join(place.folder, 'none')]],
    ['an empty passphrase file', 2, '(cli/secret-file)', () => ['unlock', '--passphrase-file', file('empty', '\n')]],
    ['no passphrase typed', 2, '(cli/no-passphrase)', () => ['unlock', '--deciding'], '\n'],
    ['nobody there to type a passphrase', 2, '--passphrase-file (cli/no-passphrase)', () => ['unlock', '--deciding'], ''],
    ['input that ends too early', 2, '(cli/no-answer)', () => ['agencies', 'add-root', file('early.json', JSON.stringify({ latchkey_root: 1, name: 'Linn', threshold: 2, keys: ['aa', 'bb', 'cc'].map((two) => two.repeat(32)) }))], ''],
    ['an endless line', 2, '(cli/answer-too-long)', () => ['unlock', '--deciding'], 'x'.repeat(5000)],
    ['a wrong passphrase', 5, '(vault/wrong-passphrase)', () => ['unlock', '--deciding'], 'one two three four five six\n'],
    ['unlocking a terminal that is not paired', 5, '(cli/not-paired)', () => ['unlock']],
    ['looking back while locked', 5, '(vault/locked)', () => ['clips', 'list']],
    ['a request that does not exist', 2, '(owner/unknown-request)', () => ['requests', 'show', 'c'.repeat(32)]],
    ['a clip outside the request', 2, '(requests/no-such-clip)', () => ['requests', 'approve', requestId, '--clip', 'ffff', '--passphrase-file', passphraseFile]],
    ['a part outside the clip', 2, '(requests/outside-clip)', () => ['requests', 'approve', requestId, '--clip', `${'0c'.padEnd(32, '0')},2020-01-01T00:00:00Z,2020-01-01T00:00:10Z`, '--passphrase-file', passphraseFile]],
    ['a part without a time', 2, '(requests/bad-time)', () => ['requests', 'approve', requestId, '--clip', `${'0c'.padEnd(32, '0')},noon`, '--passphrase-file', passphraseFile]],
    ['choosing nothing', 2, '(requests/nothing-chosen)', () => ['requests', 'approve', requestId, '--passphrase-file', passphraseFile], '\n'],
    ['not confirming', 5, '(requests/not-confirmed)', () => ['requests', 'approve', requestId, '--passphrase-file', passphraseFile], '1\nno\n'],
    ['a root that is no root', 2, '(agencies/not-a-root)', () => ['agencies', 'add-root', file('no-root.json', '{"keys": []}')]],
    ['a root with one key three times', 2, '(agencies/not-a-root)', () => ['agencies', 'add-root', file('same.json', JSON.stringify({ latchkey_root: 1, name: 'x', threshold: 2, keys: Array<string>(3).fill('11'.repeat(32)) }))]],
    ['a root that is not there', 2, '(agencies/unreadable)', () => ['agencies', 'add-root', join(place.folder, 'none')]],
    ['a wrong fingerprint', 5, '(agencies/wrong-fingerprint)', () => ['agencies', 'add-root', root()], '1234 5678\n'],
    ['an agency nobody knows', 2, '(owner/unknown-agency)', () => ['agencies', 'enable', 'nobody']],
    ['a time that is none', 2, '(clips/bad-time)', () => ['clips', 'list', '--from', 'yesterday']],
    ['a sealed clip that is not there', 2, '(clips/not-found)', () => ['clips', 'sealed', 'ffff', '--segment', '0']],
    ['a sealed clip without a target', 2, '(clips/usage)', () => ['clips', 'sealed', 'ffff']],
    ['a share that is not there', 2, '(verify/missing)', () => ['verify', join(place.folder, 'none')]],
    ['a share that is still encrypted', 2, '(verify/encrypted)', () => ['verify', file('share.age', 'age-encryption.org/v1\n-> X25519 abc\n')]],
    ['an agency without its root', 2, '(verify/half-signers)', () => ['verify', place.folder, '--agency', root()]],
    ['a time of arrival that is none', 2, '(verify/bad-time)', () => ['verify', place.folder, '--received', 'noon']],
    ['a demo that nobody watches', 2, '(demo/no-terminal)', () => ['demo']],
    ['a folder that is no share', 5, '(share/', () => ['verify', place.folder]],
  ])('%s', async (_, exitStatus, message, line, input) => {
    const result = await latchkey(line(), input);
    expect(result.stderr).toContain(message);
    expect(result.status).toBe(exitStatus);
    expect(result.stderr).not.toMatch(/\n\s+at /);
    expect(result.stdout).toBe('');
  }); // biome-ignore format: one case a line

  it('but a bug says so, asks for a report, and shows its trace only when asked', async () => {
    const broken: Register = (command) => {
      command.command('break').action(() => {
        throw new TypeError('undefined is not a camera');
      });
    };
    const plain = await runCommand([broken], ['break']);
    expect(plain.status).toBe(70);
    expect(plain.stderr).toContain('(base/unexpected)');
    expect(plain.stderr).toContain('Please report it');
    expect(plain.stderr).not.toMatch(/\n\s+at /);
    const debug = await runCommand([broken], ['break'], { env: { LATCHKEY_DEBUG: '1' } });
    expect(debug.stderr).toMatch(/TypeError: undefined is not a camera\n\s+at /);
  });

  it('and Ctrl-C at a hidden question ends in order, with the terminal echoing again', async () => {
    using terminal = new Terminal(place.folder, ['unlock', '--deciding', '--config', place.configPath]);
    await terminal.see('Passphrase');
    terminal.typeText('half a pass');
    terminal.type('C-c');
    await terminal.see('(cli/interrupted)');
    expect(await terminal.see('status 2')).not.toContain('half');
    terminal.typeText('visible');
    await terminal.see('visible');
  });

  it('and where only the agent is installed, the demo is said to be elsewhere', () => {
    const installed = join(place.folder, 'installed');
    const checkout = join(import.meta.dirname, '../..');
    cpSync(join(checkout, 'agent'), join(installed, 'agent'), {
      recursive: true,
      filter: (path) => !/\.test\.ts$|\/dist$/.test(path),
    });
    cpSync(join(checkout, 'package.json'), join(installed, 'package.json'));
    symlinkSync(join(checkout, 'node_modules'), join(installed, 'node_modules'));
    const result = spawnSync(process.execPath, [join(installed, 'agent/main.ts'), 'demo', '--yes'], {
      encoding: 'utf8',
    });
    expect([result.status, result.stderr]).toEqual([4, expect.stringContaining('(demo/not-here)')]);
  });

  it('and a terminal without a home is told so', async () => {
    const result = await runCommand(all, ['unlock'], { env: { HOME: '', LATCHKEY_CONFIG: place.configPath } });
    expect([result.status, result.stderr]).toEqual([2, expect.stringContaining('(cli/no-home)')]);
  });
});

describe('every command', () => {
  const lines = [
    'init', 'run', 'status', 'pair', 'unlock', 'lock', 'verify', 'requests list', 'requests show', 'requests review', 'requests approve', 'requests check',
    'requests decline', 'requests withdraw', 'requests confirm', 'requests demand', 'ledger list', 'ledger show', 'ledger verify',
    'ledger export', 'agencies mute', 'agencies unmute', 'agencies limit', 'agencies evidence', 'agencies alerts', 'agencies add-root', 'agencies import', 'agencies list', 'agencies enable', 'agencies disable',
    'clips list', 'clips export', 'clips sealed', 'clips share', 'clips delete', 'clips undelete', 'clips pin', 'clips unpin', 'watch', 'detect', 'doctor', 'mask', 'backup', 'restore', 'models list', 'models check', 'models time', 'models add',
  ]; // biome-ignore format: a list
  it.each(lines)('%s explains itself with an example', async (line) => {
    const result = await latchkey([...line.split(' '), '--help']);
    expect(result.status).toBe(0);
    expect(result.stdout).toContain(`  latchkey ${line}`);
    expect(result.stdout).toMatch(/Examples?:/);
  });
});

describe('an owner at the command line', () => {
  it('sees the state, as text and as JSON', async () => {
    await latchkey(['lock']);
    expect((await latchkey(['status'])).stdout).toContain('camera front      streaming (Front door)');
    const health = JSON.parse((await latchkey(['status', '--json'])).stdout) as unknown;
    expect(health).toMatchObject({ lock: 'locked', cameras: [{ state: 'streaming' }] });
  });

  it('pairs this terminal into a private file, unlocks viewing with it, exports a clip, and locks', async () => {
    const paired = await latchkey(['pair', '--name', 'hall', '--json', '--passphrase-file', passphraseFile]);
    expect(paired.status).toBe(0);
    const pairingFile = join(place.folder, '.config', 'latchkey', 'pairing.json');
    expect(statSync(pairingFile).mode & 0o777).toBe(0o600);
    const { viewingKey } = JSON.parse(readFileSync(pairingFile, 'utf8')) as { viewingKey: string };
    expect(paired.stdout).not.toContain(viewingKey);

    expect((await latchkey(['unlock'])).stdout).toContain('Unlocked for viewing');
    const list = await latchkey([
      'clips',
      'list',
      '--json',
      '--from',
      '2026-11-21T00:00:00Z',
      '--to',
      '2026-11-23T00:00:00Z',
    ]);
    const [clip] = JSON.parse(list.stdout) as { clipId: string }[];
    const out = join(place.folder, 'clip.mp4');
    // By the first digits of its id.
    expect((await latchkey(['clips', 'export', clip?.clipId.slice(0, 6) ?? '', '--out', out])).status).toBe(0);
    const probe = ['-v', 'error', '-count_packets', '-show_entries', 'format=start_time:stream=nb_read_packets'];
    const shown = execFileSync('ffprobe', [...probe, '-of', 'csv=p=0', out], { encoding: 'utf8' });
    expect(shown.trim().split('\n')).toEqual(['1000', '0.000000']);
    expect(readdirSync(place.folder).filter((name) => name.includes('unfinished'))).toEqual([]);
    const again = await latchkey(['clips', 'export', clip?.clipId ?? '', '--out', out]);
    expect([again.status, again.stderr]).toEqual([2, expect.stringContaining('(clips/file-exists)')]);
    const nowhere = await latchkey([
      'clips',
      'export',
      clip?.clipId ?? '',
      '--out',
      join(place.folder, 'no', 'clip.mp4'),
    ]);
    expect([nowhere.status, nowhere.stderr]).toEqual([4, expect.stringContaining('(clips/cannot-write)')]);

    // A second one for the same terminal leaves the first valid until it is ended.
    await latchkey(['pair', '--name', 'hall again', '--passphrase-file', passphraseFile]);
    const listed = JSON.parse((await latchkey(['pair', '--list', '--json'])).stdout) as { pairingId: string }[];
    expect(listed).toMatchObject([{ name: 'hall' }, { name: 'hall again' }]);
    expect((await latchkey(['pair', '--list'])).stdout).toMatch(/^[0-9a-f]{16} {2}hall {2}paired .+, ends .+\n/);
    const ambiguous = await latchkey(['pair', '--end', '']);
    expect([ambiguous.status, ambiguous.stderr]).toEqual([2, expect.stringContaining('(pair/which-pairing)')]);
    const ended = await latchkey(['pair', '--end', listed[0]?.pairingId.slice(0, 8) ?? '']);
    expect(ended.stdout).toContain('"hall" can no longer look back');
    expect(JSON.parse((await latchkey(['pair', '--list', '--json'])).stdout)).toMatchObject([{ name: 'hall again' }]);

    expect((await latchkey(['lock'])).stdout).toContain('Locked');
    writeFileSync(pairingFile, '{}');
    const damaged = await latchkey(['unlock']);
    expect([damaged.status, damaged.stderr]).toEqual([6, expect.stringContaining('(cli/bad-pairing-file)')]);
  });

  it('adds a root only with its fingerprint typed back', async () => {
    const keys = ['aa', 'bb', 'cc'].map((two) => two.repeat(32));
    const path = file(
      'county.json',
      JSON.stringify({ latchkey_root: 1, name: 'Linn \u001b[31mCounty', threshold: 2, keys }),
    );
    const right = fingerprint(keys.map((hex) => fromHex(hex)));
    const typed = await latchkey(['agencies', 'add-root', path], `${right.toUpperCase()}\n${passphrase}\n`);
    expect([typed.status, typed.stdout]).toEqual([0, expect.stringContaining('1 root is trusted')]);
    expect(typed.stderr).not.toContain('\u001b');
    const given = await latchkey([
      'agencies',
      'add-root',
      path,
      '--fingerprint',
      right,
      '--passphrase-file',
      passphraseFile,
      '--json',
    ]);
    expect(JSON.parse(given.stdout)).toEqual({ rootCount: 1 });
    expect((await latchkey(['agencies', 'disable', 'cedar-falls-pd'])).stdout).toContain('disabled');
    expect((await latchkey(['agencies', 'enable', 'cedar-falls-pd', '--json'])).stdout).toContain('"enabled": true');
    expect((await latchkey(['agencies', 'list'])).stdout).toContain('Cedar Falls Police Department');
    expect((await latchkey(['agencies', 'import', file('agency.json', '{}')])).status).toBe(0);
  });

  it('reads a request under the banner, with no control character of the agency on the terminal', async () => {
    const shown = await latchkey(['requests', 'show', hostileId]);
    expect(shown.stdout).toMatch(/^This is voluntary\. You may say no, or nothing at all\. This is not a warrant\./);
    expect(shown.stdout.replaceAll(/\s+/g, ' ')).toContain(hostileText.slice(0, 20));
    // oxlint-disable-next-line no-control-regex
    expect(shown.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect((await latchkey(['requests', 'list'])).stdout).toContain(requestId);
  });

  it('approves chosen clips after seeing what would be sent, and takes it back', async () => {
    const clip = '0c'.padEnd(32, '0');
    const part = `${clip},2026-11-21T20:12:05Z,2026-11-21T20:12:15Z`;
    const line = [
      'requests',
      'approve',
      requestId,
      '--clip',
      part,
      '--redact',
      'people',
      '--keep',
      '2',
      '--region',
      '0,0,10,20',
      '--passphrase-file',
      passphraseFile,
      '--yes',
      '--json',
    ];
    const approved = await latchkey(line);
    expect(approved.stderr).toContain('Exactly this would be sent:');
    expect(approved.stderr).toContain('https://evidence.cedarfalls.example/files');
    expect(approved.stderr).toContain('Filling 1 of 1 clips');
    expect(approved.stderr).toContain('10.0 s, derived');
    expect(place.service.lastSelection[0]?.redact).toEqual({
      fill: 'people',
      keep: [2],
      regions: [{ x: 0, y: 0, w: 0.1, h: 0.2 }],
      masks: true,
    });
    expect(JSON.parse(approved.stdout)).toMatchObject({ state: 'COOLING' });
    const found = await latchkey(['requests', 'people', clip]);
    expect(found.stdout).toContain('(sure: 80 %)');
    expect(found.stdout).toContain('look yourself');
    const people = JSON.parse((await latchkey(['requests', 'people', clip, '--json'])).stdout) as { people: unknown[] };
    expect(people.people).toHaveLength(2);
    expect((await latchkey(['requests', 'withdraw', requestId])).stdout).toBe('The request is withdrawn.\n');
    const declined = await latchkey(['requests', 'decline', hostileId, '--json']);
    expect(JSON.parse(declined.stdout)).toEqual({ requestId: hostileId, state: 'DECLINED' });
    const review = await latchkey(['requests', 'review', requestId]);
    expect(review.stdout).toContain('none is chosen for you');
  });

  it('cannot approve a request that no clip meets', async () => {
    await using other = makeInstallation();
    const request = await other.service.showRequest({ requestId });
    await using server = await ControlServer.listen(join(other.dataDir, 'run', 'owner.sock'), {
      health: () => ({ lock: 'deciding' }),
      review: () => ({ request, clips: [] }),
    });
    expect(server).toBeDefined();
    const line = ['requests', 'approve', requestId, '--passphrase-file', passphraseFile, '--config', other.configPath];
    const result = await latchkey(line);
    expect([result.status, result.stderr]).toEqual([5, expect.stringContaining('(requests/no-clips)')]);
  });

  it('is told of an owner program that answers nonsense', async () => {
    const socket = join(place.folder, 'odd.sock');
    await using server = await ControlServer.listen(socket, {
      clipMedia: () => ({ base64: '', totalBytes: 10 }),
      health: () => 'fine',
    });
    expect(server).toBeDefined();
    using client = new OwnerClient(await ControlClient.connect(socket));
    const pieces = async (): Promise<void> => {
      for await (const piece of client.media('clipMedia', { clipId: 'x' })) expect(piece.length).toBeGreaterThan(0);
    };
    const code = (thrown: unknown): string => (thrown instanceof AgentError ? thrown.code : String(thrown));
    expect(await pieces().catch(code)).toBe('cli/bad-answer');
    expect(await client.call('health').catch(code)).toBe('cli/bad-answer');
  });
});
