import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Captured, encode, probeRun } from '../../../test-fixtures/cameras/captured.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import type { SmallFrame } from '../stages.ts';
import { type Capture, startCapture } from './capture.ts';

/** Whatever happens to the decoding side, the recording side gets every picture, in time. */
const porch = fileURLToPath(new URL('../../../test-fixtures/streams/porch-day.mp4', import.meta.url));
let dir: string;
let path: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'capture-decoder-'));
  path = join(dir, 'gop1.mp4');
  encode(porch, path, ['-t', '14', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10']);
});
afterAll(() => rmSync(dir, { recursive: true }));

function start(captured: Captured, clock: Clock = systemClock): Capture {
  return startCapture(
    {
      source: { kind: 'file', path, pace: 'realtime', loop: false },
      detect: { fps: 5, widthPx: 160, heightPx: 90 },
      clock,
      log: captured.log,
      signal: new AbortController().signal,
      restart: false,
      backoff: { firstMs: 100, maxMs: 200 },
    },
    captured,
  );
}

function expectAllRecorded(captured: Captured, name: string): void {
  expect(captured.runs).toHaveLength(1);
  const probed = probeRun(captured, captured.runs[0]?.runId, join(dir, `${name}.mp4`));
  expect(probed).toMatchObject({ frameCount: 140, complaints: '' });
  const times = captured.frames.map(({ timeMs }) => timeMs);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times.filter((timeMs) => !probed.timesMs.includes(timeMs))).toEqual([]);
}

function seconds(fragmentCount: number): number {
  return fragmentCount * 0.2;
}

describe.concurrent('the decoder', () => {
  test('frozen: fragments go on, whole GOPs are skipped, frames come back', async () => {
    const captured = new Captured();
    const capture = start(captured);
    await captured.until(() => captured.frames.length >= 5);
    const pid = capture.stats().decodePid ?? 0;
    process.kill(pid, 'SIGSTOP');
    const frozen = captured.fragments.length;
    const framesBefore = captured.frames.length;
    // Waiting for eight seconds of recording to arrive is the proof that it does.
    await captured.until(() => seconds(captured.fragments.length - frozen) >= 8);
    const whileFrozen = captured.frames.length;
    process.kill(pid, 'SIGCONT');
    await capture.done;
    expect(whileFrozen - framesBefore).toBeLessThanOrEqual(2);
    expect(capture.stats().skippedFragmentCount).toBeGreaterThan(0);
    expect(capture.stats().decoderRestartCount).toBe(0);
    expectAllRecorded(captured, 'frozen');
    const jumps = captured.frames.flatMap((frame, index) => {
      const before = captured.frames[index - 1];
      return before !== undefined && frame.timeMs - before.timeMs > 300 ? [frame.timeMs] : [];
    });
    expect(jumps.length).toBeGreaterThan(0);
    // After a gap decoding starts at a keyframe, of which this file has one a second.
    for (const timeMs of jumps) expect(timeMs % 1000).toBe(0);
  });

  test('killed: it comes back by itself, twice, without a new run', async () => {
    const captured = new Captured();
    const capture = start(captured);
    for (const wanted of [5, 20]) {
      await captured.until(() => captured.frames.length >= wanted);
      process.kill(capture.stats().decodePid ?? 0, 'SIGKILL');
    }
    await capture.done;
    expect(capture.stats().decoderRestartCount).toBe(2);
    expect(captured.frames.at(-1)?.timeMs).toBeGreaterThan(23_000);
    expectAllRecorded(captured, 'killed');
  });

  test('hanging for good: it is killed and replaced', async () => {
    const captured = new Captured();
    // Five times the speed for the watch over the decoder; pictures come at their own pace.
    const clock: Clock = { ...systemClock, monotonicMs: () => performance.now() * 5 };
    const capture = start(captured, clock);
    await captured.until(() => captured.frames.length >= 5);
    process.kill(capture.stats().decodePid ?? 0, 'SIGSTOP');
    const before = captured.frames.length;
    await captured.until(() => captured.frames.length > before + 3);
    await capture.done;
    expect(capture.stats().decoderRestartCount).toBe(1);
    expect(captured.logLines.join('\n')).toContain('decoder hangs');
    expectAllRecorded(captured, 'hanging');
  });

  test('behind a sink that never answers: recording goes on and ends all the same', async () => {
    class Stuck extends Captured {
      override onFrame(frame: SmallFrame): Promise<void> {
        void super.onFrame(frame);
        return new Promise((resolve) => setTimeout(resolve, 30_000).unref());
      }
    }
    const captured = new Stuck();
    const capture = start(captured);
    await captured.until(() => captured.endedRunIds.length === 1);
    await capture.done;
    expect(captured.frames.length).toBe(1);
    expectAllRecorded(captured, 'stuck');
  });
});
