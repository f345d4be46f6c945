/** What a store costs that fails for a moment, with real clips in a real database. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentError } from '../../base/errors.ts';
import { silentLog } from '../../base/log.ts';
import { generateIdentity, openFile, parseIdentity } from '../../protocol/age-file.ts';
import { parseClosingMetadata } from '../../protocol/clip-metadata.ts';
import { ClipsDb } from '../../store/clips-db.ts';
import { ClipsReader } from '../../store/clips-reader.ts';
import { ClipRecorder } from './clip-recorder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'clip-recorder-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('room that could not be made this time costs neither the clip nor a fragment of it', async () => {
  const path = join(folder, 'clips.db');
  const owner = generateIdentity();
  using db = ClipsDb.open({ path, log: silentLog, wallMs: Date.now() });
  let refusedCount = 0;
  const store = {
    openClip: db.openClip.bind(db),
    appendSegment: db.appendSegment.bind(db),
    closeClip: db.closeClip.bind(db),
    markCut: db.markCut.bind(db),
    usage: db.usage.bind(db),
    releaseHolds: db.releaseHolds.bind(db),
    purgeOldest: db.purgeOldest.bind(db),
    purgeBefore: (): number => {
      refusedCount += 1;
      throw new AgentError('unavailable', 'store/busy', 'Cannot purge clips: another program holds it');
    },
  };
  const clips = new ClipRecorder({
    cameraId: 'front',
    recipients: [owner.recipient, generateIdentity().recipient],
    ring: { preRollMs: 0, maxSpanMs: 60_000, maxBytes: 64 << 20 },
    maxClipMs: 60_000,
    retention: { maxBytes: 1e9, maxAgeMs: 1e9, minFreeBytes: 0 },
    store,
    diskFreeBytes: () => 1e12,
    wallMs: () => Date.now(),
    clockTrust: () => 'synchronised',
    log: silentLog,
    replaceStore: () => store,
    onClosed: () => {},
  });
  const runId = 'run';
  clips.startRun({ runId, init: randomBytes(500), codec: 'avc1.4d401e', widthPx: 640, heightPx: 360 });
  clips.begin('continuous', Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  for (let i = 0; i < 8; i += 1) {
    const times = { startMs: 10_000 + i * 500, durationMs: 500, pictureCount: 5 };
    clips.push({ runId, bytes: randomBytes(900_000), keyframe: i % 4 === 0, ...times });
  }
  expect(refusedCount).toBeGreaterThan(1);
  expect(clips.state.problem).toBe('store/busy');
  clips.endRun();
  await clips.flush();
  using reader = ClipsReader.open(path);
  const rows = reader.listClips();
  expect(rows.map(({ state }) => state)).toEqual(['closed']);
  const closing = reader.meta(rows[0]?.seq ?? 0, 'closing');
  if (closing === undefined) throw new Error('the clip has no closing');
  const { fragments } = parseClosingMetadata(openFile(closing, parseIdentity(owner.identity)));
  expect(fragments.map(({ duration_ms: ms }) => ms)).toEqual([0, 500, 500, 500, 500, 500, 500, 500, 500]);
  expect(clips.state).toMatchObject({ closedCount: 1, problem: undefined });
});
