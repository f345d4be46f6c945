import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../base/log.ts';
import { maxDeletions, readDeletions } from '../store/deletions.ts';
import { type DeletionsOptions, PendingDeletions, undoMs } from './deletions.ts';

let cameraFolder: string;
let nowMs = 1_000_000_000;
let removed: string[][];
beforeEach(() => {
  cameraFolder = mkdtempSync(join(tmpdir(), 'lk-deletions-'));
  removed = [];
});
afterEach(() => rmSync(cameraFolder, { recursive: true }));

const [a, b, open] = ['a'.repeat(32), 'b'.repeat(32), '0'.repeat(32)] as const;

function pending(more: Partial<DeletionsOptions> = {}): PendingDeletions {
  return new PendingDeletions({
    cameraFolder,
    wallMs: () => nowMs,
    isFinished: (clipId) => clipId !== open,
    remove: (clipIds) => removed.push([...clipIds]),
    log: silentLog,
    tickMs: 1e9,
    ...more,
  });
}

test('hidden at once, gone after ten minutes, and not before', () => {
  using deletions = pending();
  expect(deletions.begin([a, a, open], undoMs)).toEqual({ deletedCount: 1, goneAtMs: nowMs + undoMs });
  expect([...readDeletions(cameraFolder).keys()]).toEqual([a]);
  nowMs += undoMs - 1;
  deletions.tick();
  expect(removed).toEqual([]);
  nowMs += 1;
  deletions.tick();
  deletions.tick();
  expect(removed).toEqual([[a]]);
  expect(readDeletions(cameraFolder).size).toBe(0);
});

test('many at once go a few with each tick: the recorder has a camera to listen to', () => {
  using deletions = pending();
  const many = Array.from({ length: 20 }, (_, i) => i.toString(16).padStart(32, 'e'));
  deletions.begin(many, undoMs);
  nowMs += undoMs;
  for (let i = 0; i < 4; i++) deletions.tick();
  expect(removed.map((each) => each.length)).toEqual([8, 8, 4]);
  expect(removed.flat().toSorted()).toEqual(many.toSorted());
  expect(readDeletions(cameraFolder).size).toBe(0);
});

test('a second deletion of the same clip does not put it off, and what was taken back stays', () => {
  using deletions = pending();
  const { goneAtMs } = deletions.begin([a, b], undoMs);
  nowMs += 60_000;
  deletions.begin([a], undoMs);
  expect(deletions.list[0]).toEqual({ clipId: a, goneAtMs });
  expect(deletions.undo([b, open])).toBe(1);
  nowMs = goneAtMs;
  deletions.tick();
  expect(removed).toEqual([[a]]);
});

test('a restart goes on where it was; a clock that was set back keeps nothing longer', () => {
  pending().begin([a], undoMs);
  nowMs -= 3_600_000;
  using later = pending();
  later.tick();
  expect(removed).toEqual([[a]]);
});

test('a database that refuses is asked again', () => {
  const refusing = { at: true };
  using deletions = pending({
    remove: (clipIds) => {
      if (refusing.at) throw new Error('busy');
      removed.push([...clipIds]);
    },
  });
  deletions.begin([a], undoMs);
  nowMs += undoMs;
  deletions.tick();
  expect(deletions.list).toHaveLength(1);
  refusing.at = false;
  deletions.tick();
  expect(removed).toEqual([[a]]);
});

test('what could not be written down, and was said to be so, is not deleted later all the same', () => {
  using deletions = pending();
  const list = join(cameraFolder, 'deleting.json');
  mkdirSync(list);
  expect(() => deletions.begin([a], undoMs)).toThrow();
  expect(deletions.list).toEqual([]);
  rmSync(list, { recursive: true });
  deletions.begin([b], undoMs);
  nowMs += undoMs;
  deletions.tick();
  expect(removed).toEqual([[b]]);
});

test('a list that says nothing sensible hides nothing, and too long a one is refused', () => {
  writeFileSync(join(cameraFolder, 'deleting.json'), '{"v":1,"clips":[{"clipId":"../x","goneAtMs":1}]}');
  expect(readDeletions(cameraFolder).size).toBe(0);
  writeFileSync(join(cameraFolder, 'deleting.json'), ' '.repeat(2 << 20));
  expect(readDeletions(cameraFolder).size).toBe(0);
  using deletions = pending();
  const many = Array.from({ length: maxDeletions + 1 }, (_, i) => (i + 1).toString(16).padStart(32, '0'));
  expect(() => deletions.begin(many, undoMs)).toThrowError(
    expect.objectContaining({ code: 'recorder/too-many-deletions' }),
  );
  expect(deletions.list).toEqual([]);
});
