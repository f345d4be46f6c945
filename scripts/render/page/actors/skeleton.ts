// The bones of a person and where they lie in the reference body: an adult of 1.75 m who faces +z, arms hanging.
// Clothes are modelled around this body; `body.ts` stretches both to other people.
import type { Point } from './field.ts';
import { segmentDistance } from './field.ts';

type Side = 'L' | 'R';
type LimbBone = 'thigh' | 'shin' | 'foot' | 'toe' | 'upperArm' | 'forearm' | 'hand';
export type TrunkBone = 'pelvis' | 'spine' | 'chest' | 'neck' | 'head';
export type BoneName = TrunkBone | `${LimbBone}${Side}`;
export const SIDES: readonly Side[] = ['L', 'R'];
export type { Side };

export interface Bone {
  readonly name: BoneName;
  readonly parent: BoneName | null;
  readonly from: Point;
  readonly to: Point;
}

/** The left is at +x. */
const side = (s: Side, x: number): number => (s === 'L' ? x : -x);

function limbs(s: Side): Bone[] {
  const hip: Point = [side(s, 0.09), 0.93, 0];
  const knee: Point = [side(s, 0.098), 0.5, 0.012];
  const ankle: Point = [side(s, 0.1), 0.085, -0.025];
  const ball: Point = [side(s, 0.112), 0.028, 0.105];
  const toe: Point = [side(s, 0.118), 0.025, 0.18];
  const shoulder: Point = [side(s, 0.178), 1.425, -0.015];
  const elbow: Point = [side(s, 0.25), 1.15, -0.03];
  const wrist: Point = [side(s, 0.29), 0.915, 0.01];
  const finger: Point = [side(s, 0.303), 0.735, 0.03];
  return [
    { name: `thigh${s}`, parent: 'pelvis', from: hip, to: knee },
    { name: `shin${s}`, parent: `thigh${s}`, from: knee, to: ankle },
    { name: `foot${s}`, parent: `shin${s}`, from: ankle, to: ball },
    { name: `toe${s}`, parent: `foot${s}`, from: ball, to: toe },
    { name: `upperArm${s}`, parent: 'chest', from: shoulder, to: elbow },
    { name: `forearm${s}`, parent: `upperArm${s}`, from: elbow, to: wrist },
    { name: `hand${s}`, parent: `forearm${s}`, from: wrist, to: finger },
  ];
}

/** Parents stand before their children. */
export const BONES: readonly Bone[] = [
  { name: 'pelvis', parent: null, from: [0, 0.97, 0], to: [0, 1.08, 0] },
  { name: 'spine', parent: 'pelvis', from: [0, 1.08, 0], to: [0, 1.25, 0] },
  { name: 'chest', parent: 'spine', from: [0, 1.25, 0], to: [0, 1.47, -0.02] },
  { name: 'neck', parent: 'chest', from: [0, 1.47, -0.02], to: [0, 1.555, 0] },
  { name: 'head', parent: 'neck', from: [0, 1.555, 0], to: [0, 1.75, 0] },
  ...limbs('L'),
  ...limbs('R'),
];

const INDEX = new Map<BoneName, number>(BONES.map((bone, i) => [bone.name, i]));

export function boneIndex(name: BoneName): number {
  const i = INDEX.get(name);
  if (i === undefined) throw new Error(`Cannot find bone ${name}`);
  return i;
}

/** Start of a bone in the reference body. */
export const joint = (name: BoneName): Point => BONES[boneIndex(name)]?.from ?? [0, 0, 0];

/** How thick the trunk is around its bones; keeps the arms from pulling at it. */
const THICK: Readonly<Partial<Record<BoneName, number>>> = { pelvis: 0.05, spine: 0.06, chest: 0.05 };
const BLEND_M = 0.075;

/**
 * Which bones move a point of the reference body: up to three of `among`, the nearest most, as [bone, weight] pairs
 * whose weights add up to 1.
 */
export function weigh(x: number, y: number, z: number, among: readonly BoneName[]): (readonly [number, number])[] {
  return shareOut(
    among.map((name): [number, number] => {
      const i = boneIndex(name);
      const bone = BONES[i];
      if (!bone) return [i, Infinity];
      let d = segmentDistance(x, y, z, bone.from, bone.to);
      if (name === 'pelvis') d = segmentDistance(x, y, z, [-0.08, 0.96, 0], [0.08, 0.96, 0]);
      if (name === 'chest') d = Math.min(d, segmentDistance(x, y, z, [-0.1, 1.4, -0.01], [0.1, 1.4, -0.01]));
      return [i, d - (THICK[name] ?? 0)];
    }),
    BLEND_M,
  );
}

/** Weights for the three nearest of [bone, distance] pairs; a bone that is `blendM` farther than the nearest has none. */
export function shareOut(
  distances: readonly (readonly [number, number])[],
  blendM: number,
): (readonly [number, number])[] {
  const near = distances.toSorted((a, b) => a[1] - b[1]).slice(0, 3);
  const least = near[0]?.[1] ?? 0;
  const raw = near.map(([i, d]): [number, number] => [i, Math.max(0, 1 - (d - least) / blendM) ** 2]);
  const total = raw.reduce((sum, [, w]) => sum + w, 0);
  return raw.map(([i, w]) => [i, w / total]);
}
