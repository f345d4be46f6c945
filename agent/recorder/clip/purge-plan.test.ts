import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog } from '../../base/log.ts';
import { ClipsDb } from '../../store/clips-db.ts';
import { ClipsReader } from '../../store/clips-reader.ts';
import { planPurge } from './purge-plan.ts';
import { makeRoom } from './retention.ts';

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 10, 21, 12);
let folder: string;
let written: Buffer;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lk-plan-'));
  store().close();
  written = readFileSync(join(folder, 'clips.db'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Nine clips of 30 segments each, one a day, so that the recorder deletes them one by one. */
function store(): ClipsDb {
  const db = ClipsDb.open({ path: join(folder, 'clips.db'), log: silentLog, wallMs: nowMs });
  const sealed = (bytes: number) => ({ header: randomBytes(100), body: randomBytes(bytes) });
  for (let day = 8; day >= 0; day -= 1) {
    const clipId = day.toString(16).padStart(32, '0');
    const seq = db.openClip({ clipId, wallMs: nowMs - day * dayMs, opening: sealed(100) });
    for (let position = 0; position < 33; position += 1)
      db.appendSegment(seq, { track: 1, position, sealed: sealed(900) });
    db.closeClip(seq, sealed(100));
  }
  db.setPinned(
    ['8', '3'].map((id) => id.padStart(32, '0')),
    true,
  );
  db.hold({ clipIds: ['7', '5'].map((id) => id.padStart(32, '0')) }, nowMs + dayMs, 1e9);
  return db;
}

const listed = (): string[] => {
  using reader = ClipsReader.open(join(folder, 'clips.db'));
  return reader.listClips().map(({ clipId }) => clipId);
};

test.each([
  ['roomy', 1e9, 400],
  ['by age', 1e9, 4],
  ['by quota', 150_000, 400],
  ['by both', 150_000, 5],
  ['until only held ones are left to go', 110_000, 400],
  ['to nothing but what is pinned', 1, 400],
])('the plan is what the recorder then does: %s', (_, maxBytes, maxDays) => {
  writeFileSync(join(folder, 'clips.db'), written);
  using db = ClipsDb.open({ path: join(folder, 'clips.db'), log: silentLog, wallMs: nowMs });
  const rules = { maxBytes, maxAgeMs: maxDays * dayMs, minFreeBytes: 0 };
  const before = listed();
  using reader = ClipsReader.open(join(folder, 'clips.db'));
  const plan = planPurge(reader.listClips(), rules, nowMs);
  makeRoom(db, rules, { wallMs: nowMs, diskFreeBytes: 2 ** 40, needBytes: 0 });
  const gone = new Set([...plan.tooOld, ...plan.tooMany].map(({ clipId }) => clipId));
  expect(listed()).toEqual(before.filter((clipId) => !gone.has(clipId)));
  expect(plan.keptCount).toBe(listed().length);
  expect(plan.pinnedBytes).toBe(2 * 33 * 1000);
  expect(reader.usedBytes()).toBe(plan.keptBytes);
});

test('the plan is what the recorder then does, also after clocks that were wrong', () => {
  const day = fc.constantFrom('2021-05-07', '2026-11-13', '2026-11-16', '2026-11-17', '2026-11-21', '2099-01-01');
  const dates = fc.array(fc.tuple(day, fc.boolean()), { minLength: 9, maxLength: 9 });
  fc.assert(
    fc.property(dates, (given) => {
      writeFileSync(join(folder, 'clips.db'), written);
      const raw = new Database(join(folder, 'clips.db'));
      for (const [i, [on, dated]] of given.entries())
        raw.prepare('UPDATE clip SET day = ?, dated = ? WHERE seq = ?').run(on, dated ? 1 : 0, i + 1);
      raw.close();
      using db = ClipsDb.open({ path: join(folder, 'clips.db'), log: silentLog, wallMs: nowMs });
      const rules = { maxBytes: 1e9, maxAgeMs: 4 * dayMs, minFreeBytes: 0 };
      using reader = ClipsReader.open(join(folder, 'clips.db'));
      const { tooOld } = planPurge(reader.listClips(), rules, nowMs);
      const before = listed();
      makeRoom(db, rules, { wallMs: nowMs, diskFreeBytes: 2 ** 40, needBytes: 0 });
      const left = listed();
      expect(before.filter((id) => !left.includes(id))).toEqual(tooOld.map(({ clipId }) => clipId));
    }),
    { numRuns: 40 },
  );
});
