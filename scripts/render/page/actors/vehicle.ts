// Cars and vans: a profile drawn out to a body, a dark greenhouse, wheels that turn, lamps that glow.

import type { BufferGeometry } from 'three';
import {
  BoxGeometry,
  CircleGeometry,
  CylinderGeometry,
  ExtrudeGeometry,
  Group,
  Matrix4,
  Mesh,
  MeshBasicMaterial,
  MeshLambertMaterial,
  Shape,
  Vector3,
} from 'three';
import type { Actor, Random, VehicleAction } from './actor.ts';
import type { Assembled } from './layer.ts';
import { rgb, shade } from './layer.ts';
import { lightUp, Sculpture, samplePositions } from './sculpture.ts';
import type { Model, VehicleKind } from './vehicle-models.ts';
import { MODELS } from './vehicle-models.ts';

export interface VehicleSpec {
  readonly vehicle: VehicleKind;
  readonly tone?: string;
}
/** Its nose points along the heading (+z at heading 0), its origin is on the ground in the middle. */
export interface Vehicle extends Actor<VehicleAction> {
  /** Right and left headlight in the vehicle's own axes (children of `object` may be put there); they shine along +z. */
  readonly headlights: readonly Vector3[];
  readonly tailLights: readonly Vector3[];
  /** Makes the lenses glow; the light itself belongs to the scene. */
  setLamps(on: boolean): void;
}

const GLASS = '#11161b';
const place = (x: number, y: number, z: number): Matrix4 => new Matrix4().makeTranslation(x, y, z);

/** Draws a profile out across the vehicle; `widthM` includes the bevel. */
function drawOut(profile: readonly (readonly [number, number])[], widthM: number, bevelM: number): BufferGeometry {
  const shape = new Shape();
  profile.forEach(([ahead, up], i) => (i === 0 ? shape.moveTo(ahead, up) : shape.lineTo(ahead, up)));
  shape.closePath();
  const depth = widthM - 2 * bevelM;
  const bevel = { bevelEnabled: bevelM > 0, bevelSize: bevelM * 0.6, bevelThickness: bevelM, bevelSegments: 2 };
  return new ExtrudeGeometry(shape, { depth, ...bevel }).translate(0, 0, -depth / 2).rotateY(-Math.PI / 2);
}

function buildBody(model: Model, kind: VehicleKind, tone: string): Assembled {
  const { widthM: w } = model;
  const paint = rgb(tone);
  const nose = Math.max(...model.body.map(([z]) => z));
  const tail = Math.min(...model.body.map(([z]) => z));
  const roofY = Math.max(...model.cabin.map(([, y]) => y));
  const waistY = Math.min(...model.cabin.map(([, y]) => y));
  const s = new Sculpture();
  s.add(drawOut(model.body, w, 0.09), paint, 0.38);
  s.add(drawOut(model.cabin, kind === 'van' ? w + 0.012 : w - 0.26, 0.03), GLASS, 0.07);
  if (kind === 'van') {
    const screen = new BoxGeometry(w * 0.84, 0.86, 0.02);
    s.add(screen, GLASS, 0.07, new Matrix4().makeRotationX(-0.66).setPosition(0, 1.805, 1.757));
  } else {
    const top = model.cabin.filter(([, y]) => y > roofY - 0.15);
    const [first = [0, roofY], last = [0, roofY]] = [top[0], top.at(-1)];
    s.add(
      drawOut(
        [
          [first[0], first[1] - 0.02],
          ...top.map(([z, y]): [number, number] => [z, y + 0.025]),
          [last[0], last[1] - 0.02],
        ],
        w - 0.22,
        0.05,
      ),
      paint,
      0.38,
    );
    for (const [low, high] of model.pillars) {
      const lean = Math.atan2(high - low, roofY - waistY);
      const length = Math.hypot(high - low, roofY - waistY) * 0.96;
      for (const x of [-1, 1]) {
        const at = new Matrix4()
          .makeRotationX(lean)
          .setPosition(x * (w / 2 - 0.135), (waistY + roofY) / 2, (low + high) / 2);
        s.add(new BoxGeometry(0.05, length, 0.09), paint, 0.38, at);
      }
    }
  }
  s.add(new BoxGeometry(w * 0.96, 0.2, 0.14), shade(paint, 0.45), 0.2, place(0, 0.42, nose - 0.04));
  s.add(new BoxGeometry(w * 0.96, 0.2, 0.14), shade(paint, 0.45), 0.2, place(0, 0.45, tail + 0.04));
  s.add(new BoxGeometry(w * 0.42, 0.1, 0.05), '#0d0e10', 0.06, place(0, model.lampY - 0.05, nose + 0.01));
  // Plates throw the lamp's light back.
  s.add(new BoxGeometry(0.5, 0.11, 0.02), '#e8e6d8', 1.8, place(0, 0.44, nose + 0.045));
  s.add(new BoxGeometry(0.5, 0.11, 0.02), '#e0c93a', 1.8, place(0, 0.62, tail - 0.05));
  for (const x of [-1, 1]) {
    s.add(
      new BoxGeometry(0.16, 0.12, 0.1),
      shade(paint, 0.6),
      0.25,
      place(x * (w / 2 + 0.06), waistY + 0.05, (model.pillars.at(-1)?.[0] ?? 1) - 0.2),
    );
    s.add(
      new BoxGeometry(0.012, 0.02, Math.abs(tail) + nose - 1.6),
      shade(paint, 0.5),
      0.2,
      place(x * (w / 2 - 0.003), 0.66, 0),
    );
    s.add(new BoxGeometry(0.012, 0.5, 0.015), shade(paint, 0.35), 0.15, place(x * (w / 2 - 0.003), 0.72, 0.12));
    s.add(new BoxGeometry(0.02, 0.025, 0.16), shade(paint, 0.4), 0.15, place(x * (w / 2 + 0.005), 0.84, -0.15));
    for (const z of model.axles) {
      const arch = new CylinderGeometry(
        model.wheelM + 0.06,
        model.wheelM + 0.06,
        0.03,
        20,
        1,
        false,
        0,
        Math.PI,
      ).rotateZ(Math.PI / 2);
      s.add(arch, '#0b0b0c', 0.05, place(x * (w / 2 - 0.012), model.wheelM, z));
    }
  }
  if (kind === 'van') s.add(new BoxGeometry(0.012, 1.6, 0.02), shade(paint, 0.5), 0.2, place(w / 2 - 0.003, 1.3, -0.4));
  return s.finish();
}

