// When and where the person stage is asked: what is new, the whole now and then, and the newest frame where it is slow.
import { describe, expect, it } from 'vitest';
import { asAgentError } from '../base/errors.ts';
import { type Log, silentLog } from '../base/log.ts';
import { type Looked, PersonLooks } from './looks.ts';
import { PersonTracker } from './person/tracker.ts';
import type { Box, Detection, LookOptions, MotionResult, PersonStage, SmallFrame } from './stages.ts';

const [widthPx, heightPx] = [64, 36];

interface Asked extends LookOptions {
  readonly timeMs: number;
  readonly regions: readonly Box[];
}

/** Answers when `answer` is called, or at once. */
class ScriptedStage implements PersonStage {
  readonly asked: Asked[] = [];
  found: readonly Detection[] = [];
  #waiting: (() => void)[] = [];
  readonly #holds: boolean;

  constructor(holds = false) {
    this.#holds = holds;
  }

  async detect(frame: SmallFrame, regions: readonly Box[], options: LookOptions = {}): Promise<readonly Detection[]> {
    this.asked.push({ timeMs: frame.timeMs, regions, ...options });
    const found = this.found;
    if (this.#holds) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return found;
  }

  async answer(): Promise<void> {
    this.#waiting.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function setUp(stage: ScriptedStage, log: Log = silentLog) {
  const looked: Looked[] = [];
  let idleCount = 0;
  const looks = new PersonLooks({
    cameraId: 'door',
    person: { stage, tracker: new PersonTracker() },
    log,
    onLooked: (look) => looked.push(look),
    onIdle: () => {
      idleCount += 1;
    },
  });
  let before: MotionResult['state'] = 'quiet';
  const see = (timeMs: number, state: MotionResult['state'], ...boxes: readonly Box[]) => {
    const frame = { runId: 'r', timeMs, widthPx, heightPx, yuv: new Uint8Array((widthPx * heightPx * 3) / 2) };
    const promise = looks.see(frame, { state, boxes, foregroundRatio: 0 }, before);
    before = state;
    return promise;
  };
  return { looks, looked, see, idleCount: () => idleCount };
}

/** Something that goes across the picture. */
const walker = (timeMs: number): Box => ({ x: Math.floor(timeMs / 200) % 50, y: 4, w: 8, h: 24 });

describe('PersonLooks', () => {
  it('asks nothing while nothing moves, and about every frame while something does', async () => {
    const stage = new ScriptedStage();
    const { see } = setUp(stage);
    for (let timeMs = 0; timeMs < 2000; timeMs += 200) await see(timeMs, 'quiet');
    expect(stage.asked).toEqual([]);
    for (let timeMs = 2000; timeMs < 3000; timeMs += 200) await see(timeMs, 'motion', walker(timeMs));
    expect(stage.asked.map(({ timeMs }) => timeMs)).toEqual([2000, 2200, 2400, 2600, 2800]);
  });

  it('asks about the whole picture too every four seconds while something goes on', async () => {
    const stage = new ScriptedStage();
    const { see } = setUp(stage);
    for (let timeMs = 0; timeMs < 10_000; timeMs += 200) await see(timeMs, 'motion', walker(timeMs));
    expect(stage.asked.filter(({ alsoWhole }) => alsoWhole).map(({ timeMs }) => timeMs)).toEqual([0, 4000, 8000]);
    expect(stage.asked.every(({ maxCropCount }) => maxCropCount === 2)).toBe(true);
  });

  it('asks about the whole picture once after a global change', async () => {
    const stage = new ScriptedStage();
    const { see } = setUp(stage);
    await see(0, 'quiet');
    for (let timeMs = 200; timeMs < 1000; timeMs += 200) await see(timeMs, 'global');
    expect(stage.asked).toMatchObject([{ timeMs: 200, regions: [], alsoWhole: false }]);
  });

  it('takes the newest frame where the model is slow, counts the others, and makes do with one crop', async () => {
    const stage = new ScriptedStage(true);
    const { looks, looked, see, idleCount } = setUp(stage);
    void see(0, 'motion', walker(0));
    for (let timeMs = 200; timeMs <= 1000; timeMs += 200) expect(see(timeMs, 'motion', walker(timeMs))).toBeUndefined();
    expect([looks.underWayMs, looks.skippedCount]).toEqual([0, 4]);
    await stage.answer();
    expect(stage.asked.map(({ timeMs }) => timeMs)).toEqual([0, 1000]);
    expect(stage.asked[1]).toMatchObject({ maxCropCount: 1, alsoWhole: false });
    await stage.answer();
    expect([looked.length, looks.underWayMs, idleCount()]).toEqual([2, undefined, 1]);
    // When nothing waits any more for a while, two crops again.
    for (let timeMs = 1200; timeMs < 6000; timeMs += 200) {
      void see(timeMs, 'motion', walker(timeMs));
      await stage.answer();
    }
    expect(stage.asked.at(-1)?.maxCropCount).toBe(2);
  });

  it('does not lose a look at the whole picture to the frame after it', async () => {
    const stage = new ScriptedStage(true);
    const { see } = setUp(stage);
    void see(0, 'motion', walker(0));
    void see(200, 'global');
    void see(400, 'motion', walker(400));
    await stage.answer();
    expect(stage.asked[1]).toMatchObject({ timeMs: 400, regions: [] });
    await stage.answer();
  });

  it('waits for no look beyond its deadline, and goes on when it has ended', async () => {
    const stage = new ScriptedStage(true);
    const told: unknown[] = [];
    const log: Log = { ...silentLog, error: (_event, thrown) => told.push(asAgentError(thrown).code) };
    const { looks, looked, see } = setUp(stage, log);
    void see(0, 'motion', walker(0));
    for (let timeMs = 200; timeMs <= 10_000; timeMs += 200) void see(timeMs, 'motion', walker(timeMs));
    expect(looks.underWayMs).toBe(0);
    void see(10_200, 'motion', walker(10_200));
    expect(looks.underWayMs).toBeUndefined();
    await stage.answer();
    expect([looked, looks.failedCount, told]).toEqual([[], 1, ['person/late']]);
    expect([stage.asked.at(-1)?.timeMs, looks.underWayMs]).toEqual([10_200, 10_200]);
    await stage.answer();
    expect(looked).toHaveLength(1);
  });

  it('throws away what a look found when its run has ended meanwhile', async () => {
    const stage = new ScriptedStage(true);
    const { looks, looked, see, idleCount } = setUp(stage);
    void see(0, 'motion', walker(0));
    void see(200, 'motion', walker(200));
    looks.reset();
    await stage.answer();
    expect([looked, stage.asked.length, idleCount()]).toEqual([[], 1, 1]);
  });

  it('goes on after a look that fails', async () => {
    const stage = new ScriptedStage();
    stage.detect = () => Promise.reject(new Error('out of memory'));
    const { looks, looked, see } = setUp(stage);
    await see(0, 'motion', walker(0));
    await see(200, 'motion', walker(200));
    expect([looks.failedCount, looked]).toEqual([2, []]);
  });
});
