/** The schema of `clips.db`: as designed when new, taken on step by step from older ones, refused when newer. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SmallDisk } from '../../test-fixtures/small-disk.ts';
import { silentLog } from '../base/log.ts';
import type { SealedFile } from '../protocol/age-file.ts';
import { sha256 } from '../protocol/bytes.ts';
import { checkClips } from './clips-check.ts';
import { ClipsDb } from './clips-db.ts';
import { DiskReserve } from './clips-open.ts';
import { ClipsReader } from './clips-reader.ts';
import { clipsSchemaSteps } from './clips-rows.ts';
import { salvageClips } from './clips-salvage.ts';
import { reserveJournal } from './journal.ts';

const day1 = Date.UTC(2026, 10, 20, 12);

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'clips-schema-'));
  path = join(dir, 'clips.db');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = (): ClipsDb => ClipsDb.open({ path, log: silentLog, wallMs: day1 });

function sealed(bytes: number): SealedFile {
  return { header: randomBytes(300), body: randomBytes(bytes) };
}

test('the file is set up as designed', () => {
  open().close();
  const db = new Database(path, { readonly: true });
  expect(db.pragma('page_size', { simple: true })).toBe(4096);
  expect(db.pragma('user_version', { simple: true })).toBe(clipsSchemaSteps.length);
  db.close();
  const store = open();
  const seq = store.openClip({ clipId: 'a'.repeat(32), wallMs: day1, opening: sealed(500) });
  store.appendSegment(seq, { track: 1, position: 0, sealed: sealed(77) });
  store.close();
  expect(existsSync(`${path}-journal`)).toBe(true);
});

test('a newer schema is refused by writer and reader and left alone', () => {
  open().close();
  const db = new Database(path);
  db.pragma(`user_version = ${clipsSchemaSteps.length + 1}`);
  db.close();
  const before = readFileSync(path);
  expect(() => open()).toThrow(expect.objectContaining({ code: 'store/newer-schema' }));
  expect(() => ClipsReader.open(path)).toThrow(expect.objectContaining({ code: 'store/newer-schema' }));
  expect(readFileSync(path).equals(before)).toBe(true);
});

test('clips of the first schema stay, and are checked by size alone', () => {
  const old = new Database(path);
  old.exec(clipsSchemaSteps[0] ?? '');
  old.pragma('user_version = 1');
  old.exec(`INSERT INTO clip (clip_id, day, state, bytes) VALUES ('${'c'.repeat(32)}', '2026-11-20', 'cut', 0);
            INSERT INTO segment (clip, track, position, bytes) VALUES (1, 1, 0, 77);`);
  const { header, body } = sealed(77);
  old.prepare('INSERT INTO segment_header VALUES (1, ?)').run(header);
  old.prepare('INSERT INTO segment_body VALUES (1, ?)').run(body);
  old.prepare("INSERT INTO meta VALUES (1, 'opening', ?)").run(body);
  old.prepare("INSERT INTO meta_header VALUES (1, 'opening', ?)").run(header);
  old.close();
  expect(() => ClipsReader.open(path)).toThrow(expect.objectContaining({ code: 'store/recovering' }));
  open().close();
  using reader = ClipsReader.open(path);
  expect(reader.listSegments(1)).toMatchObject([{ bytes: 77, bodySha256: undefined }]);
  expect([...checkClips(reader)]).toMatchObject([{ unhashedCount: 1, segmentCount: 1 }]);
});

interface OldClip {
  readonly clipId: string;
  readonly parts: readonly SealedFile[];
  readonly opening: SealedFile;
}

/** 40 clips of two segments as the second schema had them; every other one is pinned. */
function secondSchema(): OldClip[] {
  const old = new Database(path);
  // As its recorder did.
  old.pragma('secure_delete = FAST');
  for (const step of clipsSchemaSteps.slice(0, 2)) old.exec(step);
  old.pragma('user_version = 2');
  const clips = Array.from({ length: 40 }, (_, i) => ({
    clipId: i.toString(16).padStart(32, '0'),
    parts: [sealed(100_000), sealed(100_000)],
    opening: sealed(500),
  }));
  for (const [i, { clipId, parts, opening }] of clips.entries()) {
    old
      .prepare("INSERT INTO clip (clip_id, day, state, pinned) VALUES (?, '2026-11-20', 'open', ?)")
      .run(clipId, i % 2);
    old.prepare("INSERT INTO meta VALUES (?, 'opening', ?)").run(i + 1, opening.body);
    old.prepare("INSERT INTO meta_header VALUES (?, 'opening', ?)").run(i + 1, opening.header);
    for (const [position, { header, body }] of parts.entries()) {
      const { lastInsertRowid: id } = old
        .prepare('INSERT INTO segment (clip, track, position, bytes, body_sha256) VALUES (?, 1, ?, ?, ?)')
        .run(i + 1, position, body.length, sha256(body));
      // The third was being deleted when the power went.
      if (i !== 2) old.prepare('INSERT INTO segment_header VALUES (?, ?)').run(id, header);
      old.prepare('INSERT INTO segment_body VALUES (?, ?)').run(id, body);
    }
  }
  old.close();
  return clips;
}

