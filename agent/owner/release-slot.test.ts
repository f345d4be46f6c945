import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { releaseSlotMs } from './release-slot.ts';

const minute = 60_000;
const hour = 60 * minute;

it('is any of the slots of ten minutes from the end of the cooling-off to the end of the spread, and no other moment', () => {
  const drawn = new Set<number | undefined>();
  const belows = new Set<number>();
  for (let n = 0; n < 37; n += 1) {
    const draw = (below: number): number => {
      belows.add(below);
      return n;
    };
    drawn.add(releaseSlotMs({ earliestMs: 5 * hour, deadlineMs: 100 * hour, spreadMs: 6 * hour, draw }));
  }
  expect([...belows]).toEqual([37]);
  expect([...drawn]).toEqual(Array.from({ length: 37 }, (_, n) => 5 * hour + n * 10 * minute));
  expect(releaseSlotMs({ earliestMs: 7, deadlineMs: hour, spreadMs: 0, draw: () => 0 })).toBe(7);
});

it('is cut to fit the deadline, half an hour before it, and there is none where nothing fits', () => {
  const drawLast = (below: number): number => below - 1;
  const at = (earliestMs: number): number | undefined =>
    releaseSlotMs({ earliestMs, deadlineMs: 10 * hour, spreadMs: 6 * hour, draw: drawLast });
  expect(at(9 * hour)).toBe(9.5 * hour);
  expect(at(9.5 * hour)).toBe(9.5 * hour);
  expect(at(9.5 * hour + 1)).toBeUndefined();
  const ms = fc.integer({ min: 0, max: 30 * 24 * hour });
  fc.assert(
    fc.property(
      ms,
      ms,
      ms,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (earliest, left, spread, luck) => {
        const found = releaseSlotMs({
          earliestMs: earliest,
          deadlineMs: earliest + left,
          spreadMs: spread,
          draw: (below) => Math.floor(luck * below),
        });
        if (left < 30 * minute) {
          expect(found).toBeUndefined();
          return;
        }
        expect(found).toBeGreaterThanOrEqual(earliest);
        expect(found).toBeLessThanOrEqual(Math.min(earliest + spread, earliest + left - 30 * minute));
      },
    ),
  );
});
