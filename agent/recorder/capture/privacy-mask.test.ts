import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSimplePolygon } from '../../config/polygon.ts';
import { coverBoxes, maskFilter, type Polygon } from './privacy-mask.ts';

function inside(polygon: Polygon, x: number, y: number): boolean {
  let odd = false;
  polygon.forEach(([ax, ay], i) => {
    const [bx, by] = polygon[(i + 1) % polygon.length] ?? [ax, ay];
    if (ay > y !== by > y && x < ax + ((bx - ax) * (y - ay)) / (by - ay)) odd = !odd;
  });
  return odd;
}

const covered = (boxes: ReturnType<typeof coverBoxes>, x: number, y: number): boolean =>
  boxes.some(({ left, right, top, bottom }) => x >= left && x <= right && y >= top && y <= bottom);

describe('boxes over a mask', () => {
  test('a rectangle is one box, whichever way round it was drawn', () => {
    const box = { left: 0.25, top: 0.5, right: 0.75, bottom: 1 };
    const corners = [[0.25, 0.5], [0.75, 0.5], [0.75, 1], [0.25, 1]] as const; // biome-ignore format: one rectangle
    expect(coverBoxes([corners])).toEqual([box]);
    expect(coverBoxes([corners.toReversed()])).toEqual([box]);
  });

  test('a U masks its two legs and its foot, not what stands between them', () => {
    const u: Polygon = [[0.1, 0.1], [0.3, 0.1], [0.3, 0.7], [0.7, 0.7], [0.7, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]; // biome-ignore format: one polygon
    const boxes = coverBoxes([u]);
    expect(boxes).toHaveLength(3);
    expect(covered(boxes, 0.5, 0.4)).toBe(false);
    expect(covered(boxes, 0.2, 0.4) && covered(boxes, 0.8, 0.4) && covered(boxes, 0.5, 0.8)).toBe(true);
  });

  test('a slanted side is overshot by a hundredth of the picture at most', () => {
    const triangle: Polygon = [[0, 0], [1, 0], [0, 1]]; // biome-ignore format: one polygon
    const boxes = coverBoxes([triangle]);
    expect(covered(boxes, 0.51, 0.51)).toBe(false);
    expect(boxes.length).toBeLessThanOrEqual(101);
  });

  test('every point of any polygon is covered, and the argument stays short enough for an operating system', () => {
    const corner = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }));
    const polygon = fc
      .array(corner, { minLength: 3, maxLength: 8 })
      .map((points): Polygon => points.map(([x, y]) => [x / 40, y / 40]))
      .filter((points) => isSimplePolygon(points));
    const grid = Array.from({ length: 33 }, (_, i) => i / 32);
    fc.assert(
      fc.property(fc.array(polygon, { minLength: 1, maxLength: 16 }), (masks) => {
        const boxes = coverBoxes(masks);
        expect(maskFilter(masks).length).toBeLessThan(120_000);
        for (const x of grid) {
          for (const y of grid) {
            if (masks.some((mask) => inside(mask, x, y))) expect(covered(boxes, x, y)).toBe(true);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  test('the most crooked masks that a configuration takes are coarsened rather than cut down', () => {
    const teeth = Array.from({ length: 16 }, (_, i): readonly [number, number] => [i / 15, i % 2 === 0 ? 0.05 : 0.9]);
    const saw: Polygon = [...teeth.map(([x, y]) => [x, y] as const), [1, 1], [0, 1]];
    const boxes = coverBoxes(Array.from({ length: 16 }, () => saw));
    expect(boxes.length).toBeLessThanOrEqual(512);
    expect(maskFilter(Array.from({ length: 16 }, () => saw)).length).toBeLessThan(128 * 1024);
    expect(covered(boxes, 1 / 15, 0.8)).toBe(true);
  });

  test('no mask, no filter', () => expect(maskFilter([])).toBe(''));
});
