/** A clip that its owner deletes while it is on its way into a share: it does not leave, whatever was previewed before. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { systemClock } from '../base/clock.ts';
import { generateIdentity } from '../protocol/age-file.ts';
import { writeDeletions } from '../store/deletions.ts';
import { VaultSession } from './session.ts';

const startMs = Math.floor(Date.now() / 1000) * 1000 - 600_000;
const gone = expect.objectContaining({ code: 'vault/no-such-clip' });
let house: TestHouse;
let session: VaultSession;
let selection: { clipId: string; fromMs: number; toMs: number }[];
let hide: (clipIds: readonly string[]) => void;

beforeEach(async () => {
  house = await TestHouse.make();
  await house.pinRoot();
  selection = [0, 30_000].map((afterMs) => {
    const fromMs = startMs + afterMs;
    return { clipId: house.addClip({ startMs: fromMs }), fromMs, toMs: fromMs + 20_000 };
  });
  session = new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8 });
  await session.openDeciding(testPassphrase);
  const folder = join(house.dataDir, 'cameras', 'front');
  hide = (clipIds) => writeDeletions(folder, new Map(clipIds.map((clipId) => [clipId, Date.now() + 60_000])));
});
afterEach(() => house[Symbol.dispose]());

it('is in no approved share, and is again when it was taken back', async () => {
  const agency = house.agency();
  const { previewId } = session.preview({ request: house.request().envelope, agency, floorS: 0, selection });
  const releaseNotBeforeMs = Date.now() + 1000;
  const approve = () =>
    session.approve({ previewId, passphrase: testPassphrase, agency, floorS: 0, releaseNotBeforeMs });
  hide([selection[1]?.clipId ?? '']);
  await expect(approve()).rejects.toThrow(gone);
  expect(existsSync(join(house.dataDir, 'owner', 'held'))).toBe(false);
  hide([]);
  expect(await approve()).toMatchObject({ shareId: expect.any(String) });
});

it('is in no file that is sealed for somebody', async () => {
  const { recipient } = generateIdentity();
  const { previewId } = session.ownPreview({ selection, sound: false, recipient });
  const seal = () => session.ownShare({ previewId, passphrase: testPassphrase });
  hide([selection[0]?.clipId ?? '']);
  await expect(seal()).rejects.toThrow(gone);
  hide([]);
  const { path } = await seal();
  expect(existsSync(path)).toBe(true);
});
