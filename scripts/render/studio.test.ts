import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findFfmpeg, findFfprobe } from '../../agent/base/ffmpeg.ts';
import { positive } from './catalog/making.ts';
import { Encoder } from './encode.ts';
import type { StreamPlan } from './plan.ts';
import { probeVideo } from './probe.ts';
import { renderStream, truthFrame } from './render-stream.ts';
import { RouteWriter, still } from './route.ts';
import { bundlePage, Studio } from './studio.ts';
import { parseTruth } from './truth.ts';

const abort = new AbortController();
const work = mkdtempSync(join(tmpdir(), 'latchkey-studio-'));
let studio: Studio;

/** A person in the open, one behind the corner of a van, and one half outside the picture. */
const crowd: StreamPlan = positive('crowd', 7, 'farm', 'day', 'three stand', {
  widthPx: 160,
  heightPx: 90,
  fps: 5,
  seconds: 2,
  actors: [
    {
      id: 1,
      type: 'person',
      spec: {},
      ...new RouteWriter(0, 1.2, -3)
        .do('stand', 400)
        .along([[2.2, -3]], 1.2)
        .done(),
    },
    { id: 2, type: 'person', spec: {}, ...still(0, 2000, 0.15, -8.5, 0) },
    { id: 3, type: 'vehicle', spec: { vehicle: 'van' }, ...still(0, 2000, -2.6, -6.2, Math.PI / 2) },
    { id: 4, type: 'person', spec: {}, ...still(0, 2000, -2.1, -1, 0) },
  ],
  channels: { sun: [[0, 0.6]] },
  gaps: [
    { fromMs: 800, toMs: 1000, outage: 'black' },
    { fromMs: 1200, toMs: 1600, outage: 'missing' },
  ],
  masksEveryFrames: 2,
  sounds: [{ atMs: 100, sound: 'knock' }],
});

beforeAll(async () => {
  studio = await Studio.open({ signal: abort.signal });
});
afterAll(async () => {
  await studio[Symbol.asyncDispose]();
  rmSync(work, { recursive: true, force: true });
});

test('a stream and its truth: whole and exact', async () => {
  const job = { studio, ffmpeg: findFfmpeg(), outDir: work, onProgress: () => {} };
  await renderStream(crowd, job);
  const text = readFileSync(join(work, 'crowd.json'), 'utf8');
  expect(readdirSync(work).toSorted()).toEqual(['crowd.json', 'crowd.mp4']);

  const truth = parseTruth(text, 'crowd');
  const facts = await probeVideo(findFfprobe(findFfmpeg()), join(work, 'crowd.mp4'));
  expect(facts).toMatchObject({ widthPx: 160, heightPx: 90, hasSound: true });
  expect(facts.timesMs).toEqual([0, 200, 400, 600, 800, 1000, 1600, 1800]);
  expect(truth.frames.map((frame) => frame.ms)).toEqual(facts.timesMs);
  expect(truth.frames[4]).toMatchObject({ people: [], movers: [], moving: 0 });

  // Every pixel of the mask lies in somebody's box, and every box is tight.
  for (const row of truth.masks?.rows ?? []) {
    const frame = truth.frames[row.i];
    const boxes = [...(frame?.people ?? []), ...(frame?.movers ?? [])].map(({ box }) => box);
    const shown = pixelsOf(row.runs, 160);
    expect(shown.length / (160 * 90)).toBeCloseTo(frame?.moving ?? -1, 4);
    const inside = (
      [x, y]: readonly [number, number],
      [bx, by, bw, bh]: readonly [number, number, number, number],
    ): boolean => x >= bx && x < bx + bw && y >= by && y < by + bh;
    expect(shown.every((pixel) => boxes.some((box) => inside(pixel, box)))).toBe(true);
    for (const box of boxes) {
      const [x0, y0, x1, y1] = [box[0], box[1], box[0] + box[2] - 1, box[1] + box[3] - 1];
      const mine = shown.filter((pixel) => inside(pixel, box));
      expect([
        mine.some(([x]) => x === x0),
        mine.some(([x]) => x === x1),
        mine.some(([, y]) => y === y0),
        mine.some(([, y]) => y === y1),
      ]).toEqual([true, true, true, true]);
    }
  }
  const people = new Map(truth.frames[0]?.people.map((one) => [one.id, one]));
  expect(people.get(1)?.visible).toBeGreaterThan(0.9);
  expect(people.get(2)?.visible).toBeLessThan(0.75);
  expect(people.get(2)?.full[3]).toBeGreaterThan(people.get(2)?.box[3] ?? 999);
  expect(people.get(4)?.visible).toBeLessThan(0.8);
  expect(people.get(4)?.box[0]).toBe(0);
  expect(truth.visits).toEqual([{ fromMs: 0, toMs: 2000, people: expect.arrayContaining([1]), what: 'three stand' }]);
});

