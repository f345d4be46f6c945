import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { inside, lookUnderMask, type MaskPolygon } from '../../test-fixtures/masked-pixels.ts';
import { porchPath, TestCamera } from '../../test-fixtures/recording.ts';

/** The left part of the walk, where the visitor of the porch stream comes from. */
const masks: readonly MaskPolygon[] = [[[0, 0], [0.45, 0], [0.4, 1], [0, 1]]]; // biome-ignore format: one mask
const everywhere: readonly MaskPolygon[] = [[[0, 0], [1, 0], [1, 1], [0, 1]]]; // biome-ignore format: one mask
const privacyMasks = masks.map((mask) => mask.map(([x, y]): [number, number] => [x, y]));
const person = { model: 'off' } as const;

/** Pixels under the mask of a JPEG, one smoothing pixel away from its edge: what a thumbnail shows is small and lossy. */
function worstInJpeg(jpeg: Uint8Array, widthPx: number, heightPx: number): number {
  const args = [
    '-v',
    'error',
    '-i',
    'pipe:0',
    '-vf',
    `scale=${widthPx}:${heightPx},format=gray`,
    '-f',
    'rawvideo',
    'pipe:1',
  ];
  const { stdout } = spawnSync('ffmpeg', args, { input: jpeg });
  let worst = 0;
  stdout.forEach((value, i) => {
    const [x, y] = [((i % widthPx) + 4) / widthPx, (Math.floor(i / widthPx) + 0.5) / heightPx];
    // JPEG is full range: "gray" is 128 there.
    if (masks.some((mask) => inside(mask, x, y))) worst = Math.max(worst, Math.abs(value - 128));
  });
  return worst;
}

test.each(['motion', 'person', 'continuous'] as const)(
  'mode %s: nothing that is kept shows what was masked',
  async (mode) => {
    using camera = new TestCamera({
      camera: { clip: { mode, preRollMs: 3000, postRollMs: 1000 }, person, privacyMasks },
    });
    const status = await camera.recordAll();
    expect(status).toMatchObject({ problem: null, lostFragmentCount: 0 });
    const clips = camera.clips();
    expect(clips.length).toBeGreaterThan(0);
    for (const { video, closing } of clips) {
      const seen = lookUnderMask(video, 640, 360, masks);
      // The pre-roll is in it: it comes out of the same memory.
      expect(seen.pictureCount).toBeGreaterThan(50);
      expect(seen.worstOff).toBeLessThanOrEqual(3);
      expect(seen.outsideSpread).toBeGreaterThan(100);
      const thumbnail = Buffer.from(closing?.thumbnail ?? '', 'base64');
      expect(thumbnail.length).toBeGreaterThan(0);
      expect(worstInJpeg(thumbnail, 320, 180)).toBeLessThanOrEqual(8);
    }
  },
);

test('what moves under a mask opens no event, and the live picture shows the mask', async () => {
  const all = everywhere.map((mask) => mask.map(([x, y]): [number, number] => [x, y]));
  using dark = new TestCamera({
    camera: { clip: { mode: 'motion', preRollMs: 1000, postRollMs: 1000 }, person, privacyMasks: all },
  });
  await dark.recordAll();
  expect(dark.clips()).toEqual([]);

  const source = { kind: 'file', path: porchPath, pace: 'realtime', loop: true } as const;
  using camera = new TestCamera({ camera: { source, clip: { mode: 'motion' }, person, privacyMasks } });
  const recorder = camera.start();
  const frames = camera.waitFor(({ frameCount }) => Number(frameCount) > 3);
  await Promise.race([frames, recorder.done]);
  const { jpegBase64 } = (await camera.call('live')) as { jpegBase64: string };
  await recorder.stop();
  expect(worstInJpeg(Buffer.from(jpegBase64, 'base64'), 640, 360)).toBeLessThanOrEqual(8);
});
