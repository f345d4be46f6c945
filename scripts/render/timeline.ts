/** Values between keys, and an actor's placement between the points of its way. Pure. */
import type { Placement } from './page/actors/actor.ts';
import type { ActorPlan, Channel, Keys, StreamPlan, WayPoint } from './plan.ts';

export function valueAt(keys: Keys, ms: number): number {
  const first = keys[0];
  if (first === undefined) return 0;
  let before = first;
  for (const key of keys) {
    if (key[0] > ms) {
      const span = key[0] - before[0];
      return before === key || span === 0 ? key[1] : before[1] + ((key[1] - before[1]) * (ms - before[0])) / span;
    }
    before = key;
  }
  return before[1];
}

const defaults: Readonly<Record<StreamPlan['light'], Partial<Record<Channel, number>>>> = {
  day: { sun: 1, sky: 1 },
  dusk: { sky: 0.1, lamp: 1 },
  ir: { infrared: 1, greyMode: 1, sky: 0.002 },
  mixed: { sky: 0.1 },
};

export function channelAt(plan: StreamPlan, channel: Channel, ms: number): number {
  const keys = plan.channels[channel];
  if (keys !== undefined) return valueAt(keys, ms);
  return defaults[plan.light][channel] ?? (channel === 'gain' ? 1 : 0);
}

function turn(from: number, to: number, ratio: number): number {
  const whole = 2 * Math.PI;
  const difference = ((((to - from + Math.PI) % whole) + whole) % whole) - Math.PI;
  return from + difference * ratio;
}

/** Points of a way this deep below the ground are where an actor waits who is not there at the time. */
export const AWAY_Y_M = -100;

/** Undefined before the way begins and after it ends, and while the actor is away. */
export function placementAt(actor: ActorPlan, ms: number, windRatio: number): Placement | undefined {
  const { way } = actor;
  const last = way.at(-1);
  const first = way[0];
  if (first === undefined || last === undefined || ms < first.ms || ms > last.ms) return undefined;
  let from: WayPoint = first;
  let to: WayPoint = first;
  for (const point of way) {
    to = point;
    if (point.ms >= ms) break;
    from = point;
  }
  if (from.yM <= AWAY_Y_M) return undefined;
  const ratio = to.ms === from.ms ? 0 : (ms - from.ms) / (to.ms - from.ms);
  const mix = (a: number, b: number): number => a + (b - a) * ratio;
  return {
    xM: mix(from.xM, to.xM),
    zM: mix(from.zM, to.zM),
    yM: mix(from.yM, to.yM),
    headingRad: turn(from.headingRad, to.headingRad, ratio),
    walkedM: mix(from.walkedM, to.walkedM),
    tSec: ms / 1000,
    beats: actor.beats.map((beat) => ({
      fromSec: beat.fromMs / 1000,
      action: beat.action,
      ...(beat.holds === undefined ? {} : { holds: beat.holds }),
      ...(beat.reach === undefined ? {} : { reach: beat.reach }),
    })),
    windRatio,
  };
}
