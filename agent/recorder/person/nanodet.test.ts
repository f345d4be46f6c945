// The fast decoder against a slow one written from the definition.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeNanodet, type NanodetLayout, type NanodetLevel } from './nanodet.ts';
import type { ScoredBox } from './nms.ts';

function slowDecode(levels: readonly NanodetLevel[], layout: NanodetLayout, minScore: number): ScoredBox[] {
  return levels.flatMap(({ stride, scores, distances }) => {
    const side = Math.floor(layout.inputPx / stride);
    return Array.from({ length: side * side }, (_, cell) => cell).flatMap((cell) => {
      const score = scores[cell * layout.classCount] ?? Number.NaN;
      const edges = [0, 1, 2, 3].map((edge) => {
        const from = (cell * 4 + edge) * layout.binCount;
        const powers = Array.from(distances.slice(from, from + layout.binCount), (value) => Math.exp(value));
        const sum = powers.reduce((a, b) => a + b, 0);
        return powers.reduce((mean, power, bin) => mean + (power / sum) * bin, 0) * stride;
      });
      const [left = 0, top = 0, right = 0, bottom = 0] = edges;
      if (
        !(score >= minScore && score < Number.POSITIVE_INFINITY) ||
        !edges.every(Number.isFinite) ||
        !(left + right > 0 && top + bottom > 0)
      )
        return [];
      const [x, y] = [((cell % side) + 0.5) * stride - left, (Math.floor(cell / side) + 0.5) * stride - top];
      return [{ x, y, w: left + right, h: top + bottom, score: Math.min(1, score) }];
    });
  });
}

const layout: NanodetLayout = { inputPx: 64, classCount: 3, binCount: 5 };
const lengths = [8, 16, 32].map((stride) => [stride, Math.floor(64 / stride) ** 2] as const);
const values = fc.oneof(
  { weight: 9, arbitrary: fc.float({ min: -4, max: 4, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 1) },
);

describe('decodeNanodet', () => {
  it('agrees with the definition for any values', () => {
    fc.assert(
      fc.property(fc.array(values, { minLength: 97, maxLength: 97 }), fc.double({ min: 0.05, max: 0.95, noNaN: true }), (pattern, minScore) => {
        const fill = (length: number, step: number) => Float32Array.from({ length }, (_, i) => pattern[(i * step) % 97] as number);
        const levels = lengths.map(([stride, cells]) => ({ stride, scores: fill(cells * 3, 5), distances: fill(cells * 20, 7) }));
        const [fast, slow] = [decodeNanodet(levels, layout, minScore), slowDecode(levels, layout, minScore)];
        expect(fast).toHaveLength(slow.length);
        for (const [i, box] of fast.entries()) {
          for (const key of ['x', 'y', 'w', 'h', 'score'] as const) expect(box[key]).toBeCloseTo(slow[i]?.[key] ?? Number.NaN, 6);
        }
      }),
      { numRuns: 100 },
    );
  }); // biome-ignore format: one property

  it('does not overflow where the logarithms are large', () => {
    const level = { stride: 64, scores: new Float32Array([0.8, 0, 0]), distances: new Float32Array(20).fill(1000) };
    const [box] = decodeNanodet([level], layout, 0.4);
    expect(box).toMatchObject({ x: -96, w: 256 });
  });

  it('refuses tables of another length', () => {
    const level = { stride: 64, scores: new Float32Array(3), distances: new Float32Array(19) };
    expect(() => decodeNanodet([level], layout, 0.4)).toThrow(RangeError);
  });
});
