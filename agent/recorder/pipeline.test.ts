import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLog } from '../base/log.ts';
import { generateIdentity } from '../protocol/age-file.ts';
import { ClipsDb } from '../store/clips-db.ts';
import { ClipRecorder, type ClosedClip } from './clip/clip-recorder.ts';
import { PersonTracker } from './person/tracker.ts';
import { Pipeline, type PipelineOptions } from './pipeline.ts';
import type { Box, Detection, MotionResult, PersonStage, SmallFrame } from './stages.ts';

const wallAtZeroMs = Date.UTC(2026, 10, 21, 10);
const [widthPx, heightPx] = [64, 36];
const spot: Box = { x: 20, y: 10, w: 8, h: 16 };
const recipients = [generateIdentity().recipient, generateIdentity().recipient];

interface Scene {
  /** What moves, and where a person is, at a run-relative time. */
  readonly motion: (timeMs: number) => MotionResult['state'];
  /** Where it moves; the spot if it doesn't matter. */
  readonly moving?: (timeMs: number) => Box;
  readonly person?: (timeMs: number) => boolean;
  /** Holds back the answer of every look. */
  readonly gate?: () => Promise<void>;
}

class ScriptedPeople implements PersonStage {
  readonly looks: { timeMs: number; regions: readonly Box[] }[] = [];
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  async detect(frame: SmallFrame, regions: readonly Box[]): Promise<readonly Detection[]> {
    this.looks.push({ timeMs: frame.timeMs, regions });
    await this.#scene.gate?.();
    return this.#scene.person?.(frame.timeMs) === true ? [{ box: spot, score: 0.8, label: 'person' }] : [];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

let dir: string;
let db: ClipsDb;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pipeline-'));
  db = ClipsDb.open({ path: join(dir, 'clips.db'), log: silentLog, wallMs: wallAtZeroMs });
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true, force: true });
});

