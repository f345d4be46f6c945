/**
 * Every point at which a program can be cut off, in a share with a demand for its deletion, in a withdrawal and in a recording:
 * the house is started again on every kind of disk that a kill or a power cut leaves, and each program is killed at each call.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { Scene } from '../crash-points/good-run.ts';
import { firstOfEach, runKilledAt } from '../crash-points/killed-run.ts';
import { countPoints, prove } from '../crash-points/proof.ts';
import { recordUnderTrace, wrongWithClips } from '../crash-points/recorder-run.ts';
import { nameOf, type Point } from '../crash-points/trace.ts';
import { reportFigure } from '../figure.ts';
import { TestCamera } from '../recording.ts';

vi.setConfig({ testTimeout: 1_800_000 });

test.for([
  { story: 'share', floor: 500, kindFloor: 120 },
  { story: 'withdrawal', floor: 350, kindFloor: 70 },
] as const)('a $story, cut off at every point and started again', async ({ story, floor, kindFloor }) => {
  await using scene = await Scene.set(story);
  const { points, disks, kinds, wrong } = await prove(scene, { choose: (all) => all, atOnce: 6 });
  reportFigure(
    `${story}: ${points.length} points, ${disks.length} disks of ${kinds.length} kinds; ${countPoints(points)}`,
  );
  expect(wrong).toEqual([]);
  expect(points.length).toBeGreaterThanOrEqual(floor);
  expect(kinds.length).toBeGreaterThanOrEqual(kindFloor);
});

test('each program killed at each of its calls, alone or with the whole house, while the others go on', async () => {
  await using first = await Scene.set('share');
  await using second = await Scene.set('share');
  const { points } = await prove(first, { choose: () => [], atOnce: 1 });
  const chosen = firstOfEach(points);
  const wrong: string[] = [];
  const missed: string[] = [];
  const halves = [first, second].map((scene, half) => ({ scene, points: chosen.filter((_, i) => i % 2 === half) }));
  const killAt = async (scene: Scene, point: Point, i: number): Promise<void> => {
    const { program, call, name, ordinal } = point;
    const when = i % 2 === 0 ? 'before' : 'after';
    const run = await runKilledAt(scene, { program, call, name, ordinal, when, whole: i % 5 === 4 });
    if (!run.reached) missed.push(nameOf(point));
    for (const what of run.wrong) wrong.push(`${when} ${nameOf(point)}: ${what}`);
  };
  await Promise.all(
    halves.map(async (half) => {
      for (const [i, point] of half.points.entries()) await killAt(half.scene, point, i);
    }),
  );
  reportFigure(`killed at ${chosen.length} calls, not reached: ${missed.join('; ') || 'none'}`);
  expect(wrong).toEqual([]);
  expect(chosen.length).toBeGreaterThanOrEqual(80);
  // How often a buffer is written out is the kernel's business.
  expect(missed.length).toBeLessThanOrEqual(chosen.length / 20);
});

test('a recording, cut off at every point: what was told to be closed is whole, and the rest is cut, not lost', async () => {
  using camera = new TestCamera({ camera: { person: { model: 'off' }, clip: { mode: 'motion' } } });
  const work = mkdtempSync(join(tmpdir(), 'lk-crash-'));
  try {
    const { points, disks } = await recordUnderTrace(camera, work);
    const wrong = disks.flatMap((disk) =>
      wrongWithClips(disk, camera, work).map((what) => `${nameOf(disk.point)}: ${what}`),
    );
    reportFigure(`recording: ${points.length} points, ${disks.length} disks; ${countPoints(points)}`);
    expect(wrong).toEqual([]);
    expect(points.length).toBeGreaterThanOrEqual(100);
    expect(disks.at(-1)?.closed.length).toBeGreaterThan(0);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
});
