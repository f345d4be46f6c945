/** A still picture with the noise of a sensor, as a camera sends it at a quiet door: made anew from the same bytes each time. */
import { join } from 'node:path';
import { findFfmpeg } from '../../../agent/base/ffmpeg.ts';
import { porchPath } from '../../../test-fixtures/recording.ts';
import { runProgram } from '../python.ts';
import type { StreamSize } from './systems.ts';

export async function makeQuietStream(workDir: string, size: StreamSize, seconds: number): Promise<string> {
  const { widthPx, heightPx, fps } = size;
  const still = join(workDir, 'still.png');
  const out = join(workDir, `quiet-${heightPx}.mp4`);
  await runProgram(findFfmpeg(), ['-nostdin', '-v', 'error', '-y', '-i', porchPath, '-frames:v', '1', still]);
  const bitrate = Math.round(widthPx * heightPx * fps * 0.055);
  await runProgram(findFfmpeg(), [
    ...['-nostdin', '-v', 'error', '-y', '-loop', '1', '-framerate', String(fps), '-i', still, '-t', String(seconds)],
    ...['-vf', `scale=${widthPx}:${heightPx}:flags=bicubic,noise=alls=7:allf=t:all_seed=1,format=yuv420p`],
    ...'-c:v libx264 -preset veryfast -profile:v high -bf 0'.split(' '),
    ...['-g', String(fps * 2), '-b:v', String(bitrate), '-maxrate', String(bitrate), '-bufsize', String(bitrate)],
    out,
  ]);
  return out;
}
