// The promises of planRegions for any boxes, and a few plans worked out by hand.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planRegions, type RegionOptions } from './regions.ts';

const options: RegionOptions = { widthPx: 640, heightPx: 360, leastPx: 224, maxCount: 2, contextRatio: 0.25, roomRatio: 1.5 }; // biome-ignore format: one line
const whole = { x: 0, y: 0, w: 640, h: 360 };

const scenes = fc
  .record({
    widthPx: fc.constantFrom(320, 640, 1280),
    heightPx: fc.constantFrom(180, 360, 720),
    leastPx: fc.constantFrom(160, 224, 416),
    maxCount: fc.integer({ min: 1, max: 4 }),
    contextRatio: fc.constantFrom(0, 0.25, 1),
    roomRatio: fc.constantFrom(1, 1.5, 3),
  })
  .chain((o) =>
    fc.tuple(
      fc.constant(o),
      fc.array(
        fc
          .tuple(
            fc.integer({ min: 0, max: o.widthPx - 2 }),
            fc.integer({ min: 0, max: o.heightPx - 2 }),
            fc.nat(),
            fc.nat(),
          )
          .map(([x, y, w, h]) => ({ x, y, w: 1 + (w % (o.widthPx - x)), h: 1 + (h % (o.heightPx - y)) })),
        { maxLength: 12 },
      ),
    ),
  );

describe('planRegions', () => {
  it('covers every box with few crops inside the frame, none smaller than it may be', () => {
    fc.assert(
      fc.property(scenes, ([o, boxes]) => {
        const crops = planRegions(boxes, o);
        expect(crops.length).toBeGreaterThan(0);
        expect(crops.length).toBeLessThanOrEqual(Math.max(1, o.maxCount));
        for (const crop of crops) {
          expect(Object.values(crop).every(Number.isInteger)).toBe(true);
          expect(crop.x).toBeGreaterThanOrEqual(0);
          expect(crop.y).toBeGreaterThanOrEqual(0);
          expect(crop.x + crop.w).toBeLessThanOrEqual(o.widthPx);
          expect(crop.y + crop.h).toBeLessThanOrEqual(o.heightPx);
          expect(crop.w).toBeGreaterThanOrEqual(Math.min(o.leastPx, o.widthPx));
          expect(crop.h).toBeGreaterThanOrEqual(Math.min(o.leastPx, o.heightPx));
        }
        for (const b of boxes) {
          expect(crops.some((c) => c.x <= b.x && c.y <= b.y && c.x + c.w >= b.x + b.w && c.y + c.h >= b.y + b.h)).toBe(
            true,
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it('looks at the whole frame when nothing is known or nearly all of it moves', () => {
    expect(planRegions([], options)).toEqual([whole]);
    expect(planRegions([{ x: 20, y: 10, w: 600, h: 340 }], options)).toEqual([whole]);
  });

  it('cuts one square of the least side around a small box, and leaves room around a larger one', () => {
    expect(planRegions([{ x: 300, y: 160, w: 20, h: 60 }], options)).toEqual([{ x: 198, y: 78, w: 224, h: 224 }]);
    expect(planRegions([{ x: 0, y: 300, w: 20, h: 60 }], options)).toEqual([{ x: 0, y: 136, w: 224, h: 224 }]);
    expect(planRegions([{ x: 300, y: 100, w: 40, h: 120 }], options)).toEqual([{ x: 185, y: 25, w: 270, h: 270 }]);
  });

  it('adds the whole frame where it is asked to, once', () => {
    const box = { x: 300, y: 160, w: 20, h: 60 };
    const also = { ...options, alsoWhole: true };
    expect(planRegions([box], also)).toEqual([{ x: 198, y: 78, w: 224, h: 224 }, whole]);
    expect(planRegions([], also)).toEqual([whole]);
    expect(planRegions([{ x: 20, y: 10, w: 600, h: 340 }], also)).toEqual([whole]);
  });

  it('merges boxes that fit one crop and keeps far ones apart', () => {
    const near = planRegions([{ x: 100, y: 100, w: 20, h: 40 }, { x: 200, y: 120, w: 20, h: 40 }], options); // biome-ignore format: two boxes
    expect(near).toHaveLength(1);
    const far = planRegions([{ x: 10, y: 100, w: 20, h: 40 }, { x: 600, y: 120, w: 20, h: 40 }], options); // biome-ignore format: two boxes
    expect(far).toHaveLength(2);
  });
});
