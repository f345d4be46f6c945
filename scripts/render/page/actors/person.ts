// A person: a dressed body on a skeleton, posed from a timeline of beats.
import { Group, Mesh, MeshLambertMaterial, Skeleton, SkinnedMesh, Vector3 } from 'three';
import type { Actor, Beat, PersonAction, Placement, Random } from './actor.ts';
import { growBody } from './body.ts';
import { caneTip, hasParcel, placeCane, placeParcel, placeUmbrella, withHolding } from './carrying.ts';
import { walkGait } from './gait.ts';
import { poseFor } from './gestures.ts';
import type { ParcelSize } from './held.ts';
import { buildCane, buildParcel, buildUmbrella, drawParcelSize } from './held.ts';
import type { Assembled } from './layer.ts';
import { assemble } from './layer.ts';
import type { PersonSpec } from './person-spec.ts';
import type { Pose } from './pose.ts';
import { mixPose } from './pose.ts';
import { Rig } from './rig.ts';
import { lightUp, samplePositions } from './sculpture.ts';
import { voices } from './timeline.ts';
import { dress, fillSpec } from './wardrobe.ts';

const SLOW: Readonly<Partial<Record<PersonAction, number>>> = {
  crouch: 0.9,
  sit: 1.2,
  putDown: 0.3,
  pickUp: 0.3,
  press: 0.6,
};
const blendSec = (from: PersonAction, to: PersonAction): number => Math.max(SLOW[from] ?? 0.45, SLOW[to] ?? 0.45);

export interface Person extends Actor<PersonAction> {
  readonly heightM: number;
  /** Way covered in a full cycle of two steps. */
  readonly strideM: number;
  readonly triangles: number;
  /** The size of the parcel that this person carries: give it to the prop that is left behind or taken. */
  readonly parcel: ParcelSize;
}

export function createPerson(given: PersonSpec, random: Random): Person {
  const spec = fillSpec(given, random);
  const body = growBody(spec.age, spec.build, given.heightM, random);
  const habit = random();
  const parcel = drawParcelSize(random, Math.min(1, body.heightM / 1.7));
  const skin = assemble(dress(spec, random), body, spec.detail);
  const material = new MeshLambertMaterial({ vertexColors: true });
  const mesh = new SkinnedMesh(skin.geometry, material);
  const rig = new Rig(body);
  mesh.add(rig.bone('pelvis'));
  mesh.bind(new Skeleton([...rig.bones]));
  mesh.frustumCulled = false;
  const object = new Group();
  const solids: Assembled[] = [skin];
  const hold = (solid: Assembled): Mesh => {
    const held = new Mesh(solid.geometry, material);
    held.visible = false;
    solids.push(solid);
    object.add(held);
    return held;
  };
  const umbrella = hold(buildUmbrella(spec.umbrellaTone, 0.54 * Math.min(1, 0.35 + 0.4 * body.heightM)));
  const box = hold(buildParcel(parcel));
  const caneM = spec.cane ? 0.49 * body.heightM : null;
  const cane = hold(buildCane(caneM ?? 0.8));
  const load = { parcelHalfM: parcel.widthM / 2, caneM };
  object.add(mesh);
  object.traverse((part) => {
    part.castShadow = true;
    part.receiveShadow = true;
  });

  return {
    kind: 'person',
    what: 'person',
    object,
    heightM: body.heightM,
    strideM: walkGait(body).strideM,
    parcel,
    triangles: (skin.geometry.getIndex()?.count ?? 0) / 3,
    pose(p) {
      object.position.set(p.xM, p.yM ?? 0, p.zM);
      object.rotation.set(0, p.headingRad, 0);
      const heard = voices(p.beats, p.tSec, blendSec);
      const last = heard.at(-1);
      if (last === undefined) throw new Error('Cannot pose a person without beats');
      const tip = new Vector3();
      let pose: Pose | null = null;
      for (const { beat, localSec, cover } of heard) {
        const reach = reachOf(beat, p);
        const moment = {
          body,
          localSec,
          habit,
          walkedM: p.walkedM,
          tSec: p.tSec,
          reach,
          parcelHalfM: load.parcelHalfM,
        };
        const next = withHolding(poseFor(beat.action, moment), beat, body, load, p.walkedM);
        pose = pose === null ? next : mixPose(pose, next, cover);
        tip.lerp(caneTip(beat.action, body, p.walkedM), cover);
      }
      if (pose !== null) rig.apply(pose);
      object.updateMatrixWorld(true);
      const { holds } = last.beat;
      const bending = last.beat.action === 'putDown' || last.beat.action === 'pickUp';
      umbrella.visible = holds === 'umbrella' && !bending;
      cane.visible = spec.cane && !bending && (holds ?? 'nothing') === 'nothing';
      box.visible = hasParcel(last.beat, last.localSec);
      if (umbrella.visible)
        placeUmbrella(umbrella, rig, object, body, 0.12 * (p.windRatio ?? 0.2) * Math.sin(1.9 * p.tSec));
      if (cane.visible) placeCane(cane, rig, object, body, tip);
      if (box.visible) placeParcel(box, rig, object, parcel.heightM, last.beat, last.localSec);
    },
    setLight(light) {
      for (const solid of solids) lightUp(solid, light);
    },
    samplePoints() {
      object.updateMatrixWorld(true);
      const out: number[] = [];
      samplePositions(mesh, 500, out);
      for (const part of [umbrella, box, cane]) if (part.visible) samplePositions(part, 60, out);
      return new Float32Array(out);
    },
    dispose() {
      for (const solid of solids) solid.geometry.dispose();
      mesh.skeleton.dispose();
      material.dispose();
    },
  };
}

/** The point that a beat's hand goes to, in the person's own space. */
function reachOf(beat: Beat<PersonAction>, p: Placement<PersonAction>): Vector3 | null {
  if (beat.reach === undefined) return null;
  const { xM, yM, zM } = beat.reach;
  return new Vector3(xM - p.xM, yM - (p.yM ?? 0), zM - p.zM).applyAxisAngle(new Vector3(0, 1, 0), -p.headingRad);
}
