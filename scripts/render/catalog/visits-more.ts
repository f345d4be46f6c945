/** Streams with visits: other people and what they do, other cameras, snow. */
import { places } from '../places.ts';
import type { StreamPlan } from '../plan.ts';
import { RouteWriter } from '../route.ts';
import { crossing, parcelOf, person, positive, pushed, ring, visitorRoute } from './making.ts';
import { courier, plain, rings, stout, woman } from './people.ts';

const pramWalker = person(
  1,
  woman,
  crossing({
    fromMs: 300,
    points: [
      [-6.5, -1.8],
      [-1, -1.75],
      [6.5, -1.8],
    ],
    speed: 1.4,
    moving: 'walk',
  }),
);
const pramPusher = { ...pramWalker, beats: [{ fromMs: 0, action: 'walk', holds: 'pram' as const }] };
const leaver = person(
  1,
  courier,
  visitorRoute('terrace', {
    holds: 'parcel',
    offset: [0.1, -0.75],
    atDoor: (route) => {
      route.do('putDown', 2300).hold('nothing').do('stand', 500);
    },
  }),
);
const taker = person(
  1,
  { ...plain, headwear: 'hood', topTone: '#55585e' },
  visitorRoute('driveway', {
    by: 'side',
    speed: 1.7,
    offset: [0, -0.8],
    atDoor: (route) => {
      route.do('look', 700).hold('nothing').do('pickUp', 2200).hold('parcel');
    },
  }),
);

