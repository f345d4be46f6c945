import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Captured, encode } from '../../../test-fixtures/cameras/captured.ts';
import { RtspCamera } from '../../../test-fixtures/cameras/rtsp-camera.ts';
import { systemClock } from '../../base/clock.ts';
import { findFfmpeg } from '../../base/ffmpeg.ts';
import { type CaptureOptions, startCapture } from './capture.ts';
import type { SourceConfig } from './source.ts';

const porch = fileURLToPath(new URL('../../../test-fixtures/streams/porch-day.mp4', import.meta.url));
const tone = ['-f', 'lavfi', '-i', 'sine=f=440:r=16000', '-map', '0:v', '-map', '1:a', '-t', '6', '-c:v', 'copy'];
let dir: string;
const made = (name: string): string => join(dir, name);

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'capture-sound-'));
  encode(porch, made('aac.mp4'), [...tone, '-c:a', 'aac']);
  encode(porch, made('opus.mp4'), [...tone, '-c:a', 'libopus']);
  encode(porch, made('mulaw.mkv'), [...tone, '-c:a', 'pcm_mulaw']);
  encode(porch, made('mp3.mp4'), [...tone, '-c:a', 'libmp3lame']);
});
afterAll(() => rmSync(dir, { recursive: true }));

function options(captured: Captured, source: SourceConfig): CaptureOptions {
  const { signal } = new AbortController();
  return { source, detect: null, sound: true, clock: systemClock, log: captured.log, signal, restart: false };
}

const file = (path: string): SourceConfig => ({ kind: 'file', path, pace: 'fast', loop: false });

/** Loudness of the tone in the recorded sound, and what ffmpeg complains about. */
function listen(
  captured: Captured,
  runId: string | undefined,
): { readonly meanDb: number; readonly complaints: string } {
  const path = made('heard.mp4');
  const init = captured.sounds.find((sound) => sound.runId === runId)?.init ?? Buffer.alloc(0);
  const mine = captured.soundFragments.filter((fragment) => fragment.runId === runId);
  writeFileSync(path, Buffer.concat([init, ...mine.map(({ bytes }) => bytes)]));
  const args = ['-nostdin', '-hide_banner', '-i', path, '-af', 'volumedetect', '-f', 'null', '-'];
  const { stderr } = spawnSync(findFfmpeg(), args, { encoding: 'utf8' });
  const meanDb = Number(/mean_volume: (-?[\d.]+) dB/.exec(stderr)?.[1] ?? Number.NaN);
  return {
    meanDb,
    complaints: stderr
      .split('\n')
      .filter((line) => /error|invalid/i.test(line))
      .join('\n'),
  };
}

describe.each([
  ['AAC is copied', 'aac.mp4', 'mp4a.40.2'],
  ['Opus is copied', 'opus.mp4', 'opus'],
  ['what no browser plays is encoded', 'mulaw.mkv', 'mp4a.40.2'],
  ['so is what only shows to be unplayable in the file', 'mp3.mp4', 'mp4a.40.2'],
])('%s', (_, name, codec) => {
  test(`sound of ${name} has its own fragments on the run's time line`, async () => {
    const captured = new Captured();
    await startCapture(options(captured, file(made(name))), captured).done;
    const run = captured.runs.at(-1);
    expect(captured.sounds.at(-1)).toMatchObject({ runId: run?.runId, codec });
    const video = captured.fragmentsOf(run?.runId);
    const sound = captured.soundFragments.filter(({ runId }) => runId === run?.runId);
    const [first, last] = [sound[0], sound.at(-1)];
    expect(Math.abs((first?.startMs ?? 0) - (video[0]?.startMs ?? 0))).toBeLessThan(150);
    expect(Math.abs((last?.startMs ?? 0) + (last?.durationMs ?? 0) - 16_000)).toBeLessThan(200);
    for (const [index, fragment] of sound.entries()) {
      const next = sound[index + 1];
      if (next !== undefined) expect(Math.abs(next.startMs - fragment.startMs - fragment.durationMs)).toBeLessThan(2);
      expect(fragment.durationMs).toBeLessThanOrEqual(1100);
    }
    const { meanDb, complaints } = listen(captured, run?.runId);
    expect(meanDb).toBeGreaterThan(-40);
    expect(complaints).toBe('');
    expect(captured.states.map(({ state }) => state)).not.toContain('lost');
  });
});

test('a camera without sound is recorded without it, and the log says so', async () => {
  const captured = new Captured();
  await startCapture(options(captured, file(porch)), captured).done;
  expect(captured.fragments.length).toBeGreaterThan(50);
  expect(captured.sounds).toEqual([]);
  expect(captured.logLines.join()).toContain('capture/no-sound');
  expect(captured.states.map(({ state }) => state)).not.toContain('lost');
});

test('what is no video stays that, with sound asked for', async () => {
  const captured = new Captured();
  writeFileSync(made('text.mp4'), 'not a video at all'.repeat(100));
  const { done } = startCapture(options(captured, file(made('text.mp4'))), captured);
  await expect(done).rejects.toMatchObject({ code: 'capture/bad-stream' });
});

test('sound alone is no video', async () => {
  const captured = new Captured();
  encode(porch, made('only-sound.mp4'), ['-f', 'lavfi', '-i', 'sine', '-map', '1:a', '-t', '2', '-c:a', 'aac']);
  const { done } = startCapture(options(captured, file(made('only-sound.mp4'))), captured);
  await expect(done).rejects.toMatchObject({ code: 'capture/bad-stream' });
});

test.each(['aac', 'pcmu'] as const)('an RTSP camera is heard in %s', async (sound) => {
  const captured = new Captured();
  await using camera = await RtspCamera.start({ file: porch, sound });
  const source = { kind: 'rtsp', url: camera.url, transport: 'tcp' } as const;
  await using capture = startCapture({ ...options(captured, source), restart: true }, captured);
  await captured.until(() => captured.soundFragments.length > 6 && captured.fragments.length > 10);
  const run = captured.runs.at(-1);
  expect(captured.sounds.at(-1)?.codec).toBe('mp4a.40.2');
  expect(listen(captured, run?.runId).meanDb).toBeGreaterThan(-40);
  const [video, heard] = [
    captured.fragmentsOf(run?.runId)[0],
    captured.soundFragments.find((f) => f.runId === run?.runId),
  ];
  expect(Math.abs((video?.startMs ?? 0) - (heard?.startMs ?? 0))).toBeLessThan(3000);
  expect(captured.logLines.join()).not.toContain('without sound');
  expect(capture.stats().state).toBe('streaming');
});
