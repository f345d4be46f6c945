import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SmallDisk } from '../../test-fixtures/small-disk.ts';
import { AgentError } from '../base/errors.ts';
import { createLog, silentLog } from '../base/log.ts';
import type { SealedFile } from '../protocol/age-file.ts';
import { ClipsDb } from './clips-db.ts';
import { ClipsReader } from './clips-reader.ts';

const day1 = Date.UTC(2026, 10, 20, 12);
const dayMs = 86_400_000;
let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'clips-db-'));
  path = join(dir, 'clips.db');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function open(maxFileBytes?: number): ClipsDb {
  return ClipsDb.open({ path, log: silentLog, wallMs: day1, ...(maxFileBytes === undefined ? {} : { maxFileBytes }) });
}

function sealed(bytes = 50_000): SealedFile {
  return { header: randomBytes(300), body: randomBytes(bytes) };
}

function addClip(db: ClipsDb, wallMs = day1, segments = 2, bytes = 50_000): string {
  const clipId = randomBytes(16).toString('hex');
  const seq = db.openClip({ clipId, wallMs, opening: sealed(500) });
  for (let position = 0; position < segments; position += 1) {
    db.appendSegment(seq, { track: 1, position, sealed: sealed(bytes) });
  }
  db.closeClip(seq, sealed(2000));
  return clipId;
}

function ids(): string[] {
  using reader = ClipsReader.open(path);
  return reader.listClips().map((clip) => clip.clipId);
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof AgentError) return thrown.code;
    throw thrown;
  }
  return 'none';
}

test('what is written is read back, sealed bytes unchanged', () => {
  using db = open();
  const clipId = randomBytes(16).toString('hex');
  const [opening, first, second, closing] = [sealed(500), sealed(1 << 20), sealed(77), sealed(900)];
  const seq = db.openClip({ clipId, wallMs: day1, opening });
  db.appendSegment(seq, { track: 1, position: 0, sealed: first });
  using reader = ClipsReader.open(path);
  expect(reader.clip(clipId)).toMatchObject({ seq, day: '2026-11-20', state: 'open', pinned: false });
  expect(reader.meta(seq, 'closing')).toBeUndefined();
  db.appendSegment(seq, { track: 1, position: 1, sealed: second });
  db.closeClip(seq, closing);
  expect(reader.clip(clipId)).toMatchObject({ state: 'closed', bytes: first.body.length + second.body.length + 600 });
  expect(reader.meta(seq, 'opening')).toEqual(opening);
  expect(reader.meta(seq, 'closing')).toEqual(closing);
  const rows = reader.listSegments(seq);
  expect(rows.map((row) => [row.track, row.position, row.bytes])).toEqual([
    [1, 0, 1 << 20],
    [1, 1, 77],
  ]);
  expect(rows.map((row) => reader.segment(row))).toEqual([first, second]);
  expect(reader.listClips({ fromDay: '2026-11-21' })).toEqual([]);
  expect(reader.listClips({ fromDay: '2026-11-20', toDay: '2026-11-20' })).toHaveLength(1);
});

test('a database without tables yet is recovering; a missing one can not be opened', () => {
  expect(codeOf(() => ClipsReader.open(path))).toBe('store/cannot-open');
  new Database(path).close();
  writeFileSync(path, '');
  expect(codeOf(() => ClipsReader.open(path))).toBe('store/recovering');
});

test('at the next start an open clip is cut, an empty one is gone', () => {
  const db = open();
  const closed = addClip(db);
  const seq = db.openClip({ clipId: 'a'.repeat(32), wallMs: day1, opening: sealed(500) });
  db.appendSegment(seq, { track: 1, position: 0, sealed: sealed() });
  db.openClip({ clipId: 'b'.repeat(32), wallMs: day1, opening: sealed(500) });
  db.close();
  open().close();
  using reader = ClipsReader.open(path);
  expect(reader.listClips().map((clip) => [clip.clipId, clip.state])).toEqual([
    [closed, 'closed'],
    ['a'.repeat(32), 'cut'],
  ]);
});

