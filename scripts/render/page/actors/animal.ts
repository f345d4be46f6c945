// Animals that cross a garden.
import { BoxGeometry } from 'three';
import type { Actor, AnimalAction, Random } from './actor.ts';
import { createStandIn } from './stand-in.ts';

export type AnimalKind = 'cat' | 'dog' | 'bigDog' | 'fox' | 'bird';
export interface AnimalSpec {
  readonly animal: AnimalKind;
  readonly tone?: string;
}

const SIZES: Readonly<Record<AnimalKind, readonly [number, number, number]>> = {
  cat: [0.17, 0.33, 0.5],
  dog: [0.2, 0.42, 0.6],
  bigDog: [0.27, 0.7, 1],
  fox: [0.2, 0.42, 0.75],
  bird: [0.1, 0.14, 0.22],
};

export function createAnimal(spec: AnimalSpec, _random: Random): Actor<AnimalAction> {
  const [w, h, d] = SIZES[spec.animal];
  const geometry = new BoxGeometry(w, h, d).translate(0, h / 2, 0);
  return createStandIn('animal', spec.animal, geometry, spec.tone ?? '#6b5a48') as Actor<AnimalAction>;
}
