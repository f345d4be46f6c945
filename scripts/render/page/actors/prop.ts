// Things: left at the door, pushed, blown about.
import { BoxGeometry } from 'three';
import type { Actor, PropAction, Random } from './actor.ts';
import { createStandIn } from './stand-in.ts';

export type PropKind = 'parcel' | 'pram' | 'umbrella' | 'flag' | 'bin' | 'bicycle';
export interface PropSpec {
  readonly prop: PropKind;
  readonly tone?: string;
}

/** A pram that a person pushes (holds: 'pram') stands this far ahead of the person's origin, same heading and way. */
export const PRAM_AHEAD_M = 0.82;
/** A parcel put down (or to be picked up) lies this far ahead of the person's origin, same heading. */
export const PARCEL_AHEAD_M = 0.48;
/** After this long in 'putDown' the parcel has left the hands; after this long in 'pickUp' it is in them. */
export const PARCEL_HANDOVER_SEC = 1.1;

const SIZES: Readonly<Record<PropKind, readonly [number, number, number]>> = {
  parcel: [0.38, 0.24, 0.26],
  pram: [0.55, 1, 0.9],
  umbrella: [1, 0.8, 1],
  flag: [0.04, 2.6, 0.04],
  bin: [0.58, 1.07, 0.7],
  bicycle: [0.5, 1.05, 1.7],
};

export function createProp(spec: PropSpec, _random: Random): Actor<PropAction> {
  const [w, h, d] = SIZES[spec.prop];
  return createStandIn(
    'prop',
    spec.prop,
    new BoxGeometry(w, h, d).translate(0, h / 2, 0),
    spec.tone ?? '#a9804f',
  ) as Actor<PropAction>;
}
