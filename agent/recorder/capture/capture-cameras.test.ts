import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Captured, probeRun } from '../../../test-fixtures/cameras/captured.ts';
import { systemClock } from '../../base/clock.ts';
import { type Capture, startCapture } from './capture.ts';
import type { SourceConfig } from './source.ts';

/** Programs in place of hardware: these show the arguments and the plumbing, not a real Pi or USB camera. */
const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../test-fixtures/cameras/${name}`, import.meta.url));
const rpicam = { kind: 'rpicam', widthPx: 640, heightPx: 360, fps: 10, bitrateBps: 1_000_000 } as const;
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'capture-cameras-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

function start(captured: Captured, source: SourceConfig, ffmpegPath?: string): Capture {
  const detect = { fps: 5, widthPx: 160, heightPx: 90 };
  const signal = new AbortController().signal;
  return startCapture(
    { source, detect, ffmpegPath, clock: systemClock, log: captured.log, signal, restart: false },
    captured,
  );
}

describe.concurrent('cameras at the board', () => {
  test('the Pi camera’s program is read, and ends with the capture', async () => {
    const captured = new Captured();
    const capture = start(captured, { ...rpicam, program: fixture('rpicam-vid') });
    await captured.until(() => captured.frames.length >= 12);
    await capture[Symbol.asyncDispose]();
    const [run] = captured.runs;
    expect(run).toMatchObject({ codec: 'avc1.4d4016', widthPx: 640, heightPx: 360 });
    const probed = probeRun(captured, run?.runId, join(dir, 'pi.mp4'));
    expect(probed.complaints).toBe('');
    expect(captured.frames.every(({ timeMs }) => probed.timesMs.some((other) => Math.abs(other - timeMs) <= 1))).toBe(
      true,
    );
    // Times are those of arrival: about ten pictures a second, none without a time of its own.
    const spanMs = (probed.timesMs.at(-1) ?? 0) - (probed.timesMs[0] ?? 0);
    expect(spanMs / (probed.frameCount - 1)).toBeGreaterThan(50);
  });

  test('a Pi camera program that fails or is not installed says so', async () => {
    const failing = { ...rpicam, program: '/bin/false' };
    await expect(start(new Captured(), failing).done).rejects.toMatchObject({ code: 'capture/source-missing' });
    const missing = { ...rpicam, program: join(dir, 'rpicam-vid') };
    const { done } = start(new Captured(), missing);
    await expect(done).rejects.toMatchObject({
      code: 'capture/source-missing',
      message: expect.stringContaining('program') as string,
    });
  });

  test('a V4L2 camera is encoded here', async () => {
    const device = join(dir, 'video0');
    writeFileSync(device, '');
    const captured = new Captured();
    const source = { kind: 'v4l2', device, widthPx: 320, heightPx: 180, fps: 10, inputFormat: 'mjpeg' } as const;
    const capture = start(captured, source, fixture('ffmpeg-with-v4l2'));
    await captured.until(() => captured.frames.length >= 12);
    await capture[Symbol.asyncDispose]();
    const [run] = captured.runs;
    expect(run).toMatchObject({ widthPx: 320, heightPx: 180 });
    expect(run?.codec).toMatch(/^avc1\./);
    expect(probeRun(captured, run?.runId, join(dir, 'v4l2.mp4')).complaints).toBe('');
    expect(
      captured.fragments
        .filter(({ keyframe }) => keyframe)
        .map(({ startMs }) => startMs)
        .slice(0, 2),
    ).toEqual([10_000, 12_000]);
  });

  test('a V4L2 camera that is not plugged in is missing', async () => {
    const source = { kind: 'v4l2', device: join(dir, 'video9'), widthPx: 320, heightPx: 180, fps: 10 } as const;
    await expect(start(new Captured(), source).done).rejects.toMatchObject({ code: 'capture/source-missing' });
  });
});
