/** What is filled when pictures come at uneven times, as a camera sends them that saves them up or sees badly. */
import { expect, it } from 'vitest';
import type { Analysis } from './analysis.ts';
import { type Cells, cellPx, emptyCells, gridOf } from './cells.ts';
import { type RedactionChoiceInput, redactionChoice } from './choice.ts';
import { coverPictures } from './cover.ts';
import type { PersonTrack } from './people.ts';

const [widthPx, heightPx] = [480, 96];
const grid = gridOf(widthPx, heightPx);
const startMs = 1_700_000_000_000;

function cover(timesMs: readonly number[], people: readonly PersonTrack[], choice: RedactionChoiceInput) {
  const foreground = timesMs.map(() => emptyCells(grid));
  const picture = { widthPx, heightPx, grid, pixelFormat: undefined };
  const found: Analysis = { ...picture, timesMs, foreground, people, noModel: undefined };
  return coverPictures(found, redactionChoice.parse(choice), { startMs });
}

const fills = (cells: Cells | undefined, x: number, y: number): boolean =>
  cells?.[Math.floor(y / cellPx) * grid.cols + Math.floor(x / cellPx)] === 1;

const walk = (...places: readonly (readonly [picture: number, x: number])[]): PersonTrack => ({
  id: 1,
  finds: places.map(([picture, x]) => ({ picture, box: { x, y: 32, w: 16, h: 16 }, score: 0.9 })),
  bestScore: 0.9,
});

it('fills a drawn place in every picture that is on the screen at some time from its first moment to its last', () => {
  const region = { x: 0, y: 0, w: 0.1, h: 0.1 };
  const filled = (fromMs: number, toMs: number): boolean[] => {
    const regions = [{ ...region, fromMs: startMs + fromMs, toMs: startMs + toMs }];
    return cover([0, 1000, 2000, 5000], [], { fill: 'none', regions }).map((cells) => fills(cells, 4, 4));
  };
  // Who stops at 1.5 s to draw sees the picture of 1 s.
  expect(filled(1500, 1600)).toEqual([false, true, false, false]);
  expect(filled(2000, 2000)).toEqual([false, false, true, false]);
  expect(filled(4900, 5000)).toEqual([false, false, true, true]);
  // The last one stays for as long as the clip does.
  expect(filled(5100, 6000)).toEqual([false, false, false, true]);
});

it('looks for somebody between two finds by the time that has passed, not by the pictures', () => {
  const [, , third] = cover([0, 600, 1200, 3000], [walk([0, 0], [3, 300])], { fill: 'people' });
  // 300 pixels in three seconds.
  expect(fills(third, 120 + 8, 32 + 8)).toBe(true);
});
