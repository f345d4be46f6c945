/** A file in which recorded and newly encoded groups of pictures follow each other: proved, and played by other programs. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encode } from '../../../test-fixtures/cameras/captured.ts';
import { type FilmedClip, film, receive } from '../../../test-fixtures/filmed.ts';
import { TestHouse, testPassphrase } from '../../../test-fixtures/house.ts';
import { systemClock } from '../../base/clock.ts';
import { verifyShare } from '../../protocol/share-verify.ts';
import { wholeOf } from '../media-content.ts';
import { VaultSession } from '../session.ts';
import { redactionChoice } from './choice.ts';

const source = join(import.meta.dirname, '../../../test-fixtures/streams/smooth-25fps.mp4');
const [w, h] = [640, 360];
let house: TestHouse;
let session: VaultSession;
let clip: FilmedClip;
let browser: Browser;
let received: Awaited<ReturnType<typeof receive>>;
let video: Uint8Array;
/** A corner of the picture is filled while this lasts. */
let filled: { fromMs: number; toMs: number };

beforeAll(async () => {
  house = await TestHouse.make();
  await house.pinRoot();
  session = new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8 });
  await session.openDeciding(testPassphrase);
  const path = join(house.dataDir, 'short-groups.mp4');
  encode(source, path, ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25', '-bf', '0']);
  clip = await film(house, session, path);
  filled = { fromMs: clip.startMs + 2500, toMs: clip.startMs + 3500 };
  const span = { fromMs: clip.startMs, toMs: clip.endMs };
  const choice = redactionChoice.parse({ fill: 'none', regions: [{ x: 0, y: 0, w: 0.3, h: 0.3, ...filled }] });
  const made = await session.redactClip({ clipId: clip.clipId, span, choice });
  expect(made.untouchedCount).toBeGreaterThan(0);
  const selection = [{ clipId: clip.clipId, ...span, redactionId: made.redactionId }];
  const request = house.request().envelope;
  const shown = session.preview({ request, agency: house.agency(), floorS: 0, selection });
  received = await receive(house, session, shown.previewId);
  video = received.find(({ name }) => name === '40-video.mp4')?.bytes ?? new Uint8Array();
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu'],
  });
}, 120_000);
afterAll(async () => {
  await browser?.close();
  house[Symbol.dispose]();
});

function decode(bytes: Uint8Array): { luma: Buffer[]; complaints: string } {
  const args = ['-v', 'warning', '-f', 'mp4', '-i', 'pipe:0', '-fps_mode', 'passthrough', '-pix_fmt', 'yuv420p'];
  const run = spawnSync('ffmpeg', [...args, '-f', 'rawvideo', 'pipe:1'], { input: bytes, maxBuffer: 2 ** 30 });
  const bytesEach = w * h * 1.5;
  const count = run.stdout.length / bytesEach;
  const luma = Array.from({ length: count }, (_, i) => run.stdout.subarray(i * bytesEach, i * bytesEach + w * h));
  return { luma, complaints: run.stderr.toString() };
}

function timesOf(bytes: Uint8Array): string {
  const args = [
    '-v',
    'error',
    '-show_entries',
    'packet=pts_time,duration_time',
    '-of',
    'csv=p=0',
    '-f',
    'mp4',
    'pipe:0',
  ];
  return spawnSync('ffprobe', args, { input: bytes }).stdout.toString();
}

it('keeps pictures that nothing was filled in exactly as recorded, and every picture at its time', () => {
  const recorded = wholeOf(session.clipMedia(clip.clipId));
  const [before, after] = [decode(recorded), decode(video)];
  expect(after.complaints).toBe('');
  expect(after.luma).toHaveLength(before.luma.length);
  expect(timesOf(video)).toBe(timesOf(recorded));
  const same = after.luma.map((luma, i) => luma.equals(before.luma[i] ?? Buffer.of()));
  expect(same.filter(Boolean).length).toBeGreaterThan(50);
  for (const [i, luma] of after.luma.entries()) {
    const atMs = clip.startMs + i * 40;
    if (atMs < filled.fromMs || atMs > filled.toMs) continue;
    expect(same[i]).toBe(false);
    let most = 0;
    for (let y = 0; y < 0.3 * h; y++)
      for (let x = 0; x < 0.3 * w; x++) most = Math.max(most, Math.abs((luma[y * w + x] ?? 0) - 16));
    expect(most).toBeLessThan(4);
  }
});

it('is the owner’s word as a whole, with the recorded pieces counted', () => {
  const [medium] = verifyShare({ files: received }).media;
  expect(medium).toMatchObject({ unaltered: 'derived', sha256Ok: true });
  expect(medium?.fragmentsProved).toBe(medium?.fragmentsTotal);
  expect(medium?.fragmentsProved).toBeGreaterThan(0);
});

it('is played by a browser across both joints', async () => {
  const page = await browser.newPage();
  const found = await page.evaluate(async (base64) => {
    const element = document.createElement('video');
    element.muted = true;
    element.src = `data:video/mp4;base64,${base64}`;
    document.body.append(element);
    const seen: { atS: number; corner: number }[] = [];
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [64, 36];
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const look = (_: number, { mediaTime }: { mediaTime: number }): void => {
      context?.drawImage(element, 0, 0, 64, 36);
      const [red = -1] = context?.getImageData(4, 4, 1, 1).data ?? [];
      seen.push({ atS: mediaTime, corner: red });
      element.requestVideoFrameCallback(look);
    };
    element.requestVideoFrameCallback(look);
    await element.play();
    const error = await new Promise<string>((resolve) => {
      element.addEventListener('ended', () => resolve(''));
      element.addEventListener('error', () => resolve(element.error?.message ?? 'error'));
    });
    return { error, seen };
  }, Buffer.from(video).toString('base64'));
  expect(found.error).toBe('');
  const start = found.seen[0]?.atS ?? 0;
  const cornersBetween = (fromS: number, toS: number): number[] =>
    found.seen.filter(({ atS }) => atS - start >= fromS && atS - start <= toS).map(({ corner }) => corner);
  // Bright sky before, black for a second, bright again.
  expect(Math.min(...cornersBetween(0, 1.5))).toBeGreaterThan(60);
  expect(Math.max(...cornersBetween(2.6, 3.4))).toBeLessThan(10);
  expect(Math.min(...cornersBetween(4.5, 7))).toBeGreaterThan(60);
  expect(found.seen.length).toBeGreaterThan(20);
}, 60_000);
