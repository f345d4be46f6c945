/** What a stream shows, as plain data: made in Node, sent to the page, and evaluated there frame by frame. */
import type { Holding } from './page/actors/actor.ts';
import type { AnimalSpec } from './page/actors/animal.ts';
import type { PersonSpec } from './page/actors/person-spec.ts';
import type { PropSpec } from './page/actors/prop.ts';
import type { VehicleSpec } from './page/actors/vehicle.ts';

export type PlaceName = 'cottage' | 'terrace' | 'gallery' | 'driveway' | 'farm' | 'courtyard' | 'pavement' | 'woods';
export const placeNames: readonly PlaceName[] = [
  'cottage',
  'terrace',
  'gallery',
  'driveway',
  'farm',
  'courtyard',
  'pavement',
  'woods',
];

/** Strengths and effects that change over a stream. A missing channel has the default of `channels.ts`. */
export type Channel =
  | 'sun'
  | 'sky'
  | 'lamp'
  | 'infrared'
  | 'greyMode'
  | 'cloud'
  | 'wind'
  | 'rain'
  | 'snow'
  | 'shake'
  | 'dirt'
  | 'exposureSteps'
  | 'gain';

/** `[ms, value]` in order of time; linear in between. Two keys at the same time make a step. */
export type Keys = readonly (readonly [number, number])[];

/** One point of an actor's way: linear in between, the heading along the shorter turn. */
export interface WayPoint {
  readonly ms: number;
  readonly xM: number;
  readonly zM: number;
  readonly yM: number;
  readonly headingRad: number;
  readonly walkedM: number;
}
export interface BeatPlan {
  readonly fromMs: number;
  readonly action: string;
  readonly holds?: Holding;
  readonly reach?: { readonly xM: number; readonly yM: number; readonly zM: number };
}

interface ActorPlanBase {
  readonly id: number;
  /** In the picture's world from the first to the last point of its way. */
  readonly way: readonly WayPoint[];
  readonly beats: readonly BeatPlan[];
  /** Part of the scenery: it is lit and hides what is behind it, but it is in no truth. */
  readonly scenery?: boolean;
}
export type ActorPlan = ActorPlanBase &
  (
    | { readonly type: 'person'; readonly spec: PersonSpec }
    | { readonly type: 'animal'; readonly spec: AnimalSpec }
    | { readonly type: 'vehicle'; readonly spec: VehicleSpec; readonly lamps?: boolean }
    | { readonly type: 'prop'; readonly spec: PropSpec; readonly ownerId?: number }
  );

/** What arrives instead of the picture. `missing` leaves no frame in the file; `frozen` repeats the last one. */
export type Outage = 'missing' | 'black' | 'grey' | 'frozen';
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
  readonly outage: Outage;
}

export interface CameraPlan {
  readonly heightM: number;
  readonly pitchRad: number;
  readonly yawRad: number;
  /** Horizontal field of view. */
  readonly fieldDeg: number;
  /** 1 is a pinhole, 0.5 keeps shapes (stereographic), towards 0 every degree is equally wide (fisheye). */
  readonly bend: number;
}

export type Sound = 'step' | 'knock' | 'bell' | 'wind';
export interface SoundPlan {
  readonly atMs: number;
  readonly sound: Sound;
}

export interface EncodePlan {
  readonly kbps: number;
  readonly gopSec: number;
  readonly preset?: 'veryfast' | 'medium' | 'slow';
  readonly profile?: 'baseline' | 'main' | 'high';
  /** Constant quality instead of `kbps`, which then is the cap. */
  readonly quality?: number;
}

export interface StreamPlan {
  readonly name: string;
  readonly seed: number;
  readonly kind: 'positive' | 'negative';
  readonly light: 'day' | 'dusk' | 'ir' | 'mixed';
  readonly tags: readonly string[];
  readonly widthPx: number;
  readonly heightPx: number;
  readonly fps: number;
  readonly durationMs: number;
  readonly place: PlaceName;
  readonly ground: 'dry' | 'wet' | 'snow';
  readonly camera?: Partial<CameraPlan>;
  /** Direction towards the sun, from the camera's place; y up. The place has one of its own. */
  readonly sunFrom?: readonly [number, number, number];
  readonly actors: readonly ActorPlan[];
  readonly channels: Partial<Readonly<Record<Channel, Keys>>>;
  readonly gaps: readonly Gap[];
  readonly encode: EncodePlan;
  readonly sounds?: readonly SoundPlan[];
  /** What the visits are, in words. */
  readonly what: string;
  /** What happens that is no event and that no actor's box tells: lights, weather, outages. */
  readonly notEvents: readonly { readonly fromMs: number; readonly toMs: number; readonly what: string }[];
  /** Read by nothing but scoring code; lies in the folder `blind`. */
  readonly blind?: boolean;
  readonly masksEveryFrames?: number;
}
