/** What is missing is said, with the way to get it, and whatever can go on goes on. */
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { porchPath, TestCamera } from '../recording.ts';

const main = join(import.meta.dirname, '../../agent/main.ts');
const cameras: TestCamera[] = [];
afterEach(() => {
  for (const camera of cameras.splice(0)) camera.remove();
});

function testCamera(...settings: ConstructorParameters<typeof TestCamera>): TestCamera {
  const camera = new TestCamera(...settings);
  cameras.push(camera);
  return camera;
}

const motion = { clip: { mode: 'motion', postRollMs: 1000 } } as const;

describe('a missing', () => {
  it('model: motion alone goes on recording, and status and log say so loudly', async () => {
    const camera = testCamera({
      camera: {
        ...motion,
        clip: { mode: 'person', postRollMs: 1000 },
        person: { model: { path: 'no-such.onnx', sha256: 'a'.repeat(64) } },
      },
    });
    const status = await camera.recordAll(camera.log);
    expect(status['person']).not.toBe('on');
    // By what is stored: the last clip may still be closing when the file has ended.
    expect(camera.clips().map(({ state }) => state)).toContain('closed');
    expect(camera.logLines.join('')).toContain('person/model-missing');
  });

  it('model with another hash is not used', async () => {
    const camera = testCamera({
      camera: { ...motion, person: { model: { path: porchPath, sha256: 'b'.repeat(64) } } },
    });
    await camera.recordAll(camera.log);
    expect(camera.logLines.join('')).toContain('person/model-hash');
  });

  it('ffmpeg ends the recorder with the way to get it', () => {
    const camera = testCamera({ camera: motion });
    const config = JSON.parse(JSON.stringify(camera.config)) as Record<string, unknown>;
    writeFileSync(camera.configPath, JSON.stringify({ ...config, ffmpegPath: '/nonexistent/ffmpeg' }));
    const run = spawnSync(
      process.execPath,
      [main, 'program', 'recorder', '--camera', 'door', '--config', camera.configPath],
      {
        encoding: 'utf8',
        timeout: 30_000,
        env: { ...process.env, FFMPEG_BIN: '/nonexistent/ffmpeg' },
      },
    );
    expect(run.status).not.toBe(0);
    expect(run.stderr).toContain('base/ffmpeg-missing');
    expect(run.stderr).toMatch(/apt(-get)? install ffmpeg/);
    expect(run.stderr).not.toContain('    at ');
  });

  it('camera is looked for again and again, and said to be missing', async () => {
    const camera = testCamera({
      camera: { ...motion, source: { kind: 'rtsp', url: 'rtsp://127.0.0.1:9/none' }, person: { model: 'off' } },
    });
    const running = camera.start(camera.log);
    const status = await camera.waitFor(({ state }) => state === 'lost');
    expect(status['state']).toBe('lost');
    await running.stop();
    expect(camera.logLines.join('')).toMatch(/capture\/(source-missing|unreachable)/);
  });

  it('broker: recording goes on', { timeout: 60_000 }, async () => {
    const camera = testCamera({
      camera: { ...motion, source: { kind: 'file', path: porchPath, pace: 'fast' }, person: { model: 'off' } },
    });
    const config = JSON.parse(JSON.stringify(camera.config)) as Record<string, unknown>;
    writeFileSync(
      camera.configPath,
      JSON.stringify({ ...config, broker: { url: 'mqtt://127.0.0.1:9' }, web: { port: 0 } }),
    );
    // No owner has been set up here, so that program fails too; the recorder must not care.
    const supervisor = spawn(process.execPath, [main, 'run', '--config', camera.configPath], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    supervisor.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const ended = new Promise((resolve) => supervisor.once('exit', resolve));
    const status = await camera.waitFor(({ closedCount }) => Number(closedCount) >= 1);
    expect(Number(status['closedCount'])).toBe(1);
    supervisor.kill('SIGTERM');
    await ended;
    expect(said).toContain('owner/not-enrolled');
  });
});
