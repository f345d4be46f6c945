/** The power goes in the middle of writing, and the disk keeps some of it. `npm run test:long` cuts it more often. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { brokenPromises, promisedBefore } from '../power-cut/clips-after.ts';
import { cutPowerOften } from '../power-cut/many-images.ts';

const clips = {
  program: fileURLToPath(new URL('../power-cut/clips-work.ts', import.meta.url)),
  judge: (folder: string, ...[operations, cut]: Parameters<typeof promisedBefore>) =>
    brokenPromises(folder, promisedBefore(operations, cut)),
};

test('no stored segment is lost and no deleted key comes back, whatever part of the unsynced writes reached the disk', {
  timeout: 60_000,
}, () => {
  const { operationCount, failures } = cutPowerOften({ ...clips, imageCount: 40 });
  expect(failures).toEqual([]);
  expect(operationCount).toBeGreaterThan(1000);
});

test('a disk that lies about every second sync is found out by the same means', { timeout: 60_000 }, () => {
  let syncCount = 0;
  const lying = cutPowerOften({
    ...clips,
    imageCount: 10,
    disk: (operations) => operations.filter(({ kind }) => kind !== 'sync' || (syncCount += 1) % 2 === 0),
  });
  expect(lying.failures.length).toBeGreaterThan(3);
});
