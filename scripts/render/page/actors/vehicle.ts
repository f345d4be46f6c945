// Cars and vans, with the places of their headlights.
import { BoxGeometry, Vector3 } from 'three';
import type { Actor, Random, VehicleAction } from './actor.ts';
import { createStandIn } from './stand-in.ts';

export type VehicleKind = 'hatchback' | 'saloon' | 'van';
export interface VehicleSpec {
  readonly vehicle: VehicleKind;
  readonly tone?: string;
}
/** Its nose points along the heading (+z at heading 0), its origin is on the ground in the middle. */
export interface Vehicle extends Actor<VehicleAction> {
  /** Left and right headlight in the vehicle's own axes (children of `object` may be put there); they shine along +z. */
  readonly headlights: readonly Vector3[];
  readonly tailLights: readonly Vector3[];
  /** Makes the lenses glow; the light itself belongs to the scene. */
  setLamps(on: boolean): void;
}

const SIZES: Readonly<Record<VehicleKind, readonly [number, number, number]>> = {
  hatchback: [1.75, 1.48, 4],
  saloon: [1.8, 1.42, 4.6],
  van: [2, 2.4, 5.4],
};

export function createVehicle(spec: VehicleSpec, _random: Random): Vehicle {
  const [w, h, d] = SIZES[spec.vehicle];
  const geometry = new BoxGeometry(w, h, d).translate(0, h / 2, 0);
  const base = createStandIn('vehicle', spec.vehicle, geometry, spec.tone ?? '#8d9499') as Actor<VehicleAction>;
  return {
    ...base,
    headlights: [-1, 1].map((s) => new Vector3(s * 0.68, 0.68, d / 2)),
    tailLights: [-1, 1].map((s) => new Vector3(s * 0.68, 0.8, -d / 2)),
    setLamps() {},
  };
}
