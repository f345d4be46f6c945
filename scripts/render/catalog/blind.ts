/** A stream whose truth nothing but scoring code reads: two visits between a cat, a switched lamp and a passing car. */
import type { StreamPlan } from '../plan.ts';
import { RouteWriter } from '../route.ts';
import { crossing, person, positive, visitorRoute } from './making.ts';

export const blind: readonly StreamPlan[] = [
  positive('evening-mix', 301, 'cottage', 'mixed', 'comes, rings, leaves', {
    tags: ['lamp', 'switch', 'cat', 'headlights'],
    blind: true,
    actors: [
      {
        id: 1,
        type: 'animal',
        spec: { animal: 'cat' },
        ...new RouteWriter(800, 3.2, -3.2).along([[-3.2, -2.6]], 0.9).done(),
      },
      {
        id: 2,
        type: 'vehicle',
        spec: { vehicle: 'hatchback' },
        lamps: true,
        ...crossing({
          fromMs: 4000,
          points: [
            [-26, -13],
            [24, -13],
          ],
          speed: 10,
          moving: 'drive',
        }),
      },
      person(3, {}, visitorRoute('cottage', { fromMs: 11_000, by: 'side' })),
      person(
        4,
        {},
        crossing({
          fromMs: 23_500,
          points: [
            [9, -10.5],
            [-9, -10.5],
          ],
          speed: 1.7,
          moving: 'walk',
        }),
      ),
    ],
    channels: {
      sky: [[0, 0.05]],
      lamp: [
        [0, 0],
        [9500, 0],
        [9550, 1],
        [10_900, 1],
        [10_950, 0],
        [13_500, 0],
        [13_550, 1],
        [25_000, 1],
        [25_050, 0.02],
      ],
    },
    seconds: 35,
    encode: { kbps: 160, gopSec: 4 },
  }),
];