function setUp(scene: Scene, options: Partial<PipelineOptions> = {}) {
  const closed: ClosedClip[] = [];
  const events: { event: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const clips = new ClipRecorder({
    cameraId: 'door',
    recipients,
    ring: { preRollMs: 2000, maxSpanMs: 60_000, maxBytes: 1e7 },
    maxClipMs: 60_000,
    retention: { maxBytes: 1e9, maxAgeMs: 1e10, minFreeBytes: 0 },
    store: db,
    diskFreeBytes: () => 1e9,
    wallMs: () => wallAtZeroMs,
    clockTrust: () => 'synchronised',
    log: silentLog,
    replaceStore: () => db,
    onClosed: (clip) => closed.push(clip),
  });
  const pipeline = new Pipeline({
    cameraId: 'door',
    mode: 'person',
    preRollMs: 2000,
    postRollMs: 3000,
    lossless: true,
    motion: {
      detect: ({ timeMs }) => {
        const state = scene.motion(timeMs);
        return { state, boxes: state === 'motion' ? [scene.moving?.(timeMs) ?? spot] : [], foregroundRatio: 0 };
      },
      reset: () => {},
    },
    clips,
    log: silentLog,
    publish: (event, fields) => events.push({ event, fields }),
    ...options,
  });
  const people = new ScriptedPeople(scene);
  if (scene.person !== undefined) pipeline.usePerson({ stage: people, tracker: new PersonTracker() });
  return { pipeline, clips, people, closed, events };
}

type Parts = ReturnType<typeof setUp>;

function startRun({ pipeline }: Parts, runId = 'r'): void {
  pipeline.onRun({ runId, init: Buffer.alloc(50, 1), codec: 'avc1.64001f', widthPx: 1920, heightPx: 1080 });
  pipeline.onAnchor(runId, wallAtZeroMs);
}

/** Fragments of 200 ms, a keyframe every second; a frame for each fragment, 400 ms behind it. */
async function play(parts: Parts, fromMs: number, untilMs: number, runId = 'r'): Promise<void> {
  for (let ms = fromMs; ms < untilMs; ms += 200) {
    const keyframe = ms % 1000 === 0;
    parts.pipeline.onFragment({
      runId,
      bytes: Buffer.alloc(100, 7),
      keyframe,
      startMs: ms,
      durationMs: 200,
      pictureCount: 2,
    });
    const timeMs = ms - 400;
    if (timeMs < 0) continue;
    const yuv = new Uint8Array((widthPx * heightPx * 3) / 2);
    await parts.pipeline.onFrame({ runId, timeMs, widthPx, heightPx, yuv });
  }
}

async function finish(parts: Parts, runId = 'r'): Promise<[number, number][]> {
  parts.pipeline.onRunEnd(runId);
  await parts.clips.flush();
  return parts.closed.map(({ startMs, endMs }) => [startMs - wallAtZeroMs, endMs - wallAtZeroMs]);
}

/** Walks in from the left to be at the spot from then on. */
const arriving = (atMs: number) => (ms: number) => ({ ...spot, x: Math.max(0, spot.x - Math.max(0, atMs - ms) / 100) });

const between = (fromMs: number, toMs: number) => (ms: number) => (ms >= fromMs && ms < toMs ? 'motion' : 'quiet');

describe('mode person', () => {
  test('motion without a person never writes a clip', async () => {
    const parts = setUp({ motion: between(3000, 20_000), person: () => false });
    startRun(parts);
    await play(parts, 0, 30_000);
    expect(await finish(parts)).toEqual([]);
    // Five looks at something new, then one a second for as long as it stays as it is.
    const looks = parts.people.looks.filter(({ regions }) => regions.length > 0);
    expect(looks.length).toBeGreaterThanOrEqual(20);
    expect(looks.length).toBeLessThanOrEqual(24);
    expect(parts.events).toEqual([]);
    expect(db.usage().clipCount).toBe(0);
  });

  test('a person confirmed long after the first motion is recorded from before it', async () => {
    const parts = setUp({
      motion: between(5000, 14_000),
      moving: arriving(12_000),
      person: (ms) => ms >= 12_000 && ms < 14_000,
    });
    startRun(parts);
    await play(parts, 0, 30_000);
    // Motion at 5 s less a pre-roll of 2 s; last seen at 13.8 s and a post-roll of 3 s.
    expect(await finish(parts)).toEqual([[3000, 16_800]]);
    const [motion, person] = parts.closed[0]?.labels ?? [];
    expect(motion).toMatchObject({ kind: 'motion', from_ms: wallAtZeroMs + 5000 });
    expect(person).toMatchObject({ kind: 'person', to_ms: wallAtZeroMs + 13_800, box: { x: 600, y: 300 } });
    // What moved there in the three seconds before the first detection counts as their way.
    expect((person?.from_ms ?? 0) - wallAtZeroMs).toBeGreaterThanOrEqual(9000);
    expect((person?.from_ms ?? 0) - wallAtZeroMs).toBeLessThanOrEqual(12_000);
    expect(parts.events.map(({ event }) => event)).toEqual(['event-opened', 'person', 'event-closed']);
  });

  test('somebody who stands still is looked for again, and stays one event', async () => {
    // Coming and going move the picture; standing doesn't.
    const motion = (ms: number) => (between(5000, 6000)(ms) === 'motion' ? 'motion' : between(39_000, 40_000)(ms));
    const parts = setUp({ motion, moving: arriving(6000), person: (ms) => ms >= 5600 && ms < 40_000 });
    startRun(parts);
    await play(parts, 0, 50_000);
    const [clip, ...others] = await finish(parts);
    expect(others).toEqual([]);
    expect(clip?.[0]).toBe(3000);
    expect(clip?.[1]).toBeGreaterThanOrEqual(42_000);
    expect(parts.closed[0]?.labels.filter(({ kind }) => kind === 'person')).toHaveLength(1);
  });

  test('after a global change the whole picture is looked at, once', async () => {
    const parts = setUp({ motion: (ms) => (ms >= 5000 && ms < 6000 ? 'global' : 'quiet'), person: () => false });
    startRun(parts);
    await play(parts, 0, 10_000);
    const whole = parts.people.looks.filter(({ regions }) => regions.length === 0).map(({ timeMs }) => timeMs);
    // And at the start of a run, when it has settled.
    expect(whole).toEqual([1600, 5000]);
  });
});

test('mode motion without a person stage: motion opens, with its pre-roll and post-roll', async () => {
  const parts = setUp({ motion: between(6000, 8000) }, { mode: 'motion' });
  startRun(parts);
  await play(parts, 0, 20_000);
  expect(await finish(parts)).toEqual([[4000, 10_800]]);
});

test('mode person without a person stage behaves as motion', async () => {
  const parts = setUp({ motion: between(6000, 8000) });
  startRun(parts);
  await play(parts, 0, 20_000);
  expect(await finish(parts)).toHaveLength(1);
});

test('mode continuous records all of a run, whatever moves', async () => {
  const parts = setUp({ motion: between(6000, 8000) }, { mode: 'continuous' });
  startRun(parts);
  await play(parts, 0, 20_000);
  expect(await finish(parts)).toEqual([[0, 20_000]]);
});

test('nothing counts before a new run has settled', async () => {
  const parts = setUp({ motion: (ms) => (ms < 1500 ? 'motion' : 'quiet') }, { mode: 'motion' });
  startRun(parts);
  await play(parts, 0, 5000);
  parts.pipeline.onRunEnd('r');
  startRun(parts, 's');
  await play(parts, 0, 5000, 's');
  expect(await finish(parts, 's')).toEqual([]);
});

test('an event ends with its run, and the next run shares nothing with it', async () => {
  const parts = setUp({ motion: between(3000, 9000) }, { mode: 'motion' });
  startRun(parts);
  await play(parts, 0, 5000);
  parts.pipeline.onRunEnd('r');
  startRun(parts, 's');
  await play(parts, 0, 2000, 's');
  expect(await finish(parts, 's')).toEqual([[1000, 5000]]);
});

test('a slow person check costs looks of a live camera, never a fragment, and the event waits for it', async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const parts = setUp(
    { motion: between(5000, 8000), person: (ms) => ms >= 5000 && ms < 8000, gate: () => held },
    { lossless: false },
  );
  startRun(parts);
  await play(parts, 0, 15_000);
  expect(parts.people.looks).toHaveLength(1);
  expect(parts.pipeline.state.skippedLookCount).toBeGreaterThan(10);
  release();
  await new Promise((resolve) => setTimeout(resolve, 10));
  await play(parts, 15_000, 20_000);
  await finish(parts);
  expect(parts.clips.state.lostFragmentCount).toBe(0);
});

