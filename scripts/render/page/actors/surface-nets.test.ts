// The polygoniser against shapes whose surface is known.
import { describe, expect, it } from 'vitest';
import { ellipsoid, join, noise, roundCone, seedRandom } from './field.ts';
import type { Surface } from './surface-nets.ts';
import { polygonise } from './surface-nets.ts';

function edgeUses(surface: Surface): Map<string, number> {
  const uses = new Map<string, number>();
  for (let t = 0; t < surface.indices.length; t += 3) {
    for (let e = 0; e < 3; e++) {
      const key = `${surface.indices[t + e]}>${surface.indices[t + ((e + 1) % 3)]}`;
      uses.set(key, (uses.get(key) ?? 0) + 1);
    }
  }
  return uses;
}

function isClosed(surface: Surface): boolean {
  const uses = edgeUses(surface);
  return [...uses].every(([key, n]) => n === uses.get(key.split('>').toReversed().join('>')));
}

function volume({ positions: p, indices }: Surface): number {
  let six = 0;
  const at = (i: number, a: number): number => p[3 * (indices[i] ?? 0) + a] ?? 0;
  for (let t = 0; t < indices.length; t += 3) {
    six +=
      at(t, 0) * (at(t + 1, 1) * at(t + 2, 2) - at(t + 1, 2) * at(t + 2, 1)) -
      at(t, 1) * (at(t + 1, 0) * at(t + 2, 2) - at(t + 1, 2) * at(t + 2, 0)) +
      at(t, 2) * (at(t + 1, 0) * at(t + 2, 1) - at(t + 1, 1) * at(t + 2, 0));
  }
  return six / 6;
}

describe('polygonise', () => {
  const sphere = ellipsoid([0.1, 0.2, -0.1], [0.5, 0.5, 0.5]);
  const surface = polygonise(sphere, [-0.6, -0.5, -0.8], [0.8, 0.9, 0.6], 0.06);

  it('makes a closed sphere of the right volume, wound outwards', () => {
    expect(surface.indices.length).toBeGreaterThan(900);
    expect(isClosed(surface)).toBe(true);
    expect(volume(surface)).toBeCloseTo((4 / 3) * Math.PI * 0.5 ** 3, 1);
  });

  it('puts vertices on the surface with normals away from the middle', () => {
    for (let i = 0; i < surface.positions.length; i += 3) {
      const [x = 0, y = 0, z = 0] = surface.positions.subarray(i, i + 3);
      const [nx = 0, ny = 0, nz = 0] = surface.normals.subarray(i, i + 3);
      expect(Math.abs(sphere(x, y, z))).toBeLessThan(0.01);
      expect(((x - 0.1) * nx + (y - 0.2) * ny + (z + 0.1) * nz) / 0.5).toBeGreaterThan(0.97);
    }
  });

  it('closes a shape that the bounds cut off', () => {
    expect(isClosed(polygonise(sphere, [-0.6, 0.1, -0.8], [0.8, 0.9, 0.2], 0.06))).toBe(true);
  });

  it('finds the same surface whether or not empty blocks are skipped, for joined and folded shapes', () => {
    const trunk = roundCone([0, 0, 0], [0, 0.6, 0], 0.2, 0.12, 0.7);
    const arm = roundCone([0.1, 0.5, 0], [0.5, 0.2, 0.1], 0.06, 0.05);
    const shape = (x: number, y: number, z: number): number =>
      join(0.05, trunk(x, y, z), arm(x, y, z)) - 0.008 * noise(9 * x, 9 * y, 9 * z);
    const skipping = polygonise(shape, [-0.3, -0.3, -0.3], [0.7, 0.8, 0.3], 0.03);
    const plain = polygonise(shape, [-0.3, -0.3, -0.3], [0.7, 0.8, 0.3], 0.03, 1e6);
    expect(skipping.positions).toEqual(plain.positions);
    expect(skipping.indices).toEqual(plain.indices);
    expect(isClosed(plain)).toBe(true);
  });
});

describe('seedRandom', () => {
  it('repeats itself from a seed and differs between seeds', () => {
    const draw = (seed: number): number[] => Array.from({ length: 5 }, seedRandom(seed));
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });
});
