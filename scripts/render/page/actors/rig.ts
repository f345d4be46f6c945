// The bones as three.js knows them, and how a pose moves them: trunk and arms turn, legs follow the feet.
import { Bone, Quaternion, Vector3 } from 'three';
import type { Body } from './body.ts';
import { solve, twoBones } from './ik.ts';
import type { Pose } from './pose.ts';
import { jointOf, rotation, TRUNK } from './pose.ts';
import type { BoneName } from './skeleton.ts';
import { BONES, boneIndex, SIDES } from './skeleton.ts';

export class Rig {
  readonly bones: readonly Bone[];
  readonly #body: Body;

  constructor(body: Body) {
    this.#body = body;
    const bones: Bone[] = [];
    BONES.forEach(({ name, parent }, i) => {
      const bone = new Bone();
      bone.name = name;
      bone.position.copy(body.joints[i] ?? new Vector3());
      if (parent !== null) {
        bone.position.sub(jointOf(body, parent));
        bones[boneIndex(parent)]?.add(bone);
      }
      bones.push(bone);
    });
    this.bones = bones;
  }

  bone(name: BoneName): Bone {
    const bone = this.bones[boneIndex(name)];
    if (!bone) throw new Error(`Cannot find bone ${name}`);
    return bone;
  }

  /** Where a bone starts (0) or the middle of a hand is, in the world. Needs world matrices that are up to date. */
  place(name: BoneName, offset: Vector3 = new Vector3()): Vector3 {
    return this.bone(name).localToWorld(offset.clone());
  }

  apply(pose: Pose): void {
    const body = this.#body;
    const pelvis = jointOf(body, 'pelvis').clone().add(pose.pelvis);
    const turn = rotation(pose.trunk.pelvis);
    const hips = SIDES.map((side) =>
      jointOf(body, `thigh${side}`).clone().sub(jointOf(body, 'pelvis')).applyQuaternion(turn).add(pelvis),
    );
    // Feet stay where they are told to: when a leg is too short, the pelvis comes down.
    const longest = 0.997 * (body.thighM + body.shinM);
    const sink = SIDES.map((side, i) => {
      const hip = hips[i] ?? pelvis;
      const { ankle } = pose.feet[side];
      const flat = (hip.x - ankle.x) ** 2 + (hip.z - ankle.z) ** 2;
      return hip.y - ankle.y - Math.sqrt(Math.max(0, longest ** 2 - flat));
    });
    const down = Math.max(0, ...sink);
    pelvis.y -= down;
    this.bone('pelvis').position.copy(pelvis);
    for (const name of TRUNK) this.bone(name).quaternion.copy(rotation(pose.trunk[name]));
    const upright = turn.clone().invert();
    SIDES.forEach((side, i) => {
      const hip = hips[i]?.clone() ?? new Vector3();
      hip.y -= down;
      const foot = pose.feet[side];
      const thigh = jointOf(body, `thigh${side}`);
      const bones = twoBones(thigh, jointOf(body, `shin${side}`), jointOf(body, `foot${side}`), new Vector3(0, 0, 1));
      const pole = new Vector3(side === 'L' ? 0.12 : -0.12, 0, 1);
      const { a, b } = solve(bones, hip, foot.ankle, pole);
      this.bone(`thigh${side}`).quaternion.copy(upright).multiply(a);
      this.bone(`shin${side}`).quaternion.copy(a).invert().multiply(b);
      const level = new Quaternion().setFromAxisAngle(new Vector3(1, 0, 0), foot.pitchRad);
      this.bone(`foot${side}`).quaternion.copy(b).invert().multiply(level);
      this.bone(`toe${side}`).quaternion.setFromAxisAngle(new Vector3(1, 0, 0), foot.toeRad);
      const arm = pose.arms[side];
      this.bone(`upperArm${side}`).quaternion.copy(arm.upper);
      this.bone(`forearm${side}`).quaternion.copy(arm.fore);
      this.bone(`hand${side}`).quaternion.copy(arm.hand);
    });
  }
}
