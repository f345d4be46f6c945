/** 300 moments at which the power may go, on one traced run of each writer; `power-cut.test.ts` is the short one. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { reportFigure } from '../figure.ts';
import { brokenPromises, promisedBefore } from '../power-cut/clips-after.ts';
import { brokenLedgerPromises, ledgerPromisedBefore } from '../power-cut/ledger-after.ts';
import { cutPowerOften } from '../power-cut/many-images.ts';

test('300 disks after a power cut: every stored segment is there, no deleted key is', { timeout: 600_000 }, () => {
  const { failures, imageCount, operationCount } = cutPowerOften({
    program: fileURLToPath(new URL('../power-cut/clips-work.ts', import.meta.url)),
    imageCount: 300,
    judge: (folder, operations, cut) => brokenPromises(folder, promisedBefore(operations, cut)),
  });
  reportFigure(`power cut ${imageCount} times within ${operationCount} operations: ${failures.length} broken promises`);
  expect(failures).toEqual([]);
});

test('300 disks after a power cut: the head of the ledger stands where it was, with every accepted state', {
  timeout: 600_000,
}, () => {
  const { failures, imageCount, operationCount } = cutPowerOften({
    program: fileURLToPath(new URL('../power-cut/ledger-work.ts', import.meta.url)),
    imageCount: 300,
    judge: (folder, operations, cut) => brokenLedgerPromises(folder, ledgerPromisedBefore(operations, cut)),
  });
  reportFigure(
    `ledger cut ${imageCount} times within ${operationCount} operations: ${failures.length} broken promises`,
  );
  expect(failures).toEqual([]);
});
