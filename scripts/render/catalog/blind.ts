/** A stream whose truth nothing but scoring code reads: two visits, a cat, a switched lamp and a passing car. */
import type { StreamPlan } from '../plan.ts';
import { RouteWriter } from '../route.ts';
import { crossing, person, positive, visitorRoute } from './making.ts';

export const blind: readonly StreamPlan[] = [
  positive('evening-mix', 301, 'cottage', 'mixed', 'one comes, rings, leaves; one crosses the lawn', {
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
        new RouteWriter(26_500, 9, -5.2)
          .along(
            [
              [-0.2, -4.4],
              [0.3, -8.6],
              [0.5, -10.1],
              [4, -10.4],
            ],
            1.8,
          )
          .done(),
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
        [34_000, 1],
        [34_050, 0.02],
      ],
    },
    seconds: 37,
    encode: { kbps: 160, gopSec: 4 },
  }),
];
