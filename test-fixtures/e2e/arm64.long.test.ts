/**
 * Latchkey on 64-bit ARM without such a machine: the addon is cross-compiled, the files of the image get their packages
 * for arm64, and an emulator runs them. What a processor decides has to be the same on both.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFile, parseIdentity } from '../../agent/protocol/age-file.ts';
import type { ProbeAnswer } from '../arm64-probe.ts';
import { reportFigure } from '../figure.ts';
import { assembleImage, projectRoot } from '../image-set.ts';

const emulator = '/usr/bin/qemu-aarch64-static';
const compiler = '/usr/bin/aarch64-linux-gnu-g++';
const sysroot = '/usr/aarch64-linux-gnu';
const foreign = process.arch === 'x64' && [emulator, compiler, sysroot].every((path) => existsSync(path));

let folder: string;
let image: string;

interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Finished {
  const env = { ...process.env, ...options.env };
  const { status, stdout, stderr } = spawnSync(command, args, {
    ...options,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return { status, stdout, stderr };
}

function emulated(...args: string[]): Finished {
  // The link that the launcher starts.
  const node = realpathSync(join(image, 'node_modules/.bin/node'));
  return run(emulator, ['-L', sysroot, node, ...args], { cwd: folder, env: { HOME: folder } });
}

/** In a copy: the addon of this machine stays where it is. */
function buildAddon(): string {
  const copy = join(folder, 'build');
  mkdirSync(copy);
  cpSync(join(projectRoot, 'native'), join(copy, 'native'), {
    recursive: true,
    filter: (path) => path !== join(projectRoot, 'native/build'),
  });
  symlinkSync(join(projectRoot, 'node_modules'), join(copy, 'node_modules'));
  const built = run('bash', ['native/build.sh'], { cwd: copy, env: { LATCHKEY_ARCH: 'arm64' } });
  expect(built, built.stderr.slice(-2000)).toMatchObject({ status: 0 });
  return join(copy, 'native/build/Release/latchkey.node');
}

beforeAll(() => {
  if (!foreign) return;
  folder = mkdtempSync(join(tmpdir(), 'lk-arm-'));
  image = join(folder, 'opt');
  assembleImage(image, { packages: false });
  const addon = join(image, 'native/build/Release/latchkey.node');
  rmSync(addon);
  copyFileSync(buildAddon(), addon);
  for (const name of ['package.json', 'package-lock.json', '.npmrc']) {
    rmSync(join(image, name), { force: true });
    copyFileSync(join(projectRoot, name), join(image, name));
  }
  const packages = ['ci', '--omit=dev', '--cpu=arm64', '--os=linux', '--libc=glibc', '--prefer-offline'];
  const installed = run('npm', [...packages, '--no-audit', '--no-fund', '--loglevel=error'], { cwd: image });
  expect(installed, installed.stderr.slice(-2000)).toMatchObject({ status: 0 });
}, 600_000);
afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!foreign)('on an emulated arm64 (needs x86, qemu-user-static and g++-aarch64-linux-gnu)', () => {
  let here: ProbeAnswer;
  let there: ProbeAnswer;

  it('the addon finds the same motion bit by bit, and makes the same tensors but for rounding', {
    timeout: 600_000,
  }, () => {
    const probe = join(projectRoot, 'test-fixtures/arm64-probe.ts');
    const own = run(process.execPath, [probe]);
    expect(own.status, own.stderr).toBe(0);
    here = JSON.parse(own.stdout) as ProbeAnswer;
    const startMs = performance.now();
    const other = emulated(probe, join(image, 'agent'));
    expect(other.status, other.stderr).toBe(0);
    there = JSON.parse(other.stdout) as ProbeAnswer;
    expect([here.arch, there.arch]).toEqual(['x64', 'arm64']);
    reportFigure(
      `arm64: probe in ${((performance.now() - startMs) / 1000).toFixed(0)} s emulated; network: ${there.network}`,
    );
    expect(new Set(here.motionStates)).toEqual(new Set(['settling', 'quiet', 'motion', 'global']));
    expect(there.motion).toEqual(here.motion);
    expect(there.rgb).toBe(here.rgb);
    const apart = there.letterboxSamples.map((value, i) => Math.abs(value - (here.letterboxSamples[i] ?? Number.NaN)));
    reportFigure(
      `arm64: tensors ${there.letterbox === here.letterbox ? 'equal' : `at most ${Math.max(...apart)} apart`}`,
    );
    // Levels of 0..255: an ARM multiplies and adds in one step and rounds once.
    expect(Math.max(...apart)).toBeLessThan(1e-3);
  });

  it('what is sealed there opens here', () => {
    const sealed = {
      header: Buffer.from(there.sealed.header, 'base64'),
      body: Buffer.from(there.sealed.body, 'base64'),
    };
    const opened = openFile(sealed, parseIdentity(there.identity));
    expect(Buffer.from(opened).toString()).toBe('sealed on the other machine');
  });

  it('the command line answers and sets up a house', { timeout: 300_000 }, () => {
    const main = join(image, 'agent/main.ts');
    const help = emulated(main, '--help');
    expect(help.stdout).toContain('Usage: latchkey');
    const config = join(folder, 'config.json');
    const where = ['--config', config, '--data-dir', join(folder, 'house'), '--web-port', '0'];
    const camera = ['--camera-source', 'file:/none.mp4', '--region', 'US-CA', '--lat', '37.77', '--lon', '-122.41'];
    const secrets = ['--passphrase-file', join(folder, 'passphrase'), '--recovery-out', join(folder, 'paper')];
    const made = emulated(main, 'init', '--yes', ...where, ...camera, ...secrets);
    expect(made.status, made.stderr).toBe(0);
    expect(readFileSync(join(folder, 'paper'), 'utf8')).toMatch(/AGE-SECRET-KEY-1/);
    // Its programs can't be started: the emulator runs one program, not what that starts.
    expect(emulated(main, 'status', '--config', config)).toMatchObject({ status: 4 });
  });
});
