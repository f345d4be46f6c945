/**
 * The foreground masks of every committed stream are the same to the byte at several sensitivities, whichever instruction
 * set found them, on an emulated x86 without AVX2 too. `motion-masks.test.ts` holds arm64 to the same in every check.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportFigure } from '../figure.ts';
import {
  buildMaskHash,
  compiler,
  emulatesArm64,
  emulator,
  lumaFrames,
  maskHashes,
  streamPaths,
} from '../mask-hashes.ts';

const olderEmulator = '/usr/bin/qemu-x86_64-static';
const older = process.arch === 'x64' && existsSync(olderEmulator);
const size = { widthPx: 640, heightPx: 360, fps: 5 };
const sensitivities = [0.2, 0.5, 1];

let folder: string;
let own: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lk-masks-'));
  own = buildMaskHash(join(folder, 'own'));
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hashes = (command: readonly string[], frames: Buffer) => maskHashes(command, frames, size, sensitivities);

describe('foreground masks of the committed streams', () => {
  it('are equal for all kernels of this machine', () => {
    for (const path of streamPaths) {
      const found = hashes([own], lumaFrames(path, size));
      expect(found.size).toBeGreaterThanOrEqual(2);
      expect(new Set(found.values()).size, `${basename(path)}: ${JSON.stringify([...found])}`).toBe(1);
      reportFigure(`masks: ${basename(path)}: ${[...found.keys()].join(', ')} equal`);
    }
  });

  it.skipIf(!older)(
    'are equal on an emulated x86 without AVX2, which runs all the same (needs qemu-user-static)',
    () => {
      for (const path of streamPaths) {
        const frames = lumaFrames(path, size);
        const [here, there] = [hashes([own], frames), hashes([olderEmulator, '-cpu', 'Nehalem', own], frames)];
        expect([...there.keys()]).toEqual(['scalar', 'sse2']);
        expect(new Set([...there.values(), ...here.values()]).size).toBe(1);
      }
    },
  );

  it.skipIf(!emulatesArm64)(
    'are equal on an emulated arm64 (needs x86, qemu-user-static and g++-aarch64-linux-gnu)',
    () => {
      const other = buildMaskHash(join(folder, 'arm64'), { CXX: compiler });
      for (const path of streamPaths) {
        const frames = lumaFrames(path, size);
        const [here, there] = [hashes([own], frames), hashes([emulator, other], frames)];
        expect([...there.keys()]).toEqual(['scalar', 'neon']);
        expect(there.get('neon')).toBe(here.get('scalar'));
        expect(there.get('scalar')).toBe(here.get('scalar'));
        reportFigure(`masks: ${basename(path)}: scalar and neon on arm64 equal to ${[...here.keys()].join(', ')}`);
      }
    },
  );
});
