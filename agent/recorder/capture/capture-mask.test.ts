import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Captured, encode, probeRun } from '../../../test-fixtures/cameras/captured.ts';
import { RtspCamera } from '../../../test-fixtures/cameras/rtsp-camera.ts';
import { lookUnderMask, lookUnderMaskRaw } from '../../../test-fixtures/masked-pixels.ts';
import { systemClock } from '../../base/clock.ts';
import { copyCommand } from './arguments.ts';
import { type CaptureOptions, startCapture } from './capture.ts';
import type { Polygon } from './privacy-mask.ts';
import type { SourceConfig } from './source.ts';

const porch = fileURLToPath(new URL('../../../test-fixtures/streams/porch-day.mp4', import.meta.url));
const detect = { fps: 5, widthPx: 320, heightPx: 180 };
/** A slanted one over where the visitor stands, a sliver on the edge of the picture, and a concave one that touches a corner. */
const masks: readonly Polygon[] = [
  [[0.31, 0.22], [0.62, 0.13], [0.71, 0.94], [0.4, 0.88]],
  [[0.9951, 0.1], [1, 0.1], [1, 0.6], [0.9951, 0.6]],
  [[0, 0], [0.2, 0], [0.2, 0.1], [0.1, 0.1], [0.1, 0.2], [0, 0.2]],
]; // biome-ignore format: polygons
let dir: string;
let spoken: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'capture-mask-'));
  spoken = join(dir, 'spoken.mp4');
  const tone = ['-f', 'lavfi', '-i', 'sine=f=440:r=16000', '-map', '0:v', '-map', '1:a', '-t', '6'];
  encode(porch, spoken, [...tone, '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '100', '-c:a', 'aac']);
});
afterAll(() => rmSync(dir, { recursive: true }));

function options(captured: Captured, more: Partial<CaptureOptions> & Pick<CaptureOptions, 'source'>): CaptureOptions {
  const { signal } = new AbortController();
  return { detect, privacyMasks: masks, clock: systemClock, log: captured.log, signal, restart: false, ...more };
}

const file = (path: string): SourceConfig => ({ kind: 'file', path, pace: 'fast', loop: false });
const mediaOf = (captured: Captured, runId: string | undefined): Buffer =>
  Buffer.concat([
    captured.runs.find((run) => run.runId === runId)?.init ?? Buffer.alloc(0),
    ...captured.fragmentsOf(runId).map(({ bytes }) => bytes),
  ]);

test('every picture that is handed on is filled under the mask, and so is every small frame', async () => {
  const captured = new Captured();
  await startCapture(options(captured, { source: file(porch) }), captured).done;
  const run = captured.runs[0];
  const seen = lookUnderMask(mediaOf(captured, run?.runId), 640, 360, masks);
  expect(seen.pictureCount).toBe(200);
  expect(seen.maskedPixelCount).toBeGreaterThan(50_000);
  expect(seen.worstOff).toBeLessThanOrEqual(3);
  expect(seen.outsideSpread).toBeGreaterThan(150);
  const small = Buffer.concat(captured.frames.map(({ yuv }) => yuv));
  expect(lookUnderMaskRaw(small, 320, 180, masks).worstOff).toBeLessThanOrEqual(3);
  // No picture is lost or moved, and what a person sees starts anew every two seconds.
  const probed = probeRun(captured, run?.runId, join(dir, 'masked.mp4'));
  expect(probed).toMatchObject({ frameCount: 200, codec: 'h264', complaints: '' });
  expect(probed.timesMs).toEqual(Array.from({ length: 200 }, (_, i) => 10_000 + i * 100));
  const keyframes = captured.fragments.filter(({ keyframe }) => keyframe).map(({ startMs }) => startMs);
  expect(Math.max(...keyframes.slice(1).map((startMs, i) => startMs - (keyframes[i] ?? 0)))).toBeLessThanOrEqual(2000);
  const [bytes, names] = [mediaOf(captured, run?.runId), ['x264', 'Lavc', 'Lavf']];
  expect(names.filter((name) => bytes.includes(name))).toEqual([]);
});

