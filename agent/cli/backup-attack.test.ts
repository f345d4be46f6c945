/** A backup folder that somebody else had in their hands: nothing here is lost, replaced or taken for what it isn't. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'; // biome-ignore format: one line
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { TestHouse } from '../../test-fixtures/house.ts';
import { type ArchiveIndex, type ArchiveMember, ClipArchive, writeClipArchive } from '../store/clip-archive.ts';
import { ClipsReader } from '../store/clips-reader.ts';
import { register as backup } from './backup.ts';
import { type CommandResult, runCommand } from './fixture/command.ts';
import { register as restore } from './restore.ts';

const startMs = Date.parse('2026-11-20T10:00:00Z');
let scratch: string;
let old: TestHouse;
let clipIds: string[];
let folder: string;

function configOf(house: TestHouse): string {
  const path = join(house.dataDir, 'config.json');
  const cameras = [{ id: 'front', name: 'Front door', source: { kind: 'rtsp', url: 'rtsp://127.0.0.1:9/s' } }];
  writeFileSync(path, JSON.stringify({ dataDir: house.dataDir, cameras, regions: ['US-CA'], clock: 'trust-system' }));
  return path;
}

const back = (): Promise<CommandResult> => runCommand([backup], ['backup', folder, '--config', configOf(old)]);

function into(house: TestHouse, ...args: readonly string[]): Promise<CommandResult> {
  const key = join(scratch, 'paper.txt');
  writeFileSync(key, `${old.recoveryIdentity}\n`);
  return runCommand([restore], ['restore', folder, '--json', '--paper-key', key, '--config', configOf(house), ...args]);
}

const archive = (clipId = clipIds[0]): string => join(folder, 'clips', 'front', `${clipId}.tar`);

/** Written anew with other contents, every hash of the index right. */
function forge(from: string, to: string, change: (index: ArchiveIndex) => ArchiveIndex): void {
  const bytes = new Map<string, Buffer>();
  using read = ClipArchive.open(from);
  for (const [{ sha256 }, part] of read.members()) bytes.set(sha256, Buffer.from(part));
  writeClipArchive(to, change(read.index), ({ sha256 }: ArchiveMember) => bytes.get(sha256));
}

const segmentCount = (house: TestHouse): number => {
  using reader = ClipsReader.open(join(house.dataDir, 'cameras', 'front', 'clips.db'));
  return reader.listSegments(reader.clip(clipIds[0] ?? '')?.seq ?? 0).length;
};

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'lk-attack-'));
  old = await TestHouse.make();
  clipIds = [0, 1].map((n) => old.addClip({ startMs: startMs + n * 60_000 }));
});
afterAll(() => {
  old[Symbol.dispose]();
  rmSync(scratch, { recursive: true, force: true });
});
beforeEach(async () => {
  folder = mkdtempSync(join(scratch, 'into-'));
  expect((await back()).status).toBe(0);
});

test('a clip that is whole here is never replaced by what a folder calls a cut or a shorter one', async () => {
  using house = await TestHouse.make();
  expect((await into(house)).status).toBe(0);
  for (const change of [
    (index: ArchiveIndex) => ({ ...index, state: 'cut' as const, members: index.members.slice(0, 3) }),
    (index: ArchiveIndex) => ({ ...index, members: index.members.slice(0, -1) }),
  ]) {
    forge(archive(), archive(), change);
    const again = await into(house);
    expect(JSON.parse(again.stdout)).toMatchObject({ restoredCount: 0, presentCount: 2, damaged: [] });
    expect(segmentCount(house)).toBe(2);
  }
});

test('what lacks a segment, has one twice, or is another clip under its name, is not restored', async () => {
  const twice = ({ members, ...index }: ArchiveIndex): ArchiveIndex => {
    const [last] = members.slice(-1);
    const name = 'segment-009-track-1.mp4.age';
    return { ...index, members: [...members, ...(last === undefined ? [] : [{ ...last, name, position: 9 }])] };
  };
  const shorter = (index: ArchiveIndex): ArchiveIndex => ({ ...index, members: index.members.slice(0, -1) });
  const renamed = (index: ArchiveIndex): ArchiveIndex => ({ ...index, clip_id: clipIds[0] ?? '' });
  const whole = archive(clipIds[1]);
  const kept = join(scratch, 'kept.tar');
  writeFileSync(kept, readFileSync(archive()));
  for (const [from, change] of [
    [kept, twice],
    [kept, shorter],
    [whole, renamed],
  ] as const) {
    using house = await TestHouse.make();
    forge(from, archive(), change);
    const result = await into(house);
    expect(result.status).toBe(6);
    expect(JSON.parse(result.stdout)).toMatchObject({ restoredCount: 1, damaged: [{ code: 'backup/damaged' }] });
    expect(segmentCount(house)).toBe(0);
  }
});

test('an index that puts two parts in one place, or the clip on another day, costs that clip alone and hides nothing', async () => {
  const kept = join(scratch, 'of-its-day.tar');
  writeFileSync(kept, readFileSync(archive()));
  const changes: readonly ((index: ArchiveIndex) => ArchiveIndex)[] = [
    ({ members, ...index }) => ({
      ...index,
      state: 'cut',
      members: members.map((each) => (each.track === undefined ? each : { ...each, position: 0 })),
    }),
    ({ members, ...index }) => ({ ...index, state: 'cut', members: members.toReversed() }),
    // On a day on which nobody would look for it, or so old that retention takes it at once.
    (index) => ({ ...index, day: '2099-01-01' }),
    (index) => ({ ...index, state: 'cut', day: '2001-01-01' }),
  ];
  for (const change of changes) {
    using house = await TestHouse.make();
    forge(kept, archive(), change);
    const result = await into(house);
    expect(JSON.parse(result.stdout)).toMatchObject({ restoredCount: 1, damaged: [{ code: 'backup/damaged' }] });
    expect(segmentCount(house)).toBe(0);
  }
});

test('links and pipes in the folder are neither followed nor waited for', async () => {
  const elsewhere = join(scratch, 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'letter.tmp'), '');
  const camera = join(folder, 'clips', 'front');
  renameSync(camera, join(folder, 'clips', 'was'));
  symlinkSync(elsewhere, camera);
  const refused = await back();
  expect([refused.status, refused.stderr]).toEqual([5, expect.stringContaining('(backup/not-empty)')]);
  expect(readdirSync(elsewhere)).toEqual(['letter.tmp']);
  using house = await TestHouse.make();
  rmSync(camera);
  renameSync(join(folder, 'clips', 'was'), camera);
  rmSync(archive());
  symlinkSync('/dev/zero', archive());
  expect(JSON.parse((await into(house)).stdout)).toMatchObject({ restoredCount: 1, damaged: [] });
});

test('the old configuration is written over nothing', async () => {
  using house = await TestHouse.make();
  const path = join(scratch, 'letter.json');
  writeFileSync(path, 'mine');
  const refused = await into(house, '--config-out', path);
  expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining('(restore/file-exists)')]);
  expect(readFileSync(path, 'utf8')).toBe('mine');
});
