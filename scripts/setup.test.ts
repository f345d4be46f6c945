import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const setup = (args: readonly string[], env: Record<string, string> = {}) =>
  spawnSync('bash', [join(root, 'scripts/setup'), ...args], { encoding: 'utf8', env: { ...process.env, ...env } });

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lk-setup-'));
  chmodSync(dir, 0o755);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A program of this name that is found first. */
function inPlaceOf(name: string, script: string): void {
  writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

describe('scripts/setup', () => {
  it('explains itself, and refuses what it does not know', () => {
    expect(setup(['--help']).stdout).toContain('Example: scripts/setup --tier test --check');
    expect([setup(['--nonsense']).status, setup(['--tier', 'moon']).status, setup(['--tier']).status]).toEqual([
      2, 2, 2,
    ]);
  });

  it('only reports with --check, each package with its purpose', () => {
    inPlaceOf('dpkg-query', 'exit 1');
    const log = join(dir, 'apt.log');
    inPlaceOf('apt-get', `echo called >> ${log}`);
    const run = setup(['--tier', 'test', '--check'], { PATH: `${dir}:${process.env['PATH'] ?? ''}` });
    expect(run.status).toBe(1);
    expect(run.stdout).toContain('missing: Debian package ffmpeg: reads cameras and recorded streams');
    expect(run.stdout).toContain('missing: Debian package age:');
    expect(existsSync(log)).toBe(false);
    const demo = setup(['--check'], { PATH: `${dir}:${process.env['PATH'] ?? ''}` });
    expect(demo.stdout).not.toContain('package chromium');
  });

  it.skipIf(process.getuid?.() !== 0)(
    'says what to ask an administrator for where neither root nor sudo is at hand (needs root to become nobody)',
    () => {
      inPlaceOf('dpkg-query', 'exit 1');
      inPlaceOf('sudo', 'exit 1');
      // A copy that nobody may read: the checkout itself may lie under a folder of root's.
      execFileSync('cp', ['-r', join(root, 'scripts'), join(root, 'package.json'), dir]);
      const run = spawnSync('setpriv', ['--reuid=65534', '--clear-groups', 'bash', join(dir, 'scripts/setup')], {
        encoding: 'utf8',
        env: { PATH: `${dir}:${process.env['PATH'] ?? ''}` },
        input: '',
      });
      expect(run.status).toBe(4);
      expect(run.stderr).toContain('apt-get install --no-install-recommends ffmpeg mosquitto');
    },
  );

  it('tells what apt said when installing fails', () => {
    inPlaceOf('dpkg-query', 'exit 1');
    inPlaceOf('apt-get', 'echo "E: Unable to locate package ffmpeg" >&2; exit 100');
    inPlaceOf('sudo', 'shift; exec "$@"');
    const run = setup([], { PATH: `${dir}:${process.env['PATH'] ?? ''}` });
    expect(run.status).toBe(4);
    expect(run.stderr).toContain('Unable to locate package ffmpeg');
  });
});

describe('the README', () => {
  const commands = readFileSync(join(root, 'README.md'), 'utf8')
    .split('```')
    .filter((block) => block.startsWith('sh\n'))
    .flatMap((block) => block.split('\n'))
    .map((line) => line.replace(/\s+#.*/, '').trim());

  it('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
    const named = commands.flatMap((c) => /^npm (?:run )?([a-z:]+)/.exec(c)?.[1] ?? []).filter((n) => n !== 'ci');
    expect(named.length).toBeGreaterThan(3);
    for (const name of named) expect(Object.keys(scripts)).toContain(name);
  });

  it('names only commands of ours that exist', { timeout: 60_000 }, () => {
    const ours = commands.flatMap((c) => /^scripts\/latchkey ([a-z]+(?: [a-z]+-?[a-z]*)?)/.exec(c)?.[1] ?? []);
    expect(ours.length).toBeGreaterThan(8);
    for (const command of new Set(ours)) {
      const run = spawnSync(join(root, 'scripts/latchkey'), [...command.split(' '), '--help'], { encoding: 'utf8' });
      expect([command, run.status]).toEqual([command, 0]);
      expect(run.stdout).toContain(`Usage: latchkey ${command}`);
    }
  });
});
