import sharp from 'sharp';
import { expect, test } from 'vitest';
import { encodeJpeg } from './thumbnail.ts';

/** A frame of one colour, limited-range BT.601. */
function frame(y: number, u: number, v: number) {
  const [widthPx, heightPx] = [640, 360];
  const luma = widthPx * heightPx;
  const yuv = new Uint8Array((luma * 3) / 2);
  yuv
    .fill(y, 0, luma)
    .fill(u, luma, luma * 1.25)
    .fill(v, luma * 1.25);
  return { runId: 'r', timeMs: 0, widthPx, heightPx, yuv };
}

test.each([
  ['white', [235, 128, 128], [255, 255, 255]],
  ['black', [16, 128, 128], [0, 0, 0]],
  ['red', [81, 90, 240], [254, 0, 0]],
  ['blue', [41, 240, 110], [0, 0, 255]],
] as const)('%s stays %s', async (_name, [y, u, v], rgb) => {
  const jpeg = await encodeJpeg(frame(y, u, v));
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([320, 180, 3]);
  rgb.forEach((value, channel) => expect(Math.abs((data[channel] ?? -1) - value)).toBeLessThan(6));
});
