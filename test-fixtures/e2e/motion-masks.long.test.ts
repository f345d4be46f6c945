/**
 * The foreground masks of every committed stream are the same to the byte, whichever instruction set found them: scalar,
 * SSE2 and AVX2 on x86, scalar and NEON on arm64 under an emulator.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../../agent/base/ffmpeg.ts';
import { reportFigure } from '../figure.ts';

const root = join(import.meta.dirname, '../..');
const streams = join(root, 'test-fixtures/streams');
const emulator = '/usr/bin/qemu-aarch64-static';
const olderEmulator = '/usr/bin/qemu-x86_64-static';
const compiler = '/usr/bin/aarch64-linux-gnu-g++';
const foreign = process.arch === 'x64' && [emulator, compiler].every((path) => existsSync(path));
const older = process.arch === 'x64' && existsSync(olderEmulator);
const [widthPx, heightPx, fps] = [640, 360, 5];
const sensitivities = [0.2, 0.5, 1];

let folder: string;
let own: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lk-masks-'));
  own = build('own', {});
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function build(name: string, env: Readonly<Record<string, string>>): string {
  const path = join(folder, name);
  const built = spawnSync('bash', ['native/program.sh', 'mask-hash', path], {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  expect(built.status, built.stderr).toBe(0);
  return path;
}

function lumaFrames(path: string): Buffer {
  const filter = `fps=${fps},scale=${widthPx}:${heightPx}:flags=area`;
  const args = ['-nostdin', '-v', 'error', '-threads', '1', '-i', path, '-vf', filter];
  const decoded = spawnSync(findFfmpeg(), [...args, '-pix_fmt', 'gray', '-f', 'rawvideo', '-'], {
    maxBuffer: 1 << 30,
  });
  expect(decoded.status, decoded.stderr.toString()).toBe(0);
  return decoded.stdout;
}

/** What each kernel makes of the frames, at several sensitivities: its name and the hashes. */
function hashes(command: readonly string[], frames: Buffer): ReadonlyMap<string, string> {
  const [program = '', ...before] = command;
  const found = new Map<string, string>();
  for (const sensitivity of sensitivities) {
    const args = [...before, ...[widthPx, heightPx, fps, sensitivity].map(String)];
    const run = spawnSync(program, args, { input: frames, encoding: 'utf8' });
    expect(run.status, run.stderr).toBe(0);
    for (const line of run.stdout.trimEnd().split('\n')) {
      const [kernel = '', count = '', sha256 = ''] = line.split(' ');
      expect(Number(count)).toBe(frames.length / (widthPx * heightPx));
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      found.set(kernel, `${found.get(kernel) ?? ''}${sha256} `);
    }
  }
  return found;
}

const paths = readdirSync(streams)
  .filter((name) => name.endsWith('.mp4'))
  .map((name) => join(streams, name));

describe('foreground masks of the committed streams', () => {
  it('are equal for all kernels of this machine', () => {
    for (const path of paths) {
      const found = hashes([own], lumaFrames(path));
      expect(found.size).toBeGreaterThanOrEqual(2);
      expect(new Set(found.values()).size, `${basename(path)}: ${JSON.stringify([...found])}`).toBe(1);
      reportFigure(`masks: ${basename(path)}: ${[...found.keys()].join(', ')} equal`);
    }
  });

  it.skipIf(!older)(
    'are equal on an emulated x86 without AVX2, which runs all the same (needs qemu-user-static)',
    () => {
      for (const path of paths) {
        const frames = lumaFrames(path);
        const [here, there] = [hashes([own], frames), hashes([olderEmulator, '-cpu', 'Nehalem', own], frames)];
        expect([...there.keys()]).toEqual(['scalar', 'sse2']);
        expect(new Set([...there.values(), ...here.values()]).size).toBe(1);
      }
    },
  );

  it.skipIf(!foreign)('are equal on an emulated arm64 (needs x86, qemu-user-static and g++-aarch64-linux-gnu)', () => {
    const other = build('arm64', { CXX: compiler });
    for (const path of paths) {
      const frames = lumaFrames(path);
      const [here, there] = [hashes([own], frames), hashes([emulator, other], frames)];
      expect([...there.keys()]).toEqual(['scalar', 'neon']);
      expect(there.get('neon')).toBe(here.get('scalar'));
      expect(there.get('scalar')).toBe(here.get('scalar'));
      reportFigure(`masks: ${basename(path)}: scalar and neon on arm64 equal to ${[...here.keys()].join(', ')}`);
    }
  });
});