function buildWheel(radiusM: number): Assembled {
  const s = new Sculpture();
  s.add(new CylinderGeometry(radiusM, radiusM, 0.2, 20).rotateZ(Math.PI / 2), '#141517', 0.07);
  s.add(new CylinderGeometry(radiusM * 0.64, radiusM * 0.64, 0.212, 16).rotateZ(Math.PI / 2), '#a9acb0', 0.5);
  for (let i = 0; i < 5; i++) {
    const gap = new BoxGeometry(0.216, radiusM * 0.38, radiusM * 0.16).translate(0, radiusM * 0.38, 0);
    s.add(gap, '#1b1c1e', 0.08, new Matrix4().makeRotationX((2 * Math.PI * i) / 5));
  }
  return s.finish();
}

export function createVehicle(spec: VehicleSpec, random: Random): Vehicle {
  const model = MODELS[spec.vehicle];
  const drawn = model.tones[Math.floor(random() * model.tones.length)] ?? '#8d9499';
  const material = new MeshLambertMaterial({ vertexColors: true });
  const nose = Math.max(...model.body.map(([z]) => z));
  const tail = Math.min(...model.body.map(([z]) => z));
  const x = model.widthM / 2 - 0.24;
  const headlights = [-x, x].map((at) => new Vector3(at, model.lampY, nose + 0.02));
  const tailLights = [-x - 0.06, x + 0.06].map((at) => new Vector3(at, model.lampY + 0.12, tail - 0.03));
  const body = buildBody(model, spec.vehicle, spec.tone ?? drawn);
  const tyre = buildWheel(model.wheelM);
  const shell = new Mesh(body.geometry, material);
  const object = new Group();
  object.add(shell);
  const wheels = model.axles.flatMap((z) =>
    [-1, 1].map((side) => {
      const wheel = new Mesh(tyre.geometry, material);
      wheel.position.set(side * (model.widthM / 2 - 0.085), model.wheelM, z);
      object.add(wheel);
      return wheel;
    }),
  );
  const white = new MeshBasicMaterial({ color: '#b9bcc0' });
  const red = new MeshBasicMaterial({ color: '#5a1413' });
  const lens = new CircleGeometry(0.1, 14);
  const lamp = (at: Vector3, paint: MeshBasicMaterial, turn: number): void => {
    const glass = new Mesh(lens, paint);
    glass.scale.set(1.3, 0.8, 1);
    glass.position.copy(at);
    glass.rotation.y = turn;
    object.add(glass);
  };
  for (const at of headlights) lamp(at, white, 0);
  for (const at of tailLights) lamp(at, red, Math.PI);
  for (const part of [shell, ...wheels]) {
    part.castShadow = true;
    part.receiveShadow = true;
  }
  let lit = false;
  let dim = 1;
  const glow = (): void => {
    // Unlit lenses show only what falls on them: little in the dark.
    white.color.set(lit ? '#ffffff' : '#b9bcc0').multiplyScalar(lit ? 6 : 0.6 * dim);
    red.color.set(lit ? '#ff2a1a' : '#5a1413').multiplyScalar(lit ? 1.6 : dim);
  };
  glow();
  return {
    kind: 'vehicle',
    what: spec.vehicle === 'van' ? 'van' : 'car',
    object,
    headlights,
    tailLights,
    setLamps(on) {
      lit = on;
      glow();
    },
    pose(p) {
      object.position.set(p.xM, p.yM ?? 0, p.zM);
      object.rotation.set(0, p.headingRad, 0);
      for (const wheel of wheels) wheel.rotation.x = p.walkedM / model.wheelM;
    },
    setLight(light) {
      lightUp(body, light);
      lightUp(tyre, light);
      dim = light === 'day' ? 1 : light === 'dusk' ? 0.35 : 0.06;
      glow();
    },
    samplePoints() {
      object.updateMatrixWorld(true);
      const out: number[] = [];
      samplePositions(shell, 400, out);
      for (const wheel of wheels) samplePositions(wheel, 20, out);
      return new Float32Array(out);
    },
    dispose() {
      for (const geometry of [body.geometry, tyre.geometry, lens]) geometry.dispose();
      for (const paint of [material, white, red]) paint.dispose();
    },
  };
}
