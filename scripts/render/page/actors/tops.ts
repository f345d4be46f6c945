// What is worn above the waist: a trunk and two sleeves, folded at the elbows, cut crisply at hem and cuffs.

import type { Field } from './field.ts';
import { cloud, cut, ellipsoid, join, noise, ramp, roundCone } from './field.ts';
import type { Layer, Rgb } from './layer.ts';
import { mix, rgb, shade } from './layer.ts';
import type { Pattern, TopKind } from './person-spec.ts';
import { joint } from './skeleton.ts';

export interface TopCut {
  readonly kind: TopKind;
  readonly tone: string;
  readonly pattern: Pattern;
  readonly patternTone: string;
  readonly shortSleeves: boolean;
  readonly straps: string | null;
  readonly seed: number;
  readonly irRatio: number;
}

interface Shape {
  readonly hemY: number;
  /** Width that the hem has gained over the waist. */
  readonly flareM: number;
  /** Added all around. */
  readonly looseM: number;
  readonly foldM: number;
  readonly collarM: number;
}
const SHAPES: Readonly<Record<TopKind, Shape>> = {
  jacket: { hemY: 0.885, flareM: 0, looseM: 0.004, foldM: 0.009, collarM: 0.026 },
  coat: { hemY: 0.56, flareM: 0.03, looseM: 0.006, foldM: 0.008, collarM: 0.03 },
  raincoat: { hemY: 0.66, flareM: 0.05, looseM: 0.012, foldM: 0.011, collarM: 0.03 },
  suit: { hemY: 0.82, flareM: 0.004, looseM: -0.002, foldM: 0.004, collarM: 0.02 },
  shirt: { hemY: 0.9, flareM: 0, looseM: -0.012, foldM: 0.007, collarM: 0.008 },
  hiVis: { hemY: 0.87, flareM: 0.004, looseM: 0.008, foldM: 0.007, collarM: 0.022 },
};

const TRUNK = roundCone([0, 1.3, -0.005], [0, 1.02, 0], 0.172, 0.158, 0.7);
const SHOULDERS = roundCone([-0.12, 1.405, -0.02], [0.12, 1.405, -0.02], 0.078, 0.078);
const elbow = joint('forearmL');
const wrist = joint('handL');
const UPPER_ARM = roundCone(joint('upperArmL'), elbow, 0.07, 0.056);
const FOREARM = roundCone(elbow, [wrist[0], wrist[1] + 0.02, wrist[2]], 0.057, 0.046);

/** Trunk and sleeves, each a layer of its own, so that a raised arm draws no web out of the flank. */
export function makeTop(top: TopCut): Layer[] {
  const shape = SHAPES[top.kind];
  const { seed } = top;
  const hips = roundCone([0, 1.02, 0], [0, 0.9, 0], 0.163, 0.172, 0.74);
  const tails = roundCone([0, 0.92, 0], [0, shape.hemY - 0.1, 0], 0.17, 0.172 + shape.flareM, 0.8);
  const cuffY = top.shortSleeves ? elbow[1] + 0.07 : wrist[1];
  const folded = (d: number, x: number, y: number, z: number): number =>
    d > 0.06 ? d : d - shape.foldM * (cloud(11 * x + seed, 7 * y, 11 * z) + 0.5 * noise(27 * x, 19 * y + seed, 27 * z));
  const trunk: Field = (x, y, z) => {
    let d = join(0.09, TRUNK(x, y, z), SHOULDERS(x, y, z));
    d = join(0.05, d, hips(x, y, z));
    if (shape.hemY < 0.85) d = join(0.06, d, tails(x, y, z));
    const rim = Math.hypot(Math.hypot(x, 1.05 * (z + 0.02)) - 0.068, y - 1.475) - shape.collarM;
    d = folded(join(0.03, d, rim) - shape.looseM, x, y, z);
    return cut(0.012, d, shape.hemY + 0.012 * noise(8 * x, seed, 8 * z) - y);
  };
  const sleeves: Field = (x, y, z) => {
    const ax = Math.abs(x);
    let d = join(0.03, UPPER_ARM(ax, y, z), FOREARM(ax, y, z)) - shape.looseM;
    if (d < 0.06) {
      const wobble = 5 * noise(9 * x + seed, 9 * y, 9 * z);
      d -= 0.006 * Math.sin(85 * y + wobble) * ramp(0.13, 0.02, Math.abs(y - elbow[1]));
      d -= 0.004 * Math.sin(120 * y + wobble) * ramp(0.1, 0, Math.abs(y - wrist[1] - 0.02));
    }
    return cut(0.008, folded(d, x, y, z), cuffY - y);
  };
  const stuff = {
    stepM: 0.039,
    stuff: top.kind === 'hiVis' ? 'reflector' : 'cloth',
    irRatio: top.irRatio,
  } as const;
  const low = cuffY - 0.06;
  return [
    {
      ...stuff,
      field: trunk,
      low: [-0.27, shape.hemY - 0.05, -0.27],
      high: [0.27, 1.56, 0.27],
      bones: ['pelvis', 'spine', 'chest', 'neck', ...(shape.hemY < 0.8 ? (['thighL', 'thighR'] as const) : [])],
      tint: tintTop(top, shape, false),
    },
    {
      ...stuff,
      field: sleeves,
      low: [-0.38, low, -0.13],
      high: [0.38, 1.54, 0.11],
      bones: ['chest', 'upperArmL', 'forearmL', 'upperArmR', 'forearmR'],
      tint: tintTop(top, shape, true),
      hiddenM: 0.05,
    },
  ];
}

