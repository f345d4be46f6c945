// One person written into an empty output, and values that are no box.
import { describe, expect, it } from 'vitest';
import { decodeFastestdet } from './fastestdet.ts';

const layout = { inputPx: 352, sideCount: 22, planeCount: 7 };
const cells = 22 * 22;

function withPerson(objectness: number, [x, y, w, h]: readonly number[], person: number): Float32Array {
  const output = new Float32Array(cells * 7);
  const cell = 5 * 22 + 3;
  for (const [plane, value] of [objectness, x, y, w, h, person].entries()) output[plane * cells + cell] = value ?? 0;
  return output;
}

describe('decodeFastestdet', () => {
  it('finds the one person written into it', () => {
    const [box, ...rest] = decodeFastestdet(withPerson(0.9, [0.5, -0.5, -1, 0], 0.8), layout, 0.4);
    expect(rest).toEqual([]);
    expect(box?.score).toBeCloseTo(0.9 ** 0.6 * 0.8 ** 0.4, 5);
    expect(box?.w).toBeCloseTo(352 / (1 + Math.E), 3);
    expect(box?.h).toBeCloseTo(176, 3);
    expect((box?.x ?? 0) + (box?.w ?? 0) / 2).toBeCloseTo((3 + Math.tanh(0.5)) * 16, 3);
    expect((box?.y ?? 0) + (box?.h ?? 0) / 2).toBeCloseTo((5 - Math.tanh(0.5)) * 16, 3);
  });

  it.each([
    ['too low a score', withPerson(0.2, [0, 0, 0, 0], 0.2)],
    ['a score below zero', withPerson(-0.9, [0, 0, 0, 0], 0.9)],
    ['a score of NaN', withPerson(Number.NaN, [0, 0, 0, 0], 0.9)],
    ['a place of NaN', withPerson(0.9, [Number.NaN, 0, 0, 0], 0.9)],
    ['no width', withPerson(0.9, [0, 0, Number.NEGATIVE_INFINITY, 0], 0.9)],
  ])('passes over %s', (_, output) => {
    expect(decodeFastestdet(output, layout, 0.4)).toEqual([]);
  });

  it('refuses an output of another length', () => {
    expect(() => decodeFastestdet(new Float32Array(cells * 7 - 1), layout, 0.4)).toThrow(RangeError);
    expect(() => decodeFastestdet(new Float32Array(cells * 5), { ...layout, planeCount: 5 }, 0.4)).toThrow(RangeError);
  });
});
