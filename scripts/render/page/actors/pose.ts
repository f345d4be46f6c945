// A pose in numbers that can be blended: trunk angles, arms as rotations, feet as places (legs follow by `ik.ts`).
import { Euler, Quaternion, Vector3 } from 'three';
import type { Body } from './body.ts';
import { lerp } from './field.ts';
import type { TwoBones } from './ik.ts';
import { solve, twoBones } from './ik.ts';
import type { BoneName, Side, TrunkBone } from './skeleton.ts';
import { boneIndex } from './skeleton.ts';

export type Turn = readonly [number, number, number];
export interface Foot {
  /** Ankle, in the person's own space. */
  readonly ankle: Vector3;
  /** Heel up is positive. */
  readonly pitchRad: number;
  readonly toeRad: number;
}
export interface Arm {
  readonly upper: Quaternion;
  readonly fore: Quaternion;
  readonly hand: Quaternion;
}
export interface Pose {
  /** Pelvis away from its place at rest. */
  readonly pelvis: Vector3;
  readonly trunk: Readonly<Record<TrunkBone, Turn>>;
  readonly feet: Readonly<Record<Side, Foot>>;
  readonly arms: Readonly<Record<Side, Arm>>;
}

export const TRUNK: readonly TrunkBone[] = ['pelvis', 'spine', 'chest', 'neck', 'head'];
export const DEG = Math.PI / 180;

export const rotation = ([x, y, z]: Turn): Quaternion => new Quaternion().setFromEuler(new Euler(x, y, z, 'YXZ'));
export const jointOf = (body: Body, name: BoneName): Vector3 => body.joints[boneIndex(name)] ?? new Vector3();

export const hang = (upper: Turn, fore: Turn, hand: Turn = [0, 0, 0]): Arm => ({
  upper: rotation(upper),
  fore: rotation(fore),
  hand: rotation(hand),
});

/** Place and rotation of the chest, in the person's own space. */
export function chestFrame(body: Body, pose: Pick<Pose, 'pelvis' | 'trunk'>): { at: Vector3; turn: Quaternion } {
  const at = jointOf(body, 'pelvis').clone().add(pose.pelvis);
  const turn = rotation(pose.trunk.pelvis);
  let from: BoneName = 'pelvis';
  for (const name of ['spine', 'chest'] as const) {
    at.add(jointOf(body, name).clone().sub(jointOf(body, from)).applyQuaternion(turn));
    turn.multiply(rotation(pose.trunk[name]));
    from = name;
  }
  return { at, turn };
}

export function armBones(body: Body, side: Side): TwoBones {
  const [a, b, c] = (['upperArm', 'forearm', 'hand'] as const).map((n) => jointOf(body, `${n}${side}`));
  return twoBones(a ?? new Vector3(), b ?? new Vector3(), c ?? new Vector3(), new Vector3(0, 0, -1));
}

/** An arm whose wrist is at `wrist` and whose elbow bends towards `pole`, both in the person's own space. */
export function reachArm(
  body: Body,
  pose: Pick<Pose, 'pelvis' | 'trunk'>,
  side: Side,
  wrist: Vector3,
  pole: Vector3,
  hand: Turn = [0, 0, 0],
): Arm {
  const chest = chestFrame(body, pose);
  const inverse = chest.turn.clone().invert();
  const rest = jointOf(body, 'chest');
  const local = wrist.clone().sub(chest.at).applyQuaternion(inverse).add(rest);
  const towards = pole.clone().applyQuaternion(inverse);
  const { a, b } = solve(armBones(body, side), jointOf(body, `upperArm${side}`), local, towards);
  return { upper: a, fore: a.clone().invert().multiply(b), hand: rotation(hand) };
}

export function mixArm(a: Arm, b: Arm, t: number): Arm {
  return {
    upper: a.upper.clone().slerp(b.upper, t),
    fore: a.fore.clone().slerp(b.fore, t),
    hand: a.hand.clone().slerp(b.hand, t),
  };
}

function mixFoot(a: Foot, b: Foot, t: number): Foot {
  const way = a.ankle.distanceTo(b.ankle);
  const ankle = a.ankle.clone().lerp(b.ankle, t);
  // A foot that has to change its place is lifted there, not dragged.
  ankle.y += Math.min(0.07, 0.8 * way) * 2 * t * (1 - t);
  return { ankle, pitchRad: lerp(a.pitchRad, b.pitchRad, t), toeRad: lerp(a.toeRad, b.toeRad, t) };
}

export function mixPose(a: Pose, b: Pose, t: number): Pose {
  const turn = (name: TrunkBone): Turn => {
    const [x, y, z] = a.trunk[name];
    const [u, v, w] = b.trunk[name];
    return [lerp(x, u, t), lerp(y, v, t), lerp(z, w, t)];
  };
  return {
    pelvis: a.pelvis.clone().lerp(b.pelvis, t),
    trunk: {
      pelvis: turn('pelvis'),
      spine: turn('spine'),
      chest: turn('chest'),
      neck: turn('neck'),
      head: turn('head'),
    },
    feet: { L: mixFoot(a.feet.L, b.feet.L, t), R: mixFoot(a.feet.R, b.feet.R, t) },
    arms: { L: mixArm(a.arms.L, b.arms.L, t), R: mixArm(a.arms.R, b.arms.R, t) },
  };
}
