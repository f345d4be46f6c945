// Two bones that reach for a point: the middle joint bends towards a pole.
import { Matrix4, Quaternion, Vector3 } from 'three';

export interface TwoBones {
  readonly lengthA: number;
  readonly lengthB: number;
  /** Directions of both bones and of the pole at rest. */
  readonly restA: Vector3;
  readonly restB: Vector3;
  readonly restPole: Vector3;
}

function frame(direction: Vector3, pole: Vector3): Quaternion {
  const y = direction.clone().negate().normalize();
  const z = pole.clone().addScaledVector(y, -pole.dot(y)).normalize();
  const x = new Vector3().crossVectors(y, z);
  return new Quaternion().setFromRotationMatrix(new Matrix4().makeBasis(x, y, z));
}

export function twoBones(start: Vector3, middle: Vector3, end: Vector3, restPole: Vector3): TwoBones {
  return {
    lengthA: start.distanceTo(middle),
    lengthB: middle.distanceTo(end),
    restA: middle.clone().sub(start).normalize(),
    restB: end.clone().sub(middle).normalize(),
    restPole,
  };
}

/** Rotations from rest of both bones, in the space of `start`, `target` and `pole`. What is out of reach is pointed at. */
export function solve(
  bones: TwoBones,
  start: Vector3,
  target: Vector3,
  pole: Vector3,
): { readonly a: Quaternion; readonly b: Quaternion } {
  const { lengthA, lengthB } = bones;
  const to = target.clone().sub(start);
  const reach = Math.min(Math.max(to.length(), Math.abs(lengthA - lengthB) + 1e-3), (lengthA + lengthB) * 0.9995);
  to.normalize();
  const across = pole.clone().addScaledVector(to, -pole.dot(to)).normalize();
  const cos = (lengthA ** 2 + reach ** 2 - lengthB ** 2) / (2 * lengthA * reach);
  const sin = Math.sqrt(Math.max(0, 1 - cos * cos));
  const first = to.clone().multiplyScalar(cos).addScaledVector(across, sin);
  const second = to.multiplyScalar(reach).addScaledVector(first, -lengthA).normalize();
  const turn = (rest: Vector3, now: Vector3): Quaternion =>
    frame(now, across).multiply(frame(rest, bones.restPole).invert());
  return { a: turn(bones.restA, first), b: turn(bones.restB, second) };
}
