import { expect, it } from 'vitest';
import { clockTrust } from './clock-trust.ts';

it('believes the clock when something has set it since boot, or when told to', () => {
  expect(clockTrust('auto', () => false)).toBe('unsynchronised');
  expect(clockTrust('auto', (path) => path.includes('timesync'))).toBe('synchronised');
  expect(clockTrust('trust-system', () => false)).toBe('trusted');
});
