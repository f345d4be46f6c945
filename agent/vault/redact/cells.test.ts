import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cells, cellPx, dilate, emptyCells, fillBox, fillPolygon, gridOf, turnBack } from './cells.ts';
import { type FragmentSamples, readFragment, writeFragment } from './samples.ts';

const [w, h] = [150, 90];
const grid = gridOf(w, h);
const shows = (cells: Cells, x: number, y: number): boolean =>
  cells[Math.floor(y / cellPx) * grid.cols + Math.floor(x / cellPx)] === 0;
const within = (most: number): fc.Arbitrary<number> => fc.double({ min: 0, max: most, noNaN: true });

/** Even-odd rule, point by point. */
function inside(corners: readonly (readonly [number, number])[], x: number, y: number): boolean {
  let odd = false;
  for (const [i, [x0, y0]] of corners.entries()) {
    const [x1, y1] = corners[(i + 1) % corners.length] ?? [x0, y0];
    if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) odd = !odd;
  }
  return odd;
}

describe('cells', () => {
  it('of a box and of a polygon hide every pixel inside', () => {
    const corner = fc.tuple(within(w - 1), within(h - 1));
    fc.assert(
      fc.property(fc.array(corner, { minLength: 3, maxLength: 8 }), (corners) => {
        const cells = emptyCells(grid);
        fillPolygon(cells, grid, corners);
        for (let y = 0.5; y < h; y += 3) {
          for (let x = 0.5; x < w; x += 3) if (inside(corners, x, y) && shows(cells, x, y)) return false;
        }
        return true;
      }),
    );
    fc.assert(
      fc.property(within(w), within(h), within(w), within(h), (x, y, bw, bh) => {
        const cells = emptyCells(grid);
        fillBox(cells, grid, { x: x - 20, y: y - 20, w: bw, h: bh });
        for (let py = Math.max(0, y - 20); py < Math.min(h, y - 20 + bh); py += 5) {
          for (let px = Math.max(0, x - 20); px < Math.min(w, x - 20 + bw); px += 5)
            if (shows(cells, px, py)) return false;
        }
        return true;
      }),
    );
  });

  it('of a turned picture hide the same pixels in the picture as coded', () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 2, 3), fc.array(fc.nat(grid.cols * grid.rows - 1)), (turns, filled) => {
        const cells = emptyCells(grid);
        for (const at of filled) cells[at] = 1;
        const coded = turnBack(cells, { widthPx: w, heightPx: h }, turns);
        const { cols } = turns % 2 === 1 ? gridOf(h, w) : grid;
        for (let y = 0; y < h; y += 7) {
          for (let x = 0; x < w; x += 7) {
            const places = [[x, y], [y, w - 1 - x], [w - 1 - x, h - 1 - y], [h - 1 - y, x]] as const; // biome-ignore format: turns
            const [cx, cy] = places[turns];
            if (!shows(cells, x, y) && coded[Math.floor(cy / cellPx) * cols + Math.floor(cx / cellPx)] !== 1)
              return false;
          }
        }
        return true;
      }),
    );
  });

  it('grow by one on each side, within the picture', () => {
    const cells = emptyCells(grid);
    cells[0] = 1;
    cells[3 * grid.cols + 4] = 1;
    const count = dilate(cells, grid).reduce((sum, cell) => sum + cell, 0);
    expect(count).toBe(4 + 9);
  });
});

it('a fragment that is written is read back, whatever its times', () => {
  const sample = fc.record({
    duration: fc.nat(0xffff_ffff),
    shift: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  });
  const content = fc.record({
    decodeTime: fc.nat(2 ** 31 - 1).map((high) => high * 2 ** 20 + 5),
    samples: fc.array(sample, { minLength: 1, maxLength: 6 }),
  });
  fc.assert(
    fc.property(content, (fragment: FragmentSamples) => {
      const read = readFragment(writeFragment(fragment, 1, 7), { duration: 0, bytes: 0 });
      const plain = (all: FragmentSamples) => [
        all.decodeTime,
        all.samples.map((s) => [s.duration, s.shift, [...s.bytes]]),
      ];
      expect(plain(read)).toEqual(plain(fragment));
    }),
  );
});

it('a damaged fragment is refused or read, never anything else', () => {
  const good = writeFragment({ decodeTime: 9, samples: [{ duration: 1, shift: 0, bytes: Buffer.from('abc') }] }, 1, 1);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) => {
      const bytes = Buffer.from(good);
      bytes[at] = value;
      try {
        readFragment(bytes, { duration: 0, bytes: 0 });
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'vault/bad-movie' });
      }
    }),
  );
});
