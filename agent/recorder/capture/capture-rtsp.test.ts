import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Captured, encode, probeRun } from '../../../test-fixtures/cameras/captured.ts';
import { RtspCamera } from '../../../test-fixtures/cameras/rtsp-camera.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import { type Capture, type CaptureOptions, startCapture } from './capture.ts';
import type { RtspSource } from './source.ts';

const porch = fileURLToPath(new URL('../../../test-fixtures/streams/porch-day.mp4', import.meta.url));
// Everything in it that an address, a shell or a play list could trip over.
const user = 'front door';
const password = `p@ss:w/rd'%1\\ "é#?`;
let dir: string;
let gop1: string;
let h265: string;
let reordered: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'capture-rtsp-'));
  gop1 = join(dir, 'gop1.mp4');
  encode(porch, gop1, ['-t', '8', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10']);
  reordered = join(dir, 'reordered.mp4');
  encode(porch, reordered, ['-t', '6', '-c:v', 'libx264', '-preset', 'fast', '-bf', '3', '-g', '10']);
  h265 = join(dir, 'h265.mp4');
  encode(porch, h265, [
    '-t',
    '4',
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'log-level=error:bframes=0',
    '-g',
    '10',
  ]);
});
afterAll(() => rmSync(dir, { recursive: true }));

function start(captured: Captured, source: Partial<RtspSource>, more: Partial<CaptureOptions> = {}): Capture {
  const options: CaptureOptions = {
    source: { kind: 'rtsp', url: 'rtsp://127.0.0.1:1/stream', transport: 'tcp', ...source },
    detect: { fps: 5, widthPx: 160, heightPx: 90 },
    clock: systemClock,
    log: captured.log,
    signal: new AbortController().signal,
    restart: true,
    backoff: { firstMs: 200, maxMs: 500 },
    ...more,
  };
  return startCapture(options, captured);
}

/** Every picture of a run decodes, and every small frame is one of its pictures at that picture's time. */
function expectSound(captured: Captured, runId: string | undefined, powerCut = false): void {
  const probed = probeRun(captured, runId, join(dir, `${runId}.mp4`));
  // What was half sent when the power went is a picture without a slice, at the very end.
  const ofTheCut = /^\[h264 @ \w+\] (missing picture in access unit with size \d+|no frame!)\n/gm;
  expect(powerCut ? probed.complaints.replace(ofTheCut, '') : probed.complaints).toBe('');
  expect(probed.frameCount).toBeGreaterThan(5);
  const frames = captured.framesOf(runId).map(({ timeMs }) => timeMs);
  expect(frames.length).toBeGreaterThan(0);
  expect(frames.filter((timeMs) => !probed.timesMs.some((other) => Math.abs(other - timeMs) <= 1))).toEqual([]);
}

const codes = (captured: Captured): (string | undefined)[] => captured.states.map(({ code }) => code);

