/** Streams without a person: everything in them moves or changes, and nothing is an event. */
import type { StreamPlan } from '../plan.ts';
import { RouteWriter, still } from '../route.ts';
import { crossing, negative } from './making.ts';

const dark: StreamPlan['channels'] = { sky: [[0, 0.03]] };

export const quiet: readonly StreamPlan[] = [
  negative('cat-day', 201, 'cottage', 'day', 'a cat crosses and sits down', {
    fps: 10,
    tags: ['cat'],
    actors: [
      {
        id: 1,
        type: 'animal',
        spec: { animal: 'cat', tone: '#6b5a48' },
        ...new RouteWriter(600, -3.4, -3.6)
          .along([[-0.4, -2.1]], 0.8)
          .do('sit', 2500)
          .along(
            [
              [1.4, -1.9],
              [4.8, -1.7],
            ],
            0.9,
          )
          .done(),
      },
    ],
    seconds: 12,
    masksEveryFrames: 10,
  }),
  negative('cat-ir', 202, 'driveway', 'ir', 'a cat crosses', {
    fps: 10,
    tags: ['cat'],
    actors: [
      {
        id: 1,
        type: 'animal',
        spec: { animal: 'cat', tone: '#4b4440' },
        ...new RouteWriter(500, 3.8, -4.6)
          .along(
            [
              [0.8, -2.2],
              [-0.6, -1.4],
            ],
            0.7,
          )
          .do('stand', 1200)
          .along([[-3.2, -3]], 0.9)
          .done(),
      },
    ],
    seconds: 11,
    masksEveryFrames: 10,
  }),
  negative('dog-day', 203, 'farm', 'day', 'a dog trots through', {
    tags: ['dog'],
    actors: [
      {
        id: 1,
        type: 'animal',
        spec: { animal: 'bigDog', tone: '#8a6a42' },
        ...crossing({
          fromMs: 600,
          points: [
            [6.5, -8.5],
            [0.6, -2.8],
            [-5.5, -6.5],
          ],
          speed: 1.9,
          moving: 'trot',
        }),
      },
    ],
    seconds: 9,
  }),
  negative('fox-ir', 204, 'terrace', 'ir', 'a fox passes', {
    tags: ['fox'],
    actors: [
      {
        id: 1,
        type: 'animal',
        spec: { animal: 'fox' },
        ...crossing({
          fromMs: 600,
          points: [
            [-5, -4.2],
            [0.3, -3.7],
            [0.4, -1.6],
            [1.4, -2.6],
          ],
          speed: 1.3,
          moving: 'walk',
        }),
      },
    ],
    seconds: 10,
  }),
  negative('bird', 205, 'courtyard', 'day', 'a bird flies in, pecks, flies off', {
    fps: 10,
    tags: ['bird'],
    actors: [
      {
        id: 1,
        type: 'animal',
        spec: { animal: 'bird' },
        ...crossing({
          fromMs: 400,
          points: [
            [-4, -9],
            [0.4, -3.2],
          ],
          speed: 4.5,
          moving: 'fly',
          yM: 1.9,
        }),
      },
      {
        id: 2,
        type: 'animal',
        spec: { animal: 'bird' },
        ...new RouteWriter(2000, 0.4, -3.2, { moving: 'hop' })
          .do('peck', 1500)
          .along([[-0.5, -2.2]], 0.5)
          .do('peck', 1500)
          .done(),
      },
    ],
    seconds: 8,
  }),
  negative('flag', 206, 'woods', 'day', 'a flag in the wind', {
    tags: ['flag', 'wind'],
    actors: [{ id: 1, type: 'prop', spec: { prop: 'flag' }, ...still(0, 20_000, 3, -6.2, 0.6) }],
    channels: {
      wind: [
        [0, 0.25],
        [4000, 0.29],
        [8000, 0.2],
      ],
    },
    seconds: 9,
  }),
  negative('cars-day', 207, 'terrace', 'day', 'cars pass', {
    tags: ['cars'],
    actors: [
      {
        id: 1,
        type: 'vehicle',
        spec: { vehicle: 'saloon', tone: '#39506b' },
        ...crossing({
          fromMs: 500,
          points: [
            [-24, -9.4],
            [24, -9.4],
          ],
          speed: 9,
          moving: 'drive',
        }),
      },
      {
        id: 2,
        type: 'vehicle',
        spec: { vehicle: 'van', tone: '#d8d8d4' },
        ...crossing({
          fromMs: 4200,
          points: [
            [24, -8],
            [-24, -8],
          ],
          speed: 10,
          moving: 'drive',
        }),
      },
    ],
    seconds: 10,
  }),
  negative('rain-day', 208, 'cottage', 'day', 'rain', {
    fps: 10,
    tags: ['rain'],
    ground: 'wet',
    channels: {
      sun: [[0, 0]],
      sky: [[0, 0.75]],
      rain: [
        [0, 0.6],
        [5000, 1.2],
        [10_000, 0.8],
      ],
    },
    seconds: 10,
  }),
  negative('rain-ir-drops', 209, 'terrace', 'ir', 'rain, lit by the infrared lamp close to the lens', {
    tags: ['rain'],
    ground: 'wet',
    channels: { rain: [[0, 1.1]] },
    seconds: 9,
    encode: { kbps: 280 },
  }),
  negative('snow-empty', 210, 'farm', 'day', 'snow', {
    tags: ['snow'],
    ground: 'snow',
    channels: { sun: [[0, 0]], sky: [[0, 0.8]], snow: [[0, 0.9]], wind: [[0, 0.25]] },
    seconds: 9,
    encode: { kbps: 260 },
  }),
  negative('snow-ir-empty', 211, 'gallery', 'ir', 'snow, lit by the infrared lamp', {
    tags: ['snow'],
    ground: 'snow',
    channels: { snow: [[0, 0.8]] },
    seconds: 8,
    encode: { kbps: 280 },
  }),
  negative('wind-shadows', 212, 'cottage', 'day', 'trees and their shadows move in the wind', {
    fps: 10,
    tags: ['wind', 'shadows'],
    sunFrom: [6, 6, -5],
    channels: {
      wind: [
        [0, 0.5],
        [3000, 0.7],
        [6000, 1.4],
        [9000, 0.6],
        [12_000, 1],
      ],
    },
    seconds: 10,
    encode: { kbps: 450 },
  }),
  negative('clouds', 213, 'driveway', 'day', 'shadows of clouds pass', {
    tags: ['clouds'],
    channels: {
      cloud: [[0, 0.8]],
      sun: [
        [0, 1],
        [4000, 1],
        [5500, 0.25],
        [8000, 0.2],
        [9500, 0.9],
      ],
    },
    seconds: 12,
  }),
  negative('headlights-ir', 214, 'driveway', 'ir', 'headlights sweep over the garden', {
    fps: 10,
    tags: ['headlights'],
    actors: [
      {
        id: 1,
        type: 'vehicle',
        spec: { vehicle: 'saloon' },
        lamps: true,
        ...crossing({
          fromMs: 800,
          points: [
            [26, -17.5],
            [10, -15.6],
            [2, -15],
            [-24, -15.2],
          ],
          speed: 8,
          moving: 'drive',
        }),
      },
    ],
    seconds: 9,
  }),
  negative('headlights-farm', 215, 'farm', 'ir', 'a car turns in the lane far off and its lights sweep', {
    tags: ['headlights'],
    actors: [
      {
        id: 1,
        type: 'vehicle',
        spec: { vehicle: 'hatchback' },
        lamps: true,
        ...crossing({
          fromMs: 500,
          points: [
            [-26, -21],
            [-3, -20.6],
            [3, -19.4],
            [4.8, -16.5],
          ],
          speed: 7,
          moving: 'drive',
        }),
      },
    ],
    seconds: 6,
  }),
  negative('lamp-alone', 216, 'courtyard', 'mixed', 'the porch lamp switches on and off by itself', {
    fps: 10,
    tags: ['lamp', 'switch'],
    channels: {
      ...dark,
      lamp: [
        [0, 0],
        [3000, 0],
        [3050, 1],
        [8000, 1],
        [8050, 0],
      ],
    },
    seconds: 11,
    encode: { gopSec: 5 },
  }),
  negative('ircut-alone', 217, 'terrace', 'mixed', 'the camera switches to infrared by itself and back', {
    fps: 10,
    tags: ['ir-cut', 'switch'],
    channels: {
      sky: [[0, 0.06]],
      infrared: [
        [0, 0],
        [3000, 0],
        [3300, 1],
        [7500, 1],
        [7600, 0],
      ],
      greyMode: [
        [0, 0],
        [3150, 0],
        [3150, 1],
        [7550, 1],
        [7550, 0],
      ],
    },
    seconds: 10,
  }),
  negative('exposure-steps', 218, 'pavement', 'day', 'the exposure jumps', {
    fps: 10,
    tags: ['exposure'],
    channels: {
      exposureSteps: [
        [0, 0],
        [2500, 0],
        [2500, 0.6],
        [4500, 0.6],
        [4500, -0.5],
        [6500, -0.5],
        [6500, 0.15],
        [8000, 0.15],
        [8000, 0],
      ],
    },
    seconds: 10,
    encode: { gopSec: 10 },
  }),
  negative('reconnect-empty', 219, 'woods', 'day', 'the stream breaks off twice: black, then missing and grey', {
    fps: 10,
    tags: ['reconnect'],
    gaps: [
      { fromMs: 3000, toMs: 4500, outage: 'black' },
      { fromMs: 7000, toMs: 9000, outage: 'missing' },
      { fromMs: 9000, toMs: 9600, outage: 'grey' },
    ],
    seconds: 13,
  }),
  negative('noise-empty', 220, 'woods', 'ir', 'nothing but the noise of a high gain', {
    tags: ['noise'],
    channels: { gain: [[0, 2.2]], infrared: [[0, 0.35]] },
    seconds: 10,
    encode: { kbps: 300 },
  }),
];
