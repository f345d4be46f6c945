// What people do on the spot. Each is a function of the time since it began.
import { Vector3 } from 'three';
import type { PersonAction } from './actor.ts';
import type { Body } from './body.ts';
import { clamp, lerp, ramp } from './field.ts';
import { runPose, walkPose } from './gait.ts';
import { PARCEL_AHEAD_M, PARCEL_HANDOVER_SEC, SEAT_BEHIND_M, SEAT_M } from './handover.ts';
import type { Arm, Foot, Pose, Turn } from './pose.ts';
import { DEG, hang, jointOf, mixArm, reachArm } from './pose.ts';
import type { Side } from './skeleton.ts';

export interface Moment {
  readonly body: Body;
  readonly walkedM: number;
  readonly tSec: number;
  readonly localSec: number;
  /** Sets people apart who sway or look around at the same time. */
  readonly habit: number;
  /** Where the hand goes in 'press' and 'knock', in the person's own space. */
  readonly reach: Vector3 | null;
  /** Half width of the parcel in 'putDown' and 'pickUp'. */
  readonly parcelHalfM: number;
}

export function poseFor(action: PersonAction, m: Moment): Pose {
  switch (action) {
    case 'walk':
      return walkPose(m.body, m.walkedM);
    case 'run':
      return runPose(m.body, m.walkedM);
    case 'stand':
      return stand(m);
    case 'look':
      return look(m);
    case 'press':
      return reachOut(m, press(m));
    case 'knock':
      return reachOut(m, knock(m));
    case 'wave':
      return wave(m);
    case 'crouch':
      return crouch(m);
    case 'putDown':
    case 'pickUp':
      return bend(m, action === 'putDown');
    case 'sit':
      return sit(m);
  }
}

function footAtRest(body: Body, side: Side, forwardM = 0, heelRad = 0): Foot {
  const ankle = jointOf(body, `foot${side}`).clone();
  const ball = jointOf(body, `toe${side}`);
  ankle
    .sub(ball)
    .applyAxisAngle(new Vector3(1, 0, 0), heelRad)
    .add(ball);
  ankle.z += forwardM;
  return { ankle, pitchRad: heelRad, toeRad: -heelRad };
}

/** Breathing and a slow shift of weight: about a centimetre at the head, for as long as it lasts. */
function stand(m: Moment): Pose {
  const { body, tSec: t, habit } = m;
  const slow = Math.sin((2 * Math.PI * t) / (9 + 2 * habit) + 6 * habit);
  const breath = Math.sin((2 * Math.PI * t) / (3.6 + habit));
  const stoop = body.stoopRad;
  const arm = (side: Side): Arm => {
    const out = side === 'L' ? 1 : -1;
    return hang(
      [(2 + 0.4 * breath) * DEG, 0, -out * 4 * DEG],
      [-(10 + 6 * habit) * DEG, 0, 0],
      [0, -out * 15 * DEG, 0],
    );
  };
  return {
    pelvis: new Vector3(0.006 * slow, -0.008, 0.002 * breath),
    trunk: {
      pelvis: [0.2 * stoop, 0, 0.5 * DEG * slow],
      spine: [0.6 * stoop, 0, -0.4 * DEG * slow],
      chest: [0.8 * stoop - 0.35 * DEG * breath, 0, 0],
      neck: [-0.3 * stoop, 0, 0],
      head: [0.3 * DEG * breath - 0.8 * stoop, (2 * habit - 1) * 4 * DEG + 1.2 * DEG * slow, 0],
    },
    feet: { L: footAtRest(body, 'L', 0.05 * habit), R: footAtRest(body, 'R', -0.04 * habit) },
    arms: { L: arm('L'), R: arm('R') },
  };
}

const plus = (a: Turn, b: Turn): Turn => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];

