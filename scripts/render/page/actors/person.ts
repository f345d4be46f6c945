// A person: body, clothes and movement.
import { CapsuleGeometry } from 'three';
import type { Actor, PersonAction, Random } from './actor.ts';
import type { PersonSpec } from './person-spec.ts';
import { createStandIn } from './stand-in.ts';

export function createPerson(spec: PersonSpec, random: Random): Actor<PersonAction> {
  const heightM = spec.heightM ?? 1.6 + random() * 0.3;
  const geometry = new CapsuleGeometry(0.24, heightM - 0.48, 6, 14).translate(0, heightM / 2, 0);
  return createStandIn('person', 'person', geometry, spec.topTone ?? '#2f4a6b') as Actor<PersonAction>;
}