test('sound stays with its pictures', async () => {
  const captured = new Captured();
  await startCapture(options(captured, { source: file(spoken), sound: true }), captured).done;
  const [first, last] = [captured.fragments[0], captured.fragments.at(-1)];
  const [heard, lastHeard] = [captured.soundFragments[0], captured.soundFragments.at(-1)];
  expect(Math.abs((first?.startMs ?? 0) - (heard?.startMs ?? 0))).toBeLessThan(150);
  const endMs = (part: { startMs: number; durationMs: number } | undefined): number =>
    (part?.startMs ?? 0) + (part?.durationMs ?? 0);
  expect(Math.abs(endMs(last) - endMs(lastHeard))).toBeLessThan(250);
  expect(lookUnderMask(mediaOf(captured, captured.runs[0]?.runId), 640, 360, masks).worstOff).toBeLessThanOrEqual(3);
});

test('a live camera that goes away and comes back is masked from its first picture on, every time', async () => {
  const captured = new Captured();
  const camera = await RtspCamera.start({ file: porch });
  const source = { kind: 'rtsp', url: camera.url, transport: 'tcp' } as const;
  const waits = { firstMs: 100, maxMs: 300 };
  await using capture = startCapture(options(captured, { source, restart: true, backoff: waits }), captured);
  const runIsThere = (count: number) => (): boolean =>
    captured.runs.length >= count && captured.fragmentsOf(captured.runs.at(-1)?.runId).length > 12;
  await captured.until(runIsThere(1));
  process.kill(capture.stats().copyPid ?? 0, 'SIGKILL');
  await captured.until(runIsThere(2));
  await camera[Symbol.asyncDispose]();
  expect(captured.runs.length).toBeGreaterThanOrEqual(2);
  for (const { runId } of captured.runs) {
    const seen = lookUnderMask(mediaOf(captured, runId), 640, 360, masks);
    expect(seen.pictureCount).toBeGreaterThan(10);
    expect(seen.worstOff).toBeLessThanOrEqual(3);
  }
});

test('without an encoder nothing is recorded: what cannot be masked is not copied', async () => {
  const captured = new Captured();
  const ffmpegPath = join(dir, 'ffmpeg-without-encoders');
  writeFileSync(ffmpegPath, '#!/bin/sh\ncase "$*" in *libx264*|*v4l2m2m*) exit 1;; esac\nexec ffmpeg "$@"\n');
  chmodSync(ffmpegPath, 0o755);
  const { done } = startCapture(options(captured, { source: file(porch), ffmpegPath, restart: true }), captured);
  await expect(done).rejects.toMatchObject({ code: 'capture/no-encoder', kind: 'config' });
  expect(captured.runs).toEqual([]);
  expect(captured.fragments).toEqual([]);
  expect(captured.states.at(-1)).toEqual({ state: 'lost', code: 'capture/no-encoder' });
});

describe('with a mask no source is copied', () => {
  const sources: readonly SourceConfig[] = [
    file('/a.mp4'),
    { kind: 'rtsp', url: 'rtsp://10.0.0.9/s', transport: 'udp' },
    { kind: 'v4l2', device: '/dev/video0', widthPx: 640, heightPx: 480, fps: 15, inputFormat: 'h264' },
    { kind: 'rpicam', widthPx: 640, heightPx: 480, fps: 15, bitrateBps: 1_000_000 },
  ];
  test.each(sources)('$kind', (source) => {
    const { args } = copyCommand(source, 'copy', { masks, encoder: 'h264_v4l2m2m' });
    expect(args[args.indexOf('-c:v') + 1]).toBe('h264_v4l2m2m');
    expect(args.filter((arg) => arg === '-c:v')).toHaveLength(1);
    expect(args[args.indexOf('-vf') + 1]).toContain('drawbox');
  });
});
