/** Random scenes for training pictures. A scene is built once and photographed several times with other people and light. */
import type { PersonAction } from './page/actors/actor.ts';
import type { Age, PersonSpec } from './page/actors/person-spec.ts';
import { places } from './places.ts';
import { type ActorPlan, type BeatPlan, type Channel, placeNames, type StreamPlan, type WayPoint } from './plan.ts';
import { between, fork, pick, type Random } from './random.ts';
import { AWAY_Y_M } from './timeline.ts';

/** Seeds of the committed streams lie below. */
export const FIRST_STILL_SEED = 1_000_000;
export const SHOTS_PER_SCENE = 8;
const SLOT_MS = 10_000;

export const shotMs = (shot: number): number => shot * SLOT_MS + SLOT_MS / 2;

interface Slot {
  readonly point: Omit<WayPoint, 'ms'>;
  readonly beats: readonly BeatPlan[];
}

/** An actor that is only there in the shots for which `slotOf` says where. */
function inSlots(slotOf: (shot: number) => Slot | undefined): {
  readonly way: readonly WayPoint[];
  readonly beats: readonly BeatPlan[];
} {
  const way: WayPoint[] = [];
  const beats: BeatPlan[] = [];
  for (let shot = 0; shot < SHOTS_PER_SCENE; shot++) {
    const slot = slotOf(shot);
    const point = slot?.point ?? { xM: 0, zM: 0, yM: AWAY_Y_M, headingRad: 0, walkedM: 0 };
    way.push({ ms: shot * SLOT_MS, ...point }, { ms: shot * SLOT_MS + SLOT_MS - 1, ...point });
    beats.push(...(slot?.beats ?? []));
  }
  return { way, beats };
}

function somewhere(random: Random, plan: Pick<StreamPlan, 'place'>, near: number): Omit<WayPoint, 'ms'> {
  const place = places[plan.place];
  const [x0, z0, x1, z1] = pick(random, place.open);
  const door = place.approach.at(-1) ?? [0, -1.2];
  const close = random() < near;
  const xM = close ? door[0] + between(random, -0.45, 0.45) : between(random, x0, x1);
  const zM = close ? door[1] - between(random, 0, 1.6) : between(random, z0, z1);
  return { xM, zM, yM: 0, headingRad: between(random, -Math.PI, Math.PI), walkedM: between(random, 0, 6) };
}

const actions: readonly PersonAction[] = [
  'walk',
  'walk',
  'walk',
  'stand',
  'stand',
  'look',
  'press',
  'knock',
  'wave',
  'crouch',
  'putDown',
  'run',
];
const ages: readonly Age[] = ['adult', 'adult', 'adult', 'adult', 'teen', 'child9', 'child5', 'elderly'];

function someone(random: Random, id: number, plan: Pick<StreamPlan, 'place' | 'ground'>, presence: number): ActorPlan {
  const wet = plan.ground !== 'dry';
  const age = pick(random, ages);
  const spec: PersonSpec = {
    age,
    ...(wet && random() < 0.6
      ? { top: pick(random, ['raincoat', 'coat'] as const), headwear: pick(random, ['hood', 'beanie'] as const) }
      : {}),
    ...(age === 'elderly' && random() < 0.5 ? { cane: true } : {}),
  };
  const holds = pick(random, ['nothing', 'nothing', 'nothing', 'nothing', 'parcel', 'umbrella'] as const);
  const slots = inSlots((shot) => {
    if (random() > presence) return undefined;
    const point = somewhere(random, plan, 0.45);
    // Most who come look at the door.
    const headingRad =
      random() < 0.6 ? Math.atan2(-point.xM, -point.zM) + between(random, -0.5, 0.5) : point.headingRad;
    const action = pick(random, actions);
    const fromMs =
      shot * SLOT_MS + SLOT_MS / 2 - (action === 'crouch' || action === 'putDown' ? 1000 + random() * 800 : 2500);
    return { point: { ...point, headingRad }, beats: [{ fromMs: Math.round(fromMs), action, holds }] };
  });
  return { id, type: 'person', spec, ...slots };
}

