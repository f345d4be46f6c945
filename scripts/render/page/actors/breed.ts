// Four-legged animals as numbers, and their shape as a field.
import type { Field, Point } from './field.ts';
import { cloud, ellipsoid, join, noise, roundCone } from './field.ts';

export interface Breed {
  /** Height of the shoulder joint; all else are shares of it. */
  readonly shoulderM: number;
  /** From hip to shoulder. */
  readonly lengthRatio: number;
  readonly chestRatio: number;
  readonly bellyRatio: number;
  readonly hipRatio: number;
  readonly legRatio: number;
  readonly headRatio: number;
  readonly neckRatio: number;
  readonly snoutRatio: number;
  readonly earRatio: number;
  readonly floppy: boolean;
  readonly tailRatio: number;
  readonly tailThickRatio: number;
  /** Angle of the tail's root above the horizontal. */
  readonly tailRad: number;
  readonly furM: number;
  readonly tones: readonly [string, ...string[]];
  readonly paleBelly: boolean;
  readonly darkSocks: boolean;
}

export const BREEDS = {
  cat: {
    shoulderM: 0.235,
    lengthRatio: 1.2,
    chestRatio: 0.33,
    bellyRatio: 0.42,
    hipRatio: 0.36,
    legRatio: 0.115,
    headRatio: 0.235,
    neckRatio: 0.34,
    snoutRatio: 0.1,
    earRatio: 0.22,
    floppy: false,
    tailRatio: 1.15,
    tailThickRatio: 0.075,
    tailRad: 0.9,
    furM: 0.006,
    tones: ['#6b5a48', '#2a2724', '#b0763a', '#8a8884', '#d8cfc0'],
    paleBelly: true,
    darkSocks: false,
  },
  dog: {
    shoulderM: 0.32,
    lengthRatio: 1.15,
    chestRatio: 0.33,
    bellyRatio: 0.28,
    hipRatio: 0.27,
    legRatio: 0.1,
    headRatio: 0.24,
    neckRatio: 0.38,
    snoutRatio: 0.3,
    earRatio: 0.24,
    floppy: true,
    tailRatio: 0.75,
    tailThickRatio: 0.06,
    tailRad: 0.7,
    furM: 0.006,
    tones: ['#8a5a34', '#e0d6c2', '#3a2c22', '#a08a68'],
    paleBelly: true,
    darkSocks: false,
  },
  bigDog: {
    shoulderM: 0.56,
    lengthRatio: 1.12,
    chestRatio: 0.29,
    bellyRatio: 0.23,
    hipRatio: 0.23,
    legRatio: 0.075,
    headRatio: 0.185,
    neckRatio: 0.38,
    snoutRatio: 0.27,
    earRatio: 0.17,
    floppy: false,
    tailRatio: 0.85,
    tailThickRatio: 0.06,
    tailRad: -0.4,
    furM: 0.009,
    tones: ['#5a4630', '#22201e', '#b8935a', '#c9b48a'],
    paleBelly: false,
    darkSocks: false,
  },
  fox: {
    shoulderM: 0.32,
    lengthRatio: 1.3,
    chestRatio: 0.27,
    bellyRatio: 0.24,
    hipRatio: 0.24,
    legRatio: 0.07,
    headRatio: 0.2,
    neckRatio: 0.34,
    snoutRatio: 0.27,
    earRatio: 0.26,
    floppy: false,
    tailRatio: 1.2,
    tailThickRatio: 0.19,
    tailRad: -0.25,
    furM: 0.008,
    tones: ['#94582f', '#7d4a2c'],
    paleBelly: true,
    darkSocks: true,
  },
} as const satisfies Readonly<Record<string, Breed>>;
export type BreedName = keyof typeof BREEDS;

export type BeastBone = 'trunk' | 'neck' | 'head' | 'tail' | 'tailEnd' | `${'upper' | 'lower' | 'paw'}${Corner}`;
/** Front or hind, left or right. */
export type Corner = 'FL' | 'FR' | 'HL' | 'HR';
export const CORNERS: readonly Corner[] = ['FL', 'FR', 'HL', 'HR'];

export interface BeastJoint {
  readonly name: BeastBone;
  readonly parent: BeastBone | null;
  readonly from: Point;
  readonly to: Point;
  readonly thickM: number;
}

