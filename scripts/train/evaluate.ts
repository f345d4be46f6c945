// Measures a person model beside the reference: node evaluate.ts DATA RENDERED MODEL.onnx INPUT_PX [STEP]
// DATA holds person-eval, streams and models; RENDERED holds mp4s with truth JSON beside them. Prints one JSON object.
// None of this is ever trained on. Every STEP-th frame of a stream is asked (default 5), whole frames only.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Box, type Detector, type Found, openDetector, overlap, type Picture, readPicture } from './detect.ts';

const [data, rendered, model, px, every = '5'] = process.argv.slice(2);
if (!data || !rendered || !model || !px) throw new Error('usage: node evaluate.ts DATA RENDERED MODEL INPUT_PX [STEP]');
const STEP = Number(every);

type Truth = Record<string, [number, number, number, number][]>;
type Ranked = { score: number; hit: boolean };

/** AP at overlap .5 in COCO's manner: people and detections under `least` of the height count neither way. */
async function averagePrecision(detector: Detector, folder: string, leasts: number[]): Promise<number[]> {
  const truth = JSON.parse(readFileSync(`${folder}.json`, 'utf8')) as Truth;
  const ranked: Ranked[][] = leasts.map(() => []);
  const people = leasts.map(() => 0);
  for (const [name, rows] of Object.entries(truth)) {
    const boxes = rows.map(([cx, cy, w, h]) => ({ x0: cx - w / 2, y0: cy - h / 2, x1: cx + w / 2, y1: cy + h / 2 }));
    const found = await detector.detect(await readPicture(join(folder, name)), 0.01);
    leasts.forEach((least, i) => {
      people[i] = (people[i] ?? 0) + boxes.filter((box) => box.y1 - box.y0 >= least).length;
      ranked[i]?.push(...match(found, boxes, least));
    });
  }
  return ranked.map((list, i) => areaUnder(list, people[i] ?? 0));
}

function match(found: Found[], boxes: Box[], least: number): Ranked[] {
  const taken = new Set<Box>();
  const ranked: Ranked[] = [];
  for (const { box, score } of found) {
    const near = boxes.filter((b) => !taken.has(b) && overlap(b, box) >= 0.5);
    const best = near
      .toSorted((a, b) => overlap(b, box) - overlap(a, box))
      .toSorted((a, b) => Number(counts(b, least)) - Number(counts(a, least)))[0];
    if (best) taken.add(best);
    if (best ? counts(best, least) : counts(box, least)) ranked.push({ score, hit: best !== undefined });
  }
  return ranked;
}

function counts(box: Box, least: number): boolean {
  return box.y1 - box.y0 >= least;
}

function areaUnder(ranked: Ranked[], people: number): number {
  let hits = 0;
  const points = ranked
    .toSorted((a, b) => b.score - a.score)
    .map(({ hit }, i) => {
      hits += Number(hit);
      return { precision: hits / (i + 1), recall: hits / people };
    });
  let area = 0;
  let envelope = 0;
  for (let i = points.length - 1; i >= 0; i--) {
    const point = points[i];
    if (!point) break;
    envelope = Math.max(envelope, point.precision);
    area += envelope * (point.recall - (points[i - 1]?.recall ?? 0));
  }
  return area;
}

type Frame = Picture & { readonly index: number };

