/** Milliseconds of one look, phase by phase, and what five looks a second cost. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { yuvToRgb } from '../../../agent/base/image.ts';
import { fillInput } from '../../../agent/recorder/person/input.ts';
import { suppressOverlaps } from '../../../agent/recorder/person/nms.ts';
import { ModelSession } from '../../../agent/recorder/person/session.ts';
import type { SmallFrame } from '../../../agent/recorder/stages.ts';
import { porchStream, readSmallFrames } from '../../../test-fixtures/small-frames.ts';
import type { BenchContext, Part, PartReport, TargetRow } from '../bench.ts';
import { barChart } from '../plot/bars.ts';
import { runProgram } from '../python.ts';
import { type Spread, spreadOf } from '../statistics.ts';
import { figure, ratio, spreadText } from '../table.ts';
import { type ComparedModel, chooseModels } from './models.ts';

const looksPerRun = 20;
const minScore = 0.3;
const nms = { overlapRatio: 0.5, insideRatio: 0.8 };
/** Five checks a second. */
const pauseMs = 200;

interface Phases {
  readonly fillMs: Spread;
  readonly runMs: Spread;
  readonly decodeMs: Spread;
}

interface Paced {
  /** Processor milliseconds a check: one after another, five a second, and five a second with ONNX Runtime's defaults. */
  readonly straight: Spread;
  readonly paced: Spread;
  readonly pacedDefault: Spread;
}

export const time: Part = {
  name: 'time',
  about: 'milliseconds of preprocessing, inference and decoding; five checks a second',
  async run(context) {
    const { models, leftOut } = chooseModels(context);
    const frame = await porchFrame();
    const phases = await measurePhases(context, models, frame);
    const sharpMs = await timeSharp(context, frame);
    const [embedded] = models;
    const paced = embedded === undefined ? undefined : await measurePaced(context, embedded, frame);
    return report(phases, sharpMs, paced, leftOut);
  },
};

/** The visitor before the door. */
async function porchFrame(): Promise<SmallFrame> {
  for await (const frame of readSmallFrames({ path: porchStream, fps: 10 })) if (frame.timeMs >= 7000) return frame;
  throw new Error('the porch stream is too short');
}

/** Of the whole process, in which nothing else goes on: elapsed time would measure the machine's other work. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Models take turns within each run, so that load falls on all alike; a run counts with its fastest look. */
async function measurePhases(
  context: BenchContext,
  models: readonly ComparedModel[],
  frame: SmallFrame,
): Promise<Map<ComparedModel, Phases>> {
  const sessions = new Map<ComparedModel, ModelSession>();
  for (const compared of models) sessions.set(compared, await ModelSession.open(compared.model));
  const runs = new Map(models.map((compared) => [compared, { fill: [] as number[], run: [] as number[], decode: [] as number[] }])); // biome-ignore format: one line
  const crop = { x: 0, y: 0, w: frame.widthPx, h: frame.heightPx };
  for (let run = 0; run < context.runCount; run++) {
    context.signal.throwIfAborted();
    for (const [compared, session] of sessions) {
      const [fill, model, decode]: [number[], number[], number[]] = [[], [], []];
      for (let look = 0; look < looksPerRun; look++) {
        const { input, inputPx, form, head } = session;
        const startMs = cpuMs();
        fillInput(frame, crop, inputPx, input, { form, matrix: 'bt601' });
        const filledMs = cpuMs();
        const outputs = await session.run();
        const ranMs = cpuMs();
        suppressOverlaps(head.decode(outputs, minScore).map((box) => ({ ...box, crop: 0 })), nms); // biome-ignore format: one line
        fill.push(filledMs - startMs);
        model.push(ranMs - filledMs);
        decode.push(cpuMs() - ranMs);
      }
      runs.get(compared)?.fill.push(Math.min(...fill));
      runs.get(compared)?.run.push(Math.min(...model));
      runs.get(compared)?.decode.push(Math.min(...decode));
    }
  }
  for (const session of sessions.values()) await session.close();
  return new Map(
    [...runs].map(([compared, { fill, run, decode }]) => [
      compared,
      { fillMs: spreadOf(fill), runMs: spreadOf(run), decodeMs: spreadOf(decode) },
    ]),
  );
}

/** The peer of our preprocessing: sharp from the same small frame to a square of 416 planes. */
async function timeSharp({ runCount }: BenchContext, frame: SmallFrame): Promise<Spread> {
  const { widthPx, heightPx } = frame;
  const rgb = yuvToRgb(frame);
  const runs: number[] = [];
  for (let run = 0; run < runCount; run++) {
    const looks: number[] = [];
    for (let look = 0; look < looksPerRun; look++) {
      const startMs = cpuMs();
      const raw = { width: widthPx, height: heightPx, channels: 3 } as const;
      const small = await sharp(rgb, { raw }).resize(416, 234, { kernel: 'linear' }).raw().toBuffer();
      Float32Array.from(small);
      looks.push(cpuMs() - startMs);
    }
    runs.push(Math.min(...looks));
  }
  return spreadOf(runs);
}

