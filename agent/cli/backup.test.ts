import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { SmallDisk } from '../../test-fixtures/small-disk.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { ClipsDb } from '../store/clips-db.ts';
import { ClipsReader } from '../store/clips-reader.ts';
import { readDeletions, writeDeletions } from '../store/deletions.ts';
import { VaultSession } from '../vault/session.ts';
import { register as backup } from './backup.ts';
import type { BackupResult } from './backup-copy.ts';
import { register as check } from './check.ts';
import { type CommandResult, runCommand } from './fixture/command.ts';
import { register as restore } from './restore.ts';
import type { RestoreResult } from './restore-clips.ts';

const startMs = Date.parse('2026-11-20T10:00:00Z');
const range = [startMs - 1000, startMs + 86_400_000] as const;
let scratch: string;
let old: TestHouse;
let clipIds: string[];
let folder: string;

/** A configuration beside the data, with an address in it that no backup may show. */
function configOf(house: TestHouse, more: object = {}): string {
  const path = join(house.dataDir, 'config.json');
  const cameras = [{ id: 'front', name: 'Front door', source: { kind: 'rtsp', url: 'rtsp://192.168.77.9/s' } }];
  writeFileSync(
    path,
    JSON.stringify({ dataDir: house.dataDir, cameras, regions: ['US-CA'], clock: 'trust-system', ...more }),
  );
  return path;
}

function paperOf(house: TestHouse): string {
  const path = join(house.dataDir, 'paper.txt');
  writeFileSync(path, `# words\n${house.recoveryIdentity}\n`);
  return path;
}

const back = (house: TestHouse, ...args: readonly string[]): Promise<CommandResult> =>
  runCommand([backup], ['backup', folder, '--json', '--config', configOf(house), ...args]);
const into = (house: TestHouse, key: string, ...args: readonly string[]): Promise<CommandResult> =>
  runCommand([restore], ['restore', folder, '--json', '--paper-key', key, '--config', configOf(house), ...args]);
const copied = ({ stdout }: CommandResult): BackupResult => JSON.parse(stdout) as BackupResult;
const restored = ({ stdout }: CommandResult): RestoreResult => JSON.parse(stdout) as RestoreResult;
const archives = (): string[] =>
  readdirSync(join(folder, 'clips', 'front')).map((name) => join(folder, 'clips', 'front', name)).toSorted(); // biome-ignore format: one list

/** Runs the real command and kills it as soon as what `look` sees is no longer what it was; or it ends by itself. */
async function killAtChange(args: readonly string[], look: () => string): Promise<void> {
  const before = look();
  const child = spawn(process.execPath, [join(import.meta.dirname, '../main.ts'), ...args], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  while (child.exitCode === null && look() === before) await systemClock.sleep(1);
  child.kill('SIGKILL');
  await ended;
}

async function listed(house: TestHouse): Promise<{ clipId: string; pinned: boolean }[]> {
  const session = new VaultSession({ dataDir: house.dataDir, clock: systemClock });
  await session.openDeciding(testPassphrase);
  return session.listClips(...range).map(({ clipId, pinned }) => ({ clipId, pinned }));
}

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'lk-backup-'));
  old = await TestHouse.make();
  clipIds = [0, 1, 2].map((n) => old.addClip({ startMs: startMs + n * 60_000, cut: n === 2 }));
});
afterAll(() => {
  old[Symbol.dispose]();
  rmSync(scratch, { recursive: true, force: true });
});
beforeEach(() => {
  folder = mkdtempSync(join(scratch, 'into-'));
});

