// A four-legged animal on bones: walks, trots, stands, sits.
import {
  Bone,
  BufferAttribute,
  BufferGeometry,
  Group,
  MeshLambertMaterial,
  Quaternion,
  Skeleton,
  SkinnedMesh,
  Vector3,
} from 'three';
import type { Actor, AnimalAction, Random } from './actor.ts';
import type { BeastBone, BeastJoint, Breed, BreedName, Corner } from './breed.ts';
import { BREEDS, beastField, beastJoints, CORNERS } from './breed.ts';
import { lerp, segmentDistance } from './field.ts';
import { paintFur } from './fur.ts';
import { solve, twoBones } from './ik.ts';
import type { Assembled, Rgb } from './layer.ts';
import { rgb } from './layer.ts';
import { lightUp, samplePositions } from './sculpture.ts';
import { shareOut } from './skeleton.ts';
import { polygonise } from './surface-nets.ts';
import { voices } from './timeline.ts';

interface Stance {
  readonly trunk: Vector3;
  readonly pitchRad: number;
  readonly paws: Readonly<Record<Corner, Vector3>>;
  readonly neckRad: number;
  readonly headYawRad: number;
  readonly tailRad: number;
}
/** When each foot strikes, as a share of the cycle. */
const WALK: Readonly<Record<Corner, number>> = { HL: 0, FL: 0.25, HR: 0.5, FR: 0.75 };
const TROT: Readonly<Record<Corner, number>> = { HL: 0, FR: 0.02, HR: 0.5, FL: 0.52 };

export function createQuadruped(what: BreedName, tone: string | undefined, random: Random): Actor<AnimalAction> {
  const breed: Breed = BREEDS[what];
  const s = breed.shoulderM;
  const joints = beastJoints(breed);
  const chosen = breed.tones[Math.floor(random() * breed.tones.length)] ?? breed.tones[0];
  const habit = random();
  const fur = grow(breed, joints, rgb(tone ?? chosen), Math.floor(random() * 90));
  const bones = new Map<BeastBone, Bone>();
  for (const joint of joints) {
    const bone = new Bone();
    bone.position.set(...joint.from);
    const parent = joints.find(({ name }) => name === joint.parent);
    if (parent) {
      bone.position.sub(new Vector3(...parent.from));
      bones.get(parent.name)?.add(bone);
    }
    bones.set(joint.name, bone);
  }
  const material = new MeshLambertMaterial({ vertexColors: true });
  const mesh = new SkinnedMesh(fur.geometry, material);
  const trunk = bones.get('trunk') ?? new Bone();
  mesh.add(trunk);
  mesh.bind(new Skeleton([...bones.values()]));
  mesh.frustumCulled = false;
  mesh.castShadow = true;
  mesh.receiveShadow = true;
  const object = new Group();
  object.add(mesh);
  const start = (name: BeastBone): Vector3 => new Vector3(...(joints.find((j) => j.name === name)?.from ?? [0, 0, 0]));

  const apply = (pose: Stance): void => {
    const turn = new Quaternion().setFromAxisAngle(new Vector3(1, 0, 0), pose.pitchRad);
    trunk.quaternion.copy(turn);
    trunk.position.copy(start('trunk')).add(pose.trunk);
    const undo = turn.clone().invert();
    for (const corner of CORNERS) {
      const [a, b, c] = [start(`upper${corner}`), start(`lower${corner}`), start(`paw${corner}`)];
      const pole = new Vector3(0, 0, corner.startsWith('F') ? -1 : 1);
      const root = a.clone().sub(start('trunk')).applyQuaternion(turn).add(trunk.position);
      const legs = solve(twoBones(a, b, c, pole), root, c.clone().add(pose.paws[corner]), pole);
      bones.get(`upper${corner}`)?.quaternion.copy(undo).multiply(legs.a);
      bones.get(`lower${corner}`)?.quaternion.copy(legs.a).invert().multiply(legs.b);
      // Paws stay level.
      bones.get(`paw${corner}`)?.quaternion.copy(legs.b).invert();
    }
    bones.get('neck')?.rotation.set(pose.neckRad, 0.5 * pose.headYawRad, 0);
    bones.get('head')?.rotation.set(-pose.neckRad - pose.pitchRad, 0.5 * pose.headYawRad, 0);
  };

  return {
    kind: 'animal',
    what,
    object,
    pose(p) {
      object.position.set(p.xM, p.yM ?? 0, p.zM);
      object.rotation.set(0, p.headingRad, 0);
      let pose: Stance | null = null;
      for (const { beat, cover } of voices(p.beats, p.tSec, () => 0.5)) {
        const next = stanceFor(beat.action, s, p.walkedM, p.tSec, habit);
        pose = pose === null ? next : mixStance(pose, next, cover);
      }
      if (pose !== null) apply(pose);
      const swish = Math.sin(2.1 * p.tSec + 5 * habit) * (what === 'cat' ? 0.25 : 0.4);
      bones.get('tail')?.rotation.set(pose?.tailRad ?? 0, swish, 0);
      bones
        .get('tailEnd')
        ?.rotation.set(0.15 * Math.sin(1.7 * p.tSec), 1.2 * Math.sin(2.1 * p.tSec + 5 * habit - 0.8) * 0.4, 0);
    },
    setLight(light) {
      lightUp(fur, light);
    },
    samplePoints() {
      object.updateMatrixWorld(true);
      const out: number[] = [];
      samplePositions(mesh, 300, out);
      return new Float32Array(out);
    },
    dispose() {
      fur.geometry.dispose();
      mesh.skeleton.dispose();
      material.dispose();
    },
  };
}

