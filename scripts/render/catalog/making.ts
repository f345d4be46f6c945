/** Short words for the catalogue: a stream with its defaults, and the usual ways of visitors. */
import type { Holding } from '../page/actors/actor.ts';
import { PARCEL_AHEAD_M, PARCEL_HANDOVER_SEC, PRAM_AHEAD_M } from '../page/actors/handover.ts';
import type { PersonSpec } from '../page/actors/person-spec.ts';
import { type Place, type Point, places } from '../places.ts';
import type { ActorPlan, PlaceName, StreamPlan } from '../plan.ts';
import { type Route, RouteWriter, still } from '../route.ts';
import { placementAt } from '../timeline.ts';

type Chosen = 'name' | 'seed' | 'place' | 'light' | 'kind' | 'what';
type Optional = Partial<Omit<StreamPlan, Chosen | 'encode'>> & {
  readonly seconds?: number;
  readonly encode?: Partial<StreamPlan['encode']>;
};

export function positive(
  name: string,
  seed: number,
  place: PlaceName,
  light: StreamPlan['light'],
  what: string,
  options: Optional,
): StreamPlan {
  return stream('positive', name, seed, place, light, what, options);
}
export function negative(
  name: string,
  seed: number,
  place: PlaceName,
  light: StreamPlan['light'],
  what: string,
  options: Optional,
): StreamPlan {
  return stream('negative', name, seed, place, light, what, options);
}

function stream(
  kind: StreamPlan['kind'],
  name: string,
  seed: number,
  place: PlaceName,
  light: StreamPlan['light'],
  what: string,
  options: Optional,
): StreamPlan {
  const { seconds, encode, ...rest } = options;
  const actors = rest.actors ?? [];
  const durationMs = Math.round(
    1000 * (seconds ?? Math.ceil(Math.max(...actors.map((actor) => actor.way.at(-1)?.ms ?? 0)) / 1000 + 1.5)),
  );
  return {
    tags: [],
    widthPx: 640,
    heightPx: 360,
    fps: 5,
    ground: 'dry',
    channels: {},
    gaps: [],
    notEvents: kind === 'negative' && actors.length === 0 ? [{ fromMs: 0, toMs: durationMs, what }] : [],
    name,
    seed,
    kind,
    place,
    light,
    what,
    durationMs,
    ...rest,
    actors: [...actors, ...furniture(place, durationMs)],
    encode: {
      kbps: Math.round((light === 'ir' || light === 'mixed' ? 44 : 38) * (rest.fps ?? 5) ** 0.85),
      gopSec: 2,
      ...encode,
    },
  };
}

/** Cars and things that belong to a place and stay there. */
function furniture(place: PlaceName, durationMs: number): readonly ActorPlan[] {
  const car = (
    id: number,
    vehicle: 'hatchback' | 'saloon' | 'van',
    tone: string,
    xM: number,
    zM: number,
    headingRad: number,
  ): ActorPlan => ({
    id,
    type: 'vehicle',
    spec: { vehicle, tone },
    scenery: true,
    ...still(0, durationMs, xM, zM, headingRad),
  });
  const side = Math.PI / 2;
  switch (place) {
    case 'terrace':
      return [
        car(901, 'hatchback', '#8d9499', 4.6, -6.4, side),
        car(902, 'saloon', '#2f4058', -6.2, -6.4, side),
        car(903, 'hatchback', '#7c1f1c', -1, -11.6, -side),
      ];
    case 'driveway':
      return [car(901, 'saloon', '#5b6670', -1.75, -5.6, Math.PI)];
    case 'pavement':
      return [car(901, 'hatchback', '#c9ccd0', -3.9, -3.7, side), car(902, 'van', '#e6e7e8', 6.4, -3.8, side)];
    case 'cottage':
      return [car(901, 'hatchback', '#8d9499', 6.5, -15.6, -side)];
    case 'gallery':
    case 'farm':
    case 'courtyard':
    case 'woods':
      return [];
  }
}

export interface VisitorOptions {
  readonly fromMs?: number;
  readonly speed?: number;
  readonly offset?: Point;
  /** What happens at the door; the default rings and waits. */
  readonly atDoor?: (route: RouteWriter, place: Place) => void;
  readonly leaves?: boolean;
  /** Comes by the long way from the street (front) or from beyond the picture's edge (side); leaves by the same or the other. */
  readonly by?: 'front' | 'side';
  readonly out?: 'front' | 'side';
  readonly holds?: Holding;
  readonly moving?: string;
}

