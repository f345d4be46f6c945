// A bird the size of a blackbird: hops, pecks, flies with beating wings.
import {
  BufferGeometry,
  ConeGeometry,
  Float32BufferAttribute,
  Group,
  Matrix4,
  Mesh,
  MeshLambertMaterial,
  SphereGeometry,
} from 'three';
import type { Actor, AnimalAction, Random } from './actor.ts';
import type { Assembled } from './layer.ts';
import { rgb, shade } from './layer.ts';
import { lightUp, Sculpture, samplePositions } from './sculpture.ts';
import { voices } from './timeline.ts';

const TONES = ['#1c1a1a', '#6a5238', '#8d8f94', '#4a5a70'] as const;
const at = (x: number, y: number, z: number, sx = 1, sy = 1, sz = 1): Matrix4 =>
  new Matrix4().makeScale(sx, sy, sz).setPosition(x, y, z);

function buildWing(side: 1 | -1, tone: string): Assembled {
  // A flat blade, both faces, with the wrist drawn forward.
  const outline: readonly (readonly [number, number])[] = [
    [0, 0.04],
    [0.09, 0.055],
    [0.19, 0],
    [0.12, -0.045],
    [0, -0.05],
  ];
  const p: number[] = [];
  for (let i = 1; i < outline.length - 1; i++) {
    for (const order of [
      [0, i, i + 1],
      [0, i + 1, i],
    ]) {
      for (const k of order) {
        const [x = 0, z = 0] = outline[k] ?? [];
        p.push(side * x, 0, z);
      }
    }
  }
  const geometry = new BufferGeometry().setAttribute('position', new Float32BufferAttribute(p, 3));
  geometry.computeVertexNormals();
  return new Sculpture().add(geometry, shade(rgb(tone), 0.8), 0.25).finish();
}

export function createBird(given: string | undefined, random: Random): Actor<AnimalAction> {
  const tone = given ?? TONES[Math.floor(random() * TONES.length)] ?? TONES[0];
  const body = new Sculpture()
    .add(new SphereGeometry(1, 12, 9), tone, 0.3, at(0, 0.085, 0, 0.043, 0.047, 0.08))
    .add(new SphereGeometry(1, 10, 8), tone, 0.3, at(0, 0.14, 0.062, 0.031, 0.031, 0.034))
    .add(new ConeGeometry(0.01, 0.04, 6).rotateX(Math.PI / 2), '#d09a30', 0.5, at(0, 0.136, 0.11))
    .add(new SphereGeometry(1, 8, 6), shade(rgb(tone), 0.8), 0.25, at(0, 0.088, -0.115, 0.026, 0.008, 0.075))
    .add(new SphereGeometry(1, 10, 8), '#b9a58a', 0.4, at(0, 0.075, 0.02, 0.038, 0.04, 0.06))
    .finish();
  const material = new MeshLambertMaterial({ vertexColors: true });
  const legs = new Sculpture();
  for (const x of [-0.018, 0.018]) legs.add(new ConeGeometry(0.006, 0.06, 5), '#6a4a30', 0.3, at(x, 0.025, 0.01));
  const solids = [body, legs.finish(), buildWing(1, tone), buildWing(-1, tone)];
  const parts = solids.map(({ geometry }) => new Mesh(geometry, material));
  const [, stilts, left, right] = parts;
  const object = new Group();
  const tilt = new Group();
  object.add(tilt);
  for (const part of parts) {
    part.castShadow = true;
    part.receiveShadow = true;
    tilt.add(part);
  }
  left?.position.set(0.03, 0.11, 0.02);
  right?.position.set(-0.03, 0.11, 0.02);
  return {
    kind: 'animal',
    what: 'bird',
    object,
    pose(p) {
      const now = voices(p.beats, p.tSec, () => 0.3);
      let flying = 0;
      let pecking = 0;
      let hopping = 0;
      for (const { beat, cover } of now) {
        flying += ((beat.action === 'fly' ? 1 : 0) - flying) * cover;
        pecking += ((beat.action === 'peck' ? 1 : 0) - pecking) * cover;
        hopping += ((beat.action === 'hop' || beat.action === 'walk' ? 1 : 0) - hopping) * cover;
      }
      // One hop every 12 cm of way.
      const hop = Math.abs(Math.sin((Math.PI * p.walkedM) / 0.12));
      object.position.set(p.xM, (p.yM ?? 0) + 0.05 * hop * hopping, p.zM);
      object.rotation.set(0, p.headingRad, 0);
      const peck = Math.max(0, Math.sin(2 * Math.PI * 1.3 * p.tSec)) ** 2;
      tilt.rotation.x = -0.25 * (1 - flying) + 0.9 * pecking * peck - 0.1 * flying;
      const beat = 0.15 + 0.95 * Math.sin(2 * Math.PI * 8.3 * p.tSec);
      // Folded, a wing lies back along the flank.
      if (left) left.rotation.set(1.2 * (1 - flying), 1.45 * (1 - flying), beat * flying - 0.1 * (1 - flying), 'YXZ');
      if (right)
        right.rotation.set(1.2 * (1 - flying), -1.45 * (1 - flying), 0.1 * (1 - flying) - beat * flying, 'YXZ');
      if (stilts) stilts.visible = flying < 0.6;
    },
    setLight(light) {
      for (const solid of solids) lightUp(solid, light);
    },
    samplePoints() {
      object.updateMatrixWorld(true);
      const out: number[] = [];
      for (const part of parts) samplePositions(part, 80, out);
      return new Float32Array(out);
    },
    dispose() {
      for (const { geometry } of solids) geometry.dispose();
      material.dispose();
    },
  };
}
