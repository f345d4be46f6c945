import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { porchPath, porchTruthPath, type RecordingSettings, TestCamera } from '../../test-fixtures/recording.ts';
import { systemClock } from '../base/clock.ts';
import { ControlClient, type ControlEvent } from '../base/control.ts';
import { AgentError } from '../base/errors.ts';

const cameras: TestCamera[] = [];
afterEach(() => {
  for (const camera of cameras.splice(0)) camera.remove();
});

function testCamera(settings: RecordingSettings = {}): TestCamera {
  const camera = new TestCamera(settings);
  cameras.push(camera);
  return camera;
}

/** Seconds from the start of the porch stream in which the visitor is visible. */
function visit(): { fromS: number; toS: number } {
  const truth = JSON.parse(readFileSync(porchTruthPath, 'utf8')) as { frames: { t: number; people: unknown[] }[] };
  const seen = truth.frames.filter(({ people }) => people.length > 0).map(({ t }) => t);
  return { fromS: Math.min(...seen), toS: Math.max(...seen) };
}

const motionOnly = { clip: { mode: 'motion', preRollMs: 2000, postRollMs: 1000 }, person: { model: 'off' } } as const;
const looped = { kind: 'file', path: porchPath, pace: 'realtime', loop: true } as const;

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof AgentError) return thrown.code;
    throw thrown;
  }
  return 'none';
}

/** Decodes every picture; any complaint of ffmpeg is a failure. */
function decodedFrameCount(camera: TestCamera, video: Uint8Array): number {
  const path = join(camera.dataDir, 'clip.mp4');
  writeFileSync(path, video);
  const args = ['-v', 'error', '-count_frames', '-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0', path];
  const probe = spawnSync('ffprobe', args, { encoding: 'utf8' });
  expect(probe.stderr).toBe('');
  return Number.parseInt(probe.stdout, 10);
}