/** From the street to the door and back. */
export function visitorRoute(placeName: PlaceName, options: VisitorOptions = {}): Route {
  const place = places[placeName];
  const [dx, dz] = options.offset ?? [0, 0];
  const by = options.by ?? 'front';
  const shifted = (way: 'front' | 'side'): readonly Point[] =>
    (way === 'front' ? place.approach : place.side).map(([x, z]): Point => [x + dx, z + dz]);
  const points = shifted(by);
  const [start, ...rest] = points;
  const door = points.at(-1);
  if (start === undefined || door === undefined) throw new RangeError(`No approach in ${placeName}`);
  const speed = options.speed ?? 1.55;
  const writer = new RouteWriter(options.fromMs ?? 800, start[0], start[1], {
    ...(options.holds === undefined ? {} : { holds: options.holds }),
    ...(options.moving === undefined ? {} : { moving: options.moving }),
  });
  writer.along(rest, speed).face(Math.atan2(-door[0], -door[1]), 450);
  (options.atDoor ?? ring(1600))(writer, place);
  if (options.leaves !== false)
    writer.along(
      shifted(options.out ?? by)
        .toReversed()
        .slice(1),
      speed * 1.05,
    );
  return writer.done();
}

export const ring =
  (waitMs: number) =>
  (route: RouteWriter, place: Place): void => {
    route.do('press', 1400, { xM: 0.02, yM: place.camera.heightM - 0.12, zM: -0.02 }).do('stand', waitMs);
  };

export const person = (id: number, spec: PersonSpec, route: Route): ActorPlan => ({
  id,
  type: 'person',
  spec,
  ...route,
});

/** A pram or the like, pushed along by someone. */
export function pushed(id: number, owner: ActorPlan, tone: string): ActorPlan {
  const [from, to] = [owner.way[0]?.ms ?? 0, owner.way.at(-1)?.ms ?? 0];
  const way = [];
  for (let ms = from; ms <= to; ms += 100) {
    const at = placementAt(owner, ms, 0);
    if (at === undefined) continue;
    const { headingRad } = at;
    way.push({
      ms,
      xM: at.xM + PRAM_AHEAD_M * Math.sin(headingRad),
      zM: at.zM + PRAM_AHEAD_M * Math.cos(headingRad),
      yM: 0,
      headingRad,
      walkedM: at.walkedM,
    });
  }
  return {
    id,
    type: 'prop',
    spec: { prop: 'pram', tone },
    way,
    beats: [{ fromMs: 0, action: 'roll' }],
    ownerId: owner.id,
  };
}

/** The parcel that lies at the door after (or before) a person handles it in the beat with this action. */
export function parcelOf(id: number, carrier: ActorPlan, action: 'putDown' | 'pickUp', untilMs: number): ActorPlan {
  const beat = carrier.beats.find((one) => one.action === action);
  const handoverMs = (beat?.fromMs ?? 0) + PARCEL_HANDOVER_SEC * 1000;
  const at = placementAt(carrier, beat?.fromMs ?? 0, 0);
  if (beat === undefined || at === undefined) throw new RangeError('The carrier never handles the parcel');
  const x = at.xM + PARCEL_AHEAD_M * Math.sin(at.headingRad);
  const z = at.zM + PARCEL_AHEAD_M * Math.cos(at.headingRad);
  const [from, to] = action === 'putDown' ? [handoverMs, untilMs] : [0, handoverMs];
  return { id, type: 'prop', spec: { prop: 'parcel' }, ...still(from, to, x, z, at.headingRad) };
}

export function crossing(route: {
  readonly fromMs: number;
  readonly points: readonly Point[];
  readonly speed: number;
  readonly moving: string;
  readonly yM?: number;
}): Route {
  const [start, ...rest] = route.points;
  if (start === undefined) throw new RangeError('A crossing needs points');
  const writer = new RouteWriter(route.fromMs, start[0], start[1], {
    moving: route.moving,
    ...(route.yM === undefined ? {} : { yM: route.yM }),
  });
  return writer.along(rest, route.speed).done();
}
