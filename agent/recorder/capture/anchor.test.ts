import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Anchor } from './anchor.ts';

describe('the mapping to wall time', () => {
  test('follows the promptest arrival of the first ten seconds, and only that', () => {
    const anchor = new Anchor(1_000_000, 5000);
    // A start-up burst: three fragments at once, 900 ms late, then prompt ones.
    expect(anchor.observe(10_200, 6100)).toBe(1_000_000 + 1100 - 10_200);
    expect(anchor.observe(10_400, 6101)).toBe(1_000_000 + 1101 - 10_400);
    expect(anchor.observe(10_600, 6402)).toBeUndefined();
    expect(anchor.observe(12_000, 7000)).toBe(1_000_000 + 2000 - 12_000);
    expect(anchor.observe(12_200, 7199.5)).toBeUndefined();
    expect(anchor.observe(21_200, 16_101)).toBeUndefined();
    expect(anchor.observe(40_000, 16_102)).toBeUndefined();
  });

  test('is the minimum of arrival − time, whatever the order', () => {
    const arrivals = fc.array(fc.tuple(fc.nat(9000), fc.nat(9000)), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(arrivals, (pairs) => {
        const anchor = new Anchor(0, 0);
        let last: number | undefined;
        for (const [endMs, arrivalMs] of pairs) last = anchor.observe(endMs, arrivalMs) ?? last;
        const firstMs = pairs[0]?.[1] ?? 0;
        const within = pairs.filter(([, arrivalMs]) => arrivalMs - firstMs <= 10_000);
        expect(last).toBe(Math.min(...within.map(([endMs, arrivalMs]) => arrivalMs - endMs)));
      }),
    );
  });
});