test('the same seed gives the same truth again, and with another camera the boxes follow', async () => {
  await studio.load({ ...crowd, gaps: [], camera: { yawRad: 0.25 } });
  const turned = await studio.frame(0, 0, { settle: false, runs: false, layout: 'rgb' });
  await studio.load({ ...crowd, gaps: [] });
  const straight = await studio.frame(0, 0, { settle: false, runs: false, layout: 'rgb' });
  const truth = parseTruth(readFileSync(join(work, 'crowd.json'), 'utf8'), 'crowd');
  expect(truthFrame(crowd, 0, 0, straight.testimony)).toEqual(truth.frames[0]);
  const x = (frame: typeof turned): number => frame.testimony.sightings.find(({ id }) => id === 1)?.box?.[0] ?? -1;
  // Turned to the left, everything moves to the right.
  expect(x(turned)).toBeGreaterThan(x(straight) + 8);
  expect(straight.pixels.length).toBe(160 * 90 * 3);
});

test('the browser is stopped by a signal', async () => {
  const stop = new AbortController();
  const page = 'window.studio = { load() {}, frame: () => window.never }; window.never = new Promise(() => {});';
  const other = await Studio.open({ signal: stop.signal, script: page });
  const frame = other.frame(0, 0, { settle: false, runs: false, layout: 'rgb' });
  setTimeout(() => stop.abort(), 50);
  await expect(frame).rejects.toThrow();
  await other[Symbol.asyncDispose]();
});

test('every failure of page and browser has its code', async () => {
  const signal = abort.signal;
  const failsWith = async (script: string, ask: (one: Studio) => Promise<unknown>): Promise<unknown> => {
    await using one = await Studio.open({ signal, script, patience: { frameMs: 1000, readyMs: 20_000 } });
    return await ask(one).catch((thrown: { code: string }) => thrown.code);
  };
  const frame = (one: Studio): Promise<unknown> => one.frame(0, 0, { settle: false, runs: false, layout: 'rgb' });
  expect(
    await failsWith('window.studio = { load() { throw new Error("no") }, frame() {} };', (one) => one.load(crowd)),
  ).toBe('render/page-failed');
  expect(
    await failsWith('window.studio = { frame: () => window.never }; window.never = new Promise(() => {});', frame),
  ).toBe('render/too-slow');
  expect(await failsWith('window.studio = { frame: () => ({ picture: "AAAA", testimony: {} }) };', frame)).toBe(
    'render/no-picture',
  );
  await expect(Studio.open({ signal, script: 'throw new Error("bad")', patience: { readyMs: 300 } })).rejects.toThrow(
    expect.objectContaining({ code: 'render/page-broken' }),
  );
  await expect(Studio.open({ signal, script: '', env: { CHROMIUM_BIN: '/nonexistent' } })).rejects.toThrow(
    expect.objectContaining({ code: 'render/no-browser' }),
  );
  await expect(Studio.open({ signal, script: '', env: { CHROMIUM_BIN: '/bin/false' } })).rejects.toThrow(
    expect.objectContaining({ code: 'render/no-browser' }),
  );
  await expect(bundlePage(join(work, 'nothing.ts'))).rejects.toThrow(
    expect.objectContaining({ code: 'render/no-bundle' }),
  );
});

test('an encoder that cannot write and a file that is no video say so', async () => {
  const path = join(work, 'no-such-folder', 'x.mp4');
  await using encoder = new Encoder(findFfmpeg(), crowd, path);
  await encoder.write(new Uint8Array((160 * 90 * 3) / 2)).catch(() => {});
  await expect(encoder.finish()).rejects.toThrow(expect.objectContaining({ code: 'render/encoder-failed' }));
  await expect(probeVideo(findFfprobe(findFfmpeg()), import.meta.filename)).rejects.toThrow(
    expect.objectContaining({ code: 'render/bad-video' }),
  );
  expect(statSync(work).isDirectory()).toBe(true);
});

function pixelsOf(runs: readonly number[], widthPx: number): readonly (readonly [number, number])[] {
  const pixels: [number, number][] = [];
  let at = 0;
  for (const [k, run] of runs.entries()) {
    if (k % 2 === 1) for (let i = at; i < at + run; i++) pixels.push([i % widthPx, Math.floor(i / widthPx)]);
    at += run;
  }
  return pixels;
}