function turned(pose: Pose, by: Partial<Record<keyof Pose['trunk'], Turn>>): Pose {
  const of = (name: keyof Pose['trunk']): Turn => plus(pose.trunk[name], by[name] ?? [0, 0, 0]);
  return {
    ...pose,
    trunk: { pelvis: of('pelvis'), spine: of('spine'), chest: of('chest'), neck: of('neck'), head: of('head') },
  };
}

function look(m: Moment): Pose {
  const beat = (m.localSec + 0.4) / 2.2;
  const stops = [0, 0.9, -0.5, 0.4, -1, 0.1];
  const at = (i: number): number =>
    (stops[((i % stops.length) + stops.length) % stops.length] ?? 0) * (m.habit > 0.5 ? 1 : -1);
  const i = Math.floor(beat);
  const yaw = lerp(at(i), at(i + 1), ramp(0.55, 1, beat - i));
  return turned(stand(m), {
    spine: [0, 0.12 * yaw, 0],
    chest: [0, 0.2 * yaw, 0],
    neck: [0, 0.35 * yaw, 0],
    head: [0.03, 0.5 * yaw, 0],
  });
}

function reachOut(m: Moment, wrist: Vector3): Pose {
  const lean = turned(stand(m), {
    spine: [3 * DEG, 4 * DEG, 0],
    chest: [3 * DEG, 8 * DEG, 0],
    head: [4 * DEG, -8 * DEG, 0],
  });
  const arm = reachArm(m.body, lean, 'R', wrist, new Vector3(-0.5, -0.8, -0.3), [-20 * DEG, 0, 0]);
  return { ...lean, arms: { L: lean.arms.L, R: arm } };
}

/** Finger on the bell, with a push every second and a half; the wrist stays a hand's length short of it. */
function press(m: Moment): Vector3 {
  const tip = m.reach ?? new Vector3(-0.12, Math.min(1.2, 0.95 * m.body.heightM), 0.55);
  const shoulder = jointOf(m.body, 'upperArmR');
  const away = tip.clone().sub(shoulder);
  const hand = 0.1 * m.body.heightM;
  const push = 0.015 * Math.max(0, Math.sin((2 * Math.PI * m.localSec) / 1.5));
  return shoulder.clone().addScaledVector(away.normalize(), Math.max(0.2, tip.distanceTo(shoulder) - hand + push));
}

function knock(m: Moment): Vector3 {
  const tip = m.reach ?? new Vector3(-0.1, 0.82 * m.body.heightM, 0.5);
  const rest = ramp(1.4, 1.6, m.localSec % 2.8);
  const beat = Math.max(0, Math.sin(2 * Math.PI * 3.2 * m.localSec)) * (1 - rest);
  return new Vector3(tip.x, tip.y - 0.06, tip.z - 0.1 - 0.07 * (1 - beat));
}

function wave(m: Moment): Pose {
  const base = turned(stand(m), { chest: [0, 0, 3 * DEG] });
  const swing = Math.sin(2 * Math.PI * 1.5 * m.localSec);
  const shoulder = jointOf(m.body, 'upperArmR');
  const armM = 0.31 * m.body.heightM;
  const wrist = shoulder.clone().add(new Vector3(-0.42 * armM - 0.25 * armM * swing, 0.34 * armM, 0.35 * armM));
  const arm = reachArm(m.body, base, 'R', wrist, new Vector3(-1, -0.6, 0.1), [Math.PI * 0.05, 0, -0.35 * swing]);
  return { ...base, arms: { L: base.arms.L, R: arm } };
}

