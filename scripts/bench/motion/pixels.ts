/** Pixel F: the foreground masks of every method against masks drawn by hand. */
import { closeSync, existsSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findFfmpeg } from '../../../agent/base/ffmpeg.ts';
import { type BenchContext, emptyReport, type Part, type PartReport } from '../bench.ts';
import { decodeLuma, type LumaFile } from '../frames.ts';
import { barChart } from '../plot/bars.ts';
import { runProgram } from '../python.ts';
import {
  addCounts,
  countPixels,
  noPixels,
  type PixelCounts,
  type PixelScore,
  pixelScore,
  unpackRuns,
} from '../score/pixels.ts';
import { committedStreams, type TruthStream } from '../streams.ts';
import { buildProgram, type Method, methods, noPeers, writeMasks } from './methods.ts';

/** A stream with masks for some of its frames. */
interface MaskedStream {
  readonly name: string;
  readonly luma: LumaFile;
  /** By frame number. */
  readonly truth: ReadonlyMap<number, Uint8Array>;
  readonly region?: Uint8Array;
}

/** One peer shows that peers work. */
function compared({ quick }: BenchContext): readonly Method[] {
  return methods().slice(0, quick ? 2 : undefined);
}
/** Every method may learn its background first. */
const skipMs = 2000;

export const pixels: Part = {
  name: 'pixels',
  about: 'pixel F on rendered streams, cdnet-highway and wallflower-trees',
  async run(context) {
    const masked = committedStreams().filter(({ masks }) => masks.length > 0);
    const folder = context.dataDir === undefined ? undefined : join(context.dataDir, 'streams');
    const present = ['cdnet-highway', 'wallflower-trees'].filter((name) => folder !== undefined && existsSync(join(folder, name, 'input.mp4'))); // biome-ignore format: one filter
    const absent = 'pixel F: cdnet-highway and wallflower-trees are not there (LATCHKEY_DATA)';
    if (masked.length === 0 && present.length === 0) return emptyReport('pixels', [absent]);
    const program = await buildProgram('motion-masks', context.workDir);
    const recorded: MaskedStream[] = [];
    if (folder !== undefined && present.includes('cdnet-highway')) {
      // At the stream's own 25 a second, as it is scored everywhere, and five times a second, as a recorder looks.
      recorded.push(await highway(context, folder, 1), ...(context.quick ? [] : [await highway(context, folder, 5)]));
    }
    if (folder !== undefined && present.includes('wallflower-trees')) recorded.push(await trees(context, folder));
    const scores = new Map<Method, PixelScore[]>(compared(context).map((method) => [method, []]));
    for (const stream of recorded) {
      const counts = await countAll(context, stream, program);
      for (const [method, count] of counts) scores.get(method)?.push(pixelScore(count));
    }
    const lights = await renderedScores(context, context.quick ? masked.slice(0, 1) : masked, program);
    const leftOut = [
      ...(present.length === 2 ? [] : [absent]),
      ...(scores.size === 1 ? [`pixel F of ${noPeers}`] : []),
    ];
    return report({ recorded, scores, lights, leftOut });
  },
};

/** All methods, pixels of all rendered streams of one light together. */
async function renderedScores(
  context: BenchContext,
  streams: readonly TruthStream[],
  program: string,
): Promise<ReadonlyMap<string, ReadonlyMap<Method, PixelScore>>> {
  const lights = new Map<string, Map<Method, PixelCounts>>();
  for (const stream of streams) {
    const sums = lights.get(stream.light) ?? new Map<Method, PixelCounts>();
    lights.set(stream.light, sums);
    const counts = await countAll(context, await renderedMasks(context, stream), program);
    for (const [method, count] of counts) {
      sums.set(method, addCounts(sums.get(method) ?? noPixels, count));
    }
  }
  return new Map([...lights].map(([light, sums]) => [light, new Map([...sums].map(([method, count]) => [method, pixelScore(count)]))])); // biome-ignore format: one line
}

async function renderedMasks(context: BenchContext, stream: TruthStream): Promise<MaskedStream> {
  const { name, path, widthPx, heightPx, fps, frames, masks } = stream;
  const out = join(context.workDir, 'rendered.gray');
  const luma = await decodeLuma({ source: path, out, widthPx, heightPx, fps, everyPicture: true });
  const scored = masks.filter(({ i }) => (frames[i]?.ms ?? 0) >= skipMs && i < luma.frameCount);
  const truth = new Map(scored.map(({ i, runs }) => [i, unpackRuns(runs, widthPx * heightPx)]));
  return { name, luma, truth };
}

async function countAll(
  context: BenchContext,
  stream: MaskedStream,
  program: string,
): Promise<ReadonlyMap<Method, PixelCounts>> {
  const counts = new Map<Method, PixelCounts>();
  for (const method of compared(context)) {
    context.signal.throwIfAborted();
    counts.set(method, await scoreMethod(stream, method, { program, out: join(context.workDir, 'masks') }));
  }
  context.note(stream.name);
  return counts;
}

async function scoreMethod(
  { luma, truth, region }: MaskedStream,
  method: Method,
  { program, out }: { readonly program: string; readonly out: string },
): Promise<PixelCounts> {
  await writeMasks(method, luma, program, out);
  const pixelCount = luma.widthPx * luma.heightPx;
  const mask = new Uint8Array(pixelCount);
  const fd = openSync(out, 'r');
  let counts = noPixels;
  try {
    for (const [frame, wanted] of truth) {
      if (readSync(fd, mask, 0, pixelCount, frame * pixelCount) < pixelCount)
        throw new Error(`${method.name} wrote too few masks`);
      counts = addCounts(counts, countPixels(mask, wanted, region));
    }
  } finally {
    closeSync(fd);
    rmSync(out);
  }
  return counts;
}