function something(random: Random, id: number, plan: Pick<StreamPlan, 'place'>): ActorPlan {
  const stays = (action: string, yM = 0): ReturnType<typeof inSlots> =>
    inSlots((shot) =>
      random() < 0.5
        ? undefined
        : { point: { ...somewhere(random, plan, 0.2), yM }, beats: [{ fromMs: shot * SLOT_MS, action }] },
    );
  const { roadZM } = places[plan.place];
  const kind = pick(random, [
    'cat',
    'dog',
    'bigDog',
    'fox',
    'bird',
    'car',
    'car',
    'parcel',
    'bin',
    'bicycle',
    'flag',
    'pram',
  ] as const);
  switch (kind) {
    case 'cat':
    case 'dog':
    case 'bigDog':
    case 'fox':
      return { id, type: 'animal', spec: { animal: kind }, ...stays(pick(random, ['walk', 'stand', 'sit'])) };
    case 'bird':
      return { id, type: 'animal', spec: { animal: 'bird' }, ...stays('fly', between(random, 0, 2.2)) };
    case 'car': {
      const vehicle = pick(random, ['hatchback', 'saloon', 'van'] as const);
      const slots = inSlots((shot) =>
        random() < 0.3
          ? undefined
          : {
              point: {
                xM: between(random, -9, 9),
                zM: roadZM ?? -14,
                yM: 0,
                headingRad: random() < 0.5 ? Math.PI / 2 : -Math.PI / 2,
                walkedM: random() * 3,
              },
              beats: [{ fromMs: shot * SLOT_MS, action: 'drive' }],
            },
      );
      return { id, type: 'vehicle', spec: { vehicle }, lamps: random() < 0.4, ...slots };
    }
    case 'parcel':
    case 'bin':
    case 'bicycle':
    case 'flag':
    case 'pram':
      return { id, type: 'prop', spec: { prop: kind }, ...stays('stand') };
  }
}

export function randomScene(seed: number, widthPx: number, heightPx: number): StreamPlan {
  const random = fork(seed, 'still');
  const place = pick(random, placeNames);
  const light = pick(random, ['day', 'day', 'dusk', 'ir', 'ir', 'mixed'] as const);
  const ground = pick(random, ['dry', 'dry', 'dry', 'wet', 'snow'] as const);
  const base = places[place].camera;
  const channels: Partial<Record<Channel, [number, number][]>> = {};
  const each = (channel: Channel, value: () => number): void => {
    channels[channel] = Array.from({ length: SHOTS_PER_SCENE }, (_, shot) => {
      const chosen = value();
      return [
        [shot * SLOT_MS, chosen],
        [shot * SLOT_MS + SLOT_MS - 1, chosen],
      ] as [number, number][];
    }).flat();
  };
  const overcast = ground !== 'dry' || random() < 0.3;
  if (light === 'day') {
    each('sun', () => (overcast ? 0 : between(random, 0.3, 1)));
    each('sky', () => between(random, 0.6, 1));
  }
  if (light === 'dusk') {
    each('sky', () => between(random, 0.04, 0.3));
    each('lamp', () => (random() < 0.3 ? 0 : between(random, 0.5, 1)));
  }
  if (light === 'mixed') {
    each('sky', () => between(random, 0.02, 0.1));
    each('lamp', () => (random() < 0.6 ? 0 : 1));
    each('infrared', () => (random() < 0.5 ? 0 : 1));
    channels.greyMode = channels.infrared?.map(([ms, value]) => [ms, value > 0 ? 1 : 0]) ?? [];
  }
  each('gain', () => between(random, 0.4, 2.2));
  each('exposureSteps', () => between(random, -0.7, 0.6));
  if (ground === 'wet') each('rain', () => between(random, 0, 1.2));
  if (ground === 'snow') each('snow', () => between(random, 0, 0.9));
  if (random() < 0.25) each('dirt', () => between(random, 0, 1));
  if (random() < 0.2) each('wind', () => between(random, 0.3, 1.2));
  const sceneOf = { place, ground };
  const people = Array.from({ length: pick(random, [1, 2, 2, 3]) }, (_, k) =>
    someone(random, k + 1, sceneOf, pick(random, [0.45, 0.6])),
  );
  const things = Array.from({ length: pick(random, [1, 2, 3]) }, (_, k) => something(random, 100 + k, sceneOf));
  const angle = random() * 2 * Math.PI;
  return {
    name: `still-${seed}`,
    seed,
    kind: 'positive',
    light,
    tags: [],
    widthPx,
    heightPx,
    fps: 1,
    durationMs: SHOTS_PER_SCENE * SLOT_MS,
    place,
    ground,
    camera: {
      heightM: base.heightM + between(random, -0.25, 0.5),
      pitchRad: base.pitchRad + between(random, -0.12, 0.06),
      yawRad: base.yawRad + between(random, -0.2, 0.2),
      fieldDeg: between(random, 95, 150),
      bend: between(random, 0.25, 0.75),
    },
    sunFrom: [4 * Math.sin(angle), between(random, 2, 8), 4 * Math.cos(angle)],
    actors: [...people, ...things],
    channels,
    gaps: [],
    encode: { kbps: 400, gopSec: 2 },
    what: '',
    notEvents: [],
  };
}
