import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../../base/log.ts';
import { generateIdentity, openFile, parseIdentity } from '../../protocol/age-file.ts';
import { fromHex, sha256, toHex } from '../../protocol/bytes.ts';
import { parseClosingMetadata, parseOpeningMetadata } from '../../protocol/clip-metadata.ts';
import { openEnvelope } from '../../protocol/envelope.ts';
import { inclusionPath, leafHash, verifyInclusion } from '../../protocol/merkle.ts';
import { ClipsDb } from '../../store/clips-db.ts';
import { ClipsReader } from '../../store/clips-reader.ts';
import type { Fragment, Run } from '../stages.ts';
import { ClipBuilder, type ClipBuilderOptions } from './clip-builder.ts';

const wallAtZeroMs = Date.UTC(2026, 10, 21, 10);
const owner = generateIdentity();
const recovery = generateIdentity();
const run: Run = {
  runId: 'run-1',
  init: Buffer.from('ftyp and moov'),
  codec: 'avc1.64001f',
  widthPx: 1920,
  heightPx: 1080,
};

let dir: string;
let path: string;
let db: ClipsDb;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'clip-builder-'));
  path = join(dir, 'clips.db');
  db = ClipsDb.open({ path, log: silentLog, wallMs: wallAtZeroMs });
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true, force: true });
});

function fragment(n: number, bytes = 60_000): Fragment {
  return {
    runId: 'run-1',
    bytes: Buffer.alloc(bytes, n),
    keyframe: n % 10 === 0,
    startMs: 10_000 + n * 200,
    durationMs: 200,
    pictureCount: 2,
  };
}

function builder(first: Fragment, more: Partial<ClipBuilderOptions> = {}): ClipBuilder {
  const recipients = [owner.recipient, recovery.recipient];
  return new ClipBuilder(
    { store: db, recipients, cameraId: 'door', run, trigger: 'person', clock: 'synchronised', wallAtZeroMs, ...more },
    first,
  );
}

function readBack(clipId: string) {
  using reader = ClipsReader.open(path);
  const identity = parseIdentity(owner.identity);
  const clip = reader.clip(clipId);
  const seq = clip?.seq ?? -1;
  const opening = reader.meta(seq, 'opening');
  const closing = reader.meta(seq, 'closing');
  const segments = reader.listSegments(seq).map((row) => {
    const sealed = reader.segment(row);
    if (sealed === undefined) throw new Error('segment gone');
    return sealed;
  });
  return {
    state: clip?.state,
    opening: opening && parseOpeningMetadata(openFile(opening, identity)),
    closing: closing && parseClosingMetadata(openFile(closing, identity)),
    segments,
    video: Buffer.concat(segments.map((sealed) => openFile(sealed, identity))),
  };
}

test('the segments are the stream byte for byte, and every fragment is proved by the signed manifest', () => {
  const fragments = Array.from({ length: 60 }, (_, n) => fragment(n));
  const clip = builder(fragments[0] ?? fragment(0));
  for (const f of fragments) clip.add(f);
  const label = { kind: 'person', from_ms: 1, to_ms: 2, score: 0.5, box: { x: 1, y: 2, w: 3, h: 4 } } as const;
  clip.close({ labels: [label], thumbnail: Buffer.from('jpeg'), wallAtZeroMs: wallAtZeroMs - 40 });

  const { state, opening, closing, video, segments } = readBack(clip.clipId);
  expect(state).toBe('closed');
  expect(video.equals(Buffer.concat([run.init, ...fragments.map((f) => f.bytes)]))).toBe(true);
  expect(segments.length).toBeGreaterThan(2);
  for (const sealed of segments) expect(sealed.body.length).toBeLessThan(1_301_000);
  expect(opening).toMatchObject({
    clip_id: clip.clipId,
    camera_id: 'door',
    start_ms: wallAtZeroMs + 10_000,
    wall_at_zero_ms: wallAtZeroMs,
    width_px: 1920,
  });
  expect(closing).toMatchObject({ end_ms: wallAtZeroMs - 40 + 22_000, labels: [label], thumbnail: 'anBlZw==' });
  const { document } = openEnvelope('manifest', Buffer.from(closing?.manifest ?? '', 'base64'), [
    { role: 'clip', threshold: 1, keys: [fromHex(opening?.key ?? '')] },
  ]);
  expect(document).toMatchObject({ clip_id: clip.clipId, key: opening?.key, size: 61, clock: 'synchronised' });
  expect(document.tracks).toEqual([{ id: 1, kind: 'video', codec: 'avc1.64001f', leaves: 61 }]);
  expect([document.t0, document.t1]).toEqual([wallAtZeroMs / 1000 + 9, wallAtZeroMs / 1000 + 22]);
  const entries = closing?.fragments ?? [];
  const leaves = entries.map((entry) => leafHash(fromHex(entry.salt), entry.track, fromHex(entry.sha256)));
  entries.forEach((entry, i) => {
    const bytes = video.subarray(entry.offset, entry.offset + entry.bytes);
    expect(toHex(sha256(bytes))).toBe(entry.sha256);
    const leaf = leaves[i] ?? new Uint8Array();
    expect(verifyInclusion(fromHex(document.root), 61, i, leaf, inclusionPath(leaves, i))).toBe(true);
  });
  expect(entries[0]).toMatchObject({ index: 0, duration_ms: 0, keyframe: true, offset: 0, bytes: run.init.length });
  expect(entries[1]).toMatchObject({ start_ms: wallAtZeroMs - 40 + 10_000, duration_ms: 200, keyframe: true });
});

