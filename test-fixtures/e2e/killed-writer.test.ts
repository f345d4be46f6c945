/** The writer of clips killed by -9 at random moments; `npm run test:long` kills it a thousand times, and the whole recorder besides. */
import { expect, test } from 'vitest';
import { killOften } from '../killed-writer/kills.ts';

test('killed 12 times, it has lost nothing that it had finished', { timeout: 180_000 }, async ({ signal }) => {
  const { failures, promisedCount, opened } = await killOften(12, signal);
  expect(failures).toEqual([]);
  expect(promisedCount).toBeGreaterThan(0);
  expect(Object.keys(opened).filter((verdict) => !['closed unaltered', 'cut unproved'].includes(verdict))).toEqual([]);
});