function crouch(m: Moment): Pose {
  const { body } = m;
  const legM = body.thighM + body.shinM;
  const calm = stand(m);
  const base: Pose = {
    ...turned(calm, {
      pelvis: [14 * DEG, 0, 0],
      spine: [14 * DEG, 0, 0],
      chest: [10 * DEG, 0, 0],
      neck: [-12 * DEG, 0, 0],
      head: [-14 * DEG, 0, 0],
    }),
    pelvis: new Vector3(calm.pelvis.x, -0.56 * legM, -0.12 * legM),
    feet: { L: footAtRest(body, 'L', 0.12 * legM), R: footAtRest(body, 'R', -0.22 * legM, 0.75) },
  };
  const kneeY = 0.6 * legM;
  const arm = (side: Side): Arm => {
    const x = (side === 'L' ? 0.11 : -0.11) * (body.heightM / 1.75);
    return reachArm(body, base, side, new Vector3(x, kneeY * 0.92, 0.5 * legM), new Vector3(4 * x, -0.5, -0.6));
  };
  return { ...base, arms: { L: arm('L'), R: arm('R') } };
}

/** Down to the ground and up again, the hands where the parcel's sides are. */
function bend(m: Moment, puts: boolean): Pose {
  const { body } = m;
  const k = ramp(0, PARCEL_HANDOVER_SEC, m.localSec) * (1 - ramp(PARCEL_HANDOVER_SEC + 0.1, 2.3, m.localSec));
  const legM = body.thighM + body.shinM;
  const calm = stand(m);
  const base: Pose = {
    ...turned(calm, {
      pelvis: [30 * DEG * k, 0, 0],
      spine: [26 * DEG * k, 0, 0],
      chest: [22 * DEG * k, 0, 0],
      head: [-6 * DEG * k, 0, 0],
    }),
    pelvis: new Vector3(calm.pelvis.x, lerp(calm.pelvis.y, -0.34 * legM, k), -0.2 * legM * k),
    feet: { L: footAtRest(body, 'L', 0.05 * k), R: footAtRest(body, 'R', -0.12 * k, 0.3 * k) },
  };
  const carry = parcelPlace(body);
  const at = carry.lerp(new Vector3(0, 0.14, PARCEL_AHEAD_M), k);
  // Hands that have nothing yet, or no more, hang.
  const loose = puts ? ramp(PARCEL_HANDOVER_SEC + 0.1, 2.2, m.localSec) : ramp(0.9, 0.1, m.localSec);
  const arm = (side: Side): Arm => {
    const out = side === 'L' ? 1 : -1;
    const wrist = at.clone().add(new Vector3(out * m.parcelHalfM, 0.03, -0.06));
    const reaching = reachArm(body, base, side, wrist, new Vector3(0.7 * out, -0.4, -0.7));
    return mixArm(reaching, calm.arms[side], loose);
  };
  return { ...base, arms: { L: arm('L'), R: arm('R') } };
}

function sit(m: Moment): Pose {
  const { body } = m;
  const calm = stand(m);
  const seatY = SEAT_M + 0.08 * (body.heightM / 1.75);
  const base: Pose = {
    ...turned(calm, {
      pelvis: [-4 * DEG, 0, 0],
      spine: [12 * DEG, 0, 0],
      chest: [12 * DEG, 0, 0],
      neck: [-8 * DEG, 0, 0],
      head: [-8 * DEG, 0, 0],
    }),
    pelvis: new Vector3(
      calm.pelvis.x,
      Math.min(calm.pelvis.y, seatY - jointOf(body, 'thighL').y),
      -SEAT_BEHIND_M * clamp(body.heightM / 1.7, 0.6, 1),
    ),
    feet: { L: footAtRest(body, 'L', 0.03), R: footAtRest(body, 'R', 0) },
  };
  const arm = (side: Side): Arm => {
    const x = (side === 'L' ? 0.1 : -0.1) * (body.heightM / 1.75);
    return reachArm(body, base, side, new Vector3(x, seatY + 0.12, -0.06), new Vector3(6 * x, -0.3, -0.6));
  };
  return { ...base, arms: { L: arm('L'), R: arm('R') } };
}

/** Middle of a parcel carried in both arms, in the person's own space when upright. */
export function parcelPlace(body: Body): Vector3 {
  const k = body.heightM / 1.75;
  return new Vector3(0, jointOf(body, 'chest').y - 0.13 * k, 0.34 * k);
}