describe('purging', () => {
  test('the oldest go first; pinned ones never; held ones only when nothing else is left', () => {
    using db = open();
    const clips = [0, 1, 2, 3].map((n) => addClip(db, day1 + n * dayMs, 32));
    db.setPinned([clips[0] ?? ''], true);
    expect(db.hold({ days: ['2026-11-21'] }, day1 + 9 * dayMs, 1e9)).toEqual({ heldCount: 1, leftCount: 0 });
    expect(db.purgeOldest()).toBe(1);
    expect(ids()).toEqual([clips[0], clips[1], clips[3]]);
    expect(db.purgeOldest()).toBe(1);
    expect(ids()).toEqual([clips[0], clips[1]]);
    expect(db.purgeOldest()).toBe(1);
    expect(db.purgeOldest()).toBe(0);
    expect(ids()).toEqual([clips[0]]);
  });

  test('by day, and holds end', () => {
    using db = open();
    const [old, held, fresh] = [0, 0, 1].map((n) => addClip(db, day1 + n * dayMs));
    db.setPinned([fresh ?? ''], false);
    db.hold({ days: ['2026-11-20'] }, day1 + dayMs, 1e9);
    expect(db.purgeBefore('2026-11-21', '2026-12-01')).toBe(0);
    db.releaseHolds(day1 + dayMs);
    db.setPinned([held ?? ''], true);
    expect(db.purgeBefore('2026-11-21', '2026-12-01')).toBe(1);
    expect(ids()).toEqual([held, fresh]);
    expect(ids()).not.toContain(old);
  });

  test('by day, what a wrong clock dated goes with what comes after it, not before', () => {
    using db = open();
    const add = (day: string, dated = true): string => {
      const clipId = randomBytes(16).toString('hex');
      const seq = db.openClip({ clipId, wallMs: Date.parse(day), dated, opening: sealed(500) });
      db.appendSegment(seq, { track: 1, position: 0, sealed: sealed(100) });
      db.closeClip(seq, sealed(100));
      return clipId;
    };
    // A first start in the past, a day that is over, a power cut, today, a battery that died into the future.
    const [first, over, afterCut, today, ahead] = [
      add('2021-05-07', false),
      add('2026-11-01'),
      add('2021-05-07', false),
      add('2026-11-20'),
      add('2099-01-01'),
    ];
    const purgeAll = (before: string, now: string): void => {
      while (db.purgeBefore(before, now) > 0);
    };
    purgeAll('2026-10-01', '2026-11-20');
    expect(ids()).toEqual([first, over, afterCut, today, ahead]);
    purgeAll('2026-11-10', '2026-11-20');
    expect(ids()).toEqual([afterCut, today, ahead]);
    purgeAll('2026-12-01', '2026-12-11');
    expect(ids()).toEqual([ahead]);
    add('2026-12-11');
    purgeAll('2026-12-20', '2026-12-30');
    expect(ids()).toEqual([]);
  });

  test('a day that is over goes in batches: fragments wait for none of them long', () => {
    using db = open();
    const clips = Array.from({ length: 40 }, () => addClip(db, day1, 1, 100));
    const counts: number[] = [];
    for (let gone = -1; gone !== 0; counts.push(gone)) gone = db.purgeBefore('2026-11-21', '2026-12-01');
    expect(Math.max(...counts)).toBeLessThanOrEqual(32);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(clips.length);
    expect(ids()).toEqual([]);
  });

  test('holds take at most a quarter of the quota, newest first', () => {
    using db = open();
    const clips = [0, 1, 2, 3].map(() => addClip(db));
    expect(db.hold({ days: ['2026-11-20'] }, day1 + dayMs, 900_000)).toEqual({ heldCount: 2, leftCount: 2 });
    using reader = ClipsReader.open(path);
    expect(reader.listClips().map((clip) => clip.holdUntilS > 0)).toEqual([false, false, true, true]);
    expect(db.hold({ days: ['2026-11-20'] }, day1, 900_000).heldCount).toBe(2);
    expect(db.hold({ clipIds: clips.slice(3) }, day1 + dayMs, 900_000)).toEqual({ heldCount: 1, leftCount: 0 });
    expect(reader.clip(clips[3] ?? '')?.holdUntilS).toBe((day1 + dayMs) / 1000);
  });

  test('the open clip is never deleted', () => {
    using db = open();
    const seq = db.openClip({ clipId: 'c'.repeat(32), wallMs: day1, opening: sealed(500) });
    db.appendSegment(seq, { track: 1, position: 0, sealed: sealed() });
    expect(db.purgeOldest() + db.purgeBefore('2030-01-01', '2030-01-01') + db.deleteClips(['c'.repeat(32)])).toBe(0);
  });

  test('a deleted clip leaves no header in the file, and its pages are used again', () => {
    using db = open();
    const clipId = randomBytes(16).toString('hex');
    const seq = db.openClip({ clipId, wallMs: day1, opening: sealed(500) });
    const secret = randomBytes(300);
    db.appendSegment(seq, { track: 1, position: 0, sealed: { header: secret, body: randomBytes(1 << 20) } });
    db.closeClip(seq, { header: Buffer.concat([secret]), body: randomBytes(99) });
    const size = statSync(path).size;
    expect(readFileSync(path).includes(secret.subarray(0, 40))).toBe(true);
    expect(db.deleteClips([clipId])).toBe(1);
    expect(readFileSync(path).includes(secret.subarray(0, 40))).toBe(false);
    expect(readFileSync(`${path}-journal`).includes(secret.subarray(0, 40))).toBe(false);
    expect(db.usage()).toMatchObject({ clipCount: 0, usedBytes: 0 });
    expect(db.usage().freePagesBytes).toBeGreaterThanOrEqual(1 << 20);
    addClip(db, day1, 1, 1 << 20);
    expect(statSync(path).size).toBe(size);
  });

  test('a deletion cut short after the keys is finished at the next start', () => {
    const db = open();
    const [gone, kept] = [addClip(db), addClip(db)];
    db.close();
    const raw = new Database(path);
    raw.exec('UPDATE segment SET header = NULL WHERE clip = 1');
    raw.close();
    open().close();
    expect(ids()).toEqual([kept]);
    expect(ids()).not.toContain(gone);
  });
});

