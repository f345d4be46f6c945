/** The power goes in the middle of writing, and the disk keeps some of it. `npm run test:long` cuts it more often. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { brokenPromises, promisedBefore } from '../power-cut/clips-after.ts';
import { brokenLedgerPromises, ledgerPromisedBefore } from '../power-cut/ledger-after.ts';
import { cutPowerOften } from '../power-cut/many-images.ts';

const clips = {
  program: fileURLToPath(new URL('../power-cut/clips-work.ts', import.meta.url)),
  judge: (folder: string, ...[operations, cut]: Parameters<typeof promisedBefore>) =>
    brokenPromises(folder, promisedBefore(operations, cut)),
};

const ledger = {
  program: fileURLToPath(new URL('../power-cut/ledger-work.ts', import.meta.url)),
  judge: (folder: string, ...[operations, cut]: Parameters<typeof ledgerPromisedBefore>) =>
    brokenLedgerPromises(folder, ledgerPromisedBefore(operations, cut)),
};

test('the head of the ledger never goes back, no accepted state is lost, and what is over is gone', {
  timeout: 60_000,
}, () => {
  const { operationCount, failures } = cutPowerOften({ ...ledger, imageCount: 40 });
  expect(failures).toEqual([]);
  expect(operationCount).toBeGreaterThan(1000);
});

test('no stored segment is lost and no deleted key comes back, whatever part of the unsynced writes reached the disk', {
  timeout: 60_000,
}, () => {
  const { operationCount, failures } = cutPowerOften({ ...clips, imageCount: 40 });
  expect(failures).toEqual([]);
  expect(operationCount).toBeGreaterThan(1000);
});

test.each([
  ['clips', clips],
  ['ledger', ledger],
] as const)(
  'a disk that lies about every second sync is found out by the same means: %s',
  { timeout: 60_000 },
  (_, about) => {
    let syncCount = 0;
    const lying = cutPowerOften({
      ...about,
      imageCount: 20,
      disk: (operations) => operations.filter(({ kind }) => kind !== 'sync' || (syncCount += 1) % 2 === 0),
    });
    expect(lying.failures.length).toBeGreaterThan(0);
  },
);
