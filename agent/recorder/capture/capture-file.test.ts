import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Captured, encode, probeRun } from '../../../test-fixtures/cameras/captured.ts';
import { systemClock } from '../../base/clock.ts';
import type { SmallFrame } from '../stages.ts';
import { type CaptureOptions, startCapture } from './capture.ts';
import type { FileSource } from './source.ts';

const porch = fileURLToPath(new URL('../../../test-fixtures/streams/porch-day.mp4', import.meta.url));
const detect = { fps: 5, widthPx: 160, heightPx: 90 };
let dir: string;
let short: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'capture-file-'));
  short = join(dir, 'short.mp4');
  encode(porch, short, ['-t', '1.5', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10']);
});
afterAll(() => rmSync(dir, { recursive: true }));

function file(path: string, more: Partial<FileSource> = {}): FileSource {
  return { kind: 'file', path, pace: 'fast', loop: false, ...more };
}

function options(captured: Captured, more: Pick<CaptureOptions, 'source'> & Partial<CaptureOptions>): CaptureOptions {
  const signal = new AbortController().signal;
  return { detect, clock: systemClock, log: captured.log, signal, restart: false, ...more };
}

test('a fast file gives every picture once, the same bytes each time, and one clean run', async () => {
  const [first, second] = [new Captured(), new Captured()];
  const beforeMs = Date.now();
  for (const captured of [first, second]) await startCapture(options(captured, { source: file(porch) }), captured).done;
  const run = first.runs[0];
  expect(first.runs).toHaveLength(1);
  expect(run).toMatchObject({ codec: 'avc1.4d4016', widthPx: 640, heightPx: 360 });
  expect(first.states.map(({ state }) => state)).toEqual(['connecting', 'streaming', 'ended']);
  expect(first.endedRunIds).toEqual([run?.runId]);

  const bytes = (captured: Captured): Buffer => Buffer.concat(captured.fragments.map((fragment) => fragment.bytes));
  expect(bytes(first).equals(bytes(second))).toBe(true);
  expect(second.frames.map(({ timeMs }) => timeMs)).toEqual(first.frames.map(({ timeMs }) => timeMs));

  const probed = probeRun(first, run?.runId, join(dir, 'fast.mp4'));
  expect(probed).toMatchObject({ frameCount: 200, codec: 'h264', complaints: '' });
  // Every second picture of ten a second, at its own time; recorded "now", because a file has no better time.
  expect(first.frames.map(({ timeMs }) => timeMs)).toEqual(probed.timesMs.filter((_, index) => index % 2 === 0));
  expect(first.frames.every(({ yuv }) => yuv.byteLength === (160 * 90 * 3) / 2)).toBe(true);
  const wallAtStartMs = (first.anchors[0]?.wallAtZeroMs ?? 0) + (first.fragments[0]?.startMs ?? 0);
  expect(first.anchors).toHaveLength(1);
  expect(wallAtStartMs).toBeGreaterThanOrEqual(beforeMs);
  expect(wallAtStartMs).toBeLessThanOrEqual(Date.now());
});

test('fragments touch, are short, and start at keyframes where there is one', async () => {
  const captured = new Captured();
  await startCapture(options(captured, { source: file(porch), detect: null }), captured).done;
  const { fragments } = captured;
  expect(fragments.slice(1).map(({ startMs }) => startMs)).toEqual(
    fragments.slice(0, -1).map(({ startMs, durationMs }) => startMs + durationMs),
  );
  expect(Math.max(...fragments.map(({ durationMs }) => durationMs))).toBeLessThanOrEqual(200);
  const keyframes = fragments.filter(({ keyframe }) => keyframe).map(({ startMs }) => startMs);
  expect(keyframes).toEqual([10_000, 14_000, 18_000, 22_000, 26_000]);
  expect(captured.frames).toEqual([]);
});

test.each([
  ['reordered H.264 pictures', 'avc1.', ['-c:v', 'libx264', '-preset', 'fast', '-bf', '3', '-g', '20']],
  ['H.265', 'hvc1.', ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error', '-g', '20']],
])('%s: frames and fragments keep one time line', async (name, codec, args) => {
  const path = join(dir, `${codec}mp4`);
  encode(porch, path, ['-t', '5', ...args]);
  const captured = new Captured();
  await startCapture(options(captured, { source: file(path) }), captured).done;
  const [run] = captured.runs;
  expect(run?.codec.startsWith(codec), name).toBe(true);
  const probed = probeRun(captured, run?.runId, join(dir, `${codec}run.mp4`));
  expect(probed).toMatchObject({ frameCount: 50, complaints: '' });
  expect(captured.frames.map(({ timeMs }) => timeMs)).toEqual(probed.timesMs.filter((_, index) => index % 2 === 0));
  for (const { startMs } of captured.fragments.filter(({ keyframe }) => keyframe)) {
    expect(probed.timesMs).toContain(startMs);
  }
  // What starts at a later keyframe is playable without what came before.
  const later = captured.fragments.findLastIndex(({ keyframe }) => keyframe);
  captured.fragments.splice(0, later);
  expect(probeRun(captured, run?.runId, join(dir, `${codec}tail.mp4`)).complaints).toBe('');
});

test('a sink that takes its time holds back a fast file and loses nothing', async () => {
  class Slow extends Captured {
    override async onFrame(frame: SmallFrame): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await super.onFrame(frame);
    }
  }
  const captured = new Slow();
  const big = { fps: 10, widthPx: 640, heightPx: 360 };
  await startCapture(options(captured, { source: file(porch), detect: big }), captured).done;
  expect(captured.frames).toHaveLength(200);
  expect(captured.endedRunIds).toHaveLength(1);
});

