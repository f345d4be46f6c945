// Measures a person model beside the reference on the pictures kept for it, none of which is ever trained on:
// node evaluate.ts DATA MODEL.onnx INPUT_PX OUT. Prints JSON and writes OUT/precision-recall.svg. What the whole recorder
// makes of it, clip by clip, is measured by `npm run bench people`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Curve, curveChart } from '../bench/plot/curves.ts';
import {
  type FoundBox,
  judgePicture,
  overlapRatio,
  type PrecisionScore,
  scorePictures,
  type TrueBox,
} from '../bench/score/average-precision.ts';
import { bootstrapInterval, median } from '../bench/statistics.ts';
import { type Detector, openDetector, type Picture, readPicture } from './detect.ts';
import { lights } from './lights.ts';

const [data, model, px, out] = process.argv.slice(2);
if (!data || !model || !px || !out) throw new Error('usage: node evaluate.ts DATA MODEL INPUT_PX OUT');

const sets = ['coco-val-a', 'penn-fudan'] as const;
/** Boxes in 0..1 of the picture; the score rule is in the same unit. */
const tall = { overlap: 0.5, leastHeight: 0.15 };
const everybody = { overlap: 0.5, leastHeight: 0 };

interface Asked {
  readonly found: readonly FoundBox[];
  readonly people: readonly TrueBox[];
}

async function ask(detector: Detector, set: string, light: (picture: Picture) => Picture): Promise<Asked[]> {
  const folder = join(data ?? '', 'person-eval', set);
  const truth = JSON.parse(readFileSync(`${folder}.json`, 'utf8')) as Record<
    string,
    [number, number, number, number][]
  >;
  const asked: Asked[] = [];
  for (const [name, rows] of Object.entries(truth)) {
    const found = await detector.detect(light(await readPicture(join(folder, name))), 0.01);
    asked.push({
      found: found.map(({ box: { x0, y0, x1, y1 }, score }) => ({ x: x0, y: y0, w: x1 - x0, h: y1 - y0, score })),
      people: rows.map(([cx, cy, w, h]) => ({ x: cx - w / 2, y: cy - h / 2, w, h })),
    });
  }
  return asked;
}

type Band = readonly [name: string, has: (person: TrueBox, people: readonly TrueBox[]) => boolean];
const edge = 0.01;
const cut = ({ x, y, w, h }: TrueBox): boolean => x < edge || y < edge || x + w > 1 - edge || y + h > 1 - edge;
const crowded = (person: TrueBox, people: readonly TrueBox[]): boolean =>
  people.some((other) => other !== person && overlapRatio(other, person) > 0.1);
const bands: readonly Band[] = [
  ['under 15 % of the height', ({ h }) => h < 0.15],
  ['15 to 30 %', ({ h }) => h >= 0.15 && h < 0.3],
  ['30 to 60 %', ({ h }) => h >= 0.3 && h < 0.6],
  ['60 % and more', ({ h }) => h >= 0.6],
  ['at least 15 %, cut by the edge', (person) => person.h >= 0.15 && cut(person)],
  ['at least 15 %, overlapping others', (person, people) => person.h >= 0.15 && crowded(person, people)],
  ['at least 15 %, whole and apart', (p, people) => p.h >= 0.15 && !cut(p) && !crowded(p, people)],
  ['at least 15 %, wider than high', ({ w, h }) => h >= 0.15 && w > h],
];

/** The share of the band's people that is found at this score, with its interval over pictures. */
function recallOf(asked: readonly Asked[], [name, has]: Band, score: number) {
  const counts = asked.map(({ found, people }) => {
    const free = new Set(people);
    for (const box of found.filter((one) => one.score >= score).toSorted((a, b) => b.score - a.score)) {
      const near = [...free].filter((person) => overlapRatio(person, box) >= everybody.overlap);
      const [best] = near.toSorted((a, b) => overlapRatio(b, box) - overlapRatio(a, box));
      if (best !== undefined) free.delete(best);
    }
    const wanted = people.filter((person) => has(person, people));
    return { wanted: wanted.length, hit: wanted.filter((person) => !free.has(person)).length };
  });
  const share = (weights: (at: number) => number): number => {
    const sum = (pick: (one: (typeof counts)[number]) => number): number =>
      counts.reduce((total, one, at) => total + pick(one) * weights(at), 0);
    return sum(({ hit }) => hit) / sum(({ wanted }) => wanted);
  };
  const people = counts.reduce((sum, { wanted }) => sum + wanted, 0);
  const interval = bootstrapInterval(counts.length, (weights) => share((at) => weights[at] ?? 0));
  return { name, people, recall: round(share(() => 1)), interval: interval.map(round) };
}

function shorten({ ap, interval, recallAt90, peopleCount }: PrecisionScore) {
  return { ap50: round(ap), interval: interval.map(round), recallAt90: round(recallAt90), people: peopleCount };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** At most 150 points: a plot of few kilobytes. */
function toCurve(label: string, { curve }: PrecisionScore): Curve {
  const every = Math.max(1, Math.ceil(curve.length / 150));
  const points = curve.filter((_, at) => at % every === 0 || at === curve.length - 1);
  return { label, points: points.map(({ recall, precision }) => [recall, precision]) };
}

async function measure(name: string, file: string, inputPx: number) {
  const detector = await openDetector(file, inputPx);
  const curves: Curve[] = [];
  const results: Record<string, unknown> = {};
  for (const set of sets) {
    for (const [light, shine] of Object.entries(lights)) {
      const asked = await ask(detector, set, shine);
      const score = scorePictures(asked.map(({ found, people }) => judgePicture(found, people, tall)));
      const all = scorePictures(asked.map(({ found, people }) => judgePicture(found, people, everybody)));
      const at = Math.min(...score.curve.filter(({ precision }) => precision >= 0.9).map((point) => point.score));
      results[`${set}, ${light}`] = {
        tall: shorten(score),
        everybody: shorten(all),
        scoreAt90: round(at),
        ...(light === 'as taken' ? { found: bands.map((band) => recallOf(asked, band, at)) } : {}),
      };
      if (light === 'as taken') curves.push(toCurve(`${name}: ${set} ${score.ap.toFixed(2)}`, score));
    }
  }
  return { results: { milliseconds: round(median(detector.milliseconds)), ...results }, curves };
}

const ours = await measure('latchkey-person', model, Number(px));
const reference = await measure('yolox_nano 416', join(data, 'models', 'yolox_nano_416.onnx'), 416);
const chart = {
  title: 'People of at least 15 % of the height',
  x: 'recall',
  y: 'precision',
  curves: [...ours.curves, ...reference.curves],
};
writeFileSync(join(out, 'precision-recall.svg'), curveChart(chart));
console.log(JSON.stringify({ ours: ours.results, yoloxNano: reference.results }, null, 1));