test('a failing person check is counted and recording goes on', async () => {
  const parts = setUp(
    { motion: between(5000, 8000), person: () => true, gate: () => Promise.reject(new Error('out of memory')) },
    { mode: 'continuous' },
  );
  startRun(parts);
  await play(parts, 0, 12_000);
  expect(await finish(parts)).toEqual([[0, 12_000]]);
  // The first look of the run, five at what moved, then one a second.
  expect(parts.pipeline.state.failedLookCount).toBe(8);
});

test('the doorbell opens an event at once; switched off, nothing is kept', async () => {
  const parts = setUp({ motion: () => 'quiet', person: () => false });
  startRun(parts);
  await play(parts, 0, 5000);
  parts.pipeline.press();
  expect(parts.events[0]).toMatchObject({ event: 'event-opened', fields: { trigger: 'button' } });
  await play(parts, 5000, 12_000);
  parts.pipeline.setRecording(false);
  parts.pipeline.press();
  await play(parts, 12_000, 15_000);
  expect(parts.pipeline.lastFrame).toBeUndefined();
  parts.pipeline.setRecording(true);
  await play(parts, 15_000, 20_000);
  parts.pipeline.press();
  await play(parts, 20_000, 30_000);
  // The pre-roll of the second event does not reach into the time that was switched off.
  expect(await finish(parts)).toEqual([
    [3000, 8000],
    [18_000, 23_000],
  ]);
});
