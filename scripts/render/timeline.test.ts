import { array, assert, integer, property, tuple } from 'fast-check';
import { expect, test } from 'vitest';
import type { ActorPlan } from './plan.ts';
import { RouteWriter, still } from './route.ts';
import { AWAY_Y_M, placementAt, valueAt } from './timeline.ts';

test('values are those of the keys at their times, linear in between, and hold outside', () => {
  const keys = [
    [0, 1],
    [1000, 1],
    [1000, 3],
    [2000, 5],
  ] as const;
  expect([-5, 0, 500, 999.999, 1000, 1500, 2000, 9000].map((ms) => Number(valueAt(keys, ms).toFixed(3)))).toEqual([
    1, 1, 1, 1, 3, 4, 5, 5,
  ]);
  expect(valueAt([], 100)).toBe(0);
});

test('a way never jumps: no faster than its speed, and the way walked is the way between its points', () => {
  assert(
    property(
      array(tuple(integer({ min: -9, max: 9 }), integer({ min: -9, max: 0 })), {
        minLength: 1,
        maxLength: 5,
      }),
      (points) => {
        const writer = new RouteWriter(500, 0, -12).along(points, 1.5).face(0).do('press', 900);
        const actor: ActorPlan = { id: 1, type: 'person', spec: {}, ...writer.done() };
        let before = placementAt(actor, 500, 0);
        // Not up to the writer's own time, which is rounded and may be a fraction of a millisecond later.
        for (let ms = 550; ms <= (actor.way.at(-1)?.ms ?? 0); ms += 50) {
          const now = placementAt(actor, ms, 0);
          if (before === undefined || now === undefined) throw new Error('away during its way');
          const moved = Math.hypot(now.xM - before.xM, now.zM - before.zM);
          expect(moved).toBeLessThanOrEqual(1.5 * 0.05 + 1e-6);
          expect(now.walkedM - before.walkedM).toBeGreaterThanOrEqual(moved - 1e-6);
          before = now;
        }
      },
    ),
    { numRuns: 30 },
  );
});

test('an actor is there from the first to the last point of its way, and not while it is away', () => {
  const actor: ActorPlan = { id: 1, type: 'prop', spec: { prop: 'parcel' }, ...still(1000, 2000, 1, -2, 0.5) };
  expect([999, 1000, 2000, 2001].map((ms) => placementAt(actor, ms, 0) !== undefined)).toEqual([
    false,
    true,
    true,
    false,
  ]);
  expect(placementAt({ ...actor, ...still(0, 9, 0, 0, 0, 'stand', AWAY_Y_M) }, 5, 0)).toBeUndefined();
});

test('turns take the shorter way round', () => {
  const way = [3, -3].map((headingRad, k) => ({ ms: k * 1000, xM: 0, zM: 0, yM: 0, headingRad, walkedM: 0 }));
  const middle = placementAt({ id: 1, type: 'person', spec: {}, way, beats: [{ fromMs: 0, action: 'stand' }] }, 500, 0);
  expect(Math.abs(middle?.headingRad ?? 0)).toBeCloseTo(Math.PI, 6);
});