describe('a visit', () => {
  test('is one clip around what moved, to the GOP, opened by stock age with the paper key and decoded without error', async () => {
    const camera = testCamera({ camera: motionOnly });
    const status = await camera.recordAll();
    expect(status).toMatchObject({ problem: null, lostFragmentCount: 0, person: 'off' });
    const [clip, ...others] = camera.clips();
    expect(others).toEqual([]);
    expect(clip?.state).toBe('closed');
    const fragments = clip?.closing?.fragments ?? [];
    const zeroMs = fragments[1]?.start_ms ?? 0;
    const inStreamMs = (ms: number): number => ms - (clip?.opening.wall_at_zero_ms ?? 0) - 10_000;
    const { fromS, toS } = visit();
    const [label] = clip?.closing?.labels ?? [];
    expect(label?.kind).toBe('motion');
    expect(Math.abs(inStreamMs(label?.from_ms ?? 0) / 1000 - fromS)).toBeLessThanOrEqual(0.5);
    expect(Math.abs(inStreamMs(label?.to_ms ?? 0) / 1000 - toS)).toBeLessThanOrEqual(0.5);
    // The stream has a keyframe every 4 s: a pre-roll of 2 s before second 3 begins at second 0.
    expect(inStreamMs(zeroMs)).toBe(0);
    const endS = inStreamMs(clip?.closing?.end_ms ?? 0) / 1000;
    expect(endS).toBeGreaterThanOrEqual(toS + 1);
    expect(endS).toBeLessThan(toS + 2);

    const keyPath = join(camera.dataDir, 'paper.key');
    writeFileSync(keyPath, camera.recovery.identity);
    const opened = (clip?.segments ?? []).map(({ header, body }) => {
      const age = spawnSync('age', ['-d', '-i', keyPath], { input: Buffer.concat([header, body]) });
      expect(age.stderr.toString()).toBe('');
      return age.stdout;
    });
    expect(decodedFrameCount(camera, Buffer.concat(opened))).toBe(Math.round(endS * 10));
    expect(Buffer.from(clip?.closing?.thumbnail ?? '', 'base64').subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
  });
});

const embeddedPresent = existsSync(join(import.meta.dirname, '../../models/manifest.json'));

test.skipIf(!embeddedPresent)('the visitor is one person clip by the embedded model (needs models/)', async () => {
  const camera = testCamera({ camera: { clip: { mode: 'person', preRollMs: 2000, postRollMs: 1000 } } });
  const status = await camera.recordAll();
  expect(status).toMatchObject({ person: 'on', problem: null, failedLookCount: 0 });
  const [clip, ...others] = camera.clips();
  expect(others).toEqual([]);
  const { fromS, toS } = visit();
  const inStreamS = (ms: number): number => (ms - (clip?.opening.wall_at_zero_ms ?? 0)) / 1000 - 10;
  const people = (clip?.closing?.labels ?? []).filter(({ kind }) => kind === 'person');
  expect(clip?.opening.trigger).toBe('person');
  expect(people).toHaveLength(1);
  expect(inStreamS(clip?.closing?.fragments[1]?.start_ms ?? 0)).toBeLessThanOrEqual(fromS - 2);
  expect(inStreamS(clip?.closing?.end_ms ?? 0)).toBeGreaterThanOrEqual(toS);
  expect(Math.abs(inStreamS(people[0]?.from_ms ?? 0) - fromS)).toBeLessThanOrEqual(0.5);
  expect(Math.abs(inStreamS(people[0]?.to_ms ?? 0) - toS)).toBeLessThanOrEqual(0.5);
});

describe('what can go wrong', () => {
  test('without its model, mode person records every motion and says so loudly', async () => {
    const model = { path: '/nonexistent/model.onnx', sha256: '0'.repeat(64) };
    const camera = testCamera({ camera: { clip: { mode: 'person' }, person: { model } } });
    const status = await camera.recordAll(camera.log);
    expect(status).toMatchObject({ person: 'unavailable', personCode: 'person/model-missing' });
    expect(camera.logLines.join('')).toContain('"event":"no-person-detection"');
    expect(camera.clips()[0]?.opening.trigger).toBe('motion');
  });

  test('killed while recording: what was stored is intact, the clip is cut, and recording goes on', async () => {
    const camera = testCamera({
      camera: { source: looped, clip: { mode: 'continuous' }, person: { model: 'off' } },
    });
    const main = join(import.meta.dirname, '../main.ts');
    const args = [main, 'program', 'recorder', '--camera', 'door', '--config', camera.configPath];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'ignore'] });
    const gone = new Promise((resolve) => child.once('exit', resolve));
    await camera.waitFor(({ usedBytes }) => Number(usedBytes) > 0);
    child.kill('SIGKILL');
    await gone;
    const second = camera.start();
    const status = await camera.waitFor(({ usedBytes }) => Number(usedBytes) > 150_000);
    await second.stop();
    expect(status['problem']).toBeNull();
    const [cut, next] = camera.clips();
    expect(cut).toMatchObject({ state: 'cut', closing: undefined });
    // A whole segment of five seconds, keyframe first.
    expect(decodedFrameCount(camera, cut?.video ?? Buffer.alloc(0))).toBeGreaterThan(30);
    expect(next?.state).toBe('closed');
  });

  test('when the quota is reached the oldest clips go and recording goes on', async () => {
    const camera = testCamera({
      camera: { source: { ...looped, pace: 'fast' }, clip: { mode: 'continuous' }, person: { model: 'off' } },
      retention: { maxBytes: 1 << 20, minFreeBytes: 0 },
    });
    const recorder = camera.start();
    const status = await camera.waitFor(({ closedCount }) => Number(closedCount) >= 6);
    await recorder.stop();
    expect(status['problem']).toBeNull();
    const clips = camera.clips();
    expect(clips.length).toBeGreaterThanOrEqual(2);
    expect(clips.length).toBeLessThan(5);
    expect(clips.every(({ state }) => state === 'closed')).toBe(true);
    expect(clips.flatMap(({ segments }) => segments).reduce((sum, s) => sum + s.body.length, 0)).toBeLessThan(1 << 20);
    expect(statSync(camera.databasePath).size).toBeLessThan(3 << 20);
  });

  test('when the owner keeps everything, nothing of it goes: new clips wait, and the status says so', async () => {
    const camera = testCamera({
      camera: { source: { ...looped, pace: 'fast' }, clip: { mode: 'continuous' }, person: { model: 'off' } },
      retention: { maxBytes: 1 << 20, minFreeBytes: 0 },
    });
    const recorder = camera.start();
    const pinAll = async (): Promise<unknown> =>
      camera.call('pin', { clipIds: camera.clips().map(({ clipId }) => clipId) });
    const status = await camera.waitFor(({ problem }) => {
      void pinAll().catch(() => {});
      return problem === 'store/full';
    });
    expect(status['recording']).toBe(true);
    await camera.call('unpin', { clipIds: camera.clips().map(({ clipId }) => clipId) });
    await camera.waitFor(({ problem }) => problem === null);
    await recorder.stop();
  });

  test('a database that turns out damaged while recording is set aside, and recording goes on', async () => {
    const camera = testCamera({
      camera: { source: { ...looped, pace: 'fast' }, clip: { mode: 'continuous' }, person: { model: 'off' } },
    });
    const recorder = camera.start(camera.log);
    await camera.waitFor(({ closedCount }) => Number(closedCount) >= 2);
    writeFileSync(camera.databasePath, randomBytes(statSync(camera.databasePath).size), { flag: 'r+' });
    const closed = Number((await camera.status().catch(() => ({ closedCount: 2 })))['closedCount']);
    await camera.waitFor(({ closedCount }) => Number(closedCount) >= closed + 2);
    await recorder.stop();
    expect(camera.logLines.join('')).toContain('"code":"store/quarantined"');
    expect(readdirSync(join(camera.dataDir, 'cameras/door')).some((name) => name.includes('.damaged-'))).toBe(true);
    expect(camera.clips().length).toBeGreaterThanOrEqual(1);
  });

  test('without keys to seal to, or with an unknown camera, nothing is recorded', async () => {
    const camera = testCamera();
    const recipients = join(camera.dataDir, 'keys/recipients.json');
    writeFileSync(recipients, JSON.stringify({ owner: camera.owner.recipient, recovery: camera.owner.recipient }));
    expect(await codeOf(camera.start().done)).toBe('recorder/no-recipients');
    rmSync(recipients);
    expect(await codeOf(camera.start().done)).toBe('recorder/no-recipients');
    const { runRecorder } = await import('./program.ts');
    const { config } = camera;
    const signal = new AbortController().signal;
    const unknown = runRecorder({ config, cameraId: 'shed', signal, clock: systemClock, log: camera.log });
    expect(await codeOf(unknown)).toBe('recorder/unknown-camera');
  });
});

