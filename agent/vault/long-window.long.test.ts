import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { addLargeClips } from '../../test-fixtures/large-clip.ts';
import { VaultClient } from './client.ts';

const mebibyte = 1 << 20;
/** As many clips as a grant can name: 792 MB in all, the longest window at 440 kbit/s. */
const [clipCount, clipMs, bytesPerSecond] = [99, 8000, 1_000_000];

let house: TestHouse;
let vault: VaultClient;
let clipIds: string[];
const startMs = Math.floor(Date.now() / 1000) * 1000 - 3 * 3_600_000;

function peakBytes(): number {
  const status = readFileSync(`/proc/${vault.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

beforeAll(async () => {
  house = await TestHouse.make();
  await house.pinRoot();
  clipIds = addLargeClips(house, { startMs, clipCount, clipMs, bytesPerSecond });
  vault = await VaultClient.start(house.dataDir);
  await vault.openDeciding(testPassphrase);
}, 300_000);
afterAll(async () => {
  await vault.stop();
  house[Symbol.dispose]();
});

test('the longest share goes through preview and approval in bounded memory, and so does seeking in it', async () => {
  const shortest = await request(1);
  expect(shortest.shareBytes).toBeLessThan(10 * mebibyte);
  const beforeBytes = peakBytes();
  const preview = await request(clipCount);
  expect(preview.media).toHaveLength(clipCount);
  const total = preview.media.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(total).toBe(clipCount * (1000 + (clipMs / 1000) * bytesPerSecond));
  for (const [n, { name, bytes }] of preview.media.entries()) {
    const piece = await vault.previewMedia({
      previewId: preview.previewId,
      name,
      offset: (n * 977_777) % bytes,
      length: mebibyte,
    });
    expect(piece.totalBytes).toBe(bytes);
  }
  for (const clipId of clipIds) await vault.clipMedia({ clipId, offset: 3_000_000, length: mebibyte });
  const sealed = await vault.approve({
    previewId: preview.previewId,
    passphrase: testPassphrase,
    agency: house.agency(),
    floorS: 0,
    releaseNotBeforeMs: Date.now(),
  });
  expect(statSync(join(house.dataDir, 'owner', 'held', sealed.shareId, 'body.age')).size).toBe(sealed.bodyBytes);
  expect(sealed.bodyBytes).toBeGreaterThan(total);
  const grownBytes = peakBytes() - beforeBytes;
  process.stderr.write(
    `long share: ${Math.round(total / mebibyte)} MiB, peak ${Math.round(peakBytes() / mebibyte)} MiB, grown by ${Math.round(grownBytes / mebibyte)} MiB\n`,
  );
  // Held at once it would be three times as much.
  expect(grownBytes).toBeLessThan(250 * mebibyte);
}, 300_000);

async function request(count: number) {
  const nowS = Math.floor(Date.now() / 1000);
  const { envelope } = house.request({ change: (r) => ({ ...r, window: { from: nowS - 4 * 3600, to: nowS } }) });
  const selection = clipIds
    .slice(0, count)
    .map((clipId) => ({ clipId, fromMs: startMs, toMs: startMs + clipCount * clipMs }));
  const params = {
    request: envelope,
    agency: house.agency(),
    floorS: 0,
    selection,
    discloseLineage: false,
    sound: false,
  };
  return vault.preview(params);
}
