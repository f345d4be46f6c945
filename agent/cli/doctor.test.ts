import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { porchPath, type RecordingSettings, TestCamera } from '../../test-fixtures/recording.ts';
import { register } from './doctor.ts';
import type { Finding } from './doctor-finding.ts';
import { runCommand } from './fixture/command.ts';

const cameras: TestCamera[] = [];
afterEach(() => {
  for (const camera of cameras.splice(0)) camera.remove();
});

function house(settings: RecordingSettings = {}): TestCamera {
  const camera = new TestCamera(settings);
  cameras.push(camera);
  for (const room of ['keys', 'cameras']) mkdirSync(join(camera.dataDir, room), { recursive: true, mode: 0o700 });
  chmodSync(join(camera.dataDir, 'keys'), 0o700);
  return camera;
}

async function examine(
  camera: TestCamera,
): Promise<{ status: number; stderr: string; of: (about: string) => Finding | undefined }> {
  const { status, stdout, stderr } = await runCommand([register], ['doctor', '--json', '--config', camera.configPath]);
  const findings = JSON.parse(stdout) as Finding[];
  return { status, stderr, of: (about) => findings.find((finding) => finding.about === about) };
}

const off = { person: { model: 'off' }, clip: { mode: 'motion' } } as const;

test('a set-up that works: every finding is in order or says what it costs', async () => {
  const privacyMasks: [number, number][][] = [[[0, 0], [1, 0], [1, 0.2]]]; // biome-ignore format: one mask
  const camera = house({ camera: { ...off, privacyMasks } });
  await camera.recordAll();
  const { status, of } = await examine(camera);
  expect(status).toBe(0);
  expect(of('keys')?.what).toMatch(/^made here on \d{4}-\d\d-\d\d; recipients: yours and paper; nobody else$/);
  expect(of('encoder')).toMatchObject({ verdict: 'good' });
  expect(of('clock')).toMatchObject({ verdict: 'poor', what: 'believed as it is, because the configuration says so' });
  expect(of('camera door')).toMatchObject({ verdict: 'good', figures: { widthPx: 640, heightPx: 360, fps: 10 } });
  expect(of('mask of door')?.what).toMatch(/1 set, burned in before anything is stored; it costs \d+ % of one core/);
  expect(of('clips of door')?.what).toMatch(/^1 clip, .* 0 % of the quota$/);
  expect(of('files')).toMatchObject({ verdict: 'good' });
  expect(of('broker')).toMatchObject({ verdict: 'poor' });
  expect(Number(of('power cuts')?.figures?.['fsyncMs'])).toBeGreaterThan(0);
  const text = await runCommand([register], ['doctor', '--config', camera.configPath]);
  expect(text.stdout).toContain(' ok   encoder:');
  expect(text.stdout).toContain('      → ');
});

test('a running recorder is asked rather than the camera taken from it', async () => {
  const source = { kind: 'file', path: porchPath, pace: 'realtime', loop: true } as const;
  const camera = house({ camera: { ...off, source } });
  const recorder = camera.start();
  await Promise.race([camera.waitFor(({ state }) => state === 'streaming'), recorder.done]);
  const { of } = await examine(camera);
  await recorder.stop();
  expect(of('camera door')).toMatchObject({
    verdict: 'good',
    what: expect.stringContaining('recording; the newest part is'),
  });
});

test('what is wrong is said with what to do, and the exit status tells', async () => {
  const model = { path: '/nonexistent/model.onnx', sha256: '0'.repeat(64) };
  const source = {
    kind: 'rtsp',
    url: 'rtsp://127.0.0.1:9/none',
    username: 'joe',
    passwordFile: 'camera.password',
  } as const;
  const camera = house({ camera: { source, person: { model } } });
  writeFileSync(join(camera.dataDir, 'camera.password'), 'hunter2\n', { mode: 0o644 });
  const others = { owner: 'age1', recovery: 'age1', vendor: 'age1' };
  writeFileSync(join(camera.dataDir, 'keys', 'recipients.json'), JSON.stringify(others));
  mkdirSync(join(camera.dataDir, 'owner'), { mode: 0o755 });
  const { status, stderr, of } = await examine(camera);
  expect([status, stderr]).toEqual([4, expect.stringContaining('(doctor/bad)')]);
  expect(of('keys')).toMatchObject({ verdict: 'bad', what: 'clips would be sealed to owner, recovery, vendor' });
  expect(of('files')?.what).toContain('others on this machine may read');
  expect(of('files')?.what).toContain('camera.password');
  expect(of('camera door')).toMatchObject({
    verdict: 'bad',
    what: expect.stringContaining('Cannot open the RTSP camera'),
  });
  expect(of('model of door')).toMatchObject({ verdict: 'bad' });
  expect(JSON.stringify(of('camera door'))).not.toContain('hunter2');
});

test('a quota that the disk cannot hold, and no ffmpeg at all', async () => {
  const camera = house({ camera: off, retention: { maxBytes: 2 ** 49 } });
  const ffmpegPath = join(camera.dataDir, 'no-ffmpeg');
  writeFileSync(camera.configPath, JSON.stringify({ ...camera.config, ffmpegPath }));
  const { status, of } = await examine(camera);
  expect(status).toBe(4);
  expect(of('disk')).toMatchObject({ verdict: 'poor', advice: expect.stringContaining('retention.maxBytes') });
  expect(of('ffmpeg')).toMatchObject({ verdict: 'bad', advice: 'apt-get install ffmpeg' });
  expect(existsSync(join(camera.dataDir, 'cameras', 'door'))).toBe(false);
});