test('the control socket: pictures, pins, holds, deletions, the switch, and events', async () => {
  const camera = testCamera({
    camera: { source: { ...looped, pace: 'fast' }, ...motionOnly },
  });
  const recorder = camera.start();
  await camera.waitFor(({ state }) => state === 'streaming');
  const client = await ControlClient.connect(camera.socketPath);
  const events: ControlEvent[] = [];
  await client.subscribe((event) => events.push(event));
  await camera.waitFor(({ closedCount }) => Number(closedCount) >= 2);
  const live = (await client.call('live')) as { jpegBase64: string; atMs: number };
  expect(Buffer.from(live.jpegBase64, 'base64').subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
  const clipIds = camera.clips().map(({ clipId }) => clipId);
  const quotaBytes = camera.config.retention.maxBytes;
  const pinned = (await client.call('pin', { clipIds })) as { pinnedBytes: number };
  expect(pinned).toMatchObject({ changedCount: clipIds.length, quotaBytes });
  expect(pinned.pinnedBytes).toBeGreaterThan(100_000);
  expect(await client.call('unpin', { clipIds })).toEqual({ changedCount: clipIds.length, pinnedBytes: 0, quotaBytes });
  const day = new Date().toISOString().slice(0, 10);
  const held = (await client.call('hold', { days: [day], untilMs: Date.now() + 1000 })) as { heldCount: number };
  expect(held.heldCount).toBeGreaterThanOrEqual(2);
  const [first = '', second = ''] = clipIds;
  const hidden = (await client.call('delete', { clipIds: [first, second] })) as { goneAtMs: number };
  expect(hidden).toMatchObject({ deletedCount: 2 });
  expect(hidden.goneAtMs).toBeGreaterThan(Date.now() + 9 * 60_000);
  expect(await client.call('undelete', { clipIds: [second, 'f'.repeat(32)] })).toEqual({ restoredCount: 1 });
  expect(await client.call('deleted')).toEqual({ clips: [{ clipId: first, goneAtMs: hidden.goneAtMs }] });
  expect(camera.clips().map(({ clipId }) => clipId)).toContain(first);
  await client.call('delete', { clipIds: [second], afterMs: 0 });
  expect(camera.clips().map(({ clipId }) => clipId)).not.toContain(second);
  expect(await codeOf(client.call('delete', { clipIds: ['../x'] }))).toBe('recorder/bad-params');
  expect(await codeOf(client.call('status', { all: true }))).toBe('recorder/bad-params');
  expect(await client.call('record', { on: false })).toEqual({ on: false });
  expect(await codeOf(client.call('live'))).toBe('recorder/no-picture');
  const before = await camera.status();
  const runs = Number(before['runCount']);
  const after = await camera.waitFor(({ runCount }) => Number(runCount) >= runs + 2);
  expect(after['clipCount']).toBe(before['clipCount']);
  await client.call('record', { on: true });
  await camera.waitFor(({ clipCount }) => Number(clipCount) > Number(before['clipCount']));
  await client.call('button');
  const kinds = new Set(events.map(({ event }) => event));
  for (const kind of ['event-opened', 'event-closed', 'clip-closed']) expect(kinds).toContain(kind);
  client.close();
  await recorder.stop();
});

test('a recorder holds no key that opens anything: none in its code paths, none in its folder', () => {
  const sources = ['recorder', 'store'].flatMap((room) => {
    const folder = join(import.meta.dirname, '..', room);
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8'));
  });
  expect(sources.length).toBeGreaterThan(20);
  for (const source of sources) {
    expect(source).not.toMatch(/\b(parseIdentity|openFileKey|openFile|openBody|openWithPassphrase|generateIdentity)\b/);
  }
});
