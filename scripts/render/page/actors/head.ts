// The bare parts that people are known by: a face, half modelled and half painted, and hands.
import type { Field } from './field.ts';
import { cloud, cut, ellipsoid, join, noise, ramp, roundCone } from './field.ts';
import type { Layer, Rgb } from './layer.ts';
import { mix, shade } from './layer.ts';
import type { Side } from './skeleton.ts';
import { joint } from './skeleton.ts';

const SKULL = ellipsoid([0, 1.665, -0.012], [0.076, 0.09, 0.098]);
const JAW = ellipsoid([0, 1.6, 0.028], [0.057, 0.072, 0.064]);
const CHIN = ellipsoid([0, 1.553, 0.066], [0.024, 0.02, 0.022]);
const CHEEK = ellipsoid([0.045, 1.62, 0.052], [0.022, 0.02, 0.022]);
const BROW = roundCone([0, 1.672, 0.082], [0.03, 1.672, 0.07], 0.014, 0.012);
const NOSE = roundCone([0, 1.655, 0.086], [0, 1.612, 0.11], 0.009, 0.0145);
const LIPS = ellipsoid([0, 1.58, 0.086], [0.023, 0.012, 0.012]);
const EAR = ellipsoid([0.08, 1.635, -0.008], [0.011, 0.032, 0.02]);
const NECK = roundCone([0, 1.43, -0.03], [0, 1.58, -0.015], 0.06, 0.052);

export function makeHead(skin: Rgb, hair: Rgb, beard: boolean): Layer {
  const field: Field = (x, y, z) => {
    const ax = Math.abs(x);
    let d = join(0.04, SKULL(ax, y, z), JAW(ax, y, z));
    d = join(0.03, d, CHIN(ax, y, z));
    d = join(0.03, d, CHEEK(ax, y, z));
    d = join(0.02, d, BROW(ax, y, z));
    d = cut(0.016, d, 0.018 - Math.hypot(ax - 0.032, y - 1.648, z - 0.102));
    d = Math.min(d, Math.hypot(ax - 0.032, y - 1.648, z - 0.072) - 0.0145);
    d = join(0.012, d, NOSE(ax, y, z));
    d = join(0.008, d, LIPS(ax, y, z));
    d = join(0.01, d, EAR(ax, y, z));
    return join(0.03, d, NECK(x, y, z));
  };
  return {
    field,
    low: [-0.115, 1.41, -0.14],
    high: [0.115, 1.785, 0.145],
    stepM: 0.0142,
    bones: ['head', 'neck'],
    tint: paintFace(skin, hair, beard),
    stuff: 'skin',
  };
}

const EYE_WHITE: Rgb = [0.36, 0.34, 0.33];
const IRIS: Rgb = [0.05, 0.032, 0.02];

function paintFace(skin: Rgb, hair: Rgb, beard: boolean): Layer['tint'] {
  const flush: Rgb = [skin[0] * 0.9, skin[1] * 0.55, skin[2] * 0.5];
  const lip: Rgb = [skin[0] * 0.72, skin[1] * 0.42, skin[2] * 0.42];
  return (x, y, z) => {
    const ax = Math.abs(x);
    let c = mix(skin, [skin[0], skin[1] * 0.85, skin[2] * 0.78], 0.3 + 0.3 * cloud(40 * x, 40 * y, 40 * z));
    if (z > 0.045) {
      const mouth = Math.hypot(ax / 0.027, (y - 1.58) / 0.0125);
      c = mix(c, flush, 0.25 * ramp(0.03, 0, Math.hypot(ax - 0.045, y - 1.61)));
      c = mix(c, lip, 0.85 * ramp(1.2, 0.7, mouth));
      if (beard) c = mix(c, hair, 0.8 * ramp(1.605, 1.592, y) * ramp(1, 1.35, mouth));
      c = mix(c, shade(c, 0.35), ramp(0.0075, 0.002, Math.abs(y - 1.5805)) * ramp(0.026, 0.016, ax));
      // Sockets in shade, whites, irises: wide enough for the mesh to catch them.
      const eye = Math.hypot((ax - 0.033) / 0.019, (y - 1.648) / 0.0105);
      c = mix(c, shade(c, 0.5), ramp(1.9, 1, eye));
      if (eye < 0.95) c = Math.abs(ax - 0.033) < 0.0085 ? IRIS : EYE_WHITE;
      const brow = Math.hypot((ax - 0.034) / 0.022, (y - 1.673 - 0.12 * (ax - 0.034)) / 0.0085);
      c = mix(c, hair, 0.9 * ramp(1.2, 0.6, brow));
      if (z > 0.085) c = mix(c, shade(c, 0.3), 0.7 * ramp(0.0075, 0.003, Math.hypot(ax - 0.009, y - 1.602)));
    }
    // Under the chin and inside the collar it is dark.
    return y < 1.54 && z < 0.06 ? mix(c, shade(c, 0.55), ramp(1.56, 1.5, y)) : c;
  };
}

export function makeHand(side: Side, skin: Rgb): Layer {
  const g = side === 'L' ? 1 : -1;
  const [wx, wy, wz] = joint(`hand${side}`);
  const at = (x: number, y: number, z: number): [number, number, number] => [wx + g * x, wy + y, wz + z];
  const palm = roundCone(at(0, 0.03, 0), at(0.004, -0.03, 0.004), 0.029, 0.028);
  const knuckles = roundCone(at(0.004, -0.055, -0.012), at(0.006, -0.085, 0.026), 0.022, 0.02);
  const fingers = roundCone(at(0.006, -0.09, -0.014), at(-0.004, -0.15, -0.004), 0.014, 0.011);
  const others = roundCone(at(0.006, -0.09, 0.022), at(-0.008, -0.155, 0.032), 0.014, 0.011);
  const thumb = roundCone(at(-0.005, -0.045, 0.03), at(-0.018, -0.1, 0.055), 0.014, 0.011);
  return {
    field: (x, y, z) => {
      let d = join(0.03, palm(x, y, z), knuckles(x, y, z));
      d = join(0.01, d, Math.min(fingers(x, y, z), others(x, y, z)));
      return join(0.015, d, thumb(x, y, z));
    },
    low: [wx - 0.07, wy - 0.19, wz - 0.07],
    high: [wx + 0.07, wy + 0.07, wz + 0.1],
    stepM: 0.019,
    bones: [`hand${side}`, `forearm${side}`],
    tint: (x, y, z) => mix(skin, shade(skin, 0.75), 0.5 + 0.5 * noise(60 * x, 60 * y, 60 * z)),
    stuff: 'skin',
  };
}
