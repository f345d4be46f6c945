/** Who visits: a few people that the catalogue dresses in one way or another. */
import type { PersonSpec } from '../page/actors/person-spec.ts';

export const plain: PersonSpec = {
  age: 'adult',
  build: 'average',
  skinTone: '#c98f6d',
  top: 'jacket',
  topTone: '#4a6b9b',
  bottom: 'trousers',
  bottomTone: '#4b505c',
  hair: 'short',
  headwear: 'none',
  backpack: null,
};
export const woman: PersonSpec = {
  age: 'adult',
  build: 'slim',
  heightM: 1.67,
  skinTone: '#d9a582',
  top: 'coat',
  topTone: '#a04a38',
  bottom: 'trousers',
  bottomTone: '#3d4a63',
  hair: 'long',
  headwear: 'none',
  backpack: null,
};
export const stout: PersonSpec = {
  age: 'adult',
  build: 'stout',
  heightM: 1.82,
  skinTone: '#8a5a3c',
  top: 'shirt',
  topTone: '#c8c2b2',
  bottom: 'trousers',
  bottomTone: '#5b5a4f',
  hair: 'bald',
  beard: true,
  headwear: 'none',
  backpack: null,
};
export const courier: PersonSpec = {
  age: 'adult',
  build: 'average',
  skinTone: '#b97f5c',
  top: 'hiVis',
  bottom: 'trousers',
  bottomTone: '#33405f',
  hair: 'short',
  headwear: 'cap',
  backpack: null,
};
/** What most of them do. */
export const rings = 'comes to the door, rings, waits, leaves';
