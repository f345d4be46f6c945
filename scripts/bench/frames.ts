/** Small frames of a stream as raw luma in a file: every method looks at the very same bytes. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { findFfmpeg } from '../../agent/base/ffmpeg.ts';
import type { SmallFrame } from '../../agent/recorder/stages.ts';
import { runProgram } from './python.ts';

export interface LumaFile {
  readonly path: string;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Frame `n` shows the stream at about `n / fps` seconds. */
  readonly fps: number;
  readonly frameCount: number;
}

export interface LumaOptions {
  readonly source: string;
  readonly out: string;
  readonly widthPx: number;
  readonly heightPx: number;
  /** The first picture at or after each tick; all pictures where it is the stream's own rate. */
  readonly fps: number;
  readonly everyPicture?: boolean;
  readonly maxSeconds?: number;
}

/** Decodes as the recorder does: without the loop filter, scaled by area. */
export async function decodeLuma(options: LumaOptions): Promise<LumaFile> {
  const { source, out, widthPx, heightPx, fps, everyPicture = false, maxSeconds } = options;
  // The filter `fps` would show the last picture before the next tick.
  const pick = everyPicture ? [] : [`select=gte(t\\,selected_n/${fps}-0.001)`];
  const limit = maxSeconds === undefined ? [] : ['-t', String(maxSeconds)];
  await runProgram(findFfmpeg(), [
    ...'-nostdin -v error -threads 1 -skip_loop_filter all'.split(' '),
    ...limit,
    '-i',
    source,
    '-vf',
    [...pick, `scale=${widthPx}:${heightPx}:flags=area`, 'format=gray'].join(','),
    ...'-fps_mode passthrough -f rawvideo -y'.split(' '),
    out,
  ]);
  const frameCount = Math.floor(statSync(out).size / (widthPx * heightPx));
  return { path: out, widthPx, heightPx, fps, frameCount };
}

/** The frames one after another, grey, as the motion stage takes them. The bytes of a frame are used again for the next. */
export function* readLuma(file: LumaFile): Generator<SmallFrame> {
  const { path, widthPx, heightPx, fps, frameCount } = file;
  const pixels = widthPx * heightPx;
  const yuv = new Uint8Array((pixels * 3) / 2).fill(128);
  const fd = openSync(path, 'r');
  try {
    for (let index = 0; index < frameCount; index++) {
      readSync(fd, yuv, 0, pixels, index * pixels);
      yield { runId: path, timeMs: (index * 1000) / fps, widthPx, heightPx, yuv };
    }
  } finally {
    closeSync(fd);
  }
}
