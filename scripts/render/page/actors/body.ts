// The proportions of one person: how each bone of the reference body is stretched, and where its joints end up.
import { Vector3 } from 'three';
import type { Random } from './actor.ts';
import { lerp } from './field.ts';
import type { Age, Build } from './person-spec.ts';
import type { BoneName } from './skeleton.ts';
import { BONES, boneIndex } from './skeleton.ts';

export interface Body {
  readonly heightM: number;
  /** Stretch of each bone in the order of BONES: across, along (y), front to back. */
  readonly stretch: readonly Vector3[];
  /** Start of each bone at rest, feet on y = 0. */
  readonly joints: readonly Vector3[];
  /** Length of the thigh and of the shin. */
  readonly thighM: number;
  readonly shinM: number;
  readonly stoopRad: number;
}

/** Shares after growth charts: the younger, the larger the head and the shorter the legs. */
interface Growth {
  readonly heightM: readonly [number, number];
  readonly head: number;
  readonly headWidth: number;
  readonly legRatio: number;
  readonly neck: number;
  readonly across: number;
  readonly stoopRad: readonly [number, number];
}
const GROWTH: Readonly<Record<Age, Growth>> = {
  child5: {
    heightM: [1.05, 1.16],
    head: 0.9,
    headWidth: 0.93,
    legRatio: 0.47,
    neck: 0.6,
    across: 0.68,
    stoopRad: [0, 0],
  },
  child9: {
    heightM: [1.28, 1.42],
    head: 0.93,
    headWidth: 0.95,
    legRatio: 0.5,
    neck: 0.75,
    across: 0.77,
    stoopRad: [0, 0],
  },
  teen: {
    heightM: [1.54, 1.72],
    head: 0.96,
    headWidth: 0.97,
    legRatio: 0.53,
    neck: 0.9,
    across: 0.88,
    stoopRad: [0, 0.06],
  },
  adult: { heightM: [1.58, 1.9], head: 1, headWidth: 1, legRatio: 0.531, neck: 0.88, across: 1, stoopRad: [0, 0.05] },
  elderly: {
    heightM: [1.54, 1.74],
    head: 1,
    headWidth: 1,
    legRatio: 0.53,
    neck: 0.9,
    across: 1,
    stoopRad: [0.16, 0.34],
  },
};
const GIRTH: Readonly<Record<Build, number>> = { slim: 0.9, average: 1, stout: 1.18 };

const HEAD_M = 0.195;
const NECK_M = 0.085;
const LEG_M = 0.93;
const TRUNK_M = 1.75 - HEAD_M - NECK_M - LEG_M;

export function growBody(age: Age, build: Build, heightM: number | undefined, random: Random): Body {
  const growth = GROWTH[age];
  const tall = heightM ?? lerp(growth.heightM[0], growth.heightM[1], random());
  const leg = (tall * growth.legRatio) / LEG_M;
  const head = growth.head;
  const neck = growth.neck;
  const trunk = (tall - leg * LEG_M - head * HEAD_M - neck * NECK_M) / TRUNK_M;
  const girth = GIRTH[build] * lerp(0.97, 1.03, random());
  const shoulders = growth.across * lerp(0.93, 1.05, random()) * lerp(1, girth, 0.35);
  const hips = growth.across * lerp(0.96, 1.06, random()) * girth;
  const belly = build === 'stout' ? 1.12 : 1;
  const limb = growth.across * lerp(1, girth, 0.75);
  const arm = lerp(trunk, leg, 0.5);
  const foot = lerp(growth.across, leg, 0.5);
  const width = growth.headWidth * lerp(0.97, 1.03, random());
  const forTrunk: Readonly<Record<string, Vector3>> = {
    pelvis: new Vector3(hips, trunk, hips),
    spine: new Vector3(lerp(hips, shoulders, 0.5) * girth ** 0.3, trunk, hips * belly),
    chest: new Vector3(shoulders, trunk, lerp(hips, shoulders, 0.5)),
    neck: new Vector3(lerp(shoulders, 0.85, 0.5), neck, lerp(shoulders, 0.9, 0.5)),
    head: new Vector3(width, head, width),
  };
  const forLimb: readonly (readonly [string, Vector3])[] = [
    ['thigh', new Vector3(limb, leg, limb)],
    ['shin', new Vector3(limb, leg, limb)],
    ['foot', new Vector3(limb, leg, foot)],
    ['toe', new Vector3(limb, leg, foot)],
    ['upperArm', new Vector3(limb, arm, limb)],
    ['forearm', new Vector3(limb, arm, limb)],
    ['hand', new Vector3(arm, arm, arm)],
  ];
  const stretch = BONES.map(
    ({ name }) =>
      forTrunk[name] ?? forLimb.find(([limbName]) => name.startsWith(limbName))?.[1] ?? new Vector3(1, 1, 1),
  );
  const joints: Vector3[] = [];
  for (const bone of BONES) {
    const i = joints.length;
    if (bone.parent === null) {
      joints.push(new Vector3(0, leg * LEG_M + trunk * (bone.from[1] - LEG_M), 0));
      continue;
    }
    const parent = boneIndex(bone.parent);
    const from = BONES[parent]?.from ?? [0, 0, 0];
    const offset = new Vector3(bone.from[0] - from[0], bone.from[1] - from[1], bone.from[2] - from[2]);
    joints[i] = offset.multiply(stretch[parent] ?? offset).add(joints[parent] ?? new Vector3());
  }
  const length = (a: BoneName, b: BoneName): number =>
    (joints[boneIndex(a)] ?? new Vector3()).distanceTo(joints[boneIndex(b)] ?? new Vector3());
  return {
    heightM: tall,
    stretch,
    joints,
    thighM: length('thighL', 'shinL'),
    shinM: length('shinL', 'footL'),
    stoopRad: lerp(growth.stoopRad[0], growth.stoopRad[1], random()),
  };
}

/** Moves a point that the bones of `weights` carry from the reference body to this one. */
export function fit(body: Body, weights: readonly (readonly [number, number])[], p: Vector3, out: Vector3): Vector3 {
  out.set(0, 0, 0);
  for (const [i, w] of weights) {
    const from = BONES[i]?.from ?? [0, 0, 0];
    const s = body.stretch[i];
    const to = body.joints[i];
    if (!s || !to) continue;
    out.x += w * (to.x + s.x * (p.x - from[0]));
    out.y += w * (to.y + s.y * (p.y - from[1]));
    out.z += w * (to.z + s.z * (p.z - from[2]));
  }
  return out;
}
