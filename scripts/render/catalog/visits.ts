/** Streams with visits: in every light, with lamps and cameras that switch, and in the rain. */
import { places } from '../places.ts';
import type { StreamPlan } from '../plan.ts';
import { RouteWriter } from '../route.ts';
import { crossing, person, positive, ring, visitorRoute } from './making.ts';
import { plain, rings, stout, woman } from './people.ts';

const standsStill = new RouteWriter(1500, -6, -4.2)
  .along(
    [
      [-0.2, -4.1],
      [0.3, -3.3],
      [0.3, -1.5],
    ],
    1.5,
  )
  .face(-0.2)
  .do('stand', 58_000)
  .along(
    [
      [0.3, -3.3],
      [0.4, -4.2],
      [6, -4.4],
    ],
    1.6,
  )
  .done();
export const visits: readonly StreamPlan[] = [
  positive('day-front', 101, 'cottage', 'day', rings, {
    actors: [person(1, plain, visitorRoute('cottage', { out: 'side' }))],
    masksEveryFrames: 10,
  }),
  positive('ir-front', 102, 'driveway', 'ir', rings, {
    actors: [person(1, woman, visitorRoute('driveway', { out: 'side' }))],
    masksEveryFrames: 10,
  }),
  positive('dusk-front', 103, 'terrace', 'dusk', rings, {
    tags: ['lamp'],
    actors: [person(1, stout, visitorRoute('terrace'))],
    masksEveryFrames: 10,
  }),
  positive(
    'lamp-by-visitor',
    104,
    'courtyard',
    'mixed',
    'comes in the dark, the lamp switches on for them, rings, leaves',
    {
      tags: ['lamp', 'switch'],
      fps: 10,
      actors: [
        person(
          1,
          { ...plain, topTone: '#6d6a5f' },
          visitorRoute('courtyard', { by: 'side', fromMs: 1500, atDoor: ring(900) }),
        ),
      ],
      channels: {
        sky: [[0, 0.035]],
        lamp: [
          [0, 0],
          [4300, 0],
          [4350, 1],
        ],
      },
      notEvents: [{ fromMs: 4300, toMs: 5300, what: 'the porch lamp switches on' }],
      encode: { gopSec: 5 },
    },
  ),
  positive('ircut-visitor', 105, 'farm', 'mixed', 'comes while the camera switches to infrared, rings, leaves', {
    tags: ['ir-cut', 'switch'],
    fps: 10,
    actors: [
      person(
        1,
        { ...woman, topTone: '#6b5a7a' },
        visitorRoute('farm', { by: 'side', fromMs: 1500, atDoor: ring(2500) }),
      ),
    ],
    channels: {
      sky: [[0, 0.06]],
      infrared: [
        [0, 0],
        [6500, 0],
        [6800, 1],
      ],
      greyMode: [
        [0, 0],
        [6650, 0],
        [6650, 1],
      ],
    },
    notEvents: [{ fromMs: 6500, toMs: 7600, what: 'the camera switches to infrared' }],
  }),
  positive('day-oblique', 106, 'gallery', 'day', rings, {
    actors: [person(1, woman, visitorRoute('gallery', { speed: 1.6 }))],
  }),
  positive('ir-oblique', 107, 'gallery', 'ir', rings, {
    actors: [person(1, { ...stout, topTone: '#8a8f92' }, visitorRoute('gallery', { out: 'side' }))],
    encode: { gopSec: 5 },
  }),
  positive('dusk-side', 108, 'pavement', 'dusk', 'walks past close to the door', {
    tags: ['passer'],
    fps: 10,
    actors: [
      person(
        1,
        { ...woman, topTone: '#3f6b63', backpack: '#7a2f22' },
        crossing({ fromMs: 700, points: places.pavement.passing, speed: 1.7, moving: 'walk' }),
      ),
    ],
  }),
  positive(
    'headlights-visitor',
    109,
    'driveway',
    'ir',
    'comes while a car sweeps its lights over the garden, rings, leaves',
    {
      tags: ['headlights'],
      actors: [
        person(1, { ...plain, topTone: '#70747a' }, visitorRoute('driveway', { by: 'side', fromMs: 500 })),
        {
          id: 2,
          type: 'vehicle',
          spec: { vehicle: 'hatchback' },
          lamps: true,
          ...crossing({
            fromMs: 2500,
            points: [
              [24, -16.2],
              [9, -15.4],
              [1, -15.2],
              [-24, -15.6],
            ],
            speed: 9,
            moving: 'drive',
          }),
        },
      ],
    },
  ),
  positive('stands-still', 110, 'terrace', 'day', 'comes, stands still for a minute, leaves', {
    tags: ['still'],
    actors: [person(1, { ...plain, topTone: '#7a7f65' }, standsStill)],
    seconds: 76,
    encode: { kbps: 60, gopSec: 4 },
  }),
  positive('rain-hood', 111, 'terrace', 'day', rings, {
    tags: ['rain', 'hood'],
    ground: 'wet',
    actors: [
      person(
        1,
        { ...plain, top: 'raincoat', topTone: '#c9a227', headwear: 'hood', headwearTone: '#c9a227' },
        visitorRoute('terrace'),
      ),
    ],
    channels: { sun: [[0, 0]], sky: [[0, 0.75]], rain: [[0, 1]] },
  }),
  positive('rain-umbrella', 112, 'cottage', 'dusk', 'comes with an umbrella, waits, leaves', {
    tags: ['rain', 'umbrella', 'lamp'],
    ground: 'wet',
    actors: [
      person(
        1,
        { ...woman, umbrellaTone: '#7a2f3a' },
        visitorRoute('cottage', { by: 'side', holds: 'umbrella', atDoor: (route) => void route.do('stand', 3000) }),
      ),
    ],
    channels: { sky: [[0, 0.25]], rain: [[0, 0.8]] },
  }),
  positive('rain-ir', 113, 'driveway', 'ir', rings, {
    tags: ['rain'],
    ground: 'wet',
    actors: [
      person(
        1,
        { ...stout, top: 'raincoat', topTone: '#61727a', headwear: 'hood' },
        visitorRoute('driveway', { by: 'side' }),
      ),
    ],
    channels: { rain: [[0, 1]] },
    encode: { kbps: 260 },
  }),
];
