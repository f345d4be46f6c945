// The index of past days over a real house: it only ever saves work, whatever happens to its files.
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { openFile, parseIdentity, sealBytes, splitFile } from '../protocol/age-file.ts';
import { ClipsDb } from '../store/clips-db.ts';
import { VaultClient } from './client.ts';
import type { ListedClip } from './library.ts';
import { VaultSession } from './session.ts';
import { readVaultFile } from './vault-file.ts';

const dayMs = 86_400_000;
const todayMs = Math.floor(Date.now() / dayMs) * dayMs;
const firstMs = todayMs - 3 * dayMs + 3_600_000;
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

let house: TestHouse;
let folder: string;
let clipIds: string[];
beforeEach(async () => {
  house = await TestHouse.make();
  folder = join(house.dataDir, 'owner', 'clip-index');
  const add = (startMs: number, more: object = {}) => house.addClip({ startMs, ...more });
  clipIds = [
    add(firstMs),
    add(firstMs + 60_000, { cut: true }),
    add(firstMs + 120_000, { cameraId: 'back' }),
    add(firstMs + dayMs),
    // Of today, even right after midnight.
    add(todayMs),
  ];
});
afterEach(() => house[Symbol.dispose]());

async function unlocked(): Promise<VaultSession> {
  const session = new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8 });
  await session.openDeciding(testPassphrase);
  return session;
}

const list = async (): Promise<readonly ListedClip[]> => (await unlocked()).listClips(0, todayMs + dayMs);
const consolidate = async (): Promise<string[]> => [...(await unlocked()).consolidate()];
const path = (ms: number): string => join(folder, `${dayOf(ms)}.age`);
const identity = async () => parseIdentity((await readVaultFile(house.dataDir, testPassphrase)).ownerIdentity);

/** From now on nothing but the index can say what the clips show. */
function breakMetadata(): void {
  for (const camera of ['front', 'back']) {
    const db = new Database(join(house.dataDir, 'cameras', camera, 'clips.db'));
    db.exec('UPDATE meta SET body = zeroblob(length(body))');
    db.close();
  }
}

describe('past days', () => {
  it('are listed from one sealed file each, as their clips would list themselves', async () => {
    const before = await list();
    expect(before.map(({ clipId }) => clipId)).toEqual(clipIds);
    expect(await consolidate()).toEqual([dayOf(firstMs + dayMs), dayOf(firstMs)]);
    expect(readdirSync(folder)).toEqual([dayOf(firstMs), dayOf(firstMs + dayMs)].map((day) => `${day}.age`));
    expect(await list()).toEqual(before);
    expect(await consolidate()).toEqual([]);
    breakMetadata();
    expect((await list()).map(({ clipId }) => clipId)).toEqual(clipIds.slice(0, 4));
  });

  it('tell a thief nothing, and open for the owner alone', async () => {
    await consolidate();
    const file = readFileSync(path(firstMs));
    for (const word of [clipIds[0] ?? '', 'person', String(firstMs)]) expect(file.includes(word)).toBe(false);
    const text = Buffer.from(openFile(splitFile(file), await identity())).toString('utf8', 32);
    expect(JSON.parse(text)).toMatchObject({ day: dayOf(firstMs), clips: { length: 3 } });
    expect(() => openFile(splitFile(file), parseIdentity(house.recoveryIdentity))).toThrow(
      expect.objectContaining({ code: 'age/wrong-key' }),
    );
  });

  it('forget what is deleted, and days without clips', async () => {
    await consolidate();
    using db = ClipsDb.open({
      path: join(house.dataDir, 'cameras', 'front', 'clips.db'),
      log: silentLog,
      wallMs: todayMs,
    });
    db.deleteClips([clipIds[0] ?? '', clipIds[3] ?? '']);
    writeFileSync(join(folder, `.${dayOf(firstMs)}.age.${'0'.repeat(12)}.tmp`), 'half');
    expect((await list()).map(({ clipId }) => clipId)).toEqual([clipIds[1], clipIds[2], clipIds[4]]);
    expect(await consolidate()).toEqual([dayOf(firstMs)]);
    expect(readdirSync(folder)).toEqual([`${dayOf(firstMs)}.age`]);
    const text = Buffer.from(openFile(splitFile(readFileSync(path(firstMs))), await identity())).toString('utf8', 32);
    expect(text).not.toContain(clipIds[0]);
  });

  it('wait while one of their clips is open', async () => {
    const db = new Database(join(house.dataDir, 'cameras', 'front', 'clips.db'));
    db.prepare("UPDATE clip SET state = 'open' WHERE clip_id = ?").run(clipIds[3]);
    db.close();
    expect(await consolidate()).toEqual([dayOf(firstMs)]);
  });
});

describe('an index that can not be trusted', () => {
  it.each<[string, () => Promise<void> | void]>([
    ['with a flipped bit', () => {
      const file = readFileSync(path(firstMs));
      const at = Math.floor(Math.random() * file.length);
      file[at] = (file[at] ?? 0) ^ (1 << Math.floor(Math.random() * 8));
      writeFileSync(path(firstMs), file);
    }],
    ['that is cut short', () => writeFileSync(path(firstMs), readFileSync(path(firstMs)).subarray(0, 400))],
    ['that is empty', () => writeFileSync(path(firstMs), '')],
    ['of another day', () => renameSync(path(firstMs + dayMs), path(firstMs))],
    ['sealed to the owner by a stranger', async () => {
      const opened = Buffer.from(openFile(splitFile(readFileSync(path(firstMs))), await identity()));
      const text = opened.toString('utf8', 32).replaceAll('"person"', '"motion"');
      const { header, body } = sealBytes([(await identity()).recipient], Buffer.concat([randomBytes(32), Buffer.from(text)]));
      writeFileSync(path(firstMs), Buffer.concat([header, body]));
    }],
    ['that says that a clip is whole when it is cut', async () => {
      const db = new Database(join(house.dataDir, 'cameras', 'front', 'clips.db'));
      db.prepare("UPDATE clip SET state = 'closed' WHERE clip_id = ?").run(clipIds[1]);
      db.prepare("UPDATE clip SET state = 'cut' WHERE clip_id = ?").run(clipIds[1]);
      db.close();
      rmSync(path(firstMs));
    }],
  ])('%s is made anew from the clips', async (_, harm) => {
    const before = await list();
    await consolidate();
    await harm();
    expect(await list()).toEqual(before);
    expect(await consolidate()).toContain(dayOf(firstMs));
    breakMetadata();
    expect((await list()).map(({ labels }) => labels)).toEqual([['person'], [], ['person'], ['person']]);
  }); // biome-ignore format: one harm a line

  it('never keeps the clips from being listed', async () => {
    writeFileSync(folder, 'a file where the folder should be');
    await expect(consolidate()).rejects.toThrow();
    expect(await list()).toHaveLength(5);
  });
});

it('the vault makes it by itself after an unlock, and answers meanwhile', async () => {
  await using vault = await VaultClient.start(house.dataDir);
  await vault.openDeciding(testPassphrase);
  expect(await vault.listClips(0, todayMs + dayMs)).toHaveLength(5);
  await expect
    .poll(() => existsSync(folder) && readdirSync(folder).filter((name) => name.endsWith('.age')), { timeout: 60_000 })
    .toHaveLength(2);
  expect(await vault.listClips(0, todayMs + dayMs)).toHaveLength(5);
});
