import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { addLargeClips, type LargeClips } from '../../test-fixtures/large-clip.ts';
import { python } from '../../test-fixtures/vectors/independent/python.ts';
import { openFile, parseIdentity } from '../protocol/age-file.ts';
import { readArchive } from '../protocol/share-archive.ts';
import { mediaNameOf } from '../protocol/share-names.ts';
import { verifyShare } from '../protocol/share-verify.ts';
import { VaultClient } from './client.ts';
import type { ApprovalReport } from './reports.ts';

const mebibyte = 1 << 20;
const windowMs = 4 * 3_600_000;
const startMs = Math.floor(Date.now() / 1000) * 1000 - windowMs - 600_000;

let house: TestHouse;
let vault: VaultClient;

function peakBytes(): number {
  const status = readFileSync(`/proc/${vault.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

beforeEach(async () => {
  house = await TestHouse.make();
  await house.pinRoot();
}, 60_000);
afterEach(async () => {
  await vault.stop();
  house[Symbol.dispose]();
});

interface Shared {
  readonly names: readonly string[];
  readonly mediaBytes: number;
  readonly request: Uint8Array;
  readonly sealed: ApprovalReport;
  /** Beyond what a share of the first clip alone took. */
  readonly grownBytes: number;
}

/** Every clip in one share: previewed, looked into here and there, sealed. */
async function shareAll(clips: LargeClips, asked: { readonly discloseLineage: boolean }): Promise<Shared> {
  const clipIds = addLargeClips(house, clips);
  vault = await VaultClient.start(house.dataDir);
  await vault.openDeciding(testPassphrase);
  const shortest = await preview(clipIds.slice(0, 1), asked);
  expect(shortest.shareBytes).toBeLessThan(10 * mebibyte);
  const beforeBytes = peakBytes();
  const { media, previewId, request } = await preview(clipIds, asked);
  for (const [n, { name, bytes }] of media.entries()) {
    const piece = await vault.previewMedia({ previewId, name, offset: (n * 977_777) % bytes, length: mebibyte });
    expect(piece.totalBytes).toBe(bytes);
  }
  for (const clipId of clipIds) await vault.clipMedia({ clipId, offset: 3_000_000, length: mebibyte });
  const sealed = await vault.approve({
    previewId,
    passphrase: testPassphrase,
    agency: house.agency(),
    floorS: 0,
    releaseNotBeforeMs: Date.now(),
  });
  const mediaBytes = media.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(mediaBytes).toBe(clips.clipCount * (1000 + (clips.clipMs / 1000) * clips.bytesPerSecond));
  expect(statSync(join(house.dataDir, 'owner', 'held', sealed.shareId, 'body.age')).size).toBe(sealed.bodyBytes);
  expect(sealed.bodyBytes).toBeGreaterThan(mediaBytes);
  const grownBytes = peakBytes() - beforeBytes;
  process.stderr.write(
    `long share: ${clips.clipCount} clips, ${Math.round(mediaBytes / mebibyte)} MiB, peak ${Math.round(peakBytes() / mebibyte)} MiB, grown by ${Math.round(grownBytes / mebibyte)} MiB\n`,
  );
  return { names: media.map(({ name }) => name), mediaBytes, request, sealed, grownBytes };
}

async function preview(clipIds: readonly string[], asked: { readonly discloseLineage: boolean }) {
  const window = { from: startMs / 1000, to: (startMs + windowMs) / 1000 };
  const { envelope } = house.request({ change: (r) => ({ ...r, window }) });
  const report = await vault.preview({
    request: envelope,
    agency: house.agency(),
    floorS: 0,
    selection: clipIds.map((clipId) => ({ clipId, fromMs: startMs, toMs: startMs + windowMs })),
    sound: false,
    ...asked,
  });
  return { ...report, request: envelope };
}

test('many bytes go through preview and approval in bounded memory, and so does seeking in them', async () => {
  // 792 MB: four hours at 440 kbit/s.
  const clips = { startMs, clipCount: 99, clipMs: 8000, bytesPerSecond: 1_000_000 };
  const { grownBytes } = await shareAll(clips, { discloseLineage: false });
  // Held at once it would be three times as much.
  expect(grownBytes).toBeLessThan(250 * mebibyte);
}, 600_000);

test('four hours of clips of a minute are one share, in bounded memory, and both verifiers find all of it unaltered', async () => {
  const clips = { startMs, clipCount: 240, clipMs: 60_000, bytesPerSecond: 4000 };
  const { names, request, sealed, grownBytes } = await shareAll(clips, { discloseLineage: true });
  expect(names).toEqual(Array.from({ length: 240 }, (_, i) => mediaNameOf('video', i + 1)));
  expect(grownBytes).toBeLessThan(250 * mebibyte);

  const held = (name: string): string => join(house.dataDir, 'owner', 'held', sealed.shareId, name);
  const [header, body] = [readFileSync(held('header.age')), readFileSync(held('body.age'))];
  const files = readArchive(openFile({ header, body }, parseIdentity(house.agencyIdentity.identity)));
  const verdict = verifyShare({ files, request });
  expect(verdict).toMatchObject({ grantSignature: 'valid', problems: [], lineage: 'same-device' });
  expect(verdict.media.map(({ unaltered }) => unaltered)).toEqual(names.map(() => 'unaltered'));
  expect(verdict.media.map((medium) => medium.fragmentsProved)).toEqual(names.map(() => 61));
  expect(verdict.time).toMatchObject({ claimed: { from: startMs / 1000, to: (startMs + windowMs) / 1000 } });

  const put = (name: string, bytes: Uint8Array | string): string => {
    writeFileSync(join(house.dataDir, name), bytes);
    return join(house.dataDir, name);
  };
  const { threshold, keysHex: keys } = house.rootDescription;
  const given = [
    ['--header', held('header.age')],
    ['--body', held('body.age')],
    ['--identity', put('identity', `${house.agencyIdentity.identity}\n`)],
    ['--agency', put('agency.json', house.agency())],
    ['--root', put('root.json', JSON.stringify({ threshold, keys }))],
    ['--request', put('request.json', request)],
  ];
  const { stdout } = python('open-share', ...given.flat(), '--at', String(Math.floor(Date.now() / 1000)));
  expect(JSON.parse(stdout.toString())).toEqual({
    expect: 'holds',
    problems: [],
    media: Object.fromEntries(names.map((name) => [name, 'unaltered'])),
    lineage: 'same-device',
  });
}, 600_000);
