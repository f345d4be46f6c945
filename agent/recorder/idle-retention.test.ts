/** A camera that sends nothing: what is older than its owner wants to keep goes all the same. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../../test-fixtures/eventually.ts';
import { TestHouse } from '../../test-fixtures/house.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { parseConfig } from '../config/loader.ts';
import { ClipsDb } from '../store/clips-db.ts';
import { ClipsReader } from '../store/clips-reader.ts';
import { ClipRecorder } from './clip/clip-recorder.ts';
import { runRecorder } from './program.ts';

const dayMs = 24 * 3600 * 1000;

test('goes by its age although no fragment ever comes; what is younger stays', async () => {
  using house = await TestHouse.make();
  const startMs = Date.parse('2026-11-01T12:00:00Z');
  const [old, young] = [startMs, startMs + 10 * dayMs].map((at) => house.addClip({ startMs: at }));
  const cameras = [{ id: 'front', name: 'Front', source: { kind: 'rtsp', url: 'rtsp://127.0.0.1:9/nothing' } }];
  const given = { dataDir: house.dataDir, regions: ['US-CA'], clock: 'trust-system', cameras };
  const config = parseConfig({ ...given, retention: { maxAgeMs: 20 * dayMs } }, house.dataDir);
  let nowMs = startMs + 12 * dayMs;
  const clock: Clock = { ...systemClock, wallMs: () => nowMs };
  const stop = new AbortController();
  const running = runRecorder({ config, cameraId: 'front', signal: stop.signal, clock, log: silentLog, tidyMs: 20 });
  const clips = (): string[] => {
    using reader = ClipsReader.open(join(house.dataDir, 'cameras', 'front', 'clips.db'));
    return reader.listClips().map(({ clipId }) => clipId);
  };
  try {
    await systemClock.sleep(200);
    expect(clips()).toEqual([old, young]);
    nowMs = startMs + 22 * dayMs;
    await eventually(() => expect(clips()).toEqual([young]));
  } finally {
    stop.abort();
    await running;
  }
});

test('nothing goes by age while nobody knows what time it is', async () => {
  using house = await TestHouse.make();
  const startMs = Date.parse('2026-11-01T12:00:00Z');
  const old = house.addClip({ startMs });
  const path = join(house.dataDir, 'cameras', 'front', 'clips.db');
  const db = ClipsDb.open({ path, log: silentLog, wallMs: startMs });
  let trust: 'synchronised' | 'unsynchronised' = 'unsynchronised';
  const clips = new ClipRecorder({
    cameraId: 'front',
    recipients: [],
    ring: { preRollMs: 0, maxSpanMs: 60_000, maxBytes: 1 << 20 },
    maxClipMs: 60_000,
    retention: { maxBytes: 1e9, maxAgeMs: dayMs, minFreeBytes: 0 },
    store: db,
    diskFreeBytes: () => 1e12,
    // A battery that died: fifty years on.
    wallMs: () => startMs + 50 * 365 * dayMs,
    clockTrust: () => trust,
    log: silentLog,
    replaceStore: () => db,
    onClosed: () => {},
  });
  const listed = (): string[] => {
    using reader = ClipsReader.open(path);
    return reader.listClips().map(({ clipId }) => clipId);
  };
  expect([clips.tidy(), listed()]).toEqual([false, [old]]);
  trust = 'synchronised';
  expect([clips.tidy(), listed()]).toEqual([true, []]);
  db.close();
});
