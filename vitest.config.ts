import { defineConfig } from 'vitest/config';

/** Two tiers: `x.test.ts` runs in `npm test`, `x.long.test.ts` in `npm run test:long`. */
const long = process.env['LATCHKEY_LONG'] === '1';
const ending = long ? 'long.test.ts' : 'test.ts';

export default defineConfig({
  test: {
    include: ['agent', 'scripts', 'test-fixtures'].map((room) => `${room}/**/*.${ending}`),
    exclude: ['**/node_modules/**', '**/dist/**', ...(long ? [] : ['**/*.long.test.ts'])],
    testTimeout: long ? 1_800_000 : 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } },
    setupFiles: ['test-fixtures/property-seed.ts'],
    pool: 'forks',
    maxWorkers: 2,
  },
});
