// What stands and rolls about outside: a pram, a wheelie bin, a bicycle.
import {
  BoxGeometry,
  BufferGeometry,
  CylinderGeometry,
  Float32BufferAttribute,
  Matrix4,
  Quaternion,
  SphereGeometry,
  TorusGeometry,
  Vector3,
} from 'three';
import type { Assembled } from './layer.ts';
import { rgb, shade } from './layer.ts';
import { Sculpture } from './sculpture.ts';

export interface Rolling {
  readonly body: Assembled;
  readonly wheel: Assembled | null;
  readonly wheelM: number;
  readonly axles: readonly Vector3[];
}

const place = (x: number, y: number, z: number): Matrix4 => new Matrix4().makeTranslation(x, y, z);
/** A tube from a to b. */
function tube(s: Sculpture, a: Vector3, b: Vector3, radiusM: number, tone: string, ir: number): void {
  const way = b.clone().sub(a);
  const turn = new Quaternion().setFromUnitVectors(new Vector3(0, 1, 0), way.clone().normalize());
  const at = new Matrix4().compose(a.clone().addScaledVector(way, 0.5), turn, new Vector3(1, 1, 1));
  s.add(new CylinderGeometry(radiusM, radiusM, way.length(), 8), tone, ir, at);
}
const v = (x: number, y: number, z: number): Vector3 => new Vector3(x, y, z);

/** Its handle is at z = -0.46, 1.0 m up, towards whoever pushes it along +z. */
export function buildPram(tone: string): Rolling {
  const s = new Sculpture();
  const cloth = rgb(tone);
  const cot = new SphereGeometry(1, 16, 10, 0, 2 * Math.PI, Math.PI / 2, Math.PI / 2);
  s.add(cot, cloth, 0.4, new Matrix4().makeScale(0.24, 0.26, 0.42).setPosition(0, 0.76, 0.08));
  s.add(
    new CylinderGeometry(0.24, 0.24, 0.01, 16),
    shade(cloth, 0.3),
    0.15,
    new Matrix4().makeScale(1, 1, 1.72).setPosition(0, 0.755, 0.08),
  );
  s.add(
    new SphereGeometry(1, 8, 8, 0, Math.PI, 0, Math.PI / 2),
    shade(cloth, 0.8),
    0.4,
    new Matrix4().makeScale(0.245, 0.34, 0.3).setPosition(0, 0.75, 0.2),
  );
  s.add(new BoxGeometry(0.34, 0.07, 0.36), '#cfc6b4', 0.6, place(0, 0.78, -0.1));
  s.add(new BoxGeometry(0.36, 0.14, 0.42), shade(cloth, 0.4), 0.25, place(0, 0.34, 0.02));
  const steel = '#55585d';
  for (const x of [-0.22, 0.22]) {
    tube(s, v(x, 0.14, 0.4), v(x, 0.72, -0.1), 0.013, steel, 0.4);
    tube(s, v(x, 0.17, -0.3), v(x, 0.66, 0.2), 0.013, steel, 0.4);
    tube(s, v(x, 0.6, -0.12), v(x, 1, -0.46), 0.013, steel, 0.4);
  }
  tube(s, v(-0.22, 1, -0.46), v(0.22, 1, -0.46), 0.018, '#1c1a19', 0.15);
  const axles = [v(-0.25, 0.14, 0.4), v(0.25, 0.14, 0.4), v(-0.25, 0.14, -0.3), v(0.25, 0.14, -0.3)];
  return { body: s.finish(), wheel: buildWheel(0.14, 0.035, 5), wheelM: 0.14, axles };
}

export function buildBin(tone: string): Rolling {
  const s = new Sculpture();
  // A box that narrows to the foot: four corners, with the side of a cylinder of four faces.
  const hull = new CylinderGeometry(0.395, 0.32, 0.92, 4, 1).rotateY(Math.PI / 4);
  s.add(hull, tone, 0.3, new Matrix4().makeScale(1, 1, 1.16).setPosition(0, 0.52, 0));
  s.add(
    new BoxGeometry(0.6, 0.05, 0.7),
    shade(rgb(tone), 0.85),
    0.3,
    new Matrix4().makeRotationX(0.07).setPosition(0, 1.02, 0),
  );
  s.add(new BoxGeometry(0.5, 0.03, 0.05), shade(rgb(tone), 0.6), 0.25, place(0, 1, -0.38));
  s.add(new BoxGeometry(0.16, 0.13, 0.012), '#e0ddd4', 0.7, place(0, 0.72, 0.318));
  return {
    body: s.finish(),
    wheel: buildWheel(0.1, 0.06, 0),
    wheelM: 0.1,
    axles: [v(-0.26, 0.1, -0.3), v(0.26, 0.1, -0.3)],
  };
}

