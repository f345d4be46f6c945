// What people have in their hands: how the arms hold it, and where it is once the arms are posed.
import type { Object3D } from 'three';
import { Vector3 } from 'three';
import type { Beat, Holding, PersonAction } from './actor.ts';
import type { Body } from './body.ts';
import { lerp, ramp } from './field.ts';
import { footAt, walkGait } from './gait.ts';
import { parcelPlace } from './gestures.ts';
import { PARCEL_AHEAD_M, PARCEL_HANDOVER_SEC } from './handover.ts';
import type { Arm, Pose } from './pose.ts';
import { DEG, jointOf, reachArm } from './pose.ts';
import type { Rig } from './rig.ts';
import type { Side } from './skeleton.ts';
import { SIDES } from './skeleton.ts';

export interface Load {
  readonly parcelHalfM: number;
  /** Length of the cane, or none. */
  readonly caneM: number | null;
}

/** Bends the arms of a pose to what the beat holds; arms that hold nothing stay as they are. */
export function withHolding(pose: Pose, beat: Beat<PersonAction>, body: Body, load: Load, walkedM: number): Pose {
  if (beat.action === 'putDown' || beat.action === 'pickUp') return pose;
  const holding = beat.holds ?? 'nothing';
  const busy = beat.action === 'press' || beat.action === 'knock' || beat.action === 'wave';
  const arms: Partial<Record<Side, Arm>> = armsFor(holding, body, pose, load, caneTip(beat.action, body, walkedM));
  return { ...pose, arms: { L: arms.L ?? pose.arms.L, R: busy ? pose.arms.R : (arms.R ?? pose.arms.R) } };
}

function armsFor(holding: Holding, body: Body, pose: Pose, load: Load, tip: Vector3): Partial<Record<Side, Arm>> {
  const k = body.heightM / 1.75;
  if (holding === 'umbrella') {
    const wrist = jointOf(body, 'upperArmL')
      .clone()
      .add(pose.pelvis)
      .add(new Vector3(-0.06 * k, -0.27 * k, 0.27 * k));
    return { L: reachArm(body, pose, 'L', wrist, new Vector3(0.6, -0.7, -0.4), [-60 * DEG, 0, 0]) };
  }
  if (holding === 'nothing') {
    if (load.caneM === null) return {};
    const wrist = new Vector3(0.235 * k, load.caneM + tip.y + 0.03 * k, 0.06 * k + 0.5 * tip.z);
    return { L: reachArm(body, pose, 'L', wrist, new Vector3(0.5, -0.4, -0.8), [-30 * DEG, 0, 0]) };
  }
  const arms: Partial<Record<Side, Arm>> = {};
  for (const side of SIDES) {
    const out = side === 'L' ? 1 : -1;
    const parcel = holding === 'parcel';
    const wrist = parcel
      ? parcelPlace(body)
          .add(pose.pelvis)
          .add(new Vector3(out * load.parcelHalfM, 0, -0.07 * k))
      : new Vector3(out * 0.19, 0.99, 0.36);
    arms[side] = reachArm(body, pose, side, wrist, new Vector3(0.5 * out, -0.7, -0.7), [
      (parcel ? -15 : -50) * DEG,
      0,
      0,
    ]);
  }
  return arms;
}

/** Where the cane touches the ground: it goes with the right foot, a little ahead of it. */
export function caneTip(action: PersonAction, body: Body, walkedM: number): Vector3 {
  if (action !== 'walk') return new Vector3(0, 0, 0.14);
  const gait = walkGait(body);
  const f = walkedM / gait.strideM + 0.5;
  const phase = f - Math.floor(f);
  const { ankle } = footAt(body, 'R', gait, phase);
  const lift =
    phase < gait.dutyRatio ? 0 : 0.05 * Math.sin((Math.PI * (phase - gait.dutyRatio)) / (1 - gait.dutyRatio));
  const gone = phase < gait.dutyRatio ? gait.strideM * (gait.dutyRatio / 2 - phase) : ankle.z;
  return new Vector3(0, lift, 0.14 + gone);
}

/** The middle of a hand in the space of `root`. */
function grip(rig: Rig, root: Object3D, side: Side, body: Body): Vector3 {
  const down = new Vector3(0, -0.085 * (body.heightM / 1.75), 0.01);
  return root.worldToLocal(rig.place(`hand${side}`, down));
}

/** The shaft stands nearly upright, the canopy over the head, leaning against the wind. */
export function placeUmbrella(umbrella: Object3D, rig: Rig, root: Object3D, body: Body, lean: number): void {
  umbrella.position.copy(grip(rig, root, 'L', body));
  umbrella.quaternion.setFromUnitVectors(new Vector3(0, 1, 0), new Vector3(-0.15, 1, -0.2 + lean).normalize());
}

/** From the hand towards where the tip touches the ground. */
export function placeCane(cane: Object3D, rig: Rig, root: Object3D, body: Body, tip: Vector3): void {
  const top = grip(rig, root, 'L', body);
  cane.position.copy(top);
  cane.quaternion.setFromUnitVectors(
    new Vector3(0, -1, 0),
    new Vector3(0.06, tip.y - top.y, tip.z - top.z).normalize(),
  );
}

export function hasParcel(beat: Beat<PersonAction>, localSec: number): boolean {
  if (beat.action === 'putDown') return localSec < PARCEL_HANDOVER_SEC;
  if (beat.action === 'pickUp') return localSec >= PARCEL_HANDOVER_SEC;
  return beat.holds === 'parcel';
}

/** Between the hands; at the handover exactly where the parcel that is left behind lies. */
export function placeParcel(
  parcel: Object3D,
  rig: Rig,
  root: Object3D,
  heightM: number,
  beat: Beat<PersonAction>,
  localSec: number,
): void {
  const left = root.worldToLocal(rig.place('handL'));
  const right = root.worldToLocal(rig.place('handR'));
  const bending = beat.action === 'putDown' || beat.action === 'pickUp';
  const near = bending ? ramp(0.45, 0.08, Math.abs(localSec - PARCEL_HANDOVER_SEC)) : 0;
  const y = (left.y + right.y) / 2 - heightM / 2 - 0.02;
  parcel.position.set(
    lerp((left.x + right.x) / 2, 0, near),
    Math.max(0, lerp(y, 0, near)),
    lerp((left.z + right.z) / 2 + 0.08, PARCEL_AHEAD_M, near),
  );
}