async function measurePaced(context: BenchContext, { model }: ComparedModel, frame: SmallFrame): Promise<Paced> {
  const yuv = join(context.workDir, 'frame.yuv');
  writeFileSync(yuv, frame.yuv);
  const script = join(import.meta.dirname, 'paced-checks.ts');
  const once = async (checks: number, pause: number, how: 'ours' | 'default'): Promise<number> => {
    const args = [model.path, model.sha256, yuv, frame.widthPx, frame.heightPx, checks, pause, how].map(String);
    const text = (await runProgram(process.execPath, [script, ...args])).toString();
    return (JSON.parse(text) as { cpuMsPerCheck: number }).cpuMsPerCheck;
  };
  const checks = context.quick ? 5 : 25;
  const [straight, paced, pacedDefault]: [number[], number[], number[]] = [[], [], []];
  for (let run = 0; run < context.runCount; run++) {
    context.signal.throwIfAborted();
    straight.push(await once(checks * 4, 0, 'ours'));
    paced.push(await once(checks, pauseMs, 'ours'));
    pacedDefault.push(await once(checks, pauseMs, 'default'));
    context.note(`five checks a second: run ${run + 1} of ${context.runCount}`);
  }
  return { straight: spreadOf(straight), paced: spreadOf(paced), pacedDefault: spreadOf(pacedDefault) };
}

function report(
  phases: ReadonlyMap<ComparedModel, Phases>,
  sharpMs: Spread,
  paced: Paced | undefined,
  leftOut: readonly string[],
): PartReport {
  const nano = [...phases].find(([{ name }]) => name.startsWith('yolox'))?.[1];
  return {
    part: 'time',
    tables: [
      {
        title: 'Processor milliseconds of one look at a 640x360 frame, one thread',
        columns: ['model', 'preprocessing', 'model', 'decoding and NMS', 'model to yolox_nano'],
        rows: [...phases].map(([{ name }, { fillMs, runMs, decodeMs }]) => [
          name,
          spreadText(fillMs),
          spreadText(runMs),
          spreadText(decodeMs),
          nano === undefined ? '-' : ratio(runMs.median / nano.runMs.median),
        ]),
        notes: [
          `Median of ${sharpMs.runs.length} runs (least-most), each with the fastest of ${looksPerRun} looks, models taking turns; with one thread the same as elapsed time on a free machine. Sharp needs ${spreadText(sharpMs)} ms to preprocess the same frame.`,
        ],
      },
      ...(paced === undefined
        ? []
        : [
            {
              title: 'Processor milliseconds a check, embedded model, in a process of its own',
              columns: ['how', 'CPU-ms a check', 'to one after another'],
              rows: [
                ['one after another, one thread', spreadText(paced.straight), ratio(1)],
                ['five a second, as the recorder does', spreadText(paced.paced), ratio(paced.paced.median / paced.straight.median)], // biome-ignore format: one line
                ["five a second, ONNX Runtime's defaults, the model alone", spreadText(paced.pacedDefault), ratio(paced.pacedDefault.median / paced.straight.median)], // biome-ignore format: one line
              ],
            },
          ]),
    ],
    targets: targets(phases, paced),
    leftOut,
    drawings: [
      {
        name: 'model-time',
        svg: barChart({
          title: 'Processor milliseconds of one look, model alone, one thread',
          unit: 'ms',
          bars: [...phases].map(([{ name, role }, { runMs }]) => ({ label: name, value: runMs.median, low: runMs.least, high: runMs.most, ours: role === 'embedded' })), // biome-ignore format: one line
        }),
      },
    ],
    values: { phases: Object.fromEntries([...phases].map(([{ name }, one]) => [name, one])), sharpMs, paced },
  };
}

function targets(phases: ReadonlyMap<ComparedModel, Phases>, paced: Paced | undefined): TargetRow[] {
  const ours = [...phases].find(([{ role }]) => role === 'embedded')?.[1];
  if (ours === undefined) return [];
  const share = ours.fillMs.median / ours.runMs.median;
  const rows: TargetRow[] = [
    {
      what: 'embedded model, CPU-ms a run',
      figure: figure(ours.runMs.median),
      target: '<= 10',
      met: ours.runMs.median <= 10,
    },
    { what: 'preprocessing, CPU-ms', figure: figure(ours.fillMs.median), target: '<= 1', met: ours.fillMs.median <= 1 },
    { what: "preprocessing to the model's time", figure: ratio(share), target: '<= 0.1 x', met: share <= 0.1 },
  ];
  if (paced === undefined) return rows;
  const factor = paced.paced.median / paced.straight.median;
  return [...rows, { what: 'five checks a second to one after another', figure: ratio(factor), target: '<= 1.15 x', met: factor <= 1.15 }]; // biome-ignore format: one line
}