describe('a full disk', () => {
  test('the oldest clips give way and recording goes on', () => {
    using db = open(6 << 20);
    const clips = Array.from({ length: 30 }, () => addClip(db, day1, 1, 1 << 20));
    const left = ids();
    expect(left.length).toBeLessThan(7);
    expect(left).toEqual(clips.slice(-left.length));
    expect(statSync(path).size).toBeLessThanOrEqual(6 << 20);
  });

  test('when everything is pinned, a new segment is refused and the kept ones stay', () => {
    using db = open(4 << 20);
    const clips = [addClip(db, day1, 1, 1 << 20), addClip(db, day1, 1, 1 << 20)];
    db.setPinned(clips, true);
    expect(codeOf(() => addClip(db, day1, 4, 1 << 20))).toBe('store/full');
    expect(ids().slice(0, 2)).toEqual(clips);
  });

  test.skipIf(!SmallDisk.possible)(
    'to its last byte, the owner can still delete any number of clips (needs root and a loop device)',
    () => {
      using disk = new SmallDisk();
      path = join(disk.path, 'clips.db');
      open().close();
      const raw = new Database(path);
      const clips = Array.from({ length: 32 }, () => randomBytes(16).toString('hex'));
      const { header, body } = sealed(38_000);
      raw.transaction(() => {
        for (const [i, clipId] of clips.entries()) {
          raw.prepare("INSERT INTO clip (clip_id, day, state) VALUES (?, '2026-11-20', 'closed')").run(clipId);
          for (let position = 0; position < 24; position += 1) {
            const { lastInsertRowid: id } = raw.prepare('INSERT INTO segment_body (body) VALUES (?)').run(body);
            const row = [i + 1, 1, position, id, body.length, header];
            const columns = 'clip, track, position, segment, bytes, header';
            raw.prepare(`INSERT INTO segment (${columns}) VALUES (?, ?, ?, ?, ?, ?)`).run(...row);
          }
        }
      })();
      raw.close();
      using db = open();
      disk.fill(0);
      expect(db.deleteClips(clips)).toBe(32);
      expect(ids()).toEqual([]);
    },
  );
});

describe('damage', () => {
  test('a damaged database is set aside with its journal and a new one started, loudly', () => {
    const first = open();
    for (let n = 0; n < 20; n += 1) addClip(first);
    first.close();
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 4096, 4096 * 6);
    writeFileSync(path, bytes);
    const lines: string[] = [];
    const log = createLog('recorder', { write: (line) => lines.push(line) });
    using db = ClipsDb.open({ path, log, wallMs: day1 });
    expect(lines.join('')).toContain('"code":"store/quarantined"');
    expect(readdirSync(dir).filter((name) => name.startsWith(`clips.db.damaged-${day1}`))).toHaveLength(2);
    addClip(db);
    expect(ids()).toHaveLength(1);
  });

  test('something that is no database', () => {
    writeFileSync(path, randomBytes(9000));
    expect(codeOf(() => ClipsReader.open(path))).toBe('store/damaged');
    using db = open();
    expect(db.usage().clipCount).toBe(0);
  });

  test('a malformed row is reported, not passed on', () => {
    open().close();
    const raw = new Database(path);
    raw.pragma('ignore_check_constraints = ON');
    raw.exec("INSERT INTO clip (clip_id, day, state) VALUES ('x', '2026-19-39', 'open')");
    raw.close();
    using reader = ClipsReader.open(path);
    expect(codeOf(() => reader.listClips())).toBe('store/damaged');
  });
});

