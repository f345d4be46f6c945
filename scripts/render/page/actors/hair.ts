// Hair, hats and what is carried on the back.
import type { Field } from './field.ts';
import { cloud, cut, ellipsoid, join, noise, ramp, roundBox, roundCone } from './field.ts';
import type { Layer, Rgb } from './layer.ts';
import { mix, rgb, shade } from './layer.ts';
import type { HairStyle, Headwear } from './person-spec.ts';

const CROWN = ellipsoid([0, 1.672, -0.02], [0.087, 0.1, 0.106]);
const FACE = ellipsoid([0, 1.625, 0.105], [0.068, 0.082, 0.085]);
const FALL = roundCone([0, 1.62, -0.07], [0, 1.43, -0.085], 0.078, 0.072, 0.8);
const LOCK = roundCone([0.07, 1.66, 0], [0.08, 1.46, -0.02], 0.028, 0.03);
const BUN = ellipsoid([0, 1.735, -0.105], [0.045, 0.042, 0.042]);

export function makeHair(style: HairStyle, tone: Rgb, seed: number): Layer | null {
  if (style === 'bald') return null;
  const field: Field = (x, y, z) => {
    const ax = Math.abs(x);
    let d = CROWN(x, y, z);
    if (style === 'long') d = join(0.03, join(0.05, d, FALL(x, y, z)), LOCK(ax, y, z));
    if (style === 'bun') d = join(0.015, d, BUN(x, y, z));
    d -= 0.008 * cloud(45 * x, 9 * y + seed, 30 * z);
    d = cut(0.012, d, -FACE(x, y, z));
    if (style === 'long') return z > 0.03 && y < 1.66 ? Math.max(d, 0.01) : d;
    return cut(0.02, d, 1.595 + 0.04 * ramp(-0.02, 0.06, z) - y);
  };
  return {
    field,
    low: [-0.14, 1.33, -0.2],
    high: [0.14, 1.81, 0.12],
    stepM: 0.022,
    bones: ['head'],
    tint: (x, y, z) => mix(shade(tone, 0.5), shade(tone, 1.5), 0.5 + 0.5 * noise(110 * x, 16 * y, 70 * z)),
    stuff: 'hair',
  };
}

export function makeHeadwear(kind: Headwear, tone: string, irRatio: number): Layer | null {
  const main = rgb(tone);
  const tint: Layer['tint'] = (x, y, z) => mix(main, shade(main, 0.7), 0.5 + 0.5 * cloud(20 * x, 20 * y, 20 * z));
  const dome = ellipsoid([0, 1.678, -0.015], [0.095, 0.108, 0.114]);
  const layer = (field: Field): Layer => ({
    field,
    low: [-0.2, 1.6, -0.22],
    high: [0.2, 1.85, 0.22],
    stepM: 0.022,
    bones: ['head'],
    tint,
    stuff: 'cloth',
    irRatio,
  });
  if (kind === 'cap') {
    const peak = ellipsoid([0, 1.69, 0.1], [0.078, 0.016, 0.1]);
    return layer((x, y, z) => join(0.01, cut(0.008, dome(x, y, z), 1.675 - y), cut(0.01, peak(x, y, z), 0.05 - z)));
  }
  if (kind === 'beanie') {
    const cuff = (x: number, y: number, z: number): number =>
      cut(0.01, dome(x, y, z) - 0.008, Math.abs(y - 1.685) - 0.022);
    return layer((x, y, z) => Math.min(cut(0.01, dome(x, y, z), 1.66 - y), cuff(x, y, z)));
  }
  if (kind === 'hat') {
    const brim = ellipsoid([0, 1.693, -0.012], [0.165, 0.02, 0.175]);
    const crown = roundBox([0, 1.735, -0.015], [0.086, 0.062, 0.1], 0.05);
    return layer((x, y, z) => join(0.02, brim(x, y, z), cut(0.01, crown(x, y, z), 1.68 - y)));
  }
  return null;
}

export function makeBackpack(tone: string, irRatio: number): Layer {
  const main = rgb(tone);
  const pack = roundBox([0, 1.23, -0.175], [0.145, 0.215, 0.09], 0.06);
  const pocket = roundBox([0, 1.13, -0.265], [0.11, 0.1, 0.035], 0.03);
  return {
    field: (x, y, z) => join(0.02, pack(x, y, z), pocket(x, y, z)) - 0.006 * cloud(12 * x, 12 * y, 12 * z),
    low: [-0.2, 0.96, -0.38],
    high: [0.2, 1.48, -0.08],
    stepM: 0.042,
    bones: ['chest'],
    tint: (x, y, z) =>
      Math.abs(y - 1.37) < 0.014
        ? shade(main, 0.3)
        : mix(main, shade(main, 0.6), 0.5 + 0.5 * cloud(14 * x, 14 * y, 14 * z)),
    stuff: 'cloth',
    irRatio,
  };
}
