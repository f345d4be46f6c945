// Cameras whose own clock jumps, goes back or repeats itself: what is recorded still plays, in order, with every picture.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestCamera } from '../../test-fixtures/recording.ts';
import { findFfmpeg } from '../base/ffmpeg.ts';

const partS = 6;
const fps = 10;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lk-times-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A transport stream whose time stamps begin at so many seconds. */
function part(atS: number): Buffer {
  const path = join(folder, `${atS}.ts`);
  const input = `testsrc2=size=320x180:rate=${fps}:duration=${partS}`;
  const encoder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', String(fps), '-output_ts_offset', String(atS)];
  execFileSync(findFfmpeg(), ['-v', 'error', '-y', '-f', 'lavfi', '-i', input, ...encoder, '-f', 'mpegts', path]);
  return readFileSync(path);
}

test.each([
  ['go back to the start', 0],
  ['go back by half a second', 100 + partS - 0.5],
  ['repeat themselves', 100],
  ['jump by three seconds', 100 + partS + 3],
  ['jump by more than an hour', 5000],
])('time stamps that %s', async (_, secondAtS) => {
  const path = join(folder, 'camera.ts');
  writeFileSync(path, Buffer.concat([part(100), part(secondAtS)]));
  using camera = new TestCamera({
    camera: {
      source: { kind: 'file', path, pace: 'fast' },
      clip: { mode: 'continuous', preRollMs: 0 },
      person: { model: 'off' },
    },
  });
  await camera.recordAll();
  const clips = camera.clips();
  const pictures = clips.map(({ state, opening, closing, video }) => {
    expect(state).toBe('closed');
    const fragments = closing?.fragments.filter(({ duration_ms: ms }) => ms > 0) ?? [];
    for (const [at, { start_ms: startMs }] of fragments.entries()) {
      const before = fragments[at - 1];
      if (before !== undefined) expect(startMs).toBeGreaterThanOrEqual(before.start_ms + before.duration_ms - 2);
    }
    expect((closing?.end_ms ?? 0) - opening.start_ms).toBeLessThanOrEqual(60_000);
    const args = ['-v', 'error', '-f', 'mp4', '-i', 'pipe:0', '-map', '0:v', '-f', 'framecrc', '-'];
    const decoded = spawnSync(findFfmpeg(), args, { input: video, encoding: 'utf8' });
    expect([decoded.status, decoded.stderr]).toEqual([0, '']);
    return decoded.stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
  });
  expect(pictures.reduce((sum, count) => sum + count, 0)).toBe(2 * partS * fps);
});
