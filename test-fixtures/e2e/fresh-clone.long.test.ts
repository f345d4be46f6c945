/** What somebody does who has just heard of Latchkey: clone, one command, and the main job has been seen. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportFigure } from '../figure.ts';

const root = join(import.meta.dirname, '../..');
/** The machine's own programs: npm and vitest put this checkout's in front of them. */
function systemProgram(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(':').filter((path) => !path.includes('node_modules'));
  return folders.map((path) => join(path, name)).find((path) => existsSync(path));
}

/** How this machine reaches the outside, if it takes more than a cable. */
const networkNames = ['NODE_EXTRA_CA_CERTS', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'];
const systemNode = systemProgram('node');
const systemNpm = systemProgram('npm');

function version(command: string): string | undefined {
  const said = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return said.status === 0 ? said.stdout.trim() : undefined;
}
const nodeVersion = systemNode === undefined ? undefined : version(systemNode);
const present = nodeVersion !== undefined && systemNpm !== undefined;

let folder: string;
let clone: string;
let env: Record<string, string>;

beforeAll(() => {
  // A short path: a Unix socket's name has room for about a hundred bytes.
  folder = mkdtempSync(join(tmpdir(), 'lk-new-'));
  clone = join(folder, 'latchkey');
  const bin = join(folder, 'bin');
  const home = join(folder, 'home');
  for (const path of [bin, home]) mkdirSync(path);
  if (systemNode !== undefined) symlinkSync(systemNode, join(bin, 'node'));
  if (systemNpm !== undefined) symlinkSync(systemNpm, join(bin, 'npm'));
  env = { PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin`, HOME: home, LC_ALL: 'C.UTF-8' };
  for (const name of networkNames) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

function run(command: string, args: readonly string[], cwd = clone): Finished {
  const startMs = performance.now();
  const done = spawnSync(command, args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 26 });
  const seconds = (performance.now() - startMs) / 1000;
  return { status: done.status, stdout: done.stdout, stderr: done.stderr, seconds };
}

describe.skipIf(!present)("a fresh clone on the machine's own Node (needs a Node and npm of the system)", () => {
  it('shows the main job with one command', { timeout: 900_000 }, () => {
    const cloned = run('git', ['-c', 'safe.directory=*', 'clone', '--quiet', root, clone], folder);
    expect(cloned).toMatchObject({ status: 0, stdout: '' });
    expect(run('node', ['--version']).stdout.trim()).toBe(nodeVersion);
    const demo = run('npm', ['run', 'demo', '--', '--yes', '--json']);
    expect(demo.status, `${demo.stdout.slice(-2000)}\n${demo.stderr.slice(-2000)}`).toBe(0);
    const last = demo.stdout.trimEnd().split('\n').at(-1) ?? '';
    const summary = JSON.parse(last) as { personEvents: number; verified: boolean; seconds: number };
    expect(summary.verified).toBe(true);
    expect(summary.personEvents).toBeGreaterThanOrEqual(1);
    reportFigure(
      `fresh clone on Node ${nodeVersion}: demo after ${demo.seconds.toFixed(0)} s, ${summary.seconds} s of them the demo itself`,
    );
  });

  it('has nothing left to set up, and says so at once', { timeout: 60_000 }, () => {
    const again = run('bash', ['scripts/setup', '--tier', 'demo']);
    reportFigure(`set-up with nothing to do: ${again.seconds.toFixed(2)} s`);
    expect(again).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(again.seconds).toBeLessThan(3);
    expect(run('bash', ['scripts/setup', '--tier', 'demo', '--check'])).toMatchObject({ status: 0, stderr: '' });
  });

  it('is as clean as it was cloned', () => {
    expect(run('git', ['status', '--porcelain']).stdout).toBe('');
  });
});