/** CDnet 2014: masks of every frame, scored from 470 on within a region. `every` takes each n-th frame only. */
async function highway(context: BenchContext, folder: string, every: number): Promise<MaskedStream> {
  const [widthPx, heightPx, fullFps] = [320, 240, 25];
  const [first, last] = [470, context.quick ? 520 : 1700];
  const fps = fullFps / every;
  const source = join(folder, 'cdnet-highway/input.mp4');
  const out = join(context.workDir, `highway-${every}.gray`);
  const maxSeconds = last / fullFps;
  const luma = await decodeLuma({ source, out, widthPx, heightPx, fps, everyPicture: every === 1, maxSeconds });
  const region = await readGrey(join(folder, 'cdnet-highway/ROI.bmp'), widthPx * heightPx);
  const masks = join(folder, 'cdnet-highway/groundtruth');
  const truth = new Map<number, Uint8Array>();
  const all = await readGreys(masks, first, widthPx * heightPx, last - first + 1);
  for (const [at, mask] of all.entries()) {
    // Files count from 1.
    const frame = first + at - 1;
    if (frame % every === 0) truth.set(frame / every, mask);
  }
  return { name: `cdnet-highway, ${fps} a second`, luma, truth, region };
}

/** Wallflower: one frame, drawn by hand. */
async function trees(context: BenchContext, folder: string): Promise<MaskedStream> {
  const [widthPx, heightPx, fps] = [160, 120, 15];
  const home = join(folder, 'wallflower-trees');
  const out = join(context.workDir, 'trees.gray');
  const luma = await decodeLuma({ source: join(home, 'input.mp4'), out, widthPx, heightPx, fps, everyPicture: true });
  const file = readdirSync(home).find((name) => name.startsWith('hand_segmented_00247'));
  const drawn = await readGrey(join(home, file ?? ''), widthPx * heightPx);
  const mask = drawn.map((value) => (value > 127 ? 255 : 0));
  return { name: 'wallflower-trees, frame 247', luma, truth: new Map([[247, mask]]) };
}

const rawGrey = '-pix_fmt gray -f rawvideo -'.split(' ');

async function readGrey(file: string, bytes: number): Promise<Uint8Array> {
  const grey = await runProgram(findFfmpeg(), ['-v', 'error', '-i', file, ...rawGrey]);
  if (grey.length !== bytes) throw new Error(`${file} has another size than its stream`);
  return grey;
}

async function readGreys(folder: string, first: number, bytes: number, count: number): Promise<Uint8Array[]> {
  const pattern = ['-start_number', String(first), '-i', join(folder, 'gt%06d.png'), '-frames:v', String(count)];
  const all = await runProgram(findFfmpeg(), ['-v', 'error', ...pattern, ...rawGrey]);
  return Array.from({ length: Math.floor(all.length / bytes) }, (_, at) => all.subarray(at * bytes, (at + 1) * bytes));
}

interface Found {
  readonly recorded: readonly MaskedStream[];
  /** In the order of `recorded`. */
  readonly scores: ReadonlyMap<Method, readonly PixelScore[]>;
  readonly lights: ReadonlyMap<string, ReadonlyMap<Method, PixelScore>>;
  readonly leftOut: readonly string[];
}

function report({ recorded, scores, lights, leftOut }: Found): PartReport {
  const three = ({ f, precision, recall }: PixelScore): string => `${f.toFixed(3)} (${precision.toFixed(2)} / ${recall.toFixed(2)})`; // biome-ignore format: one line
  const columns = [...recorded.map(({ name }) => name), ...[...lights.keys()].map((light) => `rendered, ${light}`)];
  const lists = [...scores].map(([method, list]) => {
    const rendered = [...lights.values()].flatMap((byMethod) => byMethod.get(method) ?? []);
    return [method, [...list, ...rendered]] as const;
  });
  const [ours = Number.NaN, ...theirs] = lists.map(([, list]) => list[0]?.f ?? Number.NaN);
  const best = Math.max(...theirs);
  const onHighway = recorded[0]?.name.startsWith('cdnet') === true;
  return {
    part: 'pixels',
    tables: [
      {
        title: 'Pixel F of the foreground: F (precision / recall)',
        columns: ['method', ...columns],
        rows: lists.map(([{ label }, list]) => [label, ...list.map(three)]),
        notes: [
          'cdnet-highway: frames 470-1700 within ROI.bmp, unknown pixels left out, shadow is background; every method with its defaults.',
          'Rendered streams: what stands out from the empty scene, standing people included, from two seconds on; all pixels of one light together.',
          "Frigate's mask is its dilated threshold, enlarged from 100 px; ours is the cleaned mask that boxes are made of.",
        ],
      },
    ],
    targets: onHighway
      ? [
          {
            what: 'pixel F on cdnet-highway',
            figure: ours.toFixed(3),
            target: theirs.length === 0 ? '>= best peer' : `>= ${best.toFixed(3)} (best peer)`,
            met: theirs.length === 0 ? undefined : ours >= best,
          },
        ]
      : [],
    leftOut,
    drawings: columns.map((name, at) => ({
      name: `pixel-f-${name.replaceAll(/[^a-z0-9]+/g, '-')}`,
      svg: barChart({
        title: `Pixel F, ${name}`,
        unit: 'F',
        bars: lists.map(([method, list]) => ({ label: method.label, value: list[at]?.f ?? Number.NaN, ours: method.name === 'latchkey' })), // biome-ignore format: one object
      }),
    })),
    values: Object.fromEntries(lists.map(([{ name }, list]) => [name, Object.fromEntries(list.map((score, at) => [columns[at] ?? '', score]))])), // biome-ignore format: one object
  };
}
