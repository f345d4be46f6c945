// Walking and running. A foot on the ground moves backwards in the person's own space exactly as fast as the person
// moves forward, so that it stays where it is; the sagittal course follows textbook gait curves.
import { Vector3 } from 'three';
import type { Body } from './body.ts';
import { clamp, lerp, ramp } from './field.ts';
import type { Arm, Foot, Pose } from './pose.ts';
import { DEG, hang, jointOf } from './pose.ts';
import type { Side } from './skeleton.ts';

export interface Gait {
  /** Way of one full cycle (two steps). */
  readonly strideM: number;
  /** Share of the cycle that a foot is on the ground. */
  readonly dutyRatio: number;
  readonly strikeRad: number;
  readonly pushRad: number;
  /** How high the ankle is lifted between. */
  readonly liftM: number;
  /** Middle of the contact ahead of the rest. */
  readonly aheadM: number;
}

export function walkGait(body: Body): Gait {
  const legM = body.thighM + body.shinM;
  const old = body.stoopRad > 0.12;
  return {
    strideM: legM * (old ? 1.15 : 1.5),
    dutyRatio: old ? 0.66 : 0.61,
    strikeRad: old ? 0.14 : 0.32,
    pushRad: old ? 0.5 : 0.85,
    liftM: (old ? 0.02 : 0.05) * legM,
    aheadM: -0.02 * legM,
  };
}
export function runGait(body: Body): Gait {
  const legM = body.thighM + body.shinM;
  return { strideM: legM * 2.5, dutyRatio: 0.34, strikeRad: 0.1, pushRad: 0.95, liftM: 0.34 * legM, aheadM: 0 };
}

const wrap = (x: number): number => x - Math.floor(x);

/** The foot at phase f of its own cycle; 0 is the strike of the heel. */
export function footAt(body: Body, side: Side, gait: Gait, f: number): Foot {
  return f < gait.dutyRatio ? stance(body, side, gait, f) : swing(body, side, gait, f);
}

function stance(body: Body, side: Side, gait: Gait, f: number): Foot {
  const ankle = jointOf(body, `foot${side}`).clone();
  const ball = jointOf(body, `toe${side}`);
  const shift = gait.aheadM + gait.strideM * (gait.dutyRatio / 2 - f);
  const push = ramp(0.45, 1.25, f / gait.dutyRatio) * 1.45 * gait.pushRad;
  const strike = -gait.strikeRad * (1 - ramp(0, 0.18, f / gait.dutyRatio));
  const pitchRad = push > 0 ? push : strike;
  const pivot = push > 0 ? ball.clone() : new Vector3(ankle.x, 0, ankle.z - 0.6 * ankle.y);
  ankle
    .sub(pivot)
    .applyAxisAngle(new Vector3(1, 0, 0), pitchRad)
    .add(pivot);
  ankle.z += shift;
  return { ankle, pitchRad, toeRad: push > 0 ? -pitchRad : 0 };
}

/** Leaves and meets the ground at the speed that the foot has there, so that it neither scuffs nor jerks. */
function swing(body: Body, side: Side, gait: Gait, f: number): Foot {
  const { dutyRatio } = gait;
  const tick = 0.002;
  const off = stance(body, side, gait, dutyRatio);
  const on = stance(body, side, gait, 0);
  const span = 1 - dutyRatio;
  const leaving = off.ankle
    .clone()
    .sub(stance(body, side, gait, dutyRatio - tick).ankle)
    .multiplyScalar(span / tick);
  const meeting = stance(body, side, gait, tick)
    .ankle.sub(on.ankle)
    .multiplyScalar(span / tick);
  const u = (f - dutyRatio) / span;
  const ankle = off.ankle
    .clone()
    .lerp(on.ankle, u * u * (3 - 2 * u))
    .addScaledVector(leaving, u * (1 - u) ** 2)
    .addScaledVector(meeting, -u * u * (1 - u));
  ankle.y += gait.liftM * Math.sin(Math.PI * u);
  return {
    ankle,
    pitchRad: lerp(off.pitchRad, on.pitchRad, ramp(0.1, 0.9, u)),
    toeRad: lerp(off.toeRad, 0, ramp(0, 0.5, u)),
  };
}

export function walkPose(body: Body, walkedM: number): Pose {
  const gait = walkGait(body);
  const f = wrap(walkedM / gait.strideM);
  const vigour = clamp(gait.strideM / (1.5 * (body.thighM + body.shinM)), 0.5, 1);
  const c = vigour * Math.cos(2 * Math.PI * f);
  const s = vigour * Math.sin(2 * Math.PI * f);
  const legM = body.thighM + body.shinM;
  const arm = (side: Side): Arm => {
    const sw = side === 'L' ? -c : c;
    const out = side === 'L' ? 1 : -1;
    return hang(
      [-(22 * sw + 1) * DEG, 0, -out * 4 * DEG],
      [-(18 + 12 * Math.max(0, sw)) * DEG, 0, 0],
      [0, -out * 12 * DEG, 0],
    );
  };
  const stoop = body.stoopRad;
  return {
    // Highest over the standing foot, swaying towards it.
    pelvis: new Vector3(
      0.022 * legM * Math.cos(2 * Math.PI * (f - 0.3)),
      legM * (-0.022 + 0.018 * Math.cos(4 * Math.PI * (f - 0.3))),
      0,
    ),
    trunk: {
      pelvis: [2 * DEG + 0.2 * stoop, -6 * DEG * c, 2.5 * DEG * s],
      spine: [2 * DEG + 0.6 * stoop, 4 * DEG * c, -2.2 * DEG * s],
      chest: [0.8 * stoop, 7 * DEG * c, -0.8 * DEG * s],
      neck: [-0.3 * stoop, -3 * DEG * c, 0],
      head: [1 * DEG - 0.8 * stoop, -2 * DEG * c, 0],
    },
    feet: { L: footAt(body, 'L', gait, f), R: footAt(body, 'R', gait, wrap(f + 0.5)) },
    arms: { L: arm('L'), R: arm('R') },
  };
}

export function runPose(body: Body, walkedM: number): Pose {
  const gait = runGait(body);
  const f = wrap(walkedM / gait.strideM);
  const c = Math.cos(2 * Math.PI * f);
  const s = Math.sin(2 * Math.PI * f);
  const legM = body.thighM + body.shinM;
  const arm = (side: Side): Arm => {
    const sw = side === 'L' ? -c : c;
    const inward = side === 'L' ? -1 : 1;
    return hang([(-34 * sw + 6) * DEG, 0, -inward * 6 * DEG], [-(82 + 14 * sw) * DEG, inward * 16 * DEG, 0]);
  };
  return {
    pelvis: new Vector3(
      0.012 * legM * Math.cos(2 * Math.PI * (f - 0.17)),
      legM * (-0.06 - 0.04 * Math.cos(4 * Math.PI * (f - 0.17))),
      0,
    ),
    trunk: {
      pelvis: [7 * DEG, -9 * DEG * c, 2 * DEG * s],
      spine: [4 * DEG, 6 * DEG * c, -2 * DEG * s],
      chest: [3 * DEG, 10 * DEG * c, 0],
      neck: [-4 * DEG, -4 * DEG * c, 0],
      head: [-6 * DEG, -3 * DEG * c, 0],
    },
    feet: { L: footAt(body, 'L', gait, f), R: footAt(body, 'R', gait, wrap(f + 0.5)) },
    arms: { L: arm('L'), R: arm('R') },
  };
}
