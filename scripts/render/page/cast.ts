/** The actors of a plan: made once, posed for every frame. */
import { Group, Vector3 } from 'three';
import type { ActorPlan, StreamPlan } from '../plan.ts';
import { fork } from '../random.ts';
import { placementAt } from '../timeline.ts';
import type { Actor, Light, Placement } from './actors/actor.ts';
import { createAnimal } from './actors/animal.ts';
import { createPerson } from './actors/person.ts';
import { createProp } from './actors/prop.ts';
import { createVehicle, type Vehicle } from './actors/vehicle.ts';

export interface Member {
  readonly plan: ActorPlan;
  readonly actor: Actor;
  readonly vehicle: Vehicle | undefined;
  /** Where it is in the present frame; undefined when it is not there. */
  placement: Placement | undefined;
}

/** Headlights in the world, and where they shine. */
export interface LitCar {
  readonly at: readonly Vector3[];
  readonly ahead: Vector3;
}

/** Where something touches the ground: x, z, radius in metres, strength of the darkening. */
export type Contact = readonly [number, number, number, number];

export class Cast {
  readonly group = new Group();
  readonly members: readonly Member[];
  #light: Light | undefined;

  constructor(plan: StreamPlan) {
    this.members = plan.actors.map((actorPlan) => {
      const { actor, vehicle } = create(actorPlan, plan.seed);
      if (vehicle !== undefined && actorPlan.type === 'vehicle') vehicle.setLamps(actorPlan.lamps === true);
      this.group.add(actor.object);
      return { plan: actorPlan, actor, vehicle, placement: undefined };
    });
  }

  /** Those that may move; the others are part of the scenery. */
  get moving(): readonly Member[] {
    return this.members.filter((member) => member.plan.scenery !== true);
  }

  get present(): readonly Member[] {
    return this.moving.filter((member) => member.placement !== undefined);
  }

  setLight(light: Light): void {
    if (this.#light === light) return;
    this.#light = light;
    for (const { actor } of this.members) actor.setLight(light);
  }

  pose(ms: number, windRatio: number): void {
    for (const member of this.members) {
      if (member.plan.scenery === true) continue;
      member.placement = placementAt(member.plan, ms, windRatio);
      member.actor.object.visible = member.placement !== undefined;
      if (member.placement !== undefined) member.actor.pose(member.placement);
    }
    this.group.updateMatrixWorld(true);
  }

  /** Shows what stands in the scenery, and nothing else, or the other way round. */
  showScenery(scenery: boolean): void {
    for (const member of this.members) {
      const fixed = member.plan.scenery === true;
      if (fixed && scenery) {
        const placement = placementAt(member.plan, member.plan.way[0]?.ms ?? 0, 0);
        if (placement !== undefined) member.actor.pose(placement);
      }
      member.actor.object.visible = fixed === scenery && (fixed || member.placement !== undefined);
    }
    this.group.updateMatrixWorld(true);
  }

  /** The lit car of this frame: its lamps in the world, and where they shine. */
  headlights(): LitCar | undefined {
    for (const member of this.present) {
      if (member.vehicle === undefined || member.plan.type !== 'vehicle' || member.plan.lamps !== true) continue;
      const { object } = member.actor;
      const at = member.vehicle.headlights.map((lamp) => lamp.clone().applyMatrix4(object.matrixWorld));
      return { at, ahead: new Vector3(0, -0.035, 1).transformDirection(object.matrixWorld) };
    }
    return undefined;
  }

  contacts(): readonly Contact[] {
    return this.present.flatMap(({ placement, actor, plan }): readonly Contact[] => {
      if (placement === undefined || (placement.yM ?? 0) > 0.3) return [];
      const { xM, zM, headingRad } = placement;
      if (plan.type === 'vehicle') {
        return [-1.3, 0, 1.3].map(
          (s) => [xM + s * Math.sin(headingRad), zM + s * Math.cos(headingRad), 1.1, 0.65] as const,
        );
      }
      const radius = { person: 0.36, animal: actor.what === 'bird' ? 0.1 : 0.24, prop: 0.3 }[plan.type];
      return [[xM, zM, radius, 0.55] as const];
    });
  }

  dispose(): void {
    for (const { actor } of this.members) actor.dispose();
  }
}

function create(plan: ActorPlan, seed: number): { readonly actor: Actor; readonly vehicle: Vehicle | undefined } {
  const random = fork(seed, `actor-${plan.id}`);
  if (plan.type === 'vehicle') {
    const vehicle = createVehicle(plan.spec, random);
    return { actor: vehicle, vehicle };
  }
  const actor =
    plan.type === 'person'
      ? createPerson(plan.spec, random)
      : plan.type === 'animal'
        ? createAnimal(plan.spec, random)
        : createProp(plan.spec, random);
  return { actor, vehicle: undefined };
}
