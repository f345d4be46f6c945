/** What one frame costs each method, on the same frames, one thread each, taking turns so that load falls on all alike. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchContext, emptyReport, type Part, type PartReport, type TargetRow } from '../bench.ts';
import { decodeLuma, type LumaFile } from '../frames.ts';
import { barChart } from '../plot/bars.ts';
import { hasPythonPeers, runPeer, runProgramWithInput } from '../python.ts';
import { type Spread, spreadOf } from '../statistics.ts';
import { committedStreams, recordedStreams } from '../streams.ts';
import { figure, ratio, spreadText } from '../table.ts';
import { buildProgram, noPeers, peerLabels } from './methods.ts';

const widthPx = 640;
const heightPx = 360;
const fps = 5;
const seconds = 30;
const roundCount = 3;
/** Frames in which our core learns its background and does less. */
const settleCount = Math.floor(fps * 1.5) + 2;
/** Pixels of Frigate's own copy of the frame. */
const frigatePixels = 100 * Math.floor((100 * widthPx) / heightPx);
/** Somebody far away moves all the time; people stand in front of the camera most of the time. */
const wantedStreams = [
  { name: 'walkers-1080p15-vbr', what: 'far walkers' },
  { name: 'one-by-one', what: 'people close by' },
] as const;
const peers = ['mog2', 'knn', 'frigate', 'frigate-tuned', 'frigate-full'] as const;

export const speed: Part = {
  name: 'speed',
  about: `nanoseconds a pixel at ${widthPx}x${heightPx}, one thread`,
  async run(context) {
    const recorded = context.dataDir === undefined ? [] : recordedStreams(context.dataDir);
    const found = wantedStreams.flatMap(({ name, what }) => {
      const stream = recorded.find((each) => each.name === name);
      return stream === undefined ? [] : [{ ...stream, what }];
    });
    const [committed] = committedStreams();
    const streams =
      found.length > 0 || committed === undefined ? found : [{ ...committed, what: 'a committed stream' }];
    if (streams.length === 0) return emptyReport('speed', ['speed of motion: there is no stream']);
    const program = await buildProgram('motion-speed', context.workDir);
    const maxSeconds = context.quick ? 10 : seconds;
    const reports: PartReport[] = [];
    for (const { name, path, what } of streams) {
      const out = join(context.workDir, `speed-${name}.gray`);
      const file = await decodeLuma({ source: path, out, widthPx, heightPx, fps, maxSeconds });
      context.note(`${file.frameCount} frames of ${name}: ${what}`);
      reports.push(report({ name, what }, file, await measure(context, program, file)));
    }
    return {
      part: 'speed',
      tables: reports.flatMap(({ tables }) => tables),
      targets: reports.flatMap(({ targets }) => targets),
      leftOut: hasPythonPeers() ? [] : [`speed of ${noPeers}`],
      drawings: reports.flatMap(({ drawings }) => drawings),
      values: { streams: reports.map(({ values }) => values) },
    };
  },
};

/** Nanoseconds a pixel of the whole frame, a list of runs for each name. */
type Runs = ReadonlyMap<string, readonly number[]>;

async function measure(context: BenchContext, program: string, file: LumaFile): Promise<Runs> {
  const runs = new Map<string, number[]>();
  const add = (name: string, ns: number): void => void runs.set(name, [...(runs.get(name) ?? []), ns]);
  const input = readFileSync(file.path);
  const rounds = context.quick ? 1 : roundCount;
  for (let run = 0; run < context.runCount; run++) {
    context.signal.throwIfAborted();
    const args = [widthPx, heightPx, fps, rounds].map(String);
    const lines = (await runProgramWithInput(program, args, input)).toString();
    for (const [, kernel, mean] of lines.matchAll(/^(\w+)\s.*?\bmean ([\d.]+)/gm)) {
      add(`latchkey ${kernel}`, Number(mean));
    }
    if (hasPythonPeers()) {
      const options = ['--skip', String(settleCount), '--rounds', String(rounds)];
      const size = [String(widthPx), String(heightPx)];
      const text = await runPeer('motion', ['speed', peers.join(','), file.path, ...size, ...options]);
      const perFrame = JSON.parse(text.toString()) as Record<string, number>;
      for (const [peer, ns] of Object.entries(perFrame)) add(peer, ns / (widthPx * heightPx));
    }
    context.note(`run ${run + 1} of ${context.runCount}`);
  }
  return runs;
}

function report(stream: { readonly name: string; readonly what: string }, file: LumaFile, runs: Runs): PartReport {
  const spreads = new Map([...runs].map(([name, list]) => [name, spreadOf(list)]));
  const ours = [...spreads]
    .filter(([name]) => name.startsWith('latchkey'))
    .toSorted(([, a], [, b]) => a.median - b.median);
  const [best] = ours;
  const rows = [...spreads].map(([name, spread]) => {
    const own =
      name === 'frigate' || name === 'frigate-tuned'
        ? (spread.median * widthPx * heightPx) / frigatePixels
        : spread.median;
    return [
      peerLabels[name] ?? name,
      spreadText(spread),
      figure(own),
      figure((spread.median * widthPx * heightPx) / 1000),
      best === undefined ? '-' : ratio(spread.median / best[1].median),
    ];
  });
  const fastest = best?.[1];
  return {
    part: 'speed',
    tables: [
      {
        title: `Motion, one frame of ${widthPx}x${heightPx} luma, one thread (${file.frameCount} frames of ${stream.name}: ${stream.what})`,
        columns: ['method', 'ns/px of the frame', 'ns/px worked on', 'us/frame', 'to ours'],
        rows,
        notes: [
          `Median of ${fastest?.runs.length ?? 0} runs (least-most). In a run every frame counts with the fastest of ${roundCount} passes; frames while our core settles are left out for all.`,
          'Ours is from pixels to boxes with zones; MOG2 and KNN are the subtraction alone; Frigate is the whole of it.',
          '"tuned" is Frigate\'s algorithm with our own faster percentiles, contrast and blur: what it could cost.',
        ],
      },
    ],
    targets: fastest === undefined ? [] : speedTargets(stream.what, fastest, spreads),
    leftOut: [],
    drawings: [
      {
        name: `motion-speed-${stream.name}`,
        svg: barChart({
          title: `Nanoseconds a pixel, ${widthPx}x${heightPx}, one thread: ${stream.what}`,
          unit: 'ns/px',
          logarithmic: true,
          bars: [...spreads].map(([name, { median, least, most }]) => ({ label: peerLabels[name] ?? name, value: median, low: least, high: most, ours: name.startsWith('latchkey') })), // biome-ignore format: one object
        }),
      },
    ],
    values: { stream: stream.name, frameCount: file.frameCount, nsPerPx: Object.fromEntries(spreads) },
  };
}

function speedTargets(where: string, ours: Spread, spreads: ReadonlyMap<string, Spread>): TargetRow[] {
  const beside = (peer: string, wanted: number, what: string): TargetRow => {
    const factor = (spreads.get(peer)?.median ?? Number.NaN) / ours.median;
    const known = Number.isFinite(factor);
    return {
      what: `${what}, ${where}`,
      figure: ratio(factor),
      target: `>= ${wanted} x`,
      met: known ? factor >= wanted : undefined,
    };
  };
  return [
    {
      what: `motion core, fastest kernel, ns/px, ${where}`,
      figure: figure(ours.median),
      target: '<= 0.5',
      met: ours.median <= 0.5,
    },
    beside('frigate', 6, "Frigate's at its default to ours"),
    beside('mog2', 25, 'OpenCV MOG2 to ours'),
  ];
}
