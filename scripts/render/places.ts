/** The places as both sides know them: where the camera hangs, where visitors come from and stand, where the road is. */
import type { CameraPlan, PlaceName } from './plan.ts';

export type Point = readonly [number, number];
export interface Place {
  readonly camera: CameraPlan;
  readonly sunFrom: readonly [number, number, number];
  /** The porch lamp. */
  readonly lampAt: readonly [number, number, number];
  readonly streetLampAt: readonly [number, number, number];
  /** From where a visitor comes into view to where they stand at the door (last). */
  readonly approach: readonly Point[];
  /** From beyond the picture's edge to the same place at the door: a short way, seen from the side. */
  readonly side: readonly Point[];
  /** A way that never leads to the door. */
  readonly passing: readonly Point[];
  /** Middle of the lane on which cars drive, along x; undefined where there is none. */
  readonly roadZM?: number;
  /** Open ground in which a person may stand, for stills: x0, z0, x1, z1. */
  readonly open: readonly (readonly [number, number, number, number])[];
}

const camera = (heightM: number, pitchRad: number, yawRad: number, fieldDeg: number, bend: number): CameraPlan => ({
  heightM,
  pitchRad,
  yawRad,
  fieldDeg,
  bend,
});

export const places: Readonly<Record<PlaceName, Place>> = {
  cottage: {
    camera: camera(1.25, -0.06, 0, 124, 0.42),
    sunFrom: [-5, 7, 3],
    lampAt: [-0.9, 2.45, -0.5],
    streetLampAt: [-7, 4.6, -11.2],
    approach: [
      [4.5, -10.4],
      [0.5, -10.1],
      [0.3, -8.8],
      [0.25, -1.15],
    ],
    side: [
      [6.4, -2.7],
      [1.3, -1.9],
      [0.25, -1.15],
    ],
    passing: [
      [9, -10.5],
      [-9, -10.5],
    ],
    roadZM: -13,
    open: [
      [-0.4, -9, 1, -1.2],
      [-3.4, -8.5, 2, -2.2],
      [-7, -10.9, 7, -10],
    ],
  },
  terrace: {
    camera: camera(1.3, -0.08, 0.12, 132, 0.38),
    sunFrom: [6, 5, 1],
    lampAt: [0.9, 2.5, -0.25],
    streetLampAt: [6, 5, -5.2],
    approach: [
      [-6, -4.2],
      [-0.2, -4.1],
      [0.3, -3.3],
      [0.15, -1],
    ],
    side: [
      [-6, -4.2],
      [-0.2, -4.1],
      [0.3, -3.3],
      [0.15, -1],
    ],
    passing: [
      [-9, -4.4],
      [9, -4.4],
    ],
    roadZM: -9.2,
    open: [
      [-1.3, -2.7, 1.6, -1.1],
      [-6, -5, 6, -3.8],
      [-7, -10, 7, -8.5],
    ],
  },
  gallery: {
    camera: camera(1.42, -0.1, 0.62, 136, 0.4),
    sunFrom: [-3, 5, -6],
    lampAt: [-0.8, 2.45, -0.5],
    streetLampAt: [8, -3, -16],
    approach: [
      [-10.5, -0.95],
      [-1.4, -0.9],
      [-0.35, -1.05],
    ],
    side: [
      [5.5, -0.95],
      [0.6, -0.95],
      [-0.2, -1.05],
    ],
    passing: [
      [-10.5, -1.15],
      [6, -1.15],
    ],
    open: [[-8, -1.3, 0.6, -0.8]],
  },
  driveway: {
    camera: camera(2.35, -0.3, -0.08, 116, 0.5),
    sunFrom: [4, 8, -3],
    lampAt: [-0.4, 2.7, -0.2],
    streetLampAt: [7, 5.2, -12.6],
    approach: [
      [-7, -12.3],
      [0.6, -11.8],
      [0.9, -7],
      [0.35, -1.5],
    ],
    side: [
      [4.8, -2.3],
      [1.1, -1.9],
      [0.35, -1.5],
    ],
    passing: [
      [-10, -12.4],
      [10, -12.4],
    ],
    roadZM: -15,
    open: [
      [-0.2, -11, 2.4, -1.6],
      [2.6, -9, 5, -2],
      [-8, -12.8, 8, -12],
    ],
  },
  farm: {
    camera: camera(1.7, -0.1, 0.1, 120, 0.5),
    sunFrom: [-7, 4, -2],
    lampAt: [0.8, 2.7, -0.3],
    streetLampAt: [-6.5, 4.3, -9.5],
    approach: [
      [5, -17],
      [1.5, -9],
      [0.2, -1.2],
    ],
    side: [
      [-5.6, -2.5],
      [-0.5, -1.9],
      [0.2, -1.2],
    ],
    passing: [
      [11, -9],
      [-6, -7.5],
    ],
    roadZM: -21,
    open: [[-4, -12, 6, -1.4]],
  },
  courtyard: {
    camera: camera(1.38, -0.05, -0.1, 128, 0.35),
    sunFrom: [2, 9, -4],
    lampAt: [-0.7, 2.5, -0.3],
    streetLampAt: [4.8, 3.6, -7],
    approach: [
      [1.2, -13.5],
      [1.1, -9],
      [0.3, -4],
      [0.1, -1.1],
    ],
    side: [
      [5.5, -5],
      [1.5, -2.1],
      [0.1, -1.1],
    ],
    passing: [
      [1.2, -13.5],
      [0.6, -8.5],
      [-4.2, -5.2],
    ],
    open: [[-3.8, -10, 4.2, -1.2]],
  },
  pavement: {
    camera: camera(1.52, -0.12, 0, 138, 0.4),
    sunFrom: [-2, 8, -5],
    lampAt: [0.7, 2.45, -0.15],
    streetLampAt: [-4, 5, -2.5],
    approach: [
      [7, -1.7],
      [1.2, -1.45],
      [0.2, -0.95],
    ],
    side: [
      [-6, -1.75],
      [-0.8, -1.5],
      [0, -0.95],
    ],
    passing: [
      [-7.5, -1.75],
      [7.5, -1.75],
    ],
    roadZM: -6.6,
    open: [
      [-5, -2.1, 5, -1.1],
      [-7, -7.5, 7, -5.5],
    ],
  },
  woods: {
    camera: camera(1.6, -0.12, -0.05, 118, 0.48),
    sunFrom: [5, 6, -6],
    lampAt: [-0.8, 2.5, -0.7],
    streetLampAt: [3.4, 3.2, -6.5],
    approach: [
      [-3.2, -15],
      [-1.4, -9],
      [0.4, -5],
      [0.25, -1.3],
    ],
    side: [
      [5.4, -2.7],
      [0.9, -2],
      [0.25, -1.3],
    ],
    passing: [
      [8, -9.5],
      [-8.5, -10.5],
    ],
    open: [
      [-1.5, -8, 1.8, -1.5],
      [-3, -10, 3.5, -5],
    ],
  },
};