describe('another program at the same time', () => {
  test('a reader sees busy while the writer commits for long, and recovering after it was killed', () => {
    const db = open();
    addClip(db);
    db.close();
    const raw = new Database(path);
    raw.pragma('journal_mode = PERSIST');
    raw.exec('BEGIN EXCLUSIVE');
    expect(codeOf(() => ClipsReader.open(path, { timeoutMs: 50 }).listClips())).toBe('store/busy');
    raw.close();
  });

  test('a hot journal: a reader waits for the writer, an offline tool may roll it back, nothing is lost', () => {
    const db = open();
    const clipId = addClip(db, day1, 1, 200_000);
    db.close();
    const raw = new Database(path);
    raw.pragma('journal_mode = PERSIST');
    raw.pragma('cache_size = 1');
    raw.exec('BEGIN IMMEDIATE; DELETE FROM segment_body;');
    raw.exec('INSERT INTO segment_body (segment, body) VALUES (1, randomblob(3000000)); UPDATE clip SET bytes = 7');
    // What a power cut would leave: pages of an unfinished transaction, and the journal that undoes them.
    const copies = ['first', 'second'].map((name) => {
      const copy = join(dir, `${name}.db`);
      copyFileSync(path, copy);
      copyFileSync(`${path}-journal`, `${copy}-journal`);
      return copy;
    });
    raw.exec('ROLLBACK');
    raw.close();
    const [first = '', second = ''] = copies;
    expect(codeOf(() => ClipsReader.open(first).listClips())).toBe('store/recovering');
    ClipsDb.open({ path: first, log: silentLog, wallMs: day1 }).close();
    for (const [copy, offline] of [
      [first, false],
      [second, true],
    ] as const) {
      using reader = ClipsReader.open(copy, { offline });
      const clip = reader.clip(clipId);
      expect(clip?.bytes).toBe(200_300);
      expect(reader.segment({ clip: clip?.seq ?? 0, track: 1, position: 0 })?.body.length).toBe(200_000);
    }
  });

  test('killed while writing: finished segments are intact, the clip is cut, readers wait for the writer', async () => {
    open().close();
    const script = `
      import { randomBytes } from 'node:crypto';
      import { ClipsDb } from ${JSON.stringify(join(import.meta.dirname, 'clips-db.ts'))};
      const log = { info() {}, warn() {}, error() {} };
      const db = ClipsDb.open({ path: process.argv[1], log, wallMs: ${day1} });
      const seq = db.openClip({ clipId: 'd'.repeat(32), wallMs: ${day1}, opening: { header: randomBytes(9), body: randomBytes(9) } });
      for (let position = 0; ; position++) {
        const body = Buffer.alloc(1 << 20, position & 255);
        db.appendSegment(seq, { track: 1, position, sealed: { header: Buffer.from([position & 255]), body } });
        process.stdout.write(position + '\\n');
      }`;
    for (let round = 0; round < 3; round += 1) {
      rmSync(path, { force: true });
      rmSync(`${path}-journal`, { force: true });
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, path]);
      let said = '';
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (bytes: Buffer) => {
          said += bytes.toString();
          if (said.split('\n').length > 5 + round) child.kill('SIGKILL');
        });
        child.on('close', () => resolve());
      });
      const confirmed = said.split('\n').length - 1;
      const early = codeOf(() => ClipsReader.open(path).listClips());
      expect(['none', 'store/recovering']).toContain(early);
      open().close();
      using reader = ClipsReader.open(path);
      const clip = reader.clip('d'.repeat(32));
      expect(clip?.state).toBe('cut');
      const rows = reader.listSegments(clip?.seq ?? -1);
      expect(rows.length).toBeGreaterThanOrEqual(confirmed);
      for (const row of rows) {
        const segment = reader.segment(row);
        expect(segment?.header[0]).toBe(row.position & 255);
        expect(segment?.body.every((byte) => byte === (row.position & 255))).toBe(true);
      }
    }
  });
});
