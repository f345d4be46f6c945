// Animals, vehicles and props in Node: on the ground, in motion, the same from the same seed.
import { Vector3 } from 'three';
import { describe, expect, it } from 'vitest';
import type { Actor, Placement } from './actor.ts';
import { createAnimal } from './animal.ts';
import { seedRandom } from './field.ts';
import { createProp } from './prop.ts';
import { createVehicle } from './vehicle.ts';

const at = (action: string, more: Partial<Placement> = {}): Placement => ({
  xM: 0,
  zM: 0,
  headingRad: 0,
  walkedM: 0,
  tSec: 0,
  beats: [{ fromSec: -9, action }],
  ...more,
});

function bounds(actor: Actor): { low: Vector3; high: Vector3 } {
  const points = actor.samplePoints();
  const low = new Vector3(Infinity, Infinity, Infinity);
  const high = low.clone().negate();
  for (let i = 0; i < points.length; i += 3) {
    low.min(new Vector3().fromArray(points, i));
    high.max(new Vector3().fromArray(points, i));
  }
  return { low, high };
}

const heights = { cat: [0.28, 0.6], dog: [0.4, 0.65], bigDog: [0.65, 1], fox: [0.38, 0.65] } as const;

describe('createAnimal', () => {
  it.each(['cat', 'dog', 'bigDog', 'fox'] as const)(
    'stands a %s on the ground at its size and walks it without sinking',
    (animal) => {
      const actor: Actor = createAnimal({ animal }, seedRandom(2));
      const [least, most] = heights[animal];
      for (const action of ['stand', 'walk', 'trot', 'sit']) {
        for (let walkedM = 0; walkedM < 0.6; walkedM += 0.07) {
          actor.pose(at(action, { walkedM }));
          const { low, high } = bounds(actor);
          expect(low.y).toBeGreaterThan(-0.06);
          expect(low.y).toBeLessThan(0.05);
          if (action === 'stand') expect(high.y).toBeGreaterThan(least);
          if (action === 'stand') expect(high.y).toBeLessThan(most);
        }
      }
      actor.dispose();
    },
  );

  it('repeats itself from a seed', () => {
    const points = (seed: number): Float32Array => {
      const actor: Actor = createAnimal({ animal: 'cat' }, seedRandom(seed));
      actor.pose(at('walk', { walkedM: 0.3 }));
      return actor.samplePoints();
    };
    expect(points(1)).toEqual(points(1));
    expect(points(1)).not.toEqual(points(2));
  });

  it('flies a bird at its height with wings that beat', () => {
    const bird: Actor = createAnimal({ animal: 'bird' }, seedRandom(1));
    const spans = [0, 0.03, 0.06, 0.09].map((tSec) => {
      bird.pose(at('fly', { tSec, yM: 2 }));
      const { low, high } = bounds(bird);
      expect(low.y).toBeGreaterThan(1.8);
      return high.x - low.x;
    });
    expect(Math.max(...spans) - Math.min(...spans)).toBeGreaterThan(0.02);
    bird.pose(at('stand'));
    const { low, high } = bounds(bird);
    expect(high.x - low.x).toBeLessThan(Math.min(...spans));
  });
});

describe('createVehicle', () => {
  it.each(['hatchback', 'saloon', 'van'] as const)(
    'puts the lamps of a %s at its ends and turns its wheels',
    (vehicle) => {
      const actor = createVehicle({ vehicle }, seedRandom(1));
      actor.pose(at('drive', { walkedM: 1 }) as Placement<'drive'>);
      const { low, high } = bounds(actor);
      expect(low.y).toBeGreaterThan(-0.02);
      expect(high.z - low.z).toBeGreaterThan(3.8);
      for (const lamp of actor.headlights) expect(high.z - lamp.z).toBeLessThan(0.15);
      for (const lamp of actor.tailLights) expect(lamp.z - low.z).toBeLessThan(0.15);
      const turned = actor.object.children.filter((part) => part.rotation.x > 2);
      expect(turned).toHaveLength(4);
      actor.dispose();
    },
  );
});

describe('createProp', () => {
  it.each(['parcel', 'pram', 'umbrella', 'flag', 'bin', 'bicycle'] as const)('stands a %s on the ground', (prop) => {
    const actor: Actor = createProp({ prop }, seedRandom(1));
    for (const light of ['day', 'ir'] as const) actor.setLight(light);
    actor.pose(at('stand', { xM: 3 }));
    const { low, high } = bounds(actor);
    expect(low.y).toBeGreaterThan(-0.08);
    expect(low.y).toBeLessThan(0.06);
    expect(high.y).toBeGreaterThan(0.1);
    expect(low.x).toBeGreaterThan(1.5);
    actor.dispose();
  });

  it('waves a flag more in more wind', () => {
    const flag: Actor = createProp({ prop: 'flag' }, seedRandom(1));
    const reach = [0, 1].map((windRatio) => {
      flag.pose(at('stand', { tSec: 1, windRatio }));
      return bounds(flag).high.x;
    });
    expect(reach[1] ?? 0).toBeGreaterThan((reach[0] ?? 0) + 0.2);
  });
});
