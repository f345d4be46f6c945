/** Cameras of which one has a database that can't be read: the others' clips are still found and opened. */
import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestHouse } from '../../test-fixtures/house.ts';
import { parseIdentity } from '../protocol/age-file.ts';
import { ClipLibrary } from './library.ts';

const startMs = Date.parse('2026-11-01T12:00:00Z');
const code = (wanted: string) => expect.objectContaining({ code: wanted });
let house: TestHouse;
let library: ClipLibrary;
let clipIds: string[];
beforeEach(async () => {
  house = await TestHouse.make();
  clipIds = ['back', 'front'].map((cameraId) => house.addClip({ startMs, cameraId }));
  library = new ClipLibrary(house.dataDir, parseIdentity(house.recoveryIdentity));
});
afterEach(() => house[Symbol.dispose]());

const listed = (): string[] => library.list(startMs, startMs + 1).map(({ clipId }) => clipId);

it('leaves out a camera whose database is damaged, and says so only of its own clips', () => {
  expect(listed()).toEqual(clipIds);
  writeFileSync(join(house.dataDir, 'cameras', 'back', 'clips.db'), 'x'.repeat(8192));
  expect(listed()).toEqual(clipIds.slice(1));
  expect(library.stream(clipIds[1] ?? '').length(1)).toBeGreaterThan(1000);
  expect(() => library.stream(clipIds[0] ?? '')).toThrow(code('store/damaged'));
});

it('waits for no recorder to heal its camera before it opens a clip of another; a list waits, for it would lack clips', () => {
  // As after a power cut: a journal that only a writer may roll back.
  const path = join(house.dataDir, 'cameras', 'back', 'clips.db');
  const cut = join(house.dataDir, 'cameras', 'cut.db');
  const db = new Database(path);
  // So small that pages reach the file before the end, and the journal with them.
  db.pragma('cache_size = 1');
  db.exec('BEGIN IMMEDIATE; UPDATE meta SET body = zeroblob(300000); UPDATE segment_body SET body = zeroblob(900000)');
  for (const ending of ['', '-journal']) copyFileSync(`${path}${ending}`, `${cut}${ending}`);
  db.exec('ROLLBACK');
  db.close();
  for (const ending of ['', '-journal']) renameSync(`${cut}${ending}`, `${path}${ending}`);
  expect(() => listed()).toThrow(code('store/recovering'));
  expect(library.stream(clipIds[1] ?? '').length(1)).toBeGreaterThan(1000);
  expect(() => library.stream(clipIds[0] ?? '')).toThrow(code('store/recovering'));
});
