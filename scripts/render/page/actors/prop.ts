// Things: left at the door, pushed, blown about.
import { DoubleSide, Group, Mesh, MeshLambertMaterial } from 'three';
import type { Actor, PropAction, Random } from './actor.ts';
import type { Flag, Rolling } from './furniture.ts';
import { buildBicycle, buildBin, buildFlag, buildPram } from './furniture.ts';
import type { ParcelSize } from './held.ts';
import { buildParcel, buildUmbrella, drawParcelSize } from './held.ts';
import type { Assembled } from './layer.ts';
import { lightUp, samplePositions } from './sculpture.ts';

// Scenes that place props find the distances beside them.
export { PARCEL_AHEAD_M, PARCEL_HANDOVER_SEC, PRAM_AHEAD_M } from './handover.ts';

export type PropKind = 'parcel' | 'pram' | 'umbrella' | 'flag' | 'bin' | 'bicycle';
export interface PropSpec {
  readonly prop: PropKind;
  readonly tone?: string;
  /** For a parcel that a person leaves or takes: that person's `parcel`. */
  readonly size?: ParcelSize;
}

const TONES: Readonly<Record<PropKind, readonly [string, ...string[]]>> = {
  parcel: ['#a9804f', '#b08a5a', '#967046'],
  pram: ['#23304a', '#3a3c40', '#5a2a33', '#46584a'],
  umbrella: ['#23262b', '#7a2f3a', '#2f4a6b', '#c23b2e'],
  flag: ['#c23b2e', '#2f5a9a', '#2f8a5a'],
  bin: ['#2c3a30', '#26282b', '#2a3f66'],
  bicycle: ['#a02c24', '#2a4a7a', '#26282b', '#3f7a55'],
};

/** Stands at its placement; what has wheels rolls by `walkedM`; a flag and an umbrella move with `windRatio`. */
export function createProp(spec: PropSpec, random: Random): Actor<PropAction> {
  const from = TONES[spec.prop];
  const tone = spec.tone ?? from[Math.floor(random() * from.length)] ?? from[0];
  const solids: Assembled[] = [];
  const object = new Group();
  const material = new MeshLambertMaterial({ vertexColors: true });
  const cloth = new MeshLambertMaterial({ vertexColors: true, side: DoubleSide });
  const add = (solid: Assembled, paint = material): Mesh => {
    if (!solids.includes(solid)) solids.push(solid);
    const mesh = new Mesh(solid.geometry, paint);
    mesh.castShadow = true;
    mesh.receiveShadow = true;
    object.add(mesh);
    return mesh;
  };
  let flag: Flag | null = null;
  let rolling: Rolling | null = null;
  switch (spec.prop) {
    case 'parcel':
      add(buildParcel(spec.size ?? drawParcelSize(random), tone));
      break;
    case 'umbrella':
      // Left open on the ground, on its rim.
      add(lay(buildUmbrella(tone), 2.05));
      break;
    case 'flag':
      flag = buildFlag([tone, '#e6e2d8', tone]);
      add(flag.pole);
      add(flag.cloth, cloth).frustumCulled = false;
      break;
    case 'pram':
      rolling = buildPram(tone);
      break;
    case 'bin':
      rolling = buildBin(tone);
      break;
    case 'bicycle':
      rolling = buildBicycle(tone);
      break;
  }
  const wheels: Mesh[] = [];
  if (rolling) {
    add(rolling.body, cloth);
    for (const axle of rolling.axles) {
      if (!rolling.wheel) continue;
      const wheel = add(rolling.wheel);
      wheel.position.copy(axle);
      wheels.push(wheel);
    }
  }
  return {
    kind: 'prop',
    what: spec.prop,
    object,
    pose(p) {
      object.position.set(p.xM, p.yM ?? 0, p.zM);
      object.rotation.set(0, p.headingRad, 0);
      flag?.wave(p.tSec, p.windRatio ?? 0.2);
      if (spec.prop === 'umbrella') object.rotation.z = 0.12 * (p.windRatio ?? 0.2) * Math.sin(2.3 * p.tSec);
      for (const wheel of wheels) wheel.rotation.x = p.walkedM / (rolling?.wheelM ?? 1);
    },
    setLight(light) {
      for (const solid of solids) lightUp(solid, light);
    },
    samplePoints() {
      object.updateMatrixWorld(true);
      const out: number[] = [];
      object.traverse((part) => {
        if (part instanceof Mesh) samplePositions(part, 120, out);
      });
      return new Float32Array(out);
    },
    dispose() {
      for (const { geometry } of solids) geometry.dispose();
      material.dispose();
      cloth.dispose();
    },
  };
}

/** Tips a thing over and puts it back on the ground. */
function lay(solid: Assembled, tipRad: number): Assembled {
  solid.geometry.rotateX(tipRad);
  solid.geometry.computeBoundingBox();
  solid.geometry.translate(0, -(solid.geometry.boundingBox?.min.y ?? 0), -0.4);
  return solid;
}
