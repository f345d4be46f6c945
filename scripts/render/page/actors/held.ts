// Things small enough to be carried: made once here, used by people who hold them and by props left alone.
import {
  BoxGeometry,
  BufferAttribute,
  BufferGeometry,
  CylinderGeometry,
  Matrix4,
  SphereGeometry,
  TorusGeometry,
} from 'three';
import type { Random } from './actor.ts';
import { lerp } from './field.ts';
import type { Assembled } from './layer.ts';
import { mix, rgb } from './layer.ts';
import { Sculpture } from './sculpture.ts';

export interface ParcelSize {
  readonly widthM: number;
  readonly heightM: number;
  readonly depthM: number;
}
export function drawParcelSize(random: Random, k = 1): ParcelSize {
  return {
    widthM: k * lerp(0.26, 0.42, random()),
    heightM: k * lerp(0.12, 0.28, random()),
    depthM: k * lerp(0.2, 0.3, random()),
  };
}

const move = (x: number, y: number, z: number): Matrix4 => new Matrix4().makeTranslation(x, y, z);

/** Stands on y = 0, its middle over the origin. */
export function buildParcel({ widthM: w, heightM: h, depthM: d }: ParcelSize, tone = '#a9804f'): Assembled {
  return new Sculpture()
    .add(new BoxGeometry(w, h, d), tone, 0.5, move(0, h / 2, 0))
    .add(new BoxGeometry(0.05, h + 0.004, d + 0.004), mix(rgb(tone), [0.8, 0.75, 0.6], 0.5), 0.6, move(0, h / 2, 0))
    .add(new BoxGeometry(w * 0.36, 0.004, d * 0.4), '#eeeae2', 0.75, move(w * 0.27, h + 0.002, d * 0.15))
    .add(new BoxGeometry(w * 0.3, h * 0.4, 0.004), '#eeeae2', 0.75, move(-w * 0.28, h * 0.55, d / 2 + 0.002))
    .finish();
}

const GORES = 8;

/** Handle at the origin, canopy above: 8 gores between ribs, hanging a little between them. */
export function buildUmbrella(tone: string, radiusM = 0.54): Assembled {
  const rings = 5;
  const segments = GORES * 3;
  const positions: number[] = [];
  const indices: number[] = [];
  const topY = 0.86;
  for (let r = 0; r <= rings; r++) {
    for (let s = 0; s <= segments; s++) {
      const angle = (2 * Math.PI * s) / segments;
      const between = 1 - Math.abs(Math.cos((GORES / 2) * angle));
      const u = r / rings;
      const radius = radiusM * u * (1 - 0.1 * between * u);
      const y = topY - 0.26 * radiusM * u * u - 0.2 * radiusM * u ** 4 + 0.02 * between * u;
      positions.push(radius * Math.cos(angle), y, radius * Math.sin(angle));
    }
  }
  const row = segments + 1;
  for (let r = 0; r < rings; r++) {
    for (let s = 0; s < segments; s++) {
      const a = r * row + s;
      indices.push(a, a + 1, a + row, a + 1, a + row + 1, a + row);
    }
  }
  const out = new BufferGeometry();
  out.setAttribute('position', new BufferAttribute(new Float32Array(positions), 3));
  out.setIndex(indices);
  out.computeVertexNormals();
  // The underside is a surface of its own, darker.
  const under = out.clone();
  const inside: number[] = [];
  for (let i = 0; i < indices.length; i += 3) inside.push(indices[i] ?? 0, indices[i + 2] ?? 0, indices[i + 1] ?? 0);
  under.setIndex(inside);
  under.computeVertexNormals();
  return new Sculpture()
    .add(out, tone, 0.42)
    .add(under, mix(rgb(tone), [0, 0, 0], 0.3), 0.25, move(0, -0.006, 0))
    .add(new CylinderGeometry(0.007, 0.007, topY + 0.06, 6), '#50535a', 0.4, move(0, topY / 2 + 0.02, 0))
    .add(new CylinderGeometry(0.017, 0.017, 0.14, 8), '#2a211a', 0.2, move(0, -0.02, 0))
    .finish();
}

/** Hangs down from its grip at the origin; `lengthM` to the tip. */
export function buildCane(lengthM: number): Assembled {
  const crook = new TorusGeometry(0.045, 0.012, 6, 10, Math.PI).applyMatrix4(new Matrix4().makeRotationY(Math.PI / 2));
  return new Sculpture()
    .add(new CylinderGeometry(0.011, 0.009, lengthM, 8), '#5b3f28', 0.3, move(0, -lengthM / 2, 0))
    .add(crook, '#5b3f28', 0.3, move(0, 0, -0.045))
    .add(new SphereGeometry(0.014, 8, 6), '#222222', 0.1, move(0, -lengthM, 0))
    .finish();
}