/** Faces +z, stands on y = 0, its middle over the origin. */
export function beastJoints(b: Breed): BeastJoint[] {
  const s = b.shoulderM;
  const half = (b.lengthRatio * s) / 2;
  const head: Point = [0, s * (1 + 0.8 * b.neckRatio), half + s * 0.75 * b.neckRatio];
  const tailMid: Point = [
    0,
    s + 0.5 * b.tailRatio * s * Math.sin(b.tailRad),
    -half - 0.1 * s - 0.5 * b.tailRatio * s * Math.cos(b.tailRad),
  ];
  const tailTip: Point = [
    0,
    s + b.tailRatio * s * Math.sin(b.tailRad) * 1.1,
    -half - 0.1 * s - 0.85 * b.tailRatio * s * Math.cos(b.tailRad),
  ];
  const legs = CORNERS.flatMap((corner): BeastJoint[] => {
    const x = (corner.endsWith('L') ? 1 : -1) * s * (0.4 * b.chestRatio + 0.35 * b.legRatio);
    const front = corner.startsWith('F');
    const z = front ? half : -half;
    const top: Point = [x, s * 0.86, z];
    const middle: Point = [x, s * 0.47, z + (front ? -0.07 : 0.1) * s];
    const ankle: Point = [x, s * 0.07, z + (front ? 0 : -0.03) * s];
    const toe: Point = [x, s * 0.05, ankle[2] + 0.13 * s];
    return [
      { name: `upper${corner}`, parent: 'trunk', from: top, to: middle, thickM: 0.5 * b.legRatio * s },
      { name: `lower${corner}`, parent: `upper${corner}`, from: middle, to: ankle, thickM: 0 },
      { name: `paw${corner}`, parent: `lower${corner}`, from: ankle, to: toe, thickM: 0 },
    ];
  });
  return [
    { name: 'trunk', parent: null, from: [0, s, -half], to: [0, s, half], thickM: 0.75 * b.chestRatio * s },
    { name: 'neck', parent: 'trunk', from: [0, s * 1.08, half], to: head, thickM: 0.4 * b.headRatio * s },
    {
      name: 'head',
      parent: 'neck',
      from: head,
      to: [0, head[1], head[2] + (b.headRatio + b.snoutRatio) * s],
      thickM: 0.8 * b.headRatio * s,
    },
    { name: 'tail', parent: 'trunk', from: [0, s * 1.06, -half - 0.1 * s], to: tailMid, thickM: 0 },
    { name: 'tailEnd', parent: 'tail', from: tailMid, to: tailTip, thickM: 0 },
    ...legs,
  ];
}

export function beastField(b: Breed, joints: readonly BeastJoint[], seed: number): Field {
  const s = b.shoulderM;
  const of = (name: BeastBone): BeastJoint => {
    const found = joints.find((j) => j.name === name);
    if (!found) throw new Error(`Cannot find bone ${name}`);
    return found;
  };
  const half = (b.lengthRatio * s) / 2;
  const chest = ellipsoid(
    [0, s * 0.96, half * 0.72],
    [b.chestRatio * s * 0.82, b.chestRatio * s * 1.05, b.chestRatio * s * 1.25],
  );
  const belly = ellipsoid([0, s * 0.95, -half * 0.1], [b.bellyRatio * s * 0.85, b.bellyRatio * s * 0.95, half * 1.05]);
  const hips = ellipsoid([0, s * 0.98, -half * 0.82], [b.hipRatio * s * 0.85, b.hipRatio * s, b.hipRatio * s * 1.1]);
  const { from: n0, to: h } = of('neck');
  const r = b.headRatio * s;
  const neck = roundCone([0, n0[1] - 0.04 * s, n0[2] - 0.06 * s], [0, h[1], h[2]], r * 1.05, r * 0.72);
  const skull = ellipsoid([0, h[1] + 0.12 * r, h[2] + 0.35 * r], [r * 0.92, r * 0.86, r]);
  const nose: Point = [0, h[1] - 0.16 * r, h[2] + 0.9 * r + b.snoutRatio * s];
  const snout = roundCone([0, h[1] - 0.1 * r, h[2] + 0.7 * r], nose, r * 0.58, r * 0.34);
  const e = b.earRatio * s;
  const ear = b.floppy
    ? roundCone(
        [0.8 * r, h[1] + 0.65 * r, h[2] + 0.2 * r],
        [1.15 * r, h[1] + 0.65 * r - e, h[2] + 0.35 * r],
        0.2 * e,
        0.26 * e,
      )
    : roundCone(
        [0.52 * r, h[1] + 0.7 * r, h[2] + 0.2 * r],
        [0.72 * r, h[1] + 0.75 * r + e, h[2] + 0.18 * r],
        0.42 * e,
        0.1 * e,
      );
  const t = b.tailThickRatio * s;
  const tail = of('tail');
  const end = of('tailEnd');
  const tailA = roundCone(tail.from, tail.to, t * 0.75, t);
  const tailB = roundCone(end.from, end.to, t, t * 0.55);
  const leg = (corner: Corner): Field => {
    const a = of(`upper${corner}`);
    const c = of(`lower${corner}`);
    const l = b.legRatio * s;
    const front = corner.startsWith('F');
    const upper = roundCone(a.from, a.to, l * (front ? 1.3 : 1.7), l * 0.95);
    const lower = roundCone(c.from, c.to, l * 0.9, l * 0.68);
    const paw = ellipsoid([c.to[0], 0.055 * s, c.to[2] + 0.06 * s], [l * 0.85, 0.055 * s, l * 1.15]);
    return (x, y, z) => join(0.03 * s, join(0.05 * s, upper(x, y, z), lower(x, y, z)), paw(x, y, z));
  };
  const front = leg('FL');
  const hind = leg('HL');
  return (x, y, z) => {
    const ax = Math.abs(x);
    let d = join(0.2 * s, join(0.2 * s, chest(x, y, z), belly(x, y, z)), hips(x, y, z));
    d = join(0.15 * s, d, neck(x, y, z));
    d = join(0.08 * s, d, join(0.05 * s, skull(x, y, z), snout(x, y, z)));
    d = join(0.02 * s, d, ear(ax, y, z));
    d = join(0.08 * s, d, Math.min(front(ax, y, z), hind(ax, y, z)));
    d = join(0.05 * s, d, join(0.03 * s, tailA(x, y, z), tailB(x, y, z)));
    return (
      d -
      b.furM *
        (cloud((5 * x) / s + seed, (5 * y) / s, (5 * z) / s) * 0.7 +
          0.4 * noise((16 * x) / s, (16 * y) / s, (16 * z) / s))
    );
  };
}
