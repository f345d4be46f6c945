/**
 * The foreground masks of every committed stream are the same to the byte with every instruction set of this machine and,
 * under an emulator, of arm64. Small pictures keep this short; the long tests take whole ones.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  buildMaskHash,
  compiler,
  emulatesArm64,
  emulator,
  lumaFrames,
  maskHashes,
  streamPaths,
} from '../mask-hashes.ts';

const size = { widthPx: 240, heightPx: 136, fps: 5 };
const folder = mkdtempSync(join(tmpdir(), 'lk-masks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('foreground masks of the committed streams', { timeout: 240_000 }, () => {
  const wanted = new Map<string, string>();
  const pictures = new Map<string, Buffer>();

  it('are equal for all kernels of this machine', () => {
    const own = buildMaskHash(join(folder, 'own'));
    for (const path of streamPaths) {
      const frames = lumaFrames(path, size);
      const found = maskHashes([own], frames, size, [0.5]);
      expect(found.size).toBeGreaterThanOrEqual(2);
      expect(new Set(found.values()).size, `${basename(path)}: ${JSON.stringify([...found])}`).toBe(1);
      wanted.set(path, found.get('scalar') ?? '');
      pictures.set(path, frames);
    }
  });

  it.skipIf(!emulatesArm64)(
    'are equal on an emulated arm64 (needs x86, qemu-user-static and g++-aarch64-linux-gnu)',
    () => {
      const other = buildMaskHash(join(folder, 'arm64'), { CXX: compiler });
      for (const [path, frames] of pictures) {
        const found = maskHashes([emulator, other], frames, size, [0.5]);
        expect([...found]).toEqual([
          ['scalar', wanted.get(path)],
          ['neon', wanted.get(path)],
        ]);
      }
    },
  );
});
