/** Clips that nobody looks after are told of: a camera that was taken out, and databases that were set aside. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TestHouse } from '../../test-fixtures/house.ts';
import { parseConfig } from '../config/loader.ts';
import { lookAtForgotten } from './doctor-forgotten.ts';

test('clips of a camera that is configured no more, and those set aside, are named with what to do', async () => {
  using house = await TestHouse.make();
  const startMs = Date.parse('2026-11-01T12:00:00Z');
  for (const cameraId of ['front', 'shed']) house.addClip({ startMs, cameraId });
  writeFileSync(join(house.dataDir, 'cameras', 'letter'), '');
  const cameras = ['front', 'shed'].map((id) => ({
    id,
    name: id,
    source: { kind: 'rtsp', url: 'rtsp://127.0.0.1:9/s' },
  }));
  const look = (count: number) =>
    lookAtForgotten(
      parseConfig({ dataDir: house.dataDir, regions: ['US-CA'], cameras: cameras.slice(0, count) }, house.dataDir),
    );
  expect(look(2)).toEqual([]);
  expect(look(1)).toEqual([
    expect.objectContaining({
      about: 'clips of shed',
      verdict: 'poor',
      what: expect.stringMatching(/"retention" says: 1, /),
    }),
  ]);
  for (const name of ['clips.db.damaged-1', 'clips.db.salvaged-2', 'clips.db.salvaged-2-journal'])
    writeFileSync(join(house.dataDir, 'cameras', 'front', name), 'x');
  expect(look(2)).toMatchObject([
    { about: 'damaged clips of front', advice: 'latchkey check --repair' },
    { about: 'damaged clips of front', advice: expect.stringContaining('clips.db.salvaged-2: the rest was saved') },
  ]);
});