describe('a backup', () => {
  test('holds every finished clip, sealed; a second run copies only what is new', async () => {
    expect(copied(await back(old))).toMatchObject({ copiedCount: 3, presentCount: 0, skippedCount: 0, damaged: [] });
    const times = archives().map((path) => statSync(path).mtimeMs);
    expect(copied(await back(old))).toMatchObject({ copiedCount: 0, copiedBytes: 0, presentCount: 3 });
    expect(archives().map((path) => statSync(path).mtimeMs)).toEqual(times);
    const fourth = old.addClip({ startMs: startMs + 300_000 });
    const cameraFolder = join(old.dataDir, 'cameras', 'front');
    writeDeletions(cameraFolder, new Map([[clipIds[0] ?? '', Date.now()]]));
    expect(copied(await back(old))).toMatchObject({ copiedCount: 1, presentCount: 2, skippedCount: 1 });
    writeDeletions(cameraFolder, new Map());
    using db = ClipsDb.open({ path: join(cameraFolder, 'clips.db'), log: silentLog, wallMs: Date.now() });
    db.deleteClips([fourth]);
    db.setPinned(clipIds.slice(0, 1), true);
    // What is kept differently is written anew; what was deleted here stays in the backup.
    expect(copied(await back(old))).toMatchObject({ copiedCount: 1, presentCount: 2 });
    expect(archives()).toHaveLength(4);
    db.setPinned(clipIds.slice(0, 1), false);
    const everything = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((path) => statSync(path).isFile());
    for (const path of everything) {
      expect(statSync(path).mode & 0o077).toBe(0);
      const bytes = readFileSync(path);
      for (const secret of ['192.168.77.9', 'latE6', 'person', 'moof']) expect(bytes.includes(secret)).toBe(false);
    }
  });

  test('opens with stock tar and stock age', async () => {
    await back(old);
    const out = join(folder, 'out');
    mkdirSync(out);
    const path = join(folder, 'clips', 'front', `${clipIds[0]}.tar`);
    expect(spawnSync('tar', ['xf', path, '-C', out]).status).toBe(0);
    const names = readdirSync(out).toSorted();
    expect(names).toEqual(['closing.json.age', 'index.json', 'opening.json.age', 'segment-000-track-1.mp4.age', 'segment-001-track-1.mp4.age'].toSorted()); // biome-ignore format: one list
    const opened = names
      .filter((name) => name.startsWith('segment'))
      .map((name) => spawnSync('age', ['-d', '-i', paperOf(old), join(out, name)]).stdout);
    const movie = join(out, 'clip.mp4');
    writeFileSync(movie, Buffer.concat(opened));
    const probe = spawnSync('ffprobe', ['-v', 'error', '-count_frames', '-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0', movie], { encoding: 'utf8' }); // biome-ignore format: one command
    expect([probe.stdout.trim(), probe.stderr]).toEqual(['200', '']);
  });

  test('refuses the folder of another device, and one with other things', async () => {
    await back(old);
    using other = await TestHouse.make();
    expect((await back(other)).stderr).toContain('(backup/other-device)');
    folder = mkdtempSync(join(scratch, 'full-'));
    writeFileSync(join(folder, 'holiday.jpg'), '');
    const refused = await back(old);
    expect([refused.status, refused.stderr]).toEqual([5, expect.stringContaining('(backup/not-empty)')]);
    folder = join(folder, 'holiday.jpg', 'below');
    const nowhere = await back(old);
    expect([nowhere.status, nowhere.stderr]).toEqual([4, expect.stringContaining('(backup/cannot-write)')]);
  });

  test('damage in the backup is found by --verify and copied anew; damage here is said and not copied', async () => {
    await back(old);
    const [first = '', second = ''] = archives();
    truncateSync(second, statSync(second).size - 600);
    const bytes = readFileSync(first);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(first, bytes);
    // By size alone a flipped bit can't be seen.
    expect(copied(await back(old))).toMatchObject({ copiedCount: 1, presentCount: 2 });
    expect(copied(await back(old, '--verify'))).toMatchObject({ copiedCount: 1, presentCount: 2 });
    expect(copied(await back(old, '--verify'))).toMatchObject({ copiedCount: 0, presentCount: 3 });

    using hurt = await TestHouse.make();
    hurt.addClip({ startMs });
    const path = join(hurt.dataDir, 'cameras', 'front', 'clips.db');
    const file = readFileSync(path);
    // The middle of a file of a few large bodies lies in one of them.
    file[file.length >> 1] = (file[file.length >> 1] ?? 0) ^ 1;
    writeFileSync(path, file);
    folder = mkdtempSync(join(scratch, 'hurt-'));
    const result = await back(hurt);
    expect([result.status, result.stderr]).toEqual([6, expect.stringContaining('(backup/damaged-here)')]);
    expect(copied(result)).toMatchObject({ copiedCount: 0, damaged: [expect.any(String)] });
  });

  test('killed at any moment, it goes on where it was, and what stands there is whole', async () => {
    const [config, camera] = [configOf(old), join(folder, 'clips', 'front')];
    const names = (): string => (existsSync(camera) ? readdirSync(camera).toSorted().join() : '');
    // Each time as soon as anything new stands there, half written or whole.
    for (let n = 0; n < 4; n += 1) await killAtChange(['backup', folder, '--config', config], names);
    const { copiedCount, presentCount } = copied(await back(old, '--verify'));
    expect(copiedCount + presentCount).toBe(3);
    expect(readdirSync(join(folder, 'clips', 'front')).filter((name) => !name.endsWith('.tar'))).toEqual([]);
  });

  test.skipIf(!SmallDisk.possible)(
    'a full disk is said, keeps what was whole, and goes on when there is room (needs root)',
    async () => {
      using disk = new SmallDisk();
      folder = join(disk.path, 'backup');
      disk.fill(500_000);
      const full = await back(old);
      expect([full.status, full.stderr]).toEqual([7, expect.stringContaining('(backup/disk-full)')]);
      for (const path of existsSync(join(folder, 'clips', 'front')) ? archives() : []) expect(path).toMatch(/\.tar$/);
      rmSync(join(disk.path, 'filler-1'));
      const { copiedCount, presentCount } = copied(await back(old, '--verify'));
      expect(copiedCount + presentCount).toBe(3);
    },
  );
});

