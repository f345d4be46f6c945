import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../agent/base/child.ts';
import { findFfmpeg } from '../agent/base/ffmpeg.ts';
import type { SmallFrame } from '../agent/recorder/stages.ts';

/** Small frames of a recorded file by real ffmpeg, for tests of what looks at them. `frames` counts from 0 at `fps`. */
export interface FileFrames {
  readonly path: string;
  readonly fps: number;
  readonly widthPx?: number;
  readonly heightPx?: number;
}

export async function* readSmallFrames(options: FileFrames): AsyncGenerator<SmallFrame> {
  const { path, fps, widthPx = 640, heightPx = 360 } = options;
  const frameBytes = (widthPx * heightPx * 3) / 2;
  await using child = new Child({
    command: findFfmpeg(),
    args: [
      ...'-nostdin -v error -threads 1 -i'.split(' '),
      path,
      '-vf',
      // The first picture at or after each tick; the filter `fps` would show the last one before the next tick.
      `select=gte(t\\,selected_n/${fps}-0.001),scale=${widthPx}:${heightPx}:flags=area`,
      ...'-fps_mode passthrough -pix_fmt yuv420p -f rawvideo -'.split(' '),
    ],
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = child.process.stdout;
  if (output === null) throw new Error('ffmpeg has no output');
  let frame = Buffer.alloc(frameBytes);
  let filled = 0;
  let index = 0;
  for await (const chunk of output as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; ) {
      const copied = chunk.copy(frame, filled, at);
      at += copied;
      filled += copied;
      if (filled < frameBytes) continue;
      yield { runId: path, timeMs: (index * 1000) / fps, widthPx, heightPx, yuv: frame };
      index += 1;
      frame = Buffer.alloc(frameBytes);
      filled = 0;
    }
  }
}

export interface PorchFrame {
  readonly i: number;
  readonly people: readonly { readonly box: readonly [number, number, number, number] }[];
  readonly moving: boolean;
}

export const porchStream = join(import.meta.dirname, 'streams', 'porch-day.mp4');

/** The porch's truth, 10 frames a second at 640x360: boxes are left, top, right, bottom in pixels. */
export function porchTruth(): readonly PorchFrame[] {
  const text = readFileSync(join(import.meta.dirname, 'streams', 'porch-day.json'), 'utf8');
  return (JSON.parse(text) as { frames: PorchFrame[] }).frames;
}
