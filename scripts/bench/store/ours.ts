/** Latchkey's own way, whole: clips cut, every fragment hashed, segments sealed, metadata and a picture with each clip, room made. */
import { join } from 'node:path';
import { silentLog } from '../../../agent/base/log.ts';
import { generateIdentity } from '../../../agent/protocol/age-file.ts';
import { ClipRecorder } from '../../../agent/recorder/clip/clip-recorder.ts';
import type { SmallFrame } from '../../../agent/recorder/stages.ts';
import { ClipsDb } from '../../../agent/store/clips-db.ts';
import { porchStream, readSmallFrames } from '../../../test-fixtures/small-frames.ts';
import { clipSeconds, type Keeper, type KeeperOptions } from './keeper.ts';
import { benchRun } from './stream.ts';

const fileSlackBytes = 64 << 20;
const settleEveryMs = 1000;

/** So that a clip's picture is as large as pictures are. */
async function porchFrame(): Promise<SmallFrame> {
  for await (const frame of readSmallFrames({ path: porchStream, fps: 1 })) return frame;
  throw new Error('the porch has no picture');
}

export async function ours({ folder, quotaBytes, timed, timedPurge }: KeeperOptions): Promise<Keeper> {
  const frame = await porchFrame();
  const maxFileBytes = quotaBytes * 1.25 + fileSlackBytes;
  const db = ClipsDb.open({ path: join(folder, 'clips.db'), log: silentLog, wallMs: 0, maxFileBytes });
  let nowMs = Date.now();
  const startMs = nowMs;
  const clips = new ClipRecorder({
    cameraId: 'bench',
    recipients: [generateIdentity().recipient, generateIdentity().recipient],
    ring: { preRollMs: 5000, maxSpanMs: 50_000, maxBytes: 24 << 20 },
    maxClipMs: clipSeconds * 1000,
    retention: { maxBytes: quotaBytes, maxAgeMs: 1e12, minFreeBytes: 0 },
    store: {
      openClip: (clip) => db.openClip(clip),
      appendSegment: (seq, segment) => timed(() => db.appendSegment(seq, segment)),
      closeClip: (seq, closing) => db.closeClip(seq, closing),
      markCut: (seq) => db.markCut(seq),
      usage: () => db.usage(),
      releaseHolds: (wallMs) => db.releaseHolds(wallMs),
      purgeBefore: (day, today) => db.purgeBefore(day, today),
      purgeOldest: () => timedPurge(() => db.purgeOldest()),
    },
    diskFreeBytes: () => 2 ** 40,
    wallMs: () => nowMs,
    clockTrust: () => 'synchronised',
    log: silentLog,
    replaceStore: () => {
      throw new Error('the store of the bench is damaged');
    },
    onClosed: () => {},
  });
  clips.startRun(benchRun);
  let begun = false;
  return {
    push: (fragment) => {
      nowMs = startMs + fragment.startMs;
      clips.push(fragment);
      if (!begun) clips.begin('continuous', fragment.startMs, Number.POSITIVE_INFINITY);
      begun = true;
      if (fragment.startMs % settleEveryMs !== 0) return;
      const box = { x: 100, y: 100, w: 80, h: 160 };
      clips.label({ ...frame, runId: benchRun.runId, timeMs: fragment.startMs }, { kind: 'motion', score: 0, box });
      clips.settle(fragment.startMs);
    },
    settle: async () => {
      await clips.flush();
      const { problem, lostFragmentCount } = clips.state;
      if (problem !== undefined || lostFragmentCount > 0) throw new Error(`the writer could not keep up: ${problem}`);
    },
    close: () => db.close(),
  };
}
