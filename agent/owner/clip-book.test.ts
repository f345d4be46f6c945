import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { Running, until } from '../../test-fixtures/owner-program.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { runRecorder } from '../recorder/program.ts';
import type { ClipSummary, DeletedClip, LedgerEntry } from './service.ts';

const fail = (code: string) => expect.objectContaining({ code });
const cameras = [
  { id: 'front', name: 'Front door', source: { kind: 'file', path: 'none.mp4' }, person: { model: 'off' } },
  { id: 'back', name: 'Back door', source: { kind: 'file', path: 'none.mp4' }, person: { model: 'off' } },
];
const startMs = Math.floor(Date.now() / 1000) * 1000 - 600_000;
const range = { fromMs: startMs - 1000, toMs: startMs + 3_600_000 };

let house: TestHouse;
let owner: Running;
let stop: AbortController;
let recorders: Promise<void>[];

/** They never see a picture; what matters here is that they write their databases. */
function startRecorders(...ids: readonly string[]): void {
  const { config } = owner;
  recorders = ids.map((cameraId) =>
    runRecorder({ config, cameraId, signal: stop.signal, clock: systemClock, log: silentLog }),
  );
}

beforeEach(async () => {
  house = await TestHouse.make();
  owner = new Running(house, { cameras });
  stop = new AbortController();
  recorders = [];
  await owner.start();
});
afterEach(async () => {
  stop.abort();
  await Promise.all(recorders);
  await owner.stop();
  house[Symbol.dispose]();
});

const listed = async (): Promise<string[]> =>
  (await owner.call<ClipSummary[]>('listClips', range)).map(({ clipId }) => clipId).toSorted();

test('delete hides at once everywhere, undo brings back, pin says what it costs; each is in the ledger', async () => {
  const front = house.addClip({ startMs });
  const back = house.addClip({ startMs: startMs + 60_000, cameraId: 'back' });
  startRecorders('front', 'back');
  await expect(owner.call('deleteClips', { clipIds: [front] })).rejects.toThrow(fail('owner/locked'));
  await owner.call('unlockDeciding', { passphrase: testPassphrase });
  await until('both recorders', () => owner.call('undeleteClips', { clipIds: [front] }).then(() => true, ({ code }) => code === 'owner/no-such-clip')); // biome-ignore format: one question

  const pinned = await owner.call<{ pinnedBytes: number }>('pinClips', { clipIds: [back], pinned: true });
  expect(pinned).toMatchObject({ changedCount: 1, quotaBytes: 8 * 1024 ** 3 });
  expect(pinned.pinnedBytes).toBeGreaterThan(200_000);
  expect(await owner.call('listClips', range)).toMatchObject([{ clipId: front, pinned: false }, { clipId: back, pinned: true }]); // biome-ignore format: two clips

  const done = await owner.call<{ deletedCount: number; goneAtMs: number }>('deleteClips', { clipIds: [front, back] });
  expect(done.deletedCount).toBe(2);
  expect(await listed()).toEqual([]);
  await expect(owner.call('clipMedia', { clipId: front, offset: 0, length: 10 })).rejects.toThrow(
    fail('vault/no-such-clip'),
  );
  const waiting = await owner.call<DeletedClip[]>('listDeleted');
  expect(waiting.map(({ clipId }) => clipId).toSorted()).toEqual([front, back].toSorted());
  expect(await owner.call('undeleteClips', { clipIds: [back] })).toEqual({ restoredCount: 1 });
  expect(await listed()).toEqual([back]);
  await expect(owner.call('pinClips', { clipIds: ['f'.repeat(32)], pinned: true })).rejects.toThrow(
    fail('owner/no-such-clip'),
  );

  await owner.call('lock');
  await owner.call('unlockDeciding', { passphrase: testPassphrase });
  const entries = await owner.call<LedgerEntry[]>('listLedger', { from: 1, count: 10 });
  const actions = entries.at(-1)?.actions ?? [];
  expect(actions).toEqual([`pin ${back}`, `delete ${front}`, `delete ${back}`, `undelete ${back}`]);
});

test('a recorder that is away can delete nothing, and that is said', async () => {
  const front = house.addClip({ startMs });
  await owner.call('unlockDeciding', { passphrase: testPassphrase });
  await expect(owner.call('deleteClips', { clipIds: [front] })).rejects.toThrow(fail('base/program-not-running'));
  expect(await owner.call('listDeleted')).toEqual([]);
  expect(await listed()).toEqual([front]);
});

test('a playback is noted once however the pieces are asked for, and what does not exist is not noted', async () => {
  const [one, two] = [house.addClip({ startMs }), house.addClip({ startMs: startMs + 60_000 })];
  await owner.call('unlockDeciding', { passphrase: testPassphrase });
  for (const clipId of [one, two, one, two, one]) await owner.call('clipMedia', { clipId, offset: 0, length: 10 });
  await expect(owner.call('clipMedia', { clipId: 'f'.repeat(32), offset: 0, length: 10 })).rejects.toThrow(
    fail('vault/no-such-clip'),
  );
  await owner.call('lock');
  await owner.call('unlockDeciding', { passphrase: testPassphrase });
  const entries = await owner.call<LedgerEntry[]>('listLedger', { from: 1, count: 10 });
  expect(entries.at(-1)?.actions).toEqual([`view ${one}`, `view ${two}`]);
});
