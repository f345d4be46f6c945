/**
 * A thousand times kill -9. What is killed is the part of the recorder that writes (`killed-writer/work.ts`: clip builder,
 * retention, store), because it starts in a third of a second; `killed-recorder.long.test.ts` kills the whole program.
 */
import { expect, test } from 'vitest';
import { reportFigure } from '../figure.ts';
import { killOften } from '../killed-writer/kills.ts';

const laneCount = 2;
const killCount = 1000;

test(`killed by -9 ${killCount} times while it writes and makes room: 0 finished segments lost or damaged`, {
  timeout: 2_400_000,
}, async ({ signal }) => {
  const lanes = await Promise.all(Array.from({ length: laneCount }, () => killOften(killCount / laneCount, signal)));
  const sum = (of: 'killCount' | 'earlyCount' | 'promisedCount' | 'deletedCount'): number =>
    lanes.reduce((all, lane) => all + lane[of], 0);
  const failures = lanes.flatMap((lane) => lane.failures);
  reportFigure(
    `${sum('killCount')} kills of the writer (${sum('earlyCount')} while it opened): ${sum('promisedCount')} segments finished, ${sum('deletedCount')} clips purged, ${failures.length} broken promises; left: ${lanes.map(({ opened }) => JSON.stringify(opened)).join(' ')}`,
  );
  expect(failures).toEqual([]);
  expect(sum('promisedCount')).toBeGreaterThan(killCount);
  expect(sum('deletedCount')).toBeGreaterThan(killCount / 10);
  const verdicts = lanes.flatMap(({ opened }) => Object.keys(opened));
  expect(verdicts.filter((verdict) => !['closed unaltered', 'cut unproved'].includes(verdict))).toEqual([]);
});
