// Which beats are on at a moment, and how far each has taken over from the ones before it.
import type { Beat } from './actor.ts';
import { ramp } from './field.ts';

export interface Voice<Action extends string> {
  readonly beat: Beat<Action>;
  /** Time since the beat began; below 0 only for the first. */
  readonly localSec: number;
  /** How far it covers the voices before it: 1 for the first. */
  readonly cover: number;
}

/** Voices in order: start from the first and move to each next by its cover. Older ones that are fully covered are left out. */
export function voices<Action extends string>(
  beats: readonly Beat<Action>[],
  tSec: number,
  blendSec: (from: Action, to: Action) => number,
): Voice<Action>[] {
  let out: Voice<Action>[] = [];
  let last: Beat<Action> | undefined;
  for (const beat of beats) {
    const localSec = tSec - beat.fromSec;
    if (last !== undefined && localSec < 0) break;
    const cover = last === undefined ? 1 : ramp(0, blendSec(last.action, beat.action), localSec);
    if (cover >= 1) out = [];
    out.push({ beat, localSec, cover: out.length === 0 ? 1 : cover });
    last = beat;
  }
  return out;
}
