import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { parseConfig } from '../config/loader.ts';
import { ClipsDb } from '../store/clips-db.ts';
import { makeRoom } from './clip/retention.ts';
import { quotaOf, SharedQuota } from './shared-quota.ts';

const mebibyte = 1 << 20;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lk-quota-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('cameras that each keep to their part keep to the whole, and none is squeezed below an equal share', () => {
  const uses = fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(uses, fc.integer({ min: 1000, max: 3000 }), (wanted, maxBytes) => {
      const used = [...wanted];
      // Each in turn deletes what is beyond its part, until nobody has to.
      for (let round = 0; round < 20; round += 1) {
        for (const [at, bytes] of used.entries()) {
          const others = used.reduce((sum, each) => sum + each, 0) - bytes;
          used[at] = Math.min(bytes, quotaOf(maxBytes, used.length, others));
        }
      }
      expect(used.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(maxBytes);
      for (const [at, bytes] of used.entries()) {
        expect(bytes).toBeGreaterThanOrEqual(Math.min(wanted[at] ?? 0, Math.floor(maxBytes / used.length)));
      }
    }),
  );
});

test('a camera that took more than its share gives way as another grows', async () => {
  const clock = new ManualClock(0);
  const source = { kind: 'file', path: 'x' };
  const cameras = ['front', 'back'].map((id) => ({ id, name: id, source }));
  const config = parseConfig(
    { dataDir: folder, cameras, regions: ['US-CA'], retention: { maxBytes: 8 * mebibyte } },
    folder,
  );
  const open = (id: string): ClipsDb => {
    mkdirSync(join(folder, 'cameras', id), { recursive: true });
    return ClipsDb.open({ path: join(folder, 'cameras', id, 'clips.db'), log: silentLog, wallMs: 0 });
  };
  const front = open('front');
  const [frontQuota, backQuota] = ['front', 'back'].map((id) => new SharedQuota(config, id, clock));
  if (frontQuota === undefined || backQuota === undefined) throw new Error('no quota');
  // The other camera has never recorded: all is for this one.
  expect([frontQuota.maxBytes, frontQuota.equalShareBytes]).toEqual([8 * mebibyte, 4 * mebibyte]);
  const record = (db: ClipsDb): void => {
    const sealed = (bytes: number) => ({ header: randomBytes(100), body: randomBytes(bytes) });
    const seq = db.openClip({ clipId: randomBytes(16).toString('hex'), wallMs: Date.now(), opening: sealed(100) });
    for (let position = 0; position < 32; position += 1) {
      db.appendSegment(seq, { track: 1, position, sealed: sealed(mebibyte / 32 - 100) });
    }
    db.closeClip(seq, sealed(100));
  };
  const room = (db: ClipsDb, rules: SharedQuota): void => {
    makeRoom(db, rules, { wallMs: Date.now(), diskFreeBytes: 2 ** 40, needBytes: mebibyte });
  };
  for (let n = 0; n < 9; n += 1) {
    room(front, frontQuota);
    record(front);
  }
  expect(front.usage().usedBytes).toBe(8 * mebibyte);
  const back = open('back');
  for (let n = 0; n < 6; n += 1) {
    await clock.advance(10_001);
    for (const [db, rules] of [
      [back, backQuota],
      [front, frontQuota],
    ] as const) {
      room(db, rules);
      record(db);
    }
  }
  expect([front, back].map((db) => db.usage().usedBytes)).toEqual([4 * mebibyte, 4 * mebibyte]);
  front.close();
  back.close();
});
