/** A disk without a single free byte, at start and in the middle of recording: the oldest gives way and recording goes on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkClips } from '../../agent/store/clips-check.ts';
import { ClipsReader } from '../../agent/store/clips-reader.ts';
import { encode } from '../cameras/captured.ts';
import { porchPath, TestCamera } from '../recording.ts';
import { SmallDisk } from '../small-disk.ts';

const mebibyte = 1 << 20;
let dir: string;
let grainy: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'full-disk-'));
  grainy = join(dir, 'grainy.mp4');
  // About 1 MB for a clip of 5 s.
  const noise = [
    '-t',
    '6',
    '-vf',
    'scale=320:180,noise=alls=16:allf=t',
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-crf',
    '26',
    '-g',
    '10',
  ];
  encode(porchPath, grainy, noise);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function camera(disk: SmallDisk, minFreeBytes = 0): TestCamera {
  return new TestCamera({
    parent: disk.path,
    retention: { maxBytes: 2 ** 40, minFreeBytes },
    camera: {
      source: { kind: 'file', path: grainy, pace: 'fast', loop: true },
      person: { model: 'off' },
      clip: { mode: 'continuous', preRollMs: 0, maxClipMs: 5000 },
    },
  });
}

/** Clips of the store, oldest first; every one of them whole. */
function wholeClips(of: TestCamera): { readonly clipId: string; readonly bytes: number; readonly pinned: boolean }[] {
  using reader = ClipsReader.open(of.databasePath, { timeoutMs: 20_000 });
  const checked = [...checkClips(reader)];
  expect(checked.flatMap(({ faults }) => faults)).toEqual([]);
  return checked.map(({ clip }) => clip);
}

describe.skipIf(!SmallDisk.possible)(
  'a full disk (needs root and a loop device to mount a file system of its own)',
  () => {
    test('while recording: old clips give way, new ones are whole, and nothing is a problem', async () => {
      using disk = new SmallDisk();
      using of = camera(disk);
      disk.fill(6 * mebibyte);
      const recorder = of.start(of.log);
      await of.waitFor(({ closedCount }) => Number(closedCount) >= 4);
      const first = wholeClips(of)[0]?.clipId;
      // From here on somebody else takes all that is left.
      disk.fill(0);
      expect(disk.freeBytes).toBeLessThan(4096 * 4);
      const before = Number((await of.status())['closedCount']);
      await of.waitFor(({ closedCount }) => Number(closedCount) >= before + 6);
      const { problem } = await of.status();
      expect(problem).toBeNull();
      await recorder.stop();
      const clips = wholeClips(of);
      expect(clips.length).toBeGreaterThan(0);
      expect(clips.map(({ clipId }) => clipId)).not.toContain(first);
      const opened = of.clips();
      expect(opened.filter(({ state }) => state === 'closed').length).toBeGreaterThan(0);
      expect(opened.every(({ video }) => video.length > 0)).toBe(true);
    });

    test('at start: heals, makes room and records', async () => {
      using disk = new SmallDisk();
      using of = camera(disk);
      disk.fill(6 * mebibyte);
      const earlier = of.start(of.log);
      await of.waitFor(({ closedCount }) => Number(closedCount) >= 3);
      await earlier.stop();
      disk.fill(0);
      const recorder = of.start(of.log);
      await of.waitFor(({ closedCount }) => Number(closedCount) >= 5);
      await recorder.stop();
      expect(wholeClips(of).length).toBeGreaterThan(0);
    });

    test('from which nothing may be taken: says so, and begins again by itself when there is room', async () => {
      using disk = new SmallDisk();
      using of = camera(disk);
      disk.fill(6 * mebibyte);
      const recorder = of.start(of.log);
      await of.waitFor(({ closedCount }) => Number(closedCount) >= 2);
      const pinAll = async (): Promise<void> => {
        await of.call('pin', { clipIds: wholeClips(of).map(({ clipId }) => clipId) });
      };
      // By the rows: a clip may be gone between being listed and being pinned.
      const pinned = (): string[] => wholeClips(of).flatMap((clip) => (clip.pinned ? [clip.clipId] : []));
      // Two before the disk is full, because then unpinned ones go at once; the others as they come, until there is no room
      // for one clip more.
      while (pinned().length < 2) await pinAll();
      disk.fill(0);
      while ((await of.status())['problem'] !== 'store/full') await pinAll();
      const clipIds = pinned();
      expect(clipIds.length).toBeGreaterThan(1);
      await of.call('delete', { clipIds, afterMs: 0 });
      const { closedCount } = await of.status();
      await of.waitFor((status) => status['problem'] === null && Number(status['closedCount']) > Number(closedCount));
      await recorder.stop();
    });

    test('the floor of free space is kept before it comes to that', async () => {
      using disk = new SmallDisk();
      using of = camera(disk, 40 * mebibyte);
      const recorder = of.start(of.log);
      await of.waitFor(({ closedCount }) => Number(closedCount) >= 20);
      expect(disk.freeBytes).toBeGreaterThan(36 * mebibyte);
      await recorder.stop();
      expect(of.logLines.join()).not.toContain('store/full');
      expect(wholeClips(of).length).toBeLessThan(20);
    });
  },
);
