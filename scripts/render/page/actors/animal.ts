// Animals that cross a garden.
import type { Actor, AnimalAction, Random } from './actor.ts';
import { createBird } from './bird.ts';
import type { BreedName } from './breed.ts';
import { createQuadruped } from './quadruped.ts';

export type AnimalKind = BreedName | 'bird';
export interface AnimalSpec {
  readonly animal: AnimalKind;
  readonly tone?: string;
}

/** Four-legged ones walk, trot, stand and sit; a bird stands, hops, pecks and flies (height by `yM`). */
export function createAnimal(spec: AnimalSpec, random: Random): Actor<AnimalAction> {
  return spec.animal === 'bird' ? createBird(spec.tone, random) : createQuadruped(spec.animal, spec.tone, random);
}