function stanceFor(action: AnimalAction, s: number, walkedM: number, tSec: number, habit: number): Stance {
  const calm = Math.sin(0.7 * tSec + 6 * habit);
  const zero = (): Vector3 => new Vector3();
  if (action === 'sit') {
    const hind = new Vector3(0, 0, 0.42 * s);
    const front = new Vector3(0, 0, -0.12 * s);
    return {
      trunk: new Vector3(0, -0.56 * s, 0.1 * s),
      pitchRad: -0.62,
      paws: { FL: front, FR: front.clone(), HL: hind, HR: hind.clone() },
      neckRad: 0.5,
      headYawRad: 0.5 * calm,
      tailRad: 0.55,
    };
  }
  if (action !== 'walk' && action !== 'trot') {
    return {
      trunk: new Vector3(0, -0.015 * s, 0),
      pitchRad: 0,
      paws: { FL: zero(), FR: zero(), HL: zero(), HR: zero() },
      neckRad: 0.05 * calm,
      headYawRad: 0.35 * calm,
      tailRad: 0,
    };
  }
  const trot = action === 'trot';
  const stride = s * (trot ? 2.3 : 1.75);
  const duty = trot ? 0.45 : 0.64;
  const cycle = walkedM / stride;
  const paw = (corner: Corner): Vector3 => {
    const raw = cycle + (trot ? TROT : WALK)[corner];
    const f = raw - Math.floor(raw);
    if (f < duty) return new Vector3(0, 0, stride * (duty / 2 - f));
    const u = (f - duty) / (1 - duty);
    return new Vector3(
      0,
      s * (trot ? 0.24 : 0.15) * Math.sin(Math.PI * u) ** 1.3,
      stride * duty * (u - Math.sin(2 * Math.PI * u) / (2.5 * Math.PI) - 0.5),
    );
  };
  return {
    trunk: new Vector3(0, s * (-0.05 + 0.018 * Math.cos(4 * Math.PI * cycle)), 0),
    pitchRad: 0.025 * Math.sin(4 * Math.PI * cycle),
    paws: { FL: paw('FL'), FR: paw('FR'), HL: paw('HL'), HR: paw('HR') },
    neckRad: (trot ? 0.02 : 0.16) + 0.05 * Math.sin(4 * Math.PI * cycle),
    headYawRad: 0.08 * calm,
    tailRad: trot ? 0.1 : 0,
  };
}

function mixStance(a: Stance, b: Stance, t: number): Stance {
  const paw = (corner: Corner): Vector3 => a.paws[corner].clone().lerp(b.paws[corner], t);
  return {
    trunk: a.trunk.clone().lerp(b.trunk, t),
    pitchRad: lerp(a.pitchRad, b.pitchRad, t),
    paws: { FL: paw('FL'), FR: paw('FR'), HL: paw('HL'), HR: paw('HR') },
    neckRad: lerp(a.neckRad, b.neckRad, t),
    headYawRad: lerp(a.headYawRad, b.headYawRad, t),
    tailRad: lerp(a.tailRad, b.tailRad, t),
  };
}

function grow(breed: Breed, joints: readonly BeastJoint[], main: Rgb, seed: number): Assembled {
  const s = breed.shoulderM;
  const half = (breed.lengthRatio / 2) * s;
  const wide = (0.5 * breed.bellyRatio + 0.35) * s;
  const back = half + (breed.tailRatio + 0.35) * s;
  const surface = polygonise(
    beastField(breed, joints, seed),
    [-wide, -0.05 * s, -back],
    [wide, 2.6 * s, half + 1.4 * s],
    s * 0.062,
  );
  const count = surface.positions.length / 3;
  const day = new Float32Array(3 * count);
  const ir = new Float32Array(3 * count);
  const skinIndex = new Uint16Array(4 * count);
  const skinWeight = new Float32Array(4 * count);
  for (let i = 0; i < count; i++) {
    const [x = 0, y = 0, z = 0] = surface.positions.subarray(3 * i, 3 * i + 3);
    const near = shareOut(
      joints
        // A left leg never pulls at a right one.
        .map((j, at): [number, number] => [
          at,
          x * j.from[0] < -1e-4 ? Infinity : segmentDistance(x, y, z, j.from, j.to) - j.thickM,
        ])
        .filter(([, d]) => d < Infinity),
      0.18 * s,
    );
    near.forEach(([bone, w], k) => {
      skinIndex[4 * i + k] = bone;
      skinWeight[4 * i + k] = w;
    });
    const c = paintFur(breed, joints, main, seed, x, y, z);
    day.set(c, 3 * i);
    ir.fill(0.06 + 0.4 * Math.sqrt(0.4 * c[0] + 0.4 * c[1] + 0.2 * c[2]), 3 * i, 3 * i + 3);
  }
  const geometry = new BufferGeometry();
  const dayColours = new BufferAttribute(day, 3);
  geometry.setAttribute('position', new BufferAttribute(surface.positions, 3));
  geometry.setAttribute('normal', new BufferAttribute(surface.normals, 3));
  geometry.setAttribute('color', dayColours);
  geometry.setAttribute('skinIndex', new BufferAttribute(skinIndex, 4));
  geometry.setAttribute('skinWeight', new BufferAttribute(skinWeight, 4));
  geometry.setIndex(new BufferAttribute(surface.indices, 1));
  return { geometry, dayColours, irColours: new BufferAttribute(ir, 3) };
}
