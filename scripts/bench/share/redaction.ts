/** People filled in a clip by what the vault runs, beside one ffmpeg that decodes and encodes the same clip the same way. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFfmpeg } from '../../../agent/base/ffmpeg.ts';
import { analyse } from '../../../agent/vault/redact/analysis.ts';
import { redactionChoice } from '../../../agent/vault/redact/choice.ts';
import { coverPictures } from '../../../agent/vault/redact/cover.ts';
import { quality } from '../../../agent/vault/redact/encoder.ts';
import { readPictures } from '../../../agent/vault/redact/pictures.ts';
import { redactClip } from '../../../agent/vault/redact/redact.ts';
import type { BenchContext, Part, PartReport } from '../bench.ts';
import { median, spreadOf } from '../statistics.ts';
import { percent, ratio, spreadText } from '../table.ts';
import { type FragmentedStream, fragmentStream } from './fragmented.ts';

const most = 1.3;

interface Cost {
  readonly wallMs: number;
  /** Of this process and of every ffmpeg that has ended. */
  readonly processorMs: number;
}

interface Run {
  readonly analysis: Cost;
  readonly encoding: Cost;
  readonly whole: Cost;
  readonly ffmpeg: Cost;
  readonly filledRatio: number;
  readonly untouched: string;
}

/** Ticks are hundredths of a second on every Linux. */
function spent(): Cost {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  const ticks = fields.slice(11, 15).reduce((sum, text) => sum + Number(text), 0);
  return { wallMs: performance.now(), processorMs: ticks * 10 };
}

const between = (from: Cost, to: Cost): Cost => ({
  wallMs: to.wallMs - from.wallMs,
  processorMs: to.processorMs - from.processorMs,
});

async function redact(ffmpegPath: string, stream: FragmentedStream): Promise<Omit<Run, 'ffmpeg'>> {
  const before = spent();
  const pictures = readPictures(stream.video, stream.fragments);
  const analysis = await analyse({ ffmpegPath, pictures });
  const looked = spent();
  const cover = coverPictures(analysis, redactionChoice.parse({ fill: 'people' }), { startMs: 0 });
  const made = await redactClip({ ffmpegPath, pictures, analysis, cover, span: { fromMs: 0, toMs: 1e9 } });
  const after = spent();
  const filled = cover.map((cells) => cells.reduce((sum, cell) => sum + cell, 0) / cells.length);
  return {
    analysis: between(before, looked),
    encoding: between(looked, after),
    whole: between(before, after),
    filledRatio: filled.reduce((sum, share) => sum + share, 0) / filled.length,
    untouched: `${made?.untouchedCount} of ${made?.fragmentCount}`,
  };
}

function byFfmpeg(ffmpegPath: string, { video }: FragmentedStream): Cost {
  const before = spent();
  const args = ['-v', 'error', '-f', 'mp4', '-i', 'pipe:0', '-c:v', 'libx264', ...quality, '-f', 'h264', 'pipe:1'];
  const { status } = spawnSync(ffmpegPath, args, { input: video, maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error('ffmpeg cannot encode the stream');
  return between(before, spent());
}

async function run(context: BenchContext): Promise<PartReport> {
  const ffmpegPath = findFfmpeg();
  const committed = join(import.meta.dirname, '../../../test-fixtures/streams');
  const recorded = join(context.dataDir ?? '', 'streams');
  const wanted = [
    { name: 'porch-1080 (a visitor)', path: join(committed, 'porch-1080.mp4'), seconds: 12 },
    { name: 'door-1080p15 (somebody close by)', path: join(recorded, 'door-1080p15.mp4'), seconds: 30 },
    { name: 'walkers-1080p15-vbr (far walkers)', path: join(recorded, 'walkers-1080p15-vbr.mp4'), seconds: 60 },
  ];
  const there = wanted.filter(({ path }) => existsSync(path)).slice(0, context.quick ? 1 : undefined);
  const rows: string[][] = [];
  const values: Record<string, readonly Run[]> = {};
  for (const { name, path, seconds } of there) {
    const stream = fragmentStream(ffmpegPath, path, seconds);
    const runs: Run[] = [];
    for (let round = 0; round < context.runCount; round++) {
      context.signal.throwIfAborted();
      context.note(`${name}, run ${round + 1}`);
      const ffmpeg = byFfmpeg(ffmpegPath, stream);
      runs.push({ ...(await redact(ffmpegPath, stream)), ffmpeg });
    }
    values[name] = runs;
    const secondsOf = (pick: (each: Run) => number): string =>
      spreadText(spreadOf(runs.map((each) => pick(each) / 1000)));
    rows.push([
      name,
      secondsOf((each) => each.ffmpeg.wallMs),
      secondsOf((each) => each.whole.wallMs),
      secondsOf((each) => each.analysis.wallMs),
      ratio(median(runs.map((each) => each.whole.wallMs / each.ffmpeg.wallMs))),
      ratio(median(runs.map((each) => each.whole.processorMs / each.ffmpeg.processorMs))),
      percent(runs[0]?.filledRatio ?? 0),
      runs[0]?.untouched ?? '',
    ]);
  }
  const ratios = Object.values(values).map((runs) =>
    median(runs.map((each) => each.whole.wallMs / each.ffmpeg.wallMs)),
  );
  const worst = Math.max(...ratios);
  return {
    part: 'redaction',
    tables: [
      {
        title: 'Filling people, beside one ffmpeg that decodes and encodes the same range with the same settings',
        columns: ['stream', 'ffmpeg s', 'ours s', 'of it looking s', 'wall', 'processor', 'filled', 'untouched'],
        rows,
        notes: ['Wall and processor are medians of ratios; untouched fragments stay as recorded and cost nothing.'],
      },
    ],
    targets: [
      {
        what: 'filling people beside ffmpeg’s decoding and encoding (worst stream, wall)',
        figure: ratio(worst),
        target: `<= ${most} x`,
        met: worst <= most,
      },
    ],
    leftOut: wanted.filter(({ path }) => !existsSync(path)).map(({ name }) => `${name}: needs LATCHKEY_DATA`),
    drawings: [],
    values,
  };
}

export const redaction: Part = { name: 'redaction', about: 'people filled in 1080p clips', run };
