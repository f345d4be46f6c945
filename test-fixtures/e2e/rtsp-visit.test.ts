/** The whole recorder on a real RTSP camera with a password, whose power is cut and comes back. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { RtspCamera } from '../cameras/rtsp-camera.ts';
import { porchPath, type RecordedClip, TestCamera } from '../recording.ts';

const password = 'doorbell-secret';
let recording: TestCamera | undefined;
afterEach(() => recording?.remove());

/** Frames that ffmpeg decodes; any complaint of its is a failure. */
function decodedFrames(camera: TestCamera, clip: RecordedClip): number {
  const path = join(camera.dataDir, `${clip.clipId}.mp4`);
  writeFileSync(path, clip.video);
  const args = ['-v', 'error', '-count_frames', '-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0', path];
  const probe = spawnSync('ffprobe', args, { encoding: 'utf8' });
  expect(probe.stderr).toBe('');
  return Number.parseInt(probe.stdout, 10);
}

it('is a new run after a power cut, without a phantom event, and the clips of both runs play', {
  timeout: 150_000,
}, async () => {
  let camera = await RtspCamera.start({ file: porchPath, user: 'owner', password });
  const { port } = camera;
  const recorder = new TestCamera({
    camera: {
      source: { kind: 'rtsp', url: camera.url, transport: 'tcp', username: 'owner', passwordFile: 'camera.password' },
      clip: { mode: 'motion', preRollMs: 1000, postRollMs: 1000 },
      person: { model: 'off' },
    },
  });
  recording = recorder;
  writeFileSync(join(recorder.dataDir, 'camera.password'), `${password}\n`);
  const running = recorder.start(recorder.log);
  try {
    await recorder.waitFor(({ closedCount }) => Number(closedCount) >= 1);
    await camera[Symbol.asyncDispose]();
    await recorder.waitFor(({ state }) => state !== 'streaming');
    camera = await RtspCamera.start({ file: porchPath, user: 'owner', password, port });
    const cameBackMs = Date.now();
    await recorder.waitFor(({ closedCount }) => Number(closedCount) >= 2);
    await running.stop();

    const clips = recorder.clips().filter((c) => c.state === 'closed');
    const runs = new Set(clips.map((c) => c.opening.run_id));
    expect(runs.size).toBeGreaterThanOrEqual(2);
    for (const clip of clips) expect(decodedFrames(recorder, clip)).toBeGreaterThan(20);
    // The porch stream is empty for its first 3 s: what moves after the reconnect moves because a visitor comes.
    const after = clips.find((c) => c.opening.start_ms > cameBackMs);
    const label = after?.closing?.labels[0];
    expect((label?.from_ms ?? 0) - cameBackMs).toBeGreaterThan(2000);
    const logged = recorder.logLines.join('');
    expect(logged).not.toContain(password);
    expect(logged).not.toMatch(/rtsp:\/\/[^*]*@/);
  } finally {
    await running.stop();
    await camera[Symbol.asyncDispose]();
  }
});
