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
const peers = ['mog2', 'knn', 'frigate', 'frigate-tuned', 'frigate-full'] as const;

export const speed: Part = {
  name: 'speed',
  about: `nanoseconds a pixel at ${widthPx}x${heightPx}, one thread`,
  async run(context) {
    const stream =
      (context.dataDir === undefined ? [] : recordedStreams(context.dataDir)).find(
        ({ name }) => name === 'one-by-one',
      ) ?? committedStreams()[0];
    if (stream === undefined) return emptyReport('speed', ['speed of motion: there is no stream']);
    const out = join(context.workDir, 'speed.gray');
    const maxSeconds = context.quick ? 10 : seconds;
    const file = await decodeLuma({ source: stream.path, out, widthPx, heightPx, fps, maxSeconds });
    context.note(`${file.frameCount} frames of ${stream.name}`);
    const program = await buildProgram('motion-speed', context.workDir);
    const runs = await measure(context, program, file);
    return report(stream.name, file, runs);
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

function report(stream: string, file: LumaFile, runs: Runs): PartReport {
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
        title: `Motion, one frame of ${widthPx}x${heightPx} luma, one thread (${file.frameCount} frames of ${stream})`,
        columns: ['method', 'ns/px of the frame', 'ns/px worked on', 'us/frame', 'to ours'],
        rows,
        notes: [
          `Median of ${fastest?.runs.length ?? 0} runs (least-most). In a run every frame counts with the fastest of ${roundCount} passes; frames while our core settles are left out for all.`,
          'Ours is from pixels to boxes with zones; MOG2 and KNN are the subtraction alone; Frigate is the whole of it.',
          '"tuned" is Frigate\'s algorithm with our own faster percentiles, contrast and blur: what it could cost.',
        ],
      },
    ],
    targets: fastest === undefined ? [] : speedTargets(fastest, spreads),
    leftOut: hasPythonPeers() ? [] : [`speed of ${noPeers}`],
    drawings: [
      {
        name: 'motion-speed',
        svg: barChart({
          title: `Nanoseconds a pixel, ${widthPx}x${heightPx}, one thread`,
          unit: 'ns/px',
          logarithmic: true,
          bars: [...spreads].map(([name, { median, least, most }]) => ({ label: peerLabels[name] ?? name, value: median, low: least, high: most, ours: name.startsWith('latchkey') })), // biome-ignore format: one object
        }),
      },
    ],
    values: { stream, frameCount: file.frameCount, nsPerPx: Object.fromEntries(spreads) },
  };
}

function speedTargets(ours: Spread, spreads: ReadonlyMap<string, Spread>): TargetRow[] {
  const beside = (peer: string, wanted: number, what: string): TargetRow => {
    const factor = (spreads.get(peer)?.median ?? Number.NaN) / ours.median;
    const known = Number.isFinite(factor);
    return { what, figure: ratio(factor), target: `>= ${wanted} x`, met: known ? factor >= wanted : undefined };
  };
  return [
    {
      what: 'motion core, fastest kernel, ns/px',
      figure: figure(ours.median),
      target: '<= 0.5',
      met: ours.median <= 0.5,
    },
    beside('frigate', 6, "Frigate's at its default to ours"),
    beside('mog2', 25, 'OpenCV MOG2 to ours'),
  ];
}