test('a looped file in real time: each pass is a run, in order, until it is stopped', async () => {
  const captured = new Captured();
  const stop = new AbortController();
  const source = file(short, { pace: 'realtime', loop: true });
  const capture = startCapture(options(captured, { source, signal: stop.signal }), captured);
  await captured.until(
    () => captured.runs.length === 3 && captured.fragments.at(-1)?.runId === captured.runs[2]?.runId,
  );
  stop.abort();
  await capture.done;
  const ids = captured.runs.map(({ runId }) => runId);
  expect(new Set(ids).size).toBe(3);
  expect(captured.endedRunIds).toEqual(ids);
  expect(captured.states.map(({ state }) => state)).toEqual(['connecting', 'streaming', 'ended']);
  for (const id of ids.slice(0, 2)) {
    expect(probeRun(captured, id, join(dir, 'pass.mp4'))).toMatchObject({ frameCount: 15, complaints: '' });
    expect(captured.framesOf(id).length).toBe(8);
  }
  expect(capture.stats()).toMatchObject({ state: 'ended', runCount: 3, fragmentCount: captured.fragments.length });
  expect(capture.stats().copyPid).toBeUndefined();
});

test('stopping a fast file half way ends its run and both processes', async () => {
  const captured = new Captured();
  const capture = startCapture(options(captured, { source: file(porch, { loop: true }) }), captured);
  await captured.until(() => captured.frames.length > 120);
  await capture[Symbol.asyncDispose]();
  expect(captured.endedRunIds).toEqual(captured.runs.map(({ runId }) => runId));
  expect(captured.states.at(-1)?.state).toBe('ended');
});

test('a missing file, a file without video and a broken one each say what they are', async () => {
  const text = join(dir, 'text.mp4');
  writeFileSync(text, 'this is no video\n'.repeat(1000));
  const sound = join(dir, 'sound.mp4');
  encode(porch, sound, ['-f', 'lavfi', '-i', 'sine', '-t', '1', '-map', '1:a', '-c:a', 'aac']);
  const playList = join(dir, 'list.mp4');
  writeFileSync(playList, `ffconcat version 1.0\nfile '${porch}'\n`);
  const cut = join(dir, 'cut.mp4');
  encode(porch, cut, ['-t', '2', '-c:v', 'libx264', '-preset', 'ultrafast']);
  truncateSync(cut, 2000);
  const other = join(dir, 'other.avi');
  encode(porch, other, ['-t', '1', '-c:v', 'mpeg4']);
  const cases = [
    [join(dir, 'nothing.mp4'), 'capture/source-missing', 'unavailable'],
    [dir, 'capture/source-missing', 'unavailable'],
    [text, 'capture/bad-stream', 'corrupt'],
    [sound, 'capture/bad-stream', 'corrupt'],
    [playList, 'capture/bad-stream', 'corrupt'],
    [cut, 'capture/bad-stream', 'corrupt'],
    [other, 'capture/bad-stream', 'corrupt'],
  ] as const;
  for (const [path, code, kind] of cases) {
    const captured = new Captured();
    const { done } = startCapture(options(captured, { source: file(path) }), captured);
    await expect(done, path).rejects.toMatchObject({ code, kind });
    expect(captured.states.at(-1)).toEqual({ state: 'lost', code });
    expect(captured.endedRunIds.length).toBe(captured.runs.length);
  }
});

test('with restart, a missing file is asked for again until it is there', async () => {
  const path = join(dir, 'later.mp4');
  const captured = new Captured();
  const capture = startCapture(
    options(captured, { source: file(path), restart: true, backoff: { firstMs: 20, maxMs: 40 } }),
    captured,
  );
  await captured.until(() => captured.states.filter(({ state }) => state === 'lost').length > 2);
  encode(porch, path, ['-t', '1', '-c:v', 'libx264', '-preset', 'ultrafast']);
  await captured.until(() => captured.states.some(({ state }) => state === 'streaming'));
  await capture[Symbol.asyncDispose]();
});

test('what the sink throws ends the capture and is not mistaken for the camera’s fault', async () => {
  for (const method of ['onRun', 'onFragment', 'onFrame', 'onAnchor'] as const) {
    const captured = new Captured();
    captured[method] = () => {
      throw new Error(`no more room in ${method}`);
    };
    const { done } = startCapture(options(captured, { source: file(porch), restart: true }), captured);
    await expect(done).rejects.toMatchObject({ kind: 'bug', message: expect.stringContaining(method) as string });
  }
});

test('without ffmpeg nothing starts, and the message says how to get it', () => {
  const captured = new Captured();
  const start = (): unknown =>
    startCapture(options(captured, { source: file(porch), ffmpegPath: join(dir, 'no-ffmpeg') }), captured);
  expect(start).toThrowError(expect.objectContaining({ code: 'base/ffmpeg-missing' }));
});
