// Non-maximum suppression against its definition: what is kept, and why each other box is not.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CropBox, intersectionArea, overlapRatio, suppressOverlaps } from './nms.ts';

const boxes = fc.array(
  fc.record({
    x: fc.integer({ min: 0, max: 60 }),
    y: fc.integer({ min: 0, max: 60 }),
    w: fc.integer({ min: 1, max: 40 }),
    h: fc.integer({ min: 1, max: 40 }),
    score: fc.integer({ min: 1, max: 20 }).map((n) => n / 20),
    crop: fc.integer({ min: 0, max: 1 }),
  }),
  { maxLength: 25 },
);
const options = { overlapRatio: 0.5, insideRatio: 0.8 };

function repeats(a: CropBox, b: CropBox): boolean {
  let shared = 0;
  for (let x = a.x; x < a.x + a.w; x++) {
    for (let y = a.y; y < a.y + a.h; y++) {
      if (x >= b.x && x < b.x + b.w && y >= b.y && y < b.y + b.h) shared += 1;
    }
  }
  const [areaA, areaB] = [a.w * a.h, b.w * b.h];
  return shared > 0.5 * (areaA + areaB - shared) || (a.crop !== b.crop && shared > 0.8 * Math.min(areaA, areaB));
}

describe('suppressOverlaps', () => {
  it('keeps no two boxes of one person, and drops none without a surer one kept', () => {
    fc.assert(
      fc.property(boxes, (all) => {
        const kept = suppressOverlaps(all, options);
        expect(new Set(kept).size).toBe(kept.length);
        for (const [i, a] of kept.entries()) {
          expect(all).toContain(a);
          for (const b of kept.slice(i + 1)) {
            expect(repeats(a, b)).toBe(false);
            expect(a.score).toBeGreaterThanOrEqual(b.score);
          }
        }
        for (const box of all) {
          if (kept.includes(box)) continue;
          expect(kept.some((k) => k.score >= box.score && repeats(k, box))).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('somebody small before somebody large', () => {
  const large = { x: 0, y: 0, w: 60, h: 100, score: 0.9 };
  const small = { x: 10, y: 40, w: 20, h: 50, score: 0.8 };
  it('is two people in one crop, and a piece of one where another crop found it', () => {
    const together = [{ ...large, crop: 0 }, { ...small, crop: 0 }]; // biome-ignore format: two boxes
    expect(suppressOverlaps(together, options)).toHaveLength(2);
    const apart = [{ ...large, crop: 0 }, { ...small, crop: 1 }]; // biome-ignore format: two boxes
    expect(suppressOverlaps(apart, options)).toEqual([apart[0]]);
  });
});

describe('overlapRatio', () => {
  it('is 1 for the same box, 0 for boxes that only touch, and the same both ways', () => {
    const a = { x: 0, y: 0, w: 10, h: 10 };
    expect(overlapRatio(a, a)).toBe(1);
    expect(overlapRatio(a, { x: 10, y: 0, w: 10, h: 10 })).toBe(0);
    expect(overlapRatio(a, { x: 5, y: 0, w: 10, h: 10 })).toBeCloseTo(1 / 3);
    expect(intersectionArea(a, { x: 5, y: 5, w: 1, h: 2 })).toBe(2);
  });
});
