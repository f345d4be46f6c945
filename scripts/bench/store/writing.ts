/** Bytes written for each byte of video kept, and how long a write takes: our writer and others, in turn, on the same disk. */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BenchContext, Drawing, Part, PartReport, Table, TargetRow } from '../bench.ts';
import { barChart } from '../plot/bars.ts';
import { mean, median, quantile, spreadOf } from '../statistics.ts';
import { figure, ratio, spreadText } from '../table.ts';
import { type MeasuredDisk, openDisk } from './disk.ts';
import { oursName, type Written } from './keeper.ts';
import { peerKeepers } from './peers.ts';

const plain = 'plain files';
const methods = [oursName, ...Object.keys(peerKeepers)];
const writerPath = join(import.meta.dirname, 'writer.ts');

interface Rate {
  readonly megabits: number;
  readonly warmS: number;
  readonly runS: number;
}

interface Figures {
  readonly process: number;
  readonly device: number;
  readonly p50: number;
  readonly p99: number;
  readonly purgeP99: number;
}

interface Measured {
  readonly rate: Rate;
  readonly method: string;
  readonly runs: readonly Figures[];
}

/** Enough for room to have been made many times before anything is counted. */
function rates(quick: boolean): Rate[] {
  return [2, 1].map((megabits) => {
    const seconds = (quick ? 200 : 1200) / megabits;
    return { megabits, warmS: 2 * seconds, runS: seconds };
  });
}

async function write(disk: MeasuredDisk, method: string, rate: Rate, context: BenchContext): Promise<Figures> {
  const folder = join(disk.path, 'store');
  mkdirSync(folder);
  try {
    const args = [writerPath, method, folder, disk.device ?? '', String(rate.megabits * 1e6), rate.warmS, rate.runS];
    const { stdout } = await promisify(execFile)(process.execPath, args.map(String), {
      signal: context.signal,
      maxBuffer: 64 << 20,
    });
    const written = JSON.parse(stdout) as Written;
    return {
      process: written.processBytes / written.keptBytes,
      device: (written.deviceBytes ?? Number.NaN) / written.keptBytes,
      p50: median(written.insertMs),
      p99: quantile(written.insertMs, 0.99),
      purgeP99: quantile(written.purgeMs, 0.99),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const all = (measured: Measured | undefined, of: keyof Figures): number[] =>
  measured?.runs.map((each) => each[of]) ?? [];

function tableOf(rate: Rate, measured: readonly Measured[], disk: MeasuredDisk): Table {
  const rows = measured.map((each) => [
    each.method,
    figure(median(all(each, 'process'))),
    figure(median(all(each, 'device'))),
    spreadText(spreadOf(all(each, 'p50'))),
    spreadText(spreadOf(all(each, 'p99'))),
    figure(median(all(each, 'purgeP99'))),
  ]);
  return {
    title: `Keeping ${rate.megabits} Mbit/s within a full quota: bytes written per byte of video, and ms`,
    columns: ['', 'io', 'device', 'insert p50', 'insert p99', 'purge p99'],
    rows,
    notes: [
      disk.device === undefined
        ? 'io: /proc/self/io; the device was not counted: that takes root and a loop device'
        : 'io: /proc/self/io; device: sectors of an ext4 of its own on a loop device, after a sync',
      'Latency is of one write that is on the disk when it returns, as fast as they follow each other; a row per fragment is a fifth of a second of video, the others about a megabyte. A purge, where it is apart, removes a batch of segments, or a clip.',
      'Ours is the recorder whole: sealed, hashed, with the metadata and picture of each clip. The others keep bare bytes.',
    ],
  };
}

function targetsOf(rate: Rate, measured: readonly Measured[]): TargetRow[] {
  const find = (method: string): Measured | undefined => measured.find((each) => each.method === method);
  const ours = find(oursName);
  const io = median(all(ours, 'process'));
  const device = median(all(ours, 'device'));
  const bound = rate.megabits === 2 ? 1.06 : 1.1;
  const rows: TargetRow[] = [
    {
      what: `io per byte kept, ${rate.megabits} Mbit/s`,
      figure: io.toFixed(3),
      target: `<= ${bound}`,
      met: io <= bound,
    },
  ];
  if (rate.megabits !== 2) return rows;
  rows.push({
    what: 'device bytes per byte kept, 2 Mbit/s',
    figure: figure(device),
    target: '<= 1.10',
    met: Number.isNaN(device) ? undefined : device <= 1.1,
    ...(Number.isNaN(device) ? { why: 'no loop device here' } : {}),
  });
  // Run by run, because the disk is shared and each round had its own neighbours.
  const [mine, files] = [all(ours, 'p99'), all(find(plain), 'p99')];
  const ratios = mine.map((value, at) => value / (files[at] ?? Number.NaN));
  rows.push({
    what: "p99 insert beside a plain file's, 2 Mbit/s",
    figure: ratio(median(ratios)),
    target: '<= 2 x',
    met: median(ratios) <= 2,
  });
  return rows;
}

async function run(context: BenchContext): Promise<PartReport> {
  using disk = openDisk(context.workDir);
  const measured: { rate: Rate; method: string; runs: Figures[] }[] = rates(context.quick).flatMap((rate) =>
    methods.map((method) => ({ rate, method, runs: [] })),
  );
  for (let round = 0; round < context.runCount; round++) {
    for (const { rate, method, runs } of measured) {
      context.signal.throwIfAborted();
      runs.push(await write(disk, method, rate, context));
    }
    context.note(`round ${round + 1} of ${context.runCount}`);
  }
  const byRate = rates(context.quick).map((rate) => ({
    rate,
    measured: measured.filter((each) => each.rate.megabits === rate.megabits),
  }));
  const drawings: Drawing[] = context.draws
    ? byRate.map(({ rate, measured: some }) => ({
        name: `store-written-${rate.megabits}-mbit`,
        svg: barChart({
          title: `Bytes written per byte of video kept, ${rate.megabits} Mbit/s`,
          unit: disk.device === undefined ? 'process' : 'device',
          bars: some.map((each) => {
            const values = all(each, disk.device === undefined ? 'process' : 'device');
            const { least: low, most: high } = spreadOf(values);
            return { label: each.method, value: mean(values), low, high, ours: each.method === oursName };
          }),
        }),
      }))
    : [];
  return {
    part: 'writing',
    tables: byRate.map(({ rate, measured: some }) => tableOf(rate, some, disk)),
    targets: byRate.flatMap(({ rate, measured: some }) => targetsOf(rate, some)),
    leftOut: disk.device === undefined ? ['device bytes: no loop device here'] : [],
    drawings,
    values: { device: disk.device ?? null, measured },
  };
}

export const writing: Part = {
  name: 'writing',
  about:
    'bytes written per byte kept and insert latency beside plain files, WAL, a row per fragment and deletes in the same transaction',
  run,
};