describe.concurrent('an RTSP camera', () => {
  test.for(['tcp', 'udp'] as const)('is captured over %s after digest authentication', async (transport) => {
    await using camera = await RtspCamera.start({ file: gop1, user, password });
    const captured = new Captured();
    const capture = start(captured, { url: camera.url, transport, username: user, password });
    await captured.until(() => captured.frames.length >= 8);
    const commandLine = readFileSync(`/proc/${capture.stats().copyPid}/cmdline`, 'latin1');
    const environment = readFileSync(`/proc/${capture.stats().copyPid}/environ`, 'latin1');
    expect(commandLine).toContain('-frag_duration');
    expect(commandLine + environment).not.toMatch(/127\.0\.0\.1|p@ss|p%40ss|front/);
    await capture[Symbol.asyncDispose]();
    expect(captured.runs[0]).toMatchObject({ widthPx: 640, heightPx: 360 });
    expect(captured.fragments[0]?.keyframe).toBe(true);
    expectSound(captured, captured.runs[0]?.runId);
    expect(captured.states.map(({ state }) => state)).toEqual(['connecting', 'streaming', 'ended']);
    // The start-up burst makes the first guess late; the mapping only ever moves back.
    const anchors = captured.anchors.map(({ wallAtZeroMs }) => wallAtZeroMs);
    expect(anchors).toEqual(anchors.toSorted((a, b) => b - a));
  });

  test('may reorder its pictures', async () => {
    await using camera = await RtspCamera.start({ file: reordered });
    const captured = new Captured();
    const capture = start(captured, { url: camera.url });
    await captured.until(() => captured.frames.length >= 12);
    await capture[Symbol.asyncDispose]();
    expectSound(captured, captured.runs[0]?.runId);
    expect(captured.runs).toHaveLength(1);
  });

  test('may send H.265', async () => {
    await using camera = await RtspCamera.start({ file: h265, codec: 'h265' });
    const captured = new Captured();
    const capture = start(captured, { url: camera.url });
    await captured.until(() => captured.frames.length >= 6);
    await capture[Symbol.asyncDispose]();
    expect(captured.runs[0]?.codec).toMatch(/^hvc1\.1\.6\.L\d+/);
    expectSound(captured, captured.runs[0]?.runId);
  });

  test('that refuses the password is asked slowly, and the password stays out of every line', async () => {
    await using camera = await RtspCamera.start({ file: gop1, user, password: 'another' });
    const captured = new Captured();
    const capture = start(captured, { url: camera.url, username: user, password });
    await captured.until(() => captured.states.filter(({ state }) => state === 'lost').length >= 2);
    await capture[Symbol.asyncDispose]();
    expect(codes(captured)).toContain('capture/unauthorised');
    // The second wait of this backoff would be 200 to 400 ms.
    expect(captured.logLines.filter((line) => line.includes('"waitMs":500')).length).toBeGreaterThanOrEqual(2);
    expect(JSON.stringify([captured.logLines, captured.states])).not.toMatch(/p@ss|p%40ss|front|127\.0/);

    const once = start(new Captured(), { url: camera.url, username: user, password }, { restart: false });
    const error: unknown = await once.done.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'capture/unauthorised', kind: 'refused' });
    expect(String((error as Error).stack)).not.toMatch(/p@ss|p%40ss|front/);
  });

  test('that is not there, or has no such stream, is missing', async () => {
    await using camera = await RtspCamera.start({ file: gop1 });
    for (const url of ['rtsp://127.0.0.1:1/stream', `rtsp://127.0.0.1:${camera.port}/other`]) {
      const { done } = start(new Captured(), { url }, { restart: false });
      await expect(done).rejects.toMatchObject({ code: 'capture/source-missing', kind: 'unavailable' });
    }
  });

  test('killed and back on the same port: a new run, and both play', async () => {
    const captured = new Captured();
    let camera = await RtspCamera.start({ file: gop1, user, password });
    const { port } = camera;
    const capture = start(captured, { url: camera.url, username: user, password });
    await captured.until(() => captured.frames.length >= 6);
    await camera[Symbol.asyncDispose]();
    await captured.until(() => captured.states.some(({ state }) => state === 'lost'));
    camera = await RtspCamera.start({ file: gop1, user, password, port });
    await captured.until(() => captured.runs.length >= 2 && captured.framesOf(captured.runs.at(-1)?.runId).length >= 6);
    await capture[Symbol.asyncDispose]();
    await camera[Symbol.asyncDispose]();
    expect(captured.runs).toHaveLength(2);
    expect(codes(captured)).toContain('capture/source-ended');
    for (const [index, { runId }] of captured.runs.entries()) {
      expectSound(captured, runId, index === 0);
      expect(captured.fragmentsOf(runId)[0]?.keyframe).toBe(true);
    }
    expect(captured.endedRunIds).toEqual(captured.runs.map(({ runId }) => runId));
  });

  test('that freezes is stale, then stalled, and gives a new run when it moves again', async () => {
    await using camera = await RtspCamera.start({ file: gop1 });
    const captured = new Captured();
    const capture = start(captured, { url: camera.url }, { stallMs: 2000 });
    await captured.until(() => captured.frames.length >= 4);
    camera.signal('SIGSTOP');
    await captured.until(() => captured.states.some(({ state }) => state === 'lost'));
    expect(captured.states.slice(-3)).toContainEqual({ state: 'stale', code: 'capture/stalled' });
    expect(captured.states.slice(-3)).toContainEqual({ state: 'lost', code: 'capture/stalled' });
    expect(captured.endedRunIds).toHaveLength(1);
    camera.signal('SIGCONT');
    await captured.until(() => captured.runs.length === 2 && captured.framesOf(captured.runs[1]?.runId).length >= 4);
    await capture[Symbol.asyncDispose]();
    for (const { runId } of captured.runs) expectSound(captured, runId);
  });

  test('gets a new run when the wall clock is set', async () => {
    let stepMs = 0;
    const clock: Clock = { ...systemClock, wallMs: () => systemClock.wallMs() + stepMs };
    await using camera = await RtspCamera.start({ file: gop1 });
    const captured = new Captured();
    const capture = start(captured, { url: camera.url }, { clock });
    await captured.until(() => captured.fragments.length >= 4);
    stepMs = 3_600_000;
    await captured.until(
      () => captured.runs.length === 2 && captured.anchors.at(-1)?.runId === captured.runs[1]?.runId,
    );
    await capture[Symbol.asyncDispose]();
    expect(codes(captured)).toContain('capture/clock-stepped');
    const [before, after] = captured.runs.map(({ runId }) => captured.anchors.find((anchor) => anchor.runId === runId));
    expect((after?.wallAtZeroMs ?? 0) - (before?.wallAtZeroMs ?? 0)).toBeGreaterThan(3_500_000);
  });

  test('that takes the connection and says nothing is given up', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    let askedMs = 0;
    // Steady time runs thirty times as fast, so that the long limit of a start passes soon.
    const clock: Clock = { ...systemClock, monotonicMs: () => (askedMs = performance.now() * 30) };
    const { done } = start(new Captured(), { url: `rtsp://127.0.0.1:${port}/stream` }, { clock, restart: false });
    await expect(done).rejects.toMatchObject({ code: 'capture/stalled', kind: 'unavailable' });
    expect(askedMs).toBeGreaterThan(0);
    server.close();
  });
});
