// A layer is one garment or part of a body as a field with colours; `assemble` turns layers into one skinned geometry.
import { BufferAttribute, BufferGeometry, Color, Vector3 } from 'three';
import type { Body } from './body.ts';
import { fit } from './body.ts';
import type { Field, Point } from './field.ts';
import { lerp } from './field.ts';
import type { BoneName } from './skeleton.ts';
import { weigh } from './skeleton.ts';
import { polygonise } from './surface-nets.ts';

/** Linear, may exceed 1 for what throws light back. */
export type Rgb = readonly [number, number, number];
export type Tint = (x: number, y: number, z: number) => Rgb;
export type Stuff = 'cloth' | 'skin' | 'hair' | 'reflector';

export interface Layer {
  readonly field: Field;
  readonly low: Point;
  readonly high: Point;
  readonly stepM: number;
  readonly bones: readonly BoneName[];
  readonly tint: Tint;
  /** Decides how it looks in near infrared. */
  readonly stuff: Stuff;
  /** Reflectance of this cloth's dye in near infrared, 0..1; most dyes are pale there. */
  readonly irRatio?: number;
  /** Left out where it lies this deep under another layer; cloth that slides under cloth needs more. */
  readonly hiddenM?: number;
}

export function rgb(tone: string): Rgb {
  const c = new Color(tone);
  return [c.r, c.g, c.b];
}
export const mix = (a: Rgb, b: Rgb, t: number): Rgb => [lerp(a[0], b[0], t), lerp(a[1], b[1], t), lerp(a[2], b[2], t)];
export const shade = (a: Rgb, k: number): Rgb => [a[0] * k, a[1] * k, a[2] * k];

function nearInfrared([r, g, b]: Rgb, stuff: Stuff, irRatio: number): number {
  const grey = 0.4 * r + 0.4 * g + 0.2 * b;
  switch (stuff) {
    case 'cloth':
      return irRatio * (0.55 + 1.1 * Math.sqrt(grey));
    case 'skin':
      return 0.12 + 0.5 * Math.sqrt(grey);
    case 'hair':
      // Black hair too is pale there; dark against the dark, a head seen from behind would be lost.
      return 0.11 + 0.8 * grey;
    case 'reflector':
      return grey > 0.6 ? 2.2 : irRatio * (0.55 + 1.1 * Math.sqrt(grey));
  }
}

export interface Assembled {
  readonly geometry: BufferGeometry;
  readonly dayColours: BufferAttribute;
  readonly irColours: BufferAttribute;
}

/** Polygonises the layers, stretches them to the body, weighs them to its bones and merges them: one draw call. `detail` divides the step of the mesh. */
export function assemble(layers: readonly Layer[], body: Body, detail: number): Assembled {
  const positions: number[] = [];
  const normals: number[] = [];
  const day: number[] = [];
  const ir: number[] = [];
  const skinIndices: number[] = [];
  const skinWeights: number[] = [];
  const indices: number[] = [];
  const p = new Vector3();
  const q = new Vector3();
  for (const layer of layers) {
    const surface = polygonise(layer.field, layer.low, layer.high, layer.stepM / detail);
    const count = surface.positions.length / 3;
    const keep = new Uint8Array(count);
    for (let i = 0; i < count; i++) keep[i] = isHidden(surface.positions, i, layer, layers) ? 0 : 1;
    const renamed = new Int32Array(count).fill(-1);
    for (let t = 0; t < surface.indices.length; t += 3) {
      const corners = [surface.indices[t] ?? 0, surface.indices[t + 1] ?? 0, surface.indices[t + 2] ?? 0];
      if (!corners.some((c) => keep[c])) continue;
      for (const c of corners) {
        if ((renamed[c] ?? -1) < 0) {
          renamed[c] = positions.length / 3;
          p.fromArray(surface.positions, 3 * c);
          const weights = weigh(p.x, p.y, p.z, layer.bones);
          const colour = layer.tint(p.x, p.y, p.z);
          fit(body, weights, p, q).toArray(positions, positions.length);
          q.fromArray(surface.normals, 3 * c);
          for (const [bone, w] of weights) if (w > 0.5) q.divide(body.stretch[bone] ?? p);
          q.normalize().toArray(normals, normals.length);
          day.push(...colour);
          const grey = nearInfrared(colour, layer.stuff, layer.irRatio ?? 0.35);
          ir.push(grey, grey, grey);
          for (let k = 0; k < 4; k++) {
            skinIndices.push(weights[k]?.[0] ?? 0);
            skinWeights.push(weights[k]?.[1] ?? 0);
          }
        }
        indices.push(renamed[c] ?? 0);
      }
    }
  }
  const dayColours = new BufferAttribute(new Float32Array(day), 3);
  const irColours = new BufferAttribute(new Float32Array(ir), 3);
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new BufferAttribute(new Float32Array(positions), 3));
  geometry.setAttribute('normal', new BufferAttribute(new Float32Array(normals), 3));
  geometry.setAttribute('color', dayColours);
  geometry.setAttribute('skinIndex', new BufferAttribute(new Uint16Array(skinIndices), 4));
  geometry.setAttribute('skinWeight', new BufferAttribute(new Float32Array(skinWeights), 4));
  geometry.setIndex(new BufferAttribute(new Uint32Array(indices), 1));
  return { geometry, dayColours, irColours };
}

function isHidden(positions: Float32Array, i: number, own: Layer, layers: readonly Layer[]): boolean {
  const x = positions[3 * i] ?? 0;
  const y = positions[3 * i + 1] ?? 0;
  const z = positions[3 * i + 2] ?? 0;
  return layers.some(
    ({ field, low, high }) =>
      field !== own.field &&
      x > low[0] &&
      y > low[1] &&
      z > low[2] &&
      x < high[0] &&
      y < high[1] &&
      z < high[2] &&
      field(x, y, z) < -(own.hiddenM ?? 0.014),
  );
}