export const moreVisits: readonly StreamPlan[] = [
  positive('snow-day', 114, 'woods', 'day', rings, {
    tags: ['snow'],
    ground: 'snow',
    actors: [
      person(
        1,
        { ...plain, top: 'coat', topTone: '#66544a', headwear: 'beanie' },
        visitorRoute('woods', { out: 'side' }),
      ),
    ],
    channels: { sun: [[0, 0]], sky: [[0, 0.8]], snow: [[0, 0.7]] },
  }),
  positive('snow-ir', 115, 'cottage', 'ir', rings, {
    tags: ['snow'],
    ground: 'snow',
    actors: [person(1, { ...woman, headwear: 'beanie' }, visitorRoute('cottage', { by: 'side' }))],
    channels: { snow: [[0, 0.6]] },
    encode: { kbps: 260 },
  }),
  positive('child', 116, 'terrace', 'day', 'a child comes, knocks, looks, leaves', {
    tags: ['child'],
    actors: [
      person(
        1,
        { age: 'child9', top: 'jacket', topTone: '#b5452f', bottom: 'shorts' },
        visitorRoute('terrace', { atDoor: (route) => void route.do('knock', 1600).do('look', 1300) }),
      ),
    ],
  }),
  positive('small-child-ir', 117, 'courtyard', 'ir', 'a grown-up and a small child come, wait, leave', {
    tags: ['child', 'group'],
    actors: [
      person(1, woman, visitorRoute('courtyard', { by: 'side', offset: [0.35, -0.25], speed: 1.3 })),
      person(
        2,
        { age: 'child5', top: 'coat' },
        visitorRoute('courtyard', {
          by: 'side',
          offset: [-0.45, -0.1],
          speed: 1.3,
          atDoor: (route) => void route.do('look', 3000),
        }),
      ),
    ],
  }),
  positive('elderly', 118, 'courtyard', 'day', 'an elderly person with a cane comes slowly, rings, waits', {
    tags: ['elderly'],
    seconds: 14,
    actors: [
      person(
        1,
        { age: 'elderly', cane: true, top: 'coat', topTone: '#7c7366', headwear: 'hat' },
        visitorRoute('courtyard', { by: 'side', speed: 0.95, leaves: false, atDoor: ring(5000) }),
      ),
    ],
  }),
  positive('pram', 119, 'pavement', 'day', 'passes with a pram', {
    tags: ['pram', 'passer'],
    actors: [pramPusher, pushed(2, pramPusher, '#39424d')],
  }),
  positive('group-of-three', 120, 'farm', 'day', 'three people come, ring, wait, leave', {
    tags: ['group'],
    actors: [
      person(1, plain, visitorRoute('farm', { by: 'side' })),
      person(
        2,
        woman,
        visitorRoute('farm', {
          by: 'side',
          fromMs: 1100,
          offset: [0.75, -0.45],
          atDoor: (route) => void route.do('stand', 2800),
        }),
      ),
      person(
        3,
        stout,
        visitorRoute('farm', {
          by: 'side',
          fromMs: 1500,
          offset: [-0.75, -0.6],
          atDoor: (route) => void route.do('look', 2500),
        }),
      ),
    ],
  }),
  positive('parcel-left', 121, 'terrace', 'day', 'brings a parcel, puts it down, leaves', {
    tags: ['parcel'],
    actors: [leaver, parcelOf(2, leaver, 'putDown', 60_000)],
    seconds: 19,
    notEvents: [{ fromMs: 16_500, toMs: 19_000, what: 'a parcel lies at the door' }],
  }),
  positive('parcel-taken', 122, 'driveway', 'dusk', 'comes, takes the parcel, leaves quickly', {
    tags: ['parcel', 'lamp'],
    actors: [taker, parcelOf(2, taker, 'pickUp', 0)],
  }),
  positive('crouching', 123, 'woods', 'day', 'comes, crouches at the door, gets up, leaves', {
    tags: ['crouch'],
    actors: [
      person(
        1,
        { ...plain, topTone: '#59664a' },
        visitorRoute('woods', {
          by: 'side',
          offset: [0, -0.4],
          atDoor: (route) => void route.do('crouch', 4000).do('stand', 500),
        }),
      ),
    ],
  }),
  positive('crouching-ir', 124, 'courtyard', 'ir', 'comes, crouches, leaves', {
    tags: ['crouch'],
    actors: [
      person(
        1,
        { ...plain, headwear: 'hood' },
        visitorRoute('courtyard', { by: 'side', offset: [0, -0.5], atDoor: (route) => void route.do('crouch', 4000) }),
      ),
    ],
  }),
  positive('dirty-lens', 125, 'pavement', 'day', 'comes along the pavement, rings, leaves', {
    tags: ['dirt'],
    actors: [person(1, { ...plain, topTone: '#9a4f5a' }, visitorRoute('pavement'))],
    channels: { dirt: [[0, 1]] },
  }),
  positive('shaking-camera', 126, 'farm', 'day', rings, {
    tags: ['shake'],
    fps: 10,
    actors: [
      person(1, { ...woman, topTone: '#4b7a4f' }, visitorRoute('farm', { by: 'side', fromMs: 300, atDoor: ring(400) })),
    ],
    channels: {
      shake: [
        [0, 0.3],
        [4000, 0.4],
        [4200, 1],
        [5200, 0.4],
        [12_000, 0.3],
      ],
    },
    encode: { kbps: 380 },
  }),
  positive(
    'reconnect-in-visit',
    127,
    'cottage',
    'day',
    'comes; the stream breaks off for two seconds and comes back; leaves',
    {
      tags: ['reconnect'],
      actors: [person(1, stout, visitorRoute('cottage', { by: 'side', atDoor: ring(4500) }))],
      gaps: [
        { fromMs: 5800, toMs: 6400, outage: 'frozen' },
        { fromMs: 6400, toMs: 7600, outage: 'missing' },
        { fromMs: 7600, toMs: 8200, outage: 'grey' },
      ],
      notEvents: [{ fromMs: 5800, toMs: 8200, what: 'the stream breaks off and comes back grey' }],
    },
  ),
  positive('far-passer', 128, 'driveway', 'day', 'passes on the pavement, 12 m away', {
    tags: ['passer', 'far'],
    actors: [
      person(
        1,
        { ...plain, topTone: '#a8452f' },
        crossing({ fromMs: 600, points: places.driveway.passing, speed: 1.6, moving: 'walk' }),
      ),
    ],
  }),
  positive('runs-past', 129, 'pavement', 'day', 'runs past close to the door', {
    tags: ['run', 'passer'],
    actors: [
      person(
        1,
        { ...plain, top: 'shirt', topTone: '#3b7fa6', bottom: 'shorts' },
        crossing({ fromMs: 1200, points: places.pavement.passing, speed: 3.1, moving: 'run' }),
      ),
    ],
    fps: 15,
    seconds: 7,
    encode: { gopSec: 0.5, kbps: 480, profile: 'baseline' },
  }),
  positive('smooth-25fps', 130, 'driveway', 'day', 'comes up the drive, looks, leaves', {
    tags: ['25fps'],
    fps: 25,
    actors: [
      person(
        1,
        { ...woman, topTone: '#b08a3a' },
        new RouteWriter(300, 4.8, -2.6)
          .along([[0.9, -2.2]], 1.7)
          .do('look', 800)
          .along([[4.8, -2.4]], 1.8)
          .done(),
      ),
    ],
    seconds: 7,
    encode: { kbps: 560, gopSec: 10, quality: 27, profile: 'high' },
  }),
  positive('looks-round', 131, 'courtyard', 'dusk', 'comes through the archway, looks round, goes', {
    tags: ['lamp', 'passer'],
    actors: [
      person(
        1,
        { ...plain, topTone: '#7a7266' },
        new RouteWriter(600, 1.2, -13.5)
          .along(
            [
              [0.8, -8],
              [-1, -5],
            ],
            1.6,
          )
          .do('look', 2000)
          .along(
            [
              [0.8, -8],
              [1.2, -13.5],
            ],
            1.7,
          )
          .done(),
      ),
    ],
  }),
  positive('porch-1080', 132, 'cottage', 'day', 'comes over the lawn, waves, goes away', {
    tags: ['1080p', 'audio'],
    widthPx: 1920,
    heightPx: 1080,
    fps: 15,
    seconds: 12,
    actors: [
      person(
        1,
        { ...plain, topTone: '#5a8b5f', backpack: '#2d3b55' },
        new RouteWriter(500, 10.2, -5)
          .along([[0.5, -4.2]], 2.4)
          .face(-0.1, 350)
          .do('wave', 1500)
          .along([[10.4, -5]], 2.6)
          .done(),
      ),
    ],
    sounds: [
      ...Array.from({ length: 9 }, (_, k) => ({ atMs: 900 + k * 420, sound: 'step' as const })),
      { atMs: 5000, sound: 'bell' },
      ...[6400, 6650].map((atMs) => ({ atMs, sound: 'knock' as const })),
      ...Array.from({ length: 8 }, (_, k) => ({ atMs: 7000 + k * 400, sound: 'step' as const })),
      { atMs: 200, sound: 'wind' },
    ],
    encode: { kbps: 1200, gopSec: 2, profile: 'high' },
  }),
];
