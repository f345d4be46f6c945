// The seam between the scenes and everything that moves in them: what an actor is, where it stands, what it does.
import type { Object3D } from 'three';

export type ActorKind = 'person' | 'animal' | 'vehicle' | 'prop';
export type Light = 'day' | 'dusk' | 'ir';
/** Uniform in [0, 1); the only source of chance. */
export type Random = () => number;

/** From `fromSec` on, the actor does this, until the next beat. Changes are blended, so that a beat needs no care. */
export interface Beat<Action extends string> {
  readonly fromSec: number;
  readonly action: Action;
  /** What a person carries during the beat; others ignore it. */
  readonly holds?: Holding;
  /** Point in the world that the hand goes to (press, knock); otherwise straight ahead at the height of a bell. */
  readonly reach?: { readonly xM: number; readonly yM: number; readonly zM: number };
}
export type Holding = 'nothing' | 'parcel' | 'umbrella' | 'pram';

/**
 * Where and when. Any frame can be posed alone: the pose is a function of this value and of nothing that was posed
 * before. Metres; y up; heading 0 faces +z and grows anticlockwise seen from above (three's `rotation.y`).
 */
export interface Placement<Action extends string = string> {
  readonly xM: number;
  readonly zM: number;
  /** Height of the ground, or of the flight of a bird. Default 0. */
  readonly yM?: number;
  readonly headingRad: number;
  /** Way covered since the actor came in, along its heading; drives legs and wheels. Feet lock to the ground by it. */
  readonly walkedM: number;
  readonly tSec: number;
  /** In order of `fromSec`; the first also holds before its start. */
  readonly beats: readonly Beat<Action>[];
  /** Strength of the wind from 0 to 1: flags, umbrellas, coats. Default 0.2. */
  readonly windRatio?: number;
}

export interface Actor<Action extends string = string> {
  readonly kind: ActorKind;
  /** For truth: `person`, `cat`, `car`, … */
  readonly what: string;
  /** Add to the scene. Lit, casts and receives shadows; override materials work (skinned meshes included). */
  readonly object: Object3D;
  pose(placement: Placement<Action>): void;
  setLight(light: Light): void;
  /** World positions (x, y, z, …) of a sparse set of surface points as last posed, enough for a tight box. */
  samplePoints(): Float32Array;
  /** Frees geometry and materials. */
  dispose(): void;
}

export type PersonAction =
  | 'walk'
  | 'run'
  | 'stand'
  | 'look'
  | 'press'
  | 'knock'
  | 'wave'
  | 'crouch'
  | 'putDown'
  | 'pickUp'
  | 'sit';
export type AnimalAction = 'walk' | 'trot' | 'stand' | 'sit' | 'hop' | 'peck' | 'fly';
export type VehicleAction = 'drive' | 'stand';
export type PropAction = 'stand' | 'roll';
