// What is worn below the waist, bare legs and arms, and shoes.
import type { Field } from './field.ts';
import { cloud, cut, ellipsoid, join, noise, ramp, roundBox, roundCone } from './field.ts';
import type { Layer, Rgb } from './layer.ts';
import { mix, rgb, shade } from './layer.ts';
import type { Side } from './skeleton.ts';
import { joint } from './skeleton.ts';

const hip = joint('thighL');
const knee = joint('shinL');
const ankle = joint('footL');
const HIPS = ellipsoid([0, 0.955, -0.012], [0.165, 0.13, 0.125]);
const WIDE_THIGH = roundCone([hip[0], hip[1] - 0.03, hip[2] - 0.008], knee, 0.098, 0.07);
const WIDE_SHIN = roundCone(knee, [ankle[0], ankle[1] - 0.01, ankle[2]], 0.071, 0.06);
const THIGH = roundCone(hip, knee, 0.085, 0.052);
const SHIN = roundCone(knee, ankle, 0.05, 0.036);
const CALF = ellipsoid([knee[0], 0.36, -0.028], [0.05, 0.12, 0.056]);
const LEG_BONES = ['pelvis', 'thighL', 'shinL', 'thighR', 'shinR'] as const;

const clothTint =
  (main: Rgb, seed: number): Layer['tint'] =>
  (x, y, z) => {
    // Dark between the legs, so that one stands out against the other from the side.
    const between = 1 - 0.5 * ramp(0.1, 0.045, Math.abs(x)) * ramp(0.9, 0.78, y);
    return shade(mix(main, shade(main, 0.55), 0.5 + 0.5 * cloud(16 * x, 16 * y + seed, 16 * z)), between);
  };

/** Trousers, or shorts when they end above the knee. */
export function makeTrousers(tone: string, hemY: number, seed: number, irRatio: number): Layer {
  const field: Field = (x, y, z) => {
    const ax = Math.abs(x);
    let leg = join(0.04, WIDE_THIGH(ax, y, z), WIDE_SHIN(ax, y, z));
    leg = join(0.03, leg, CALF(ax, y, z));
    if (leg < 0.06) {
      const wobble = 5 * noise(10 * x, 9 * y + seed, 10 * z);
      leg -= 0.006 * Math.sin(75 * y + wobble) * ramp(0.12, 0.02, Math.abs(y - knee[1]));
      leg -= 0.007 * Math.sin(95 * y + wobble) * ramp(0.16, 0.03, Math.abs(y - 0.12));
    }
    // The legs stay two: what joins them to each other is only the seat.
    let d = join(0.03, HIPS(x, y, z), leg);
    if (d < 0.05) d -= 0.006 * cloud(13 * x, 8 * y + seed, 13 * z);
    return cut(0.008, d, hemY - y);
  };
  return {
    field,
    low: [-0.27, hemY - 0.05, -0.2],
    high: [0.27, 1.1, 0.2],
    stepM: 0.039,
    bones: LEG_BONES,
    tint: clothTint(rgb(tone), seed),
    hiddenM: 0.045,
    stuff: 'cloth',
    irRatio,
  };
}

export function makeSkirt(tone: string, hemY: number, flareM: number, seed: number, irRatio: number): Layer {
  const cone = roundCone([0, 1, -0.005], [0, hemY - 0.12, 0], 0.155, 0.19 + flareM, 0.78);
  const field: Field = (x, y, z) => {
    const pleats = 0.012 * ramp(0.95, hemY, y) * Math.sin(9 * Math.atan2(x, z) + seed);
    const d = cone(x, y, z) - pleats - 0.006 * cloud(10 * x, 5 * y + seed, 10 * z);
    return cut(0.01, cut(0.01, d, hemY - y), y - 1.06);
  };
  const tint = clothTint(rgb(tone), seed);
  const reach = 0.26 + flareM;
  return {
    field,
    low: [-reach, hemY - 0.04, -reach],
    high: [reach, 1.1, reach],
    stepM: 0.039,
    bones: ['pelvis', 'thighL', 'thighR'],
    hiddenM: 0.045,
    tint: (x, y, z) => shade(tint(x, y, z), y < hemY + 0.02 ? 0.65 : 1),
    stuff: 'cloth',
    irRatio,
  };
}

/** Bare legs or tights. */
export function makeLegs(tone: Rgb, isSkin: boolean): Layer {
  return {
    field: (x, y, z) => {
      const ax = Math.abs(x);
      return cut(0.01, join(0.03, join(0.03, THIGH(ax, y, z), SHIN(ax, y, z)), CALF(ax, y, z)), y - 0.74);
    },
    low: [-0.22, 0.02, -0.16],
    high: [0.22, 0.8, 0.16],
    stepM: 0.034,
    bones: ['thighL', 'shinL', 'thighR', 'shinR'],
    tint: (x, y, z) =>
      shade(
        mix(tone, shade(tone, 0.75), 0.5 + 0.5 * cloud(9 * x, 9 * y, 9 * z)),
        1 - 0.4 * ramp(0.1, 0.06, Math.abs(x)),
      ),
    stuff: isSkin ? 'skin' : 'cloth',
    irRatio: 0.3,
  };
}

export function makeArms(tone: Rgb): Layer {
  const elbow = joint('forearmL');
  const wrist = joint('handL');
  const upper = roundCone(joint('upperArmL'), elbow, 0.05, 0.041);
  const lower = roundCone(elbow, wrist, 0.043, 0.029);
  return {
    // Only what comes out of a short sleeve.
    field: (x, y, z) => cut(0.01, join(0.02, upper(Math.abs(x), y, z), lower(Math.abs(x), y, z)), y - 1.27),
    low: [-0.36, 0.86, -0.12],
    high: [0.36, 1.32, 0.1],
    stepM: 0.028,
    bones: ['upperArmL', 'forearmL', 'upperArmR', 'forearmR', 'chest'],
    tint: (x, y, z) => mix(tone, shade(tone, 0.8), 0.5 + 0.5 * cloud(12 * x, 12 * y, 12 * z)),
    stuff: 'skin',
  };
}

const SOLE = rgb('#d8d3c8');

export function makeShoe(side: Side, tone: string): Layer {
  const g = side === 'L' ? 1 : -1;
  const x0 = g * ankle[0];
  const main = rgb(tone);
  const upper = roundCone([x0, 0.045, -0.055], [x0 + g * 0.012, 0.038, 0.155], 0.042, 0.04);
  const heel = roundCone([x0, 0.05, -0.04], [x0, 0.105, -0.03], 0.045, 0.045);
  const instep = roundCone([x0, 0.07, -0.01], [x0 + g * 0.01, 0.045, 0.12], 0.035, 0.032);
  const sole = roundBox([x0 + g * 0.006, 0.012, 0.05], [0.047, 0.014, 0.145], 0.012);
  return {
    field: (x, y, z) => {
      const d = join(0.03, join(0.04, upper(x, y, z), heel(x, y, z)), instep(x, y, z));
      return cut(0.004, Math.min(d, sole(x, y, z)), -y);
    },
    low: [x0 - 0.09, -0.03, -0.14],
    high: [x0 + 0.09, 0.18, 0.24],
    stepM: 0.026,
    bones: [`foot${side}`, `toe${side}`],
    tint: (_x, y, z) => (y < 0.024 ? SOLE : y > 0.06 && z > 0.02 && z < 0.09 ? mix(main, SOLE, 0.3) : main),
    stuff: 'cloth',
    irRatio: 0.3,
  };
}
