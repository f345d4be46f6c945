/** Hashes of the foreground masks of the committed streams, by the core's own small program, for every kernel that it has. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findFfmpeg } from '../agent/base/ffmpeg.ts';

const root = join(import.meta.dirname, '..');
const streams = join(root, 'test-fixtures/streams');
export const emulator = '/usr/bin/qemu-aarch64-static';
export const compiler = '/usr/bin/aarch64-linux-gnu-g++';
/** Whether this machine can run what it builds for arm64. */
export const emulatesArm64 = process.arch === 'x64' && [emulator, compiler].every((path) => existsSync(path));

export const streamPaths = readdirSync(streams)
  .filter((name) => name.endsWith('.mp4'))
  .map((name) => join(streams, name));

export interface MaskSize {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly fps: number;
}

/** Builds native/test/mask-hash.cc as `path` and returns that. */
export function buildMaskHash(path: string, env: Readonly<Record<string, string>> = {}): string {
  const built = spawnSync('bash', ['native/program.sh', 'mask-hash', path], {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  if (built.status !== 0) throw new Error(built.stderr);
  return path;
}

export function lumaFrames(path: string, { widthPx, heightPx, fps }: MaskSize): Buffer {
  const filter = `fps=${fps},scale=${widthPx}:${heightPx}:flags=area`;
  const args = ['-nostdin', '-v', 'error', '-threads', '1', '-i', path, '-vf', filter];
  const decoded = spawnSync(findFfmpeg(), [...args, '-pix_fmt', 'gray', '-f', 'rawvideo', '-'], { maxBuffer: 1 << 30 });
  if (decoded.status !== 0) throw new Error(decoded.stderr.toString());
  return decoded.stdout;
}

/** What each kernel makes of the frames at these sensitivities: its name and the hashes. */
export function maskHashes(
  command: readonly string[],
  frames: Buffer,
  { widthPx, heightPx, fps }: MaskSize,
  sensitivities: readonly number[],
): ReadonlyMap<string, string> {
  const [program = '', ...before] = command;
  const found = new Map<string, string>();
  for (const sensitivity of sensitivities) {
    const args = [...before, ...[widthPx, heightPx, fps, sensitivity].map(String)];
    const run = spawnSync(program, args, { input: frames, encoding: 'utf8' });
    if (run.status !== 0) throw new Error(run.stderr);
    for (const line of run.stdout.trimEnd().split('\n')) {
      const [kernel = '', count = '', sha256 = ''] = line.split(' ');
      const isWhole = Number(count) === frames.length / (widthPx * heightPx) && /^[0-9a-f]{64}$/.test(sha256);
      if (!isWhole) throw new Error(`mask-hash printed ${line}`);
      found.set(kernel, `${found.get(kernel) ?? ''}${sha256} `);
    }
  }
  return found;
}
