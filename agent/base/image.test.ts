// Pictures across the addon's boundary: known colours, and every way in which sizes can be wrong.
import { describe, expect, it } from 'vitest';
import { letterbox, type YuvPicture, yuvToRgb } from './image.ts';

function flat(y: number, u: number, v: number): YuvPicture {
  const [widthPx, heightPx] = [64, 32];
  const yuv = new Uint8Array((widthPx * heightPx * 3) / 2).fill(y, 0, 2048).fill(u, 2048, 2560).fill(v, 2560);
  return { widthPx, heightPx, yuv };
}
const red = flat(81, 90, 240);
const crop = { x: 0, y: 0, w: 64, h: 32 };
const tensor = new Float32Array(3 * 32 * 32);

describe('conversion', () => {
  it('turns BT.601 red into red bytes', () => {
    const rgb = yuvToRgb(red);
    expect(rgb).toHaveLength(64 * 32 * 3);
    expect(rgb[0]).toBeGreaterThan(252);
    expect(Math.max(rgb[1] ?? 255, rgb[2] ?? 255)).toBeLessThan(3);
  });

  it('fills a tensor in blue, green, red order and pads the rest', () => {
    expect(letterbox(red, crop, 32, tensor)).toBe(0.5);
    expect(tensor[0]).toBeLessThan(3);
    expect(tensor[1024]).toBeLessThan(3);
    expect(tensor[2048]).toBeGreaterThan(252);
    expect(tensor[31 * 32]).toBe(114);
  });

  it('knows both colour matrices', () => {
    expect(yuvToRgb(flat(63, 102, 240), 'bt709')[0]).toBeGreaterThan(252);
    expect(yuvToRgb(flat(63, 102, 240), 'bt601')[0]).toBeLessThan(240);
  });
});

describe('wrong arguments', () => {
  const detached = new Float32Array(3 * 32 * 32);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const cases: readonly (readonly [string, () => unknown])[] = [
    ['an odd width', () => letterbox({ ...red, widthPx: 63 }, crop, 32, tensor)],
    ['too few bytes', () => letterbox({ ...red, yuv: red.yuv.subarray(1) }, crop, 32, tensor)],
    ['a crop beyond the picture', () => letterbox(red, { ...crop, w: 65 }, 32, tensor)],
    ['a crop of NaN', () => letterbox(red, { ...crop, x: Number.NaN }, 32, tensor)],
    ['a fractional crop', () => letterbox(red, { ...crop, w: 10.5 }, 32, tensor)],
    ['a tensor of another size', () => letterbox(red, crop, 64, tensor)],
    ['a huge side', () => letterbox(red, crop, 2 ** 31, tensor)],
    ['a detached tensor', () => letterbox(red, crop, 32, detached)],
    ['a tensor of another kind', () => letterbox(red, crop, 32, new Float64Array(3072) as unknown as Float32Array)],
    ['a picture of NaN', () => yuvToRgb({ ...red, heightPx: Number.NaN })],
    ['a negative picture', () => yuvToRgb({ ...red, widthPx: -64, heightPx: -32 })],
    ['an odd picture', () => yuvToRgb({ widthPx: 3, heightPx: 2, yuv: new Uint8Array(9) })],
  ];
  it.each(cases)('%s', (_, call) => {
    expect(call).toThrow(expect.objectContaining({ code: 'base/bad-picture', kind: 'bug' }));
  });
});
