// The fast decoder against a slow one written from the definition.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScoredBox } from './nms.ts';
import { decodeYolox, rowCount, type YoloxLayout } from './yolox.ts';

function slowDecode(output: Float32Array, layout: YoloxLayout, minScore: number): ScoredBox[] {
  const cells = layout.strides.flatMap((stride) => {
    const side = Math.floor(layout.inputPx / stride);
    return Array.from({ length: side * side }, (_, i) => ({ stride, column: i % side, row: Math.floor(i / side) }));
  });
  return cells.flatMap(({ stride, column, row }, i) => {
    const [x, y, w, h, objectness, person] = Array.from(output.slice(i * layout.rowLength, (i + 1) * layout.rowLength));
    const values = [x, y, w, h, objectness, person] as [number, number, number, number, number, number];
    const score = values[4] * values[5];
    if (!values.every(Number.isFinite) || values[4] < minScore || score < minScore) return [];
    const size = [Math.exp(values[2]) * stride, Math.exp(values[3]) * stride] as const;
    if (!size.every((s) => s > 0 && Number.isFinite(s))) return [];
    return [
      {
        x: (values[0] + column) * stride - size[0] / 2,
        y: (values[1] + row) * stride - size[1] / 2,
        w: size[0],
        h: size[1],
        score: Math.min(1, score),
      },
    ];
  });
}

const layouts = fc.record({
  inputPx: fc.constantFrom(32, 64, 96),
  strides: fc.constantFrom([8, 16, 32], [16, 32], [32]),
  rowLength: fc.integer({ min: 6, max: 9 }),
});

const values = fc.oneof(
  { weight: 8, arbitrary: fc.float({ min: -3, max: 3, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 200, 1) },
);

describe('decodeYolox', () => {
  it('agrees with the definition for any layout and any values', () => {
    fc.assert(
      fc.property(
        layouts.chain((layout) => {
          const length = rowCount(layout) * layout.rowLength;
          return fc.tuple(fc.constant(layout), fc.array(values, { minLength: 60, maxLength: 60 }), fc.constant(length));
        }),
        fc.double({ min: 0.05, max: 0.95, noNaN: true }),
        ([layout, pattern, length], minScore) => {
          // A prime step through the pattern gives every row another mix without a huge generator.
          const output = Float32Array.from({ length }, (_, i) => pattern[(i * 7 + Math.floor(i / 60)) % 60] as number);
          expect(decodeYolox(output, layout, minScore)).toEqual(slowDecode(output, layout, minScore));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('finds the one person written into an empty output', () => {
    const layout = { inputPx: 64, strides: [8, 16, 32], rowLength: 85 };
    const output = new Float32Array(rowCount(layout) * 85);
    // Second stride, row 2, column 1.
    output.set([0.5, 0.25, Math.log(2), Math.log(3), 0.9, 0.8], (64 + 2 * 4 + 1) * 85);
    const [box, ...rest] = decodeYolox(output, layout, 0.4);
    expect(rest).toEqual([]);
    expect(box?.score).toBeCloseTo(0.72, 5);
    expect([box?.x, box?.y, box?.w, box?.h].map((v) => Math.round((v ?? 0) * 1000) / 1000)).toEqual([8, 12, 32, 48]);
  });

  it('refuses an output of another length', () => {
    const layout = { inputPx: 64, strides: [8], rowLength: 6 };
    expect(() => decodeYolox(new Float32Array(64 * 6 - 1), layout, 0.4)).toThrow(RangeError);
    expect(() => decodeYolox(new Float32Array(64 * 5), { ...layout, rowLength: 5 }, 0.4)).toThrow(RangeError);
  });
});
