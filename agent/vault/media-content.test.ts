import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestHouse } from '../../test-fixtures/house.ts';
import { silentLog } from '../base/log.ts';
import { parseIdentity, sealBytes } from '../protocol/age-file.ts';
import { ClipsDb } from '../store/clips-db.ts';
import { writeDeletions } from '../store/deletions.ts';
import { ClipLibrary } from './library.ts';
import { heldContent, streamedContent, wholeOf } from './media-content.ts';
import { movieOf } from './movie.ts';
import { SegmentCache } from './segment-cache.ts';
import { unchanged } from './share-files.ts';

let house: TestHouse;
let library: ClipLibrary;
let clipId: string;
const startMs = Date.parse('2026-11-20T10:00:00Z');

beforeAll(async () => {
  house = await TestHouse.make();
  clipId = house.addClip({ startMs });
  library = new ClipLibrary(house.dataDir, parseIdentity(house.recoveryIdentity));
});
afterAll(() => house[Symbol.dispose]());

test('any stretch of a clip is the same as of the clip opened whole', () => {
  const { video } = library.open(clipId);
  const stream = library.stream(clipId);
  expect(stream.length(1)).toBe(video.length);
  expect(stream.length(2)).toBe(0);
  const movie = movieOf(stream);
  expect(movie.heldBytes).toBe(0);
  for (let n = 0; n < 200; n += 1) {
    const [a = 0, b = 0] = [...randomBytes(8)].map((byte, i) => byte * (i + 1)).slice(0, 2);
    const [offset, length] = [(a * 7919) % (video.length + 10), (b * 104_729) % 300_000];
    expect(Buffer.from(movie.read(offset, length)).equals(video.subarray(offset, offset + length))).toBe(true);
  }
  expect(wholeOf(movie).equals(video)).toBe(true);
});

test('stretches of clips and bytes in memory are one file; neighbours are opened once', () => {
  const { video } = library.open(clipId);
  const clip = library.stream(clipId);
  const part = (from: number, to: number) => ({ clip, track: 1, from, to });
  const content = streamedContent([
    { bytes: Buffer.from('head') },
    part(0, 1000),
    part(1000, 70_000),
    part(90_000, 90_001),
  ]);
  const wanted = Buffer.concat([Buffer.from('head'), video.subarray(0, 70_000), video.subarray(90_000, 90_001)]);
  expect([content.length, content.heldBytes]).toEqual([wanted.length, 4]);
  expect(wholeOf(content).equals(wanted)).toBe(true);
  expect([...content.parts()]).toHaveLength(3);
  expect(Buffer.from(content.read(2, 1010)).equals(wanted.subarray(2, 1012))).toBe(true);
  expect(content.read(wanted.length, 10)).toHaveLength(0);
  const held = heldContent(wanted);
  expect(Buffer.from(held.read(3, 5)).equals(wanted.subarray(3, 8))).toBe(true);
  expect(() => clip.read(1, 0, video.length + 1)).toThrow(expect.objectContaining({ code: 'vault/clip-unreadable' }));
});

test('what is read again after a preview is held to the hash that was previewed', () => {
  const content = movieOf(library.stream(clipId));
  const hash = createHash('sha256').update(wholeOf(content)).digest('hex');
  expect(Buffer.concat([...unchanged(content, hash)]).equals(wholeOf(content))).toBe(true);
  expect(() => [...unchanged(content, 'f'.repeat(64))]).toThrow(
    expect.objectContaining({ code: 'vault/clip-changed' }),
  );
});

test('a clip that was deleted is not there, and is again when that was taken back', () => {
  const folder = `${house.dataDir}/cameras/front`;
  writeDeletions(folder, new Map([[clipId, Date.now() + 1e6]]));
  expect(() => library.stream(clipId)).toThrow(expect.objectContaining({ code: 'vault/no-such-clip' }));
  expect(library.list(startMs - 1, startMs + 1)).toEqual([]);
  writeDeletions(folder, new Map());
  expect(library.list(startMs - 1, startMs + 1)).toHaveLength(1);
  // Gone between two pieces.
  const other = house.addClip({ startMs: startMs + 60_000 });
  const movie = movieOf(library.stream(other));
  using db = ClipsDb.open({ path: `${folder}/clips.db`, log: silentLog, wallMs: startMs });
  db.deleteClips([other]);
  expect(() => movie.read(0, 10)).toThrow(expect.objectContaining({ code: 'vault/no-such-clip' }));
});

test('the sizes that are reckoned from sealed ones are those of the opened ones, around every edge of a chunk', () => {
  const sizes = [1, 65_535, 65_536, 65_537, 131_072, 131_073, 1_048_576];
  const key = parseIdentity(house.recoveryIdentity).recipient;
  const path = `${house.dataDir}/cameras/front/clips.db`;
  const id = 'e'.repeat(32);
  const plain = sizes.map((size) => randomBytes(size));
  {
    using db = ClipsDb.open({ path, log: silentLog, wallMs: startMs });
    const opening = JSON.stringify({
      v: 1, clip_id: id, camera_id: 'front', trigger: 'motion', run_id: 'r', start_ms: startMs, clock: 'synchronised',
      wall_at_zero_ms: startMs, codec: 'avc1', width_px: 640, height_px: 360, key: 'a'.repeat(64),
    }); // biome-ignore format: metadata
    const seq = db.openClip({ clipId: id, wallMs: startMs, opening: sealBytes([key], Buffer.from(opening)) });
    for (const [position, bytes] of plain.entries()) {
      db.appendSegment(seq, { track: 1, position, sealed: sealBytes([key], bytes) });
    }
    db.markCut(seq);
  }
  const stream = library.stream(id);
  const whole = Buffer.concat(plain);
  expect(stream.length(1)).toBe(whole.length);
  expect(wholeOf(movieOf(stream)).equals(whole)).toBe(true);
});

test('what was opened is bounded, handed out as copies, and wiped when it goes', () => {
  const cache = new SegmentCache(3000);
  const opened: Buffer[] = [];
  const read = (name: string): Buffer =>
    cache.read(name, 0, 1000, () => {
      const bytes = createHash('shake256', { outputLength: 1000 }).update(name).digest();
      opened.push(bytes);
      return bytes;
    });
  const first = read('a');
  const kept = Buffer.from(first);
  for (const name of ['b', 'c', 'a', 'd']) read(name);
  expect(opened).toHaveLength(4);
  expect(cache.bytes).toBe(3000);
  // "a" was used again, so "b" had to go.
  expect(opened.map((bytes) => bytes.every((byte) => byte === 0))).toEqual([false, true, false, false]);
  cache.wipe();
  expect(opened.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  expect(cache.bytes).toBe(0);
  expect(first.equals(kept)).toBe(true);
});