describe('restored onto a new device', () => {
  test('its clips open with the new keys, play, and are what was recorded; a second run finds them there', async () => {
    await back(old);
    using fresh = await TestHouse.make();
    const house = join(scratch, 'old-house.json');
    const first = await into(fresh, paperOf(old), '--config-out', house);
    expect(restored(first)).toMatchObject({ restoredCount: 3, presentCount: 0, damaged: [] });
    expect(JSON.parse(readFileSync(house, 'utf8'))).toMatchObject({
      config: { regions: ['US-CA'] },
      place: { latE6: 37_774_900 },
    });
    expect(await listed(fresh)).toEqual(clipIds.map((clipId) => ({ clipId, pinned: true })));
    const checked = await runCommand(
      [check],
      ['check', '--json', '--config', configOf(fresh), '--paper-key', paperOf(fresh)],
    );
    expect(JSON.parse(checked.stdout)).toMatchObject([{ clipCount: 3, cutCount: 1, unalteredCount: 2, faulty: [] }]);
    expect(restored(await into(fresh, paperOf(old)))).toMatchObject({ restoredCount: 0, presentCount: 3 });
    // The old paper key opens nothing here any more.
    using reader = ClipsReader.open(join(fresh.dataDir, 'cameras', 'front', 'clips.db'));
    const seq = reader.clip(clipIds[0] ?? '')?.seq ?? 0;
    const [segment] = reader.listSegments(seq);
    const { header, body } = (segment && reader.segment(segment)) ?? { header: '', body: '' };
    const input = Buffer.concat([Buffer.from(header), Buffer.from(body)]);
    expect(spawnSync('age', ['-d', '-i', paperOf(old)], { input }).status).not.toBe(0);
    expect(spawnSync('age', ['-d', '-i', paperOf(fresh)], { input }).stdout.length).toBeGreaterThan(100_000);
  });

  test('a wrong key, no key, no backup, no room: refused before anything is written', async () => {
    await back(old);
    using fresh = await TestHouse.make();
    const wrong = await into(fresh, paperOf(fresh));
    expect([wrong.status, wrong.stderr]).toEqual([5, expect.stringContaining('(age/wrong-key)')]);
    expect((await into(fresh, join(scratch, 'none'))).stderr).toContain('(restore/no-key)');
    const quota = ['restore', folder, '--paper-key', paperOf(old), '--config'];
    const small = configOf(fresh, { retention: { maxBytes: 1 << 20, minFreeBytes: 0 } });
    expect((await runCommand([restore], [...quota, small])).stderr).toContain('(restore/quota)');
    const crowded = configOf(fresh, { retention: { minFreeBytes: 2 ** 49 } });
    const noSpace = await runCommand([restore], [...quota, crowded]);
    expect([noSpace.status, noSpace.stderr]).toEqual([7, expect.stringContaining('(restore/no-space)')]);
    folder = mkdtempSync(join(scratch, 'none-'));
    expect((await into(fresh, paperOf(old))).stderr).toContain('(backup/not-a-backup)');
    expect(existsSync(join(fresh.dataDir, 'cameras', 'front'))).toBe(false);
  });

  test('flipped bits and cuts anywhere are found; the other clips come back, unpinned if asked', async () => {
    await back(old);
    const [first = '', second = '', third = ''] = archives();
    const kept = readFileSync(first);
    truncateSync(second, statSync(second).size >> 1);
    for (const share of [0.0001, 0.3, 0.6, 0.9, 0.99999]) {
      using fresh = await TestHouse.make();
      const bytes = Buffer.from(kept);
      const at = Math.floor(bytes.length * share);
      bytes[at] = (bytes[at] ?? 0) ^ 16;
      writeFileSync(first, bytes);
      const result = await into(fresh, paperOf(old), '--unpinned');
      expect([result.status, result.stderr]).toEqual([6, expect.stringContaining('(restore/damaged)')]);
      expect(restored(result)).toMatchObject({
        restoredCount: 1,
        damaged: [{ code: 'backup/damaged' }, { code: 'backup/damaged' }],
      });
      expect(await listed(fresh)).toEqual([{ clipId: third.slice(-36, -4), pinned: false }]);
    }
    // One clip under the name of another is not taken for it.
    using fresh = await TestHouse.make();
    copyFileSync(third, first);
    expect(restored(await into(fresh, paperOf(old)))).toMatchObject({ restoredCount: 1 });
    writeFileSync(join(folder, 'house.json.age'), 'age-encryption.org/v1\n');
    expect((await into(fresh, paperOf(old))).stderr).toContain('(backup/damaged)');
  });

  test('what was deleted here and could still be taken back is taken back: it would go at the next start', async () => {
    await back(old);
    using house = await TestHouse.make();
    expect(restored(await into(house, paperOf(old)))).toMatchObject({ restoredCount: 3 });
    const cameraFolder = join(house.dataDir, 'cameras', 'front');
    const other = 'f'.repeat(32);
    writeDeletions(cameraFolder, new Map([...clipIds, other].map((clipId) => [clipId, Date.now() + 60_000])));
    expect(await listed(house)).toEqual([]);
    expect(restored(await into(house, paperOf(old)))).toMatchObject({ restoredCount: 0, presentCount: 3 });
    expect((await listed(house)).map(({ clipId }) => clipId)).toEqual(clipIds);
    expect([...readDeletions(cameraFolder).keys()]).toEqual([other]);
  });

  test('killed at any moment, it is begun again and ends whole', async () => {
    await back(old);
    using fresh = await TestHouse.make();
    const args = ['restore', folder, '--paper-key', paperOf(old), '--config', configOf(fresh)];
    const database = join(fresh.dataDir, 'cameras', 'front', 'clips.db');
    const size = (): string => String(existsSync(database) ? statSync(database).size : 0);
    for (let n = 0; n < 4; n += 1) await killAtChange(args, size);
    const { restoredCount, presentCount } = restored(await into(fresh, paperOf(old)));
    expect(restoredCount + presentCount).toBe(3);
    const checked = await runCommand(
      [check],
      ['check', '--json', '--config', configOf(fresh), '--paper-key', paperOf(fresh)],
    );
    expect(JSON.parse(checked.stdout)).toMatchObject([{ clipCount: 3, cutCount: 1, unalteredCount: 2, faulty: [] }]);
  });
});
