/** A camera's bytes for the stores: fragments of a fifth of a second that nothing can compress, keyframes every two seconds. */
import { randomBytes } from 'node:crypto';
import type { Fragment, Run } from '../../../agent/recorder/stages.ts';

export const fragmentMs = 200;
const gopMs = 2000;
const pool = randomBytes(4 << 20);

export const benchRun: Run = {
  runId: 'bench',
  init: pool.subarray(0, 700),
  codec: 'avc1.64001f',
  widthPx: 1920,
  heightPx: 1080,
};

export function fragmentAt(index: number, bitsPerSecond: number): Fragment {
  const bytes = Math.round((bitsPerSecond / 8) * (fragmentMs / 1000));
  const from = (index * 7919) % (pool.length - bytes);
  const startMs = index * fragmentMs;
  return {
    runId: benchRun.runId,
    bytes: pool.subarray(from, from + bytes),
    keyframe: startMs % gopMs === 0,
    startMs,
    durationMs: fragmentMs,
    pictureCount: 3,
  };
}
