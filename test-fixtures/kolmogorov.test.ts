import { expect, test } from 'vitest';
import { compareSamples, medianOf } from './kolmogorov.ts';

/** A repeatable stream of numbers from 0 to 1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('the distance is that of the definition, the probability that of the tables', () => {
  expect(compareSamples([1, 2, 3], [1, 2, 3])).toEqual({ distance: 0, p: 1 });
  expect(compareSamples([1, 2, 3], [4, 5, 6]).distance).toBe(1);
  expect(compareSamples([1, 1, 2], [1, 2, 2]).distance).toBeCloseTo(1 / 3);
  // For two samples of 100 the critical distance at 5 % is 1.358 / sqrt(50) = .192, at 1 % .230.
  const shifted = (by: number) => Array.from({ length: 100 }, (_, i) => i + by);
  expect(compareSamples(shifted(0), shifted(19.2)).p).toBeCloseTo(0.05, 1);
  expect(compareSamples(shifted(0), shifted(23)).p).toBeLessThan(0.011);
  expect(medianOf([5, 1, 9])).toBe(5);
});

test('samples of one distribution are told apart about as often as the probability says', () => {
  const next = numbers(7);
  const sample = (): number[] => Array.from({ length: 200 }, next);
  const found = Array.from({ length: 300 }, () => compareSamples(sample(), sample()).p);
  const below = (p: number): number => found.filter((value) => value < p).length / found.length;
  expect(below(0.5)).toBeGreaterThan(0.38);
  expect(below(0.5)).toBeLessThan(0.62);
  expect(below(0.001)).toBeLessThan(0.02);
});