/** Every STEP-th frame of a file as ffmpeg decodes it. */
async function* frames(file: string, width: number, height: number): AsyncGenerator<Frame> {
  const select = ['-vf', `select=not(mod(n\\,${STEP})),scale=${width}:${height}`, '-vsync', 'vfr'];
  const args = ['-v', 'error', '-threads', '1', '-i', file, ...select, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const bytes = width * height * 3;
  let held = Buffer.alloc(0);
  let index = 0;
  for await (const chunk of child.stdout) {
    held = Buffer.concat([held, chunk as Buffer]);
    for (; held.length >= bytes; held = held.subarray(bytes), index += STEP) {
      yield { data: new Uint8Array(held.subarray(0, bytes)), width, height, index };
    }
  }
}

const THRESHOLDS = [0.3, 0.4, 0.5, 0.6];

/** Highest score and share of frames above each threshold, for frames in which somebody is to be found or nobody is. */
function summary(scores: number[]) {
  const sorted = scores.toSorted((a, b) => a - b);
  const share = (t: number) => round(scores.filter((s) => s >= t).length / Math.max(1, scores.length));
  return {
    frames: scores.length,
    least: round(sorted[0] ?? 0),
    median: round(sorted[sorted.length >> 1] ?? 0),
    most: round(sorted.at(-1) ?? 0),
    shareAbove: Object.fromEntries(THRESHOLDS.map((t) => [t, share(t)])),
  };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

type SampleTruth = {
  w: number;
  h: number;
  light: string;
  frames: { i: number; people: { box: [number, number, number, number] }[] }[];
};

async function sample(detector: Detector, mp4: string, truth: SampleTruth) {
  const { w, h } = truth;
  const [tall, small, empty, elsewhere]: [number[], number[], number[], number[]] = [[], [], [], []];
  for await (const frame of frames(mp4, w, h)) {
    const found = await detector.detect(frame, 0.01);
    const boxes = (truth.frames[frame.index]?.people ?? []).map(({ box: [x0, y0, x1, y1] }) => ({
      x0: x0 / w,
      y0: y0 / h,
      x1: x1 / w,
      y1: y1 / h,
    }));
    if (boxes.length === 0) empty.push(found[0]?.score ?? 0);
    for (const box of boxes) {
      const best = found.find((one) => overlap(one.box, box) > 0.3)?.score ?? 0;
      (box.y1 - box.y0 >= 0.25 ? tall : small).push(best);
      elsewhere.push(found.find((one) => overlap(one.box, box) < 0.1)?.score ?? 0);
    }
  }
  return {
    light: truth.light,
    tall: summary(tall),
    small: summary(small),
    empty: summary(empty),
    elsewhere: summary(elsewhere),
  };
}

async function stream(
  detector: Detector,
  file: string,
  width: number,
  height: number,
  wanted: (index: number) => boolean,
) {
  const scores: number[] = [];
  for await (const frame of frames(file, width, height)) {
    if (wanted(frame.index)) scores.push((await detector.detect(frame, 0.01))[0]?.score ?? 0);
  }
  return summary(scores);
}

/** one-by-one's truth: `personVisible` is a list of [first, last] frames in which somebody is to be seen. */
async function oneByOne(detector: Detector, folder: string) {
  const truth = JSON.parse(readFileSync(join(folder, 'one-by-one.truth.json'), 'utf8')) as {
    personVisible: [number, number][];
  };
  const seen = (i: number) => truth.personVisible.some(([from, to]) => i >= from && i <= to);
  const file = join(folder, 'one-by-one.mp4');
  return {
    somebody: await stream(detector, file, 768, 432, seen),
    nobody: await stream(detector, file, 768, 432, (i) => !seen(i)),
  };
}

async function measure(file: string, inputPx: number) {
  const detector = await openDetector(file, inputPx);
  const evaluation = join(data ?? '', 'person-eval');
  const streams = join(data ?? '', 'streams');
  const [coco, cocoTall] = await averagePrecision(detector, join(evaluation, 'coco-val-a'), [0, 0.15]);
  const [penn] = await averagePrecision(detector, join(evaluation, 'penn-fudan'), [0]);
  const time = detector.milliseconds.toSorted((a, b) => a - b);
  const samples: Record<string, unknown> = {};
  for (const name of readdirSync(rendered ?? '').filter((n) => n.endsWith('.mp4'))) {
    const own = join(rendered ?? '', name.replace(/mp4$/, 'json'));
    const clean = join(rendered ?? '', name.replace(/_120k\.mp4$/, '-640x360.json'));
    const truth = JSON.parse(readFileSync(existsSync(own) ? own : clean, 'utf8')) as SampleTruth;
    samples[name] = await sample(detector, join(rendered ?? '', name), truth);
  }
  return {
    millisecondsMedian: round(time[time.length >> 1] ?? 0),
    ap50: { cocoValA: round(coco ?? 0), cocoValATall: round(cocoTall ?? 0), pennFudan: round(penn ?? 0) },
    rendered: samples,
    oneByOne: await oneByOne(detector, streams),
    nobody: {
      cars: await stream(detector, join(streams, 'cars.mp4'), 768, 432, () => true),
      highway: await stream(detector, join(streams, 'cdnet-highway', 'input.mp4'), 320, 240, () => true),
      trees: await stream(detector, join(streams, 'wallflower-trees', 'input.mp4'), 160, 120, (i) => i < 242),
    },
  };
}

const reference = join(data, 'models', 'yolox_nano_416.onnx');
console.log(
  JSON.stringify({ ours: await measure(model, Number(px)), yoloxNano: await measure(reference, 416) }, null, 1),
);