const DARK = rgb('#15151a');
const WHITE = rgb('#e9e7e2');
const SILVER: Rgb = [0.82, 0.84, 0.82];
const VEST = rgb('#d8e021');

function tintTop(top: TopCut, shape: Shape, sleeve: boolean): Layer['tint'] {
  const main = rgb(top.tone);
  const second = rgb(top.patternTone);
  const straps = top.straps === null ? null : rgb(top.straps);
  const { seed } = top;
  return (x, y, z) => {
    const ax = Math.abs(x);
    let c = main;
    if (top.pattern === 'stripes' && Math.sin(70 * y) > 0.1) c = second;
    if (top.pattern === 'check')
      c = mix(c, second, 0.35 * (Number(Math.sin(62 * y) > 0) + Number(Math.sin(62 * x) > 0)));
    if (top.pattern === 'block' && y > 1.27 - 0.25 * ax) c = second;
    if (top.kind === 'hiVis' && !sleeve && y < 1.47) {
      c = VEST;
      if (Math.abs(y - 1.04) < 0.028 || Math.abs(y - 1.2) < 0.028 || (Math.abs(ax - 0.1) < 0.024 && y > 1.04))
        return SILVER;
    }
    c = mix(c, shade(c, 0.62), 0.5 + 0.5 * cloud(14 * x + seed, 14 * y, 14 * z));
    // Little light comes between arm and flank: without that shade they are one flat shape under a lamp at the lens.
    if (sleeve) return shade(c, 1 - 0.5 * ramp(0.02, -0.045, ax - 0.178 - 0.26 * (1.425 - y)) * ramp(1.42, 1.34, y));
    c = shade(c, 1 - 0.5 * ramp(0.1, 0.15, ax) * ramp(1.38, 1.3, y));
    const front = z > 0.05;
    if (top.kind === 'suit' && front && ax < 0.075 * ramp(1.1, 1.44, y))
      c = ax < 0.02 && y > 1.14 ? shade(DARK, 1.5) : WHITE;
    if (front && ax < 0.018 && (top.kind === 'jacket' || top.kind === 'coat')) c = mix(c, DARK, 0.5);
    c = shade(c, 1 - 0.3 * ramp(0.06, 0, y - shape.hemY));
    if (y > 1.475 && top.kind !== 'shirt') c = shade(c, 0.75);
    if (top.kind === 'jacket' && front && Math.abs(y - 1.02) < 0.014 && Math.abs(ax - 0.1) < 0.04) c = shade(c, 0.5);
    if (straps && Math.abs(ax - 0.1) < 0.034 && y > 1.1 && ax < 0.15) c = straps;
    return c;
  };
}

/** A hood worn up: a shell around the head, open at the face. */
export function makeHood(top: TopCut): Layer {
  const outer = ellipsoid([0, 1.668, -0.03], [0.112, 0.125, 0.132]);
  const drape = roundCone([0, 1.6, -0.05], [0, 1.47, -0.045], 0.105, 0.105, 0.9);
  const face = ellipsoid([0, 1.63, 0.14], [0.072, 0.1, 0.15]);
  const main = rgb(top.tone);
  return {
    field: (x, y, z) => {
      let d = join(0.06, outer(x, y, z), drape(x, y, z));
      d -= 0.007 * cloud(16 * x + top.seed, 12 * y, 16 * z);
      d = cut(0.012, d, -face(x, y, z));
      return cut(0.01, d, 1.45 - y);
    },
    low: [-0.15, 1.42, -0.2],
    high: [0.15, 1.82, 0.14],
    stepM: 0.025,
    bones: ['head', 'neck', 'chest'],
    tint: (x, y, z) => mix(main, shade(main, 0.55), 0.5 + 0.5 * cloud(14 * x, 14 * y, 14 * z)),
    stuff: 'cloth',
    irRatio: top.irRatio,
  };
}