test('clips of the second schema stay: their bodies where they are, their keys beside the rest, and no key where it was', () => {
  const clips = secondSchema();
  const size = statSync(path).size;
  using db = open();
  expect(statSync(path).size).toBeLessThan(size * 1.05);
  using reader = ClipsReader.open(path);
  const rows = reader.listClips();
  expect(rows.map(({ clipId }) => clipId)).toEqual(clips.flatMap(({ clipId }, i) => (i === 2 ? [] : [clipId])));
  for (const { seq, pinned, state, bytes } of rows) {
    const { parts, opening } = clips[seq - 1] as (typeof clips)[number];
    expect(reader.listSegments(seq).map((row) => reader.segment(row))).toEqual(parts);
    expect(reader.meta(seq, 'opening')).toEqual(opening);
    expect([pinned, state]).toEqual([(seq - 1) % 2 === 1, 'cut']);
    expect(bytes).toBe(parts.reduce((sum, { header, body }) => sum + header.length + body.length, 0));
  }
  // Presence, sizes and hashes; the headers here are noise.
  const faults = [...checkClips(reader)].flatMap((checked) => checked.faults.map(({ fault }) => fault));
  expect(new Set(faults)).toEqual(new Set(['segment-header']));
  db.deleteClips(rows.map(({ clipId }) => clipId));
  const raw = new Database(path, { readonly: true });
  expect(raw.prepare('SELECT count(*) FROM segment_body').pluck().get()).toBe(0);
  expect(raw.pragma('integrity_check', { simple: true })).toBe('ok');
  raw.close();
  const left = Buffer.concat([readFileSync(path), readFileSync(`${path}-journal`)]);
  const found = clips
    .flatMap(({ parts, opening }) => [...parts, opening])
    .filter(({ header }) => left.includes(Buffer.from(header)));
  expect(found).toEqual([]);
});

test.skipIf(!SmallDisk.possible)(
  'the second schema is taken on also on a disk full to its last byte (needs root and a loop device)',
  () => {
    using disk = new SmallDisk();
    path = join(disk.path, 'clips.db');
    const clips = secondSchema();
    // As its recorder left it: a journal that is kept, and a reserve.
    new DiskReserve(path).take();
    reserveJournal(path, 512 * 1024);
    disk.fill(0);
    open().close();
    using reader = ClipsReader.open(path);
    expect(reader.listClips()).toHaveLength(clips.length - 1);
  },
);

test('clips of the second schema can be taken out of a file that was set aside', () => {
  const clips = secondSchema();
  using into = ClipsDb.open({ path: join(dir, 'new.db'), log: silentLog, wallMs: day1 });
  expect(salvageClips(path, into)).toMatchObject({ lostCount: 1, presentCount: 0, beyondRepair: false });
  using reader = ClipsReader.open(join(dir, 'new.db'));
  for (const { clipId, parts } of clips.filter((_, i) => i !== 2)) {
    const seq = reader.clip(clipId)?.seq ?? 0;
    expect(reader.listSegments(seq).map((row) => reader.segment(row))).toEqual(parts);
  }
});
