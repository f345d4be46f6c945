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
        ...new RouteWriter(1500, 3.2, -3.2).along([[-3.2, -2.6]], 0.9).done(),
      },
      {
        id: 2,
        type: 'vehicle',
        spec: { vehicle: 'hatchback' },
        lamps: true,
        ...crossing({
          fromMs: 6500,
          points: [
            [-26, -13],
            [24, -13],
          ],
          speed: 10,
          moving: 'drive',
        }),
      },
      person(3, {}, visitorRoute('cottage', { fromMs: 12_500 })),
      person(
        4,
        {},
        crossing({
          fromMs: 34_000,
          points: [
            [9, -10.5],
            [-9, -10.5],
          ],
          speed: 1.5,
          moving: 'walk',
        }),
      ),
    ],
    channels: {
      sky: [[0, 0.05]],
      lamp: [
        [0, 0],
        [10_000, 0],
        [10_050, 1],
        [11_500, 1],
        [11_550, 0],
        [19_000, 0],
        [19_050, 1],
        [30_000, 1],
        [30_050, 0.02],
      ],
    },
    fps: 8,
    seconds: 47,
    encode: { kbps: 170, gopSec: 4 },
  }),
];
