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
  const source = `-loop 1 -framerate ${fps} -i`.split(' ');
  const filter = `scale=${widthPx}:${heightPx}:flags=bicubic,noise=alls=7:allf=t:all_seed=1,format=yuv420p`;
  const codec = '-c:v libx264 -preset veryfast -profile:v high -bf 0'.split(' ');
  const rate = `-g ${fps * 2} -b:v ${bitrate} -maxrate ${bitrate} -bufsize ${bitrate}`.split(' ');
  const length = ['-t', String(seconds), '-vf', filter];
  await runProgram(findFfmpeg(), [
    '-nostdin',
    '-v',
    'error',
    '-y',
    ...source,
    still,
    ...length,
    ...codec,
    ...rate,
    out,
  ]);
  return out;
}
