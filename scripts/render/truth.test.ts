import { expect, test } from 'vitest';
import { catalog } from './catalog/catalog.ts';
import { checkTruth } from './check-streams.ts';
import { frameTimes } from './encode.ts';
import { assembleTruth } from './render-stream.ts';
import { FIRST_STILL_SEED, randomScene } from './stills-plan.ts';
import { findCrossings, findVisits, parseTruth, type TruthFrame, writeTruth } from './truth.ts';

const frame = (i: number, visible: number, height = 100, id = 1): TruthFrame => ({
  i,
  ms: i * 200,
  people: visible === 0 ? [] : [{ id, box: [10, 20, 40, height], full: [10, 20, 40, height], visible }],
  movers: [],
  moving: 0,
});

test('a visit needs a fifth of a body and 8 % of the height, and joins gaps of less than two seconds', () => {
  const frames = Array.from({ length: 60 }, (_, i) =>
    frame(i, i >= 5 && i < 20 && i !== 10 ? 0.9 : i === 30 ? 0.19 : i === 31 ? 0.2 : 0, i === 40 ? 28 : 100),
  );
  expect(findVisits(frames, 360, 5, 'x')).toEqual([
    { fromMs: 1000, toMs: 4000, people: [1], what: 'x' },
    { fromMs: 6200, toMs: 6400, people: [1], what: 'x' },
  ]);
  expect(findVisits([frame(0, 1, 28)], 360, 5, 'x')).toEqual([]);
  expect(findVisits([frame(0, 1), frame(1, 0), frame(9, 1, 100, 2)], 360, 5, 'x')[0]?.people).toEqual([1, 2]);
});

test('crossings are told by kind', () => {
  const movers = (what: string): TruthFrame['movers'] => [{ what, box: [0, 0, 5, 5] }];
  const frames = [0, 1, 2, 20].map((i) => ({ ...frame(i, 0), movers: movers(i === 20 ? 'car' : 'cat') }));
  expect(findCrossings(frames, 5)).toEqual([
    { fromMs: 0, toMs: 600, what: 'cat moves' },
    { fromMs: 4000, toMs: 4200, what: 'car moves' },
  ]);
});

test('truth can be read as it was written, and says where it is wrong', () => {
  const plan = catalog[0];
  if (plan === undefined) throw new Error('the catalogue is empty');
  const frames = frameTimes(plan).map(({ ms }, i) => ({ ...frame(i, i > 10 && i < 30 ? 0.8 : 0), ms }));
  const runs = [plan.widthPx * plan.heightPx];
  const truth = assembleTruth(plan, frames, { everyFrames: 10, rows: [{ i: 0, runs }] });
  expect(parseTruth(writeTruth(truth), 'x')).toEqual(truth);
  expect(checkTruth(truth)).toEqual([]);
  expect(() => parseTruth('{', 'x')).toThrow(expect.objectContaining({ code: 'render/bad-truth' }));
  expect(() => parseTruth(JSON.stringify({ ...truth, version: 1 }), 'x')).toThrow(/version/);
  expect(() => parseTruth(JSON.stringify({ ...truth, extra: 1 }), 'x')).toThrow(
    expect.objectContaining({ kind: 'corrupt' }),
  );

  const outside = {
    ...truth,
    frames: truth.frames.map((one) => ({
      ...one,
      people: one.people.map((p) => ({ ...p, box: [630, 0, 40, 50] as const })),
    })),
  };
  expect(checkTruth(outside as typeof truth).join()).toMatch(/outside the picture/);
  expect(checkTruth({ ...truth, visits: [] }).join()).toMatch(/visits do not follow/);
  expect(checkTruth({ ...truth, kind: 'negative' }).join()).toMatch(/is negative and shows a person/);
  expect(checkTruth({ ...truth, masks: { everyFrames: 10, rows: [{ i: 0, runs: [5, 5] }] } }).join()).toMatch(
    /has 10 pixels.*does not match/,
  );
});

test('the catalogue: names and seeds are used once, below those of the stills; every visitor enters and is done in time', () => {
  expect(new Set(catalog.map(({ name }) => name)).size).toBe(catalog.length);
  expect(new Set(catalog.map(({ seed }) => seed)).size).toBe(catalog.length);
  for (const plan of catalog) {
    expect(plan.seed).toBeLessThan(FIRST_STILL_SEED);
    expect(plan.actors.some((actor) => actor.type === 'person')).toBe(plan.kind === 'positive');
    for (const actor of plan.actors) {
      expect(actor.way[0]?.ms).toBeLessThan(plan.durationMs);
      expect(actor.way.map(({ ms }) => ms)).toEqual(actor.way.map(({ ms }) => ms).toSorted((a, b) => a - b));
    }
  }
});

test('a random scene follows from its seed', () => {
  const scenes = [0, 1, 2, 3].map((k) => randomScene(FIRST_STILL_SEED + k, 384, 216));
  expect(randomScene(FIRST_STILL_SEED, 384, 216)).toEqual(scenes[0]);
  expect(new Set(scenes.map((scene) => JSON.stringify(scene.camera))).size).toBe(4);
});
