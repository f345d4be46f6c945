// Order, pad, mean and deviation, against the plain letterbox.
import { describe, expect, it } from 'vitest';
import { letterbox } from '../../base/image.ts';
import { type InputForm, usualInputs } from './head.ts';
import { fillInput } from './input.ts';

const [widthPx, heightPx, sidePx] = [96, 48, 64];
const planePx = sidePx * sidePx;
const picture = {
  widthPx,
  heightPx,
  yuv: Uint8Array.from({ length: (widthPx * heightPx * 3) / 2 }, (_, i) => 16 + ((i * 37) % 200)),
};
const whole = { x: 0, y: 0, w: widthPx, h: heightPx };

function filled(form: InputForm, crop = whole): Float32Array {
  const out = new Float32Array(3 * planePx);
  const scale = fillInput(picture, crop, sidePx, out, { form, matrix: 'bt601' });
  expect(scale).toBeCloseTo(sidePx / Math.max(crop.w, crop.h));
  return out;
}

describe('fillInput', () => {
  const plain = new Float32Array(3 * planePx);
  letterbox(picture, whole, sidePx, plain);

  it('is the letterbox itself for YOLOX', () => {
    expect(filled(usualInputs.yolox)).toEqual(plain);
  });

  it('subtracts and divides by colour, in the order of the planes', () => {
    const form: InputForm = { pixelOrder: 'rgb', pad: 114, mean: [10, 20, 30], std: [2, 4, 8] };
    const wanted = [2, 1, 0].flatMap((plane, i) =>
      Array.from(plain.slice(plane * planePx, (plane + 1) * planePx), (v) => (v - 10 * (i + 1)) / (2 << i)),
    );
    const got = filled(form);
    expect(wanted.every((value, i) => Math.abs(value - (got[i] ?? Number.NaN)) < 1e-4)).toBe(true);
  });

  it('pads below and beside with another colour', () => {
    const form: InputForm = { ...usualInputs.yolox, pad: 0 };
    const low = filled(form);
    // Half as high as wide: the lower half is pad.
    for (let plane = 0; plane < 3; plane++) {
      const from = plane * planePx;
      expect(low.slice(from, from + planePx / 2)).toEqual(plain.slice(from, from + planePx / 2));
      expect(low.slice(from + planePx / 2, from + planePx).every((v) => v === 0)).toBe(true);
    }
    const tall = filled(form, { x: 10, y: 0, w: 24, h: 48 });
    for (let row = 0; row < sidePx; row++) {
      expect(tall.slice(row * sidePx + 32, (row + 1) * sidePx).every((v) => v === 0)).toBe(true);
    }
    expect(tall.slice(0, 32).some((v) => v !== 0)).toBe(true);
  });
});