export function buildBicycle(tone: string): Rolling {
  const s = new Sculpture();
  const hub = 0.34;
  const rear = v(0, hub, -0.52);
  const front = v(0, hub, 0.52);
  const crank = v(0, 0.28, -0.08);
  const saddle = v(0, 0.88, -0.26);
  const head = v(0, 0.84, 0.36);
  tube(s, crank, saddle, 0.017, tone, 0.4);
  tube(s, crank, v(0, 0.72, 0.39), 0.02, tone, 0.4);
  tube(s, v(0, 0.8, -0.235), head, 0.018, tone, 0.4);
  for (const x of [-0.05, 0.05]) {
    tube(s, v(x, hub, rear.z), v(0, crank.y, crank.z), 0.011, tone, 0.4);
    tube(s, v(x, hub, rear.z), v(0, 0.78, -0.23), 0.01, tone, 0.4);
    tube(s, v(x, hub, front.z), v(x * 0.6, 0.74, 0.39), 0.012, tone, 0.4);
  }
  tube(s, v(0, 0.72, 0.39), v(0, 0.98, 0.33), 0.015, '#85888c', 0.5);
  tube(s, v(-0.28, 1, 0.28), v(0.28, 1, 0.28), 0.014, '#2a2a2c', 0.2);
  s.add(new BoxGeometry(0.13, 0.05, 0.26), '#18181a', 0.12, place(0, 0.92, -0.27));
  s.add(new TorusGeometry(0.09, 0.012, 6, 16).rotateY(Math.PI / 2), '#606265', 0.4, place(0.04, crank.y, crank.z));
  for (const x of [-0.1, 0.1])
    s.add(new BoxGeometry(0.09, 0.02, 0.06), '#202022', 0.15, place(x, crank.y + x, crank.z + 0.1));
  return { body: s.finish(), wheel: buildWheel(0.34, 0.02, 12), wheelM: 0.34, axles: [rear, front] };
}

function buildWheel(radiusM: number, thickM: number, spokes: number): Assembled {
  const s = new Sculpture();
  if (spokes === 0)
    return s.add(new CylinderGeometry(radiusM, radiusM, thickM, 14).rotateZ(Math.PI / 2), '#161617', 0.08).finish();
  s.add(new TorusGeometry(radiusM - thickM / 2, thickM / 2, 6, 24).rotateY(Math.PI / 2), '#161617', 0.08);
  s.add(new TorusGeometry(radiusM - thickM * 1.2, thickM * 0.3, 5, 24).rotateY(Math.PI / 2), '#a0a2a5', 0.5);
  for (let i = 0; i < spokes; i++) {
    const spoke = new CylinderGeometry(0.004, 0.004, radiusM * 0.95, 4).translate(0, radiusM / 2, 0);
    s.add(spoke, '#a0a2a5', 0.5, new Matrix4().makeRotationX((2 * Math.PI * i) / spokes));
  }
  return s.finish();
}

export interface Flag {
  readonly pole: Assembled;
  readonly cloth: Assembled;
  /** Moves the cloth: a wave that runs from the pole, hanging when there is no wind. */
  wave(tSec: number, windRatio: number): void;
}

const COLUMNS = 18;
const ROWS = 8;

/** A pole of 2.6 m with a cloth of 1.2 x 0.75 m that blows towards +x. */
export function buildFlag(tones: readonly string[]): Flag {
  const pole = new Sculpture();
  tube(pole, v(0, 0, 0), v(0, 2.6, 0), 0.022, '#d8d6d0', 0.6);
  pole.add(new SphereGeometry(0.04, 10, 8), '#c9a13a', 0.5, place(0, 2.63, 0));
  const positions = new Float32Array((COLUMNS + 1) * (ROWS + 1) * 3);
  const indices: number[] = [];
  for (let r = 0; r < ROWS; r++) {
    for (let c = 0; c < COLUMNS; c++) {
      const a = r * (COLUMNS + 1) + c;
      indices.push(a, a + COLUMNS + 1, a + 1, a + 1, a + COLUMNS + 1, a + COLUMNS + 2);
    }
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new Float32BufferAttribute(positions, 3));
  geometry.setIndex(indices);
  geometry.computeVertexNormals();
  const cloth = new Sculpture().add(geometry, '#ffffff', 0.5).finish();
  const colours = cloth.dayColours;
  for (let i = 0; i < colours.count; i++) {
    const row = Math.floor(i / (COLUMNS + 1));
    const stripe = Math.min(tones.length - 1, Math.floor((row / (ROWS + 1)) * tones.length));
    const [r, g, b] = rgb(tones[stripe] ?? '#c23b2e');
    colours.setXYZ(i, r, g, b);
    const grey = 0.25 + 0.45 * Math.sqrt((r + g + b) / 3);
    cloth.irColours.setXYZ(i, grey, grey, grey);
  }
  const wave = (tSec: number, windRatio: number): void => {
    const p = cloth.geometry.getAttribute('position');
    const lift = 0.15 + 0.85 * windRatio;
    for (let r = 0; r <= ROWS; r++) {
      for (let c = 0; c <= COLUMNS; c++) {
        const u = c / COLUMNS;
        const w = r / ROWS;
        const phase = 7 * u - (4 + 5 * windRatio) * tSec + 0.8 * w;
        const sway = u * (0.11 * Math.sin(phase) + 0.05 * Math.sin(2.3 * phase + 1));
        const droop = (1 - lift) * u;
        p.setXYZ(
          r * (COLUMNS + 1) + c,
          1.2 * u * (0.35 + 0.65 * lift),
          2.55 - 0.75 * w - 0.75 * droop - 0.1 * u * (1 - lift) * w,
          sway,
        );
      }
    }
    p.needsUpdate = true;
    cloth.geometry.computeVertexNormals();
  };
  wave(0, 0.2);
  return { pole: pole.finish(), cloth, wave };
}
