/**
 * The part of a recorder that writes, without camera and decoder so that it starts quickly: the clip builder that hashes,
 * seals and signs, retention in a small quota, and the store. Writes as fast as it can until it is killed, and says of every
 * step in `marks` when it is done.
 */
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { silentLog } from '../../agent/base/log.ts';
import { ClipBuilder, type ClipStore } from '../../agent/recorder/clip/clip-builder.ts';
import { makeRoom } from '../../agent/recorder/clip/retention.ts';
import type { Fragment, Run } from '../../agent/recorder/stages.ts';
import { ClipsDb } from '../../agent/store/clips-db.ts';
import { ClipsReader } from '../../agent/store/clips-reader.ts';

const folder = process.argv[2] ?? '';
const recipients = readFileSync(join(folder, '..', 'recipients'), 'utf8')
  .trim()
  .split('\n');
const path = join(folder, 'clips.db');
const marks = openSync(join(folder, '..', 'marks'), 'a');
const mark = (...words: readonly (string | number)[]): number => writeSync(marks, `${words.join(' ')}\n`);

const quotaBytes = 12 << 20;
/** No deletion of one step takes more. */
const mayGoCount = 32;
const run: Run = { runId: 'killed', init: randomBytes(700), codec: 'avc1.64001f', widthPx: 640, heightPx: 360 };

const db = ClipsDb.open({ path, log: silentLog, wallMs: Date.now() });
const names = new Map<number, string>();
const store: ClipStore = {
  openClip: (clip) => {
    const seq = db.openClip(clip);
    names.set(seq, clip.clipId);
    return seq;
  },
  appendSegment: (seq, segment) => {
    db.appendSegment(seq, segment);
    const { header, body } = segment.sealed;
    const hash = createHash('sha256').update(header).update(body).digest('hex');
    mark('stored', names.get(seq) ?? '', segment.position, hash, Buffer.from(header).subarray(-40).toString('hex'));
  },
  closeClip: (seq, closing) => {
    db.closeClip(seq, closing);
    mark('closed', names.get(seq) ?? '');
  },
  markCut: (seq) => db.markCut(seq),
};

function clipsNow(): string[] {
  using reader = ClipsReader.open(path);
  return reader.listClips().map(({ clipId }) => clipId);
}

/** Nobody knows beforehand which clips go, but it is the oldest. */
function purge(act: () => number): number {
  const before = clipsNow();
  for (const clipId of before.slice(0, mayGoCount)) mark('deleting', clipId);
  const gone = act();
  const left = new Set(clipsNow());
  for (const clipId of before) if (!left.has(clipId)) mark('deleted', clipId);
  return gone;
}

function room(): void {
  const purgeable = {
    usage: () => db.usage(),
    releaseHolds: (wallMs: number) => db.releaseHolds(wallMs),
    purgeBefore: (day: string, today: string) => db.purgeBefore(day, today),
    purgeOldest: () => purge(() => db.purgeOldest()),
  };
  const rules = { maxBytes: quotaBytes, maxAgeMs: 1e12, minFreeBytes: 0 };
  makeRoom(purgeable, rules, { wallMs: Date.now(), diskFreeBytes: 2 ** 40, needBytes: 2 << 20 });
}

mark('ready');
const parent = process.ppid;
// Never longer than who kills it.
for (let startMs = 0; process.ppid === parent; ) {
  room();
  const fragmentAt = (): Fragment => {
    const bytes = randomBytes(randomInt(2000, 60_000));
    const fragment = { runId: run.runId, bytes, keyframe: true, startMs, durationMs: 200, pictureCount: 3 };
    startMs += 200;
    return fragment;
  };
  const first = fragmentAt();
  const options = { store, recipients, cameraId: 'door', run, trigger: 'motion', clock: 'synchronised' } as const;
  const clip = new ClipBuilder({ ...options, wallAtZeroMs: Date.now() }, first);
  clip.add(first);
  for (let more = randomInt(1, 60); more > 0; more -= 1) clip.add(fragmentAt());
  clip.close({ labels: [], thumbnail: randomBytes(8000), wallAtZeroMs: Date.now() });
}