test('a clip begun with a wrong clock says so for ever, and its times are those known when it ended', () => {
  // A board without a clock battery, until the network has told it the time.
  const bootMs = 1_000_000;
  const first = fragment(0);
  const clip = builder(first, { clock: 'unsynchronised', wallAtZeroMs: bootMs });
  clip.add(first);
  clip.close({ labels: [], thumbnail: new Uint8Array(), wallAtZeroMs });
  const { opening, closing } = readBack(clip.clipId);
  expect(opening).toMatchObject({ clock: 'unsynchronised', start_ms: bootMs + 10_000, wall_at_zero_ms: bootMs });
  expect(closing).toMatchObject({
    end_ms: wallAtZeroMs + 10_200,
    fragments: [{ start_ms: wallAtZeroMs + 10_000 }, {}],
  });
  const { document } = openEnvelope('manifest', Buffer.from(closing?.manifest ?? '', 'base64'), [
    { role: 'clip', threshold: 1, keys: [fromHex(opening?.key ?? '')] },
  ]);
  expect(document).toMatchObject({ clock: 'unsynchronised', t0: Math.floor((wallAtZeroMs + 10_000) / 1000) });
});

test('a segment closes after five seconds at the latest', () => {
  const clip = builder(fragment(0));
  for (let n = 0; n < 60; n += 1) clip.add(fragment(n, 100));
  using reader = ClipsReader.open(path);
  const seq = reader.clip(clip.clipId)?.seq ?? -1;
  expect(reader.listSegments(seq)).toHaveLength(2);
  clip.finish();
  expect(reader.listSegments(seq)).toHaveLength(3);
});

test('every segment and both metadata are opened by stock age with the paper key', () => {
  const clip = builder(fragment(0));
  for (let n = 0; n < 30; n += 1) clip.add(fragment(n));
  clip.close({ labels: [], thumbnail: new Uint8Array(), wallAtZeroMs });
  const keyFile = join(dir, 'paper.key');
  writeFileSync(keyFile, recovery.identity);
  const { segments, video } = readBack(clip.clipId);
  const opened = segments.map((sealed) => {
    const input = Buffer.concat([sealed.header, sealed.body]);
    const done = spawnSync('age', ['-d', '-i', keyFile], { input, maxBuffer: 1 << 22 });
    expect(done.stderr.toString()).toBe('');
    return done.stdout;
  });
  expect(Buffer.concat(opened).equals(video)).toBe(true);
});

test('a clip given up is cut, and what was stored stays', () => {
  const clip = builder(fragment(0));
  for (let n = 0; n < 30; n += 1) clip.add(fragment(n));
  clip.abandon();
  const { state, closing, segments } = readBack(clip.clipId);
  expect(state).toBe('cut');
  expect(closing).toBeUndefined();
  expect(segments.length).toBeGreaterThan(0);
});

test('what is stored shows nothing of the video, its times or labels', () => {
  const clip = builder({ ...fragment(0), bytes: Buffer.from('a recognisable picture '.repeat(100)) });
  clip.add({ ...fragment(0), bytes: Buffer.from('a recognisable picture '.repeat(100)) });
  clip.close({ labels: [], thumbnail: new Uint8Array(), wallAtZeroMs });
  const file = readFileSync(path).toString('latin1');
  for (const secret of ['recognisable', 'person', 'avc1', String(wallAtZeroMs + 10_000), 'run-1']) {
    expect(file.replaceAll(/CREATE TABLE[^;]*;?/g, '')).not.toContain(secret);
  }
});
