/** How soon the recorder sees its first picture, and what a recorder and a whole house hold in memory. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from '../../../agent/base/child.ts';
import { porchPath } from '../../../test-fixtures/recording.ts';
import type { BenchContext, Part, PartReport, TargetRow } from '../bench.ts';
import { type TreeCost, treeCost } from '../process-cost.ts';
import { RecorderSystem } from '../recorder-system.ts';
import { median, type Spread, spreadOf } from '../statistics.ts';
import { figure, spreadText } from '../table.ts';
import { root } from './methods.ts';

const mainPath = join(root, 'agent/main.ts');
const pollMs = 10;
const sampleCount = 5;

interface Memory {
  readonly rssMb: number;
  readonly pssMb: number;
}

export const memory: Part = {
  name: 'memory',
  about: 'start to first picture; memory of the recorder and of a whole house',
  async run(context) {
    const door = join(context.dataDir ?? '', 'streams/door-1080p15.mp4');
    const stream = context.dataDir !== undefined && existsSync(door) ? door : porchPath;
    const startMs = await firstPicture(context, stream);
    const settleMs = context.quick ? 3000 : 15_000;
    const resident = new Map<string, Memory>();
    for (const model of ['off', 'embedded'] as const) {
      resident.set(model, await recorderMemory(stream, model, settleMs));
      context.note(`recorder, model ${model}`);
    }
    let house: House | undefined;
    let why = '--quick';
    try {
      if (!context.quick) house = await houseMemory(stream, settleMs, context);
    } catch (thrown) {
      why = thrown instanceof Error ? thrown.message : String(thrown);
    }
    return report(startMs, resident, house ?? why, stream === door ? 'door-1080p15' : 'porch-day');
  },
};

/** From the start of the program to the first small picture that was looked at, on a file paced as it was filmed. */
async function firstPicture(context: BenchContext, path: string): Promise<Spread> {
  const times: number[] = [];
  for (let run = 0; run < context.runCount; run++) {
    context.signal.throwIfAborted();
    const startedMs = performance.now();
    await using system = new RecorderSystem('start', 'recorder', {
      source: { kind: 'file', path },
      person: { model: 'off' },
    });
    for (;;) {
      const status = await system.status().catch(() => undefined);
      if (Number(status?.['frameCount'] ?? 0) > 0) break;
      if (performance.now() - startedMs > 60_000) throw new Error('the recorder saw no picture in a minute');
      await delay(pollMs);
    }
    times.push(performance.now() - startedMs);
  }
  return spreadOf(times);
}

async function sample(pid: number): Promise<Memory> {
  const samples: TreeCost[] = [];
  for (let at = 0; at < sampleCount; at++) {
    samples.push(treeCost(pid));
    await delay(1000);
  }
  return { rssMb: median(samples.map(({ rssMb }) => rssMb)), pssMb: median(samples.map(({ pssMb }) => pssMb)) };
}

async function recorderMemory(path: string, model: 'off' | 'embedded', settleMs: number): Promise<Memory> {
  const source = { kind: 'file', path, loop: true } as const;
  await using system = new RecorderSystem('memory', 'recorder', { source, person: { model } });
  await delay(settleMs);
  const found = await sample(system.pid);
  await system.check();
  return found;
}

interface House {
  readonly locked: Memory;
  readonly unlocked: Memory;
}

/** `latchkey init`, then `latchkey run` with its four programs, locked and after `latchkey unlock`. */
async function houseMemory(streamPath: string, settleMs: number, context: BenchContext): Promise<House> {
  const home = mkdtempSync(join(context.workDir, 'house-'));
  const configPath = join(home, 'config.json');
  const passphrase = ['--passphrase-file', join(home, 'passphrase')];
  const latchkey = (...args: readonly string[]): void => {
    execFileSync(process.execPath, [mainPath, ...args, '--config', configPath], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  };
  const place = ['--region', 'US-CA', '--lat', '37.77', '--lon', '-122.41'];
  const where = ['--data-dir', join(home, 'data'), '--web-port', '0', '--camera-id', 'door', '--camera-source', `file:${streamPath}`]; // biome-ignore format: one list
  latchkey('init', '--yes', ...where, ...place, ...passphrase, '--recovery-out', join(home, 'paper'));
  const config = JSON.parse(readFileSync(configPath, 'utf8')) as { cameras: object[] };
  Object.assign(config.cameras[0] ?? {}, { source: { kind: 'file', path: streamPath, pace: 'realtime', loop: true } });
  writeFileSync(configPath, JSON.stringify(config));
  await using running = new Child({
    command: process.execPath,
    args: [mainPath, 'run', '--config', configPath],
    stdio: ['ignore', 'ignore', 'pipe'],
    graceMs: 20_000,
  });
  const ready = ['owner', 'courier', 'recorder-door'].map((name) => join(home, 'data/run', `${name}.sock`));
  for (let waitedMs = 0; !ready.every((path) => existsSync(path)); waitedMs += 100) {
    if (waitedMs > 60_000 || !running.running)
      throw new Error(`the house did not start: ${running.lastLines.slice(-3).join(' | ')}`);
    await delay(100);
  }
  await delay(settleMs);
  const locked = await sample(running.process.pid ?? 0);
  latchkey('unlock', ...passphrase);
  await delay(settleMs / 3);
  const unlocked = await sample(running.process.pid ?? 0);
  if (!running.running) throw new Error('the house stopped by itself');
  await running.stop();
  rmSync(home, { recursive: true });
  context.note('the whole house');
  return { locked, unlocked };
}

function report(
  startMs: Spread,
  resident: ReadonlyMap<string, Memory>,
  found: House | string,
  stream: string,
): PartReport {
  const house = typeof found === 'string' ? undefined : found;
  const row = (what: string, { rssMb, pssMb }: Memory): string[] => [what, figure(pssMb), figure(rssMb)];
  const [without, withModel] = [resident.get('off'), resident.get('embedded')];
  const target = (what: string, of: Memory | undefined, most: number): TargetRow => ({
    what,
    figure: of === undefined ? '-' : `${figure(of.pssMb)} MB`,
    target: `<= ${most} MB`,
    met: of === undefined ? undefined : of.pssMb <= most,
  });
  return {
    part: 'memory',
    tables: [
      {
        title: `Start and memory, live paced ${stream}`,
        columns: ['what', 'PSS MB', 'RSS MB, added up'],
        rows: [
          ...(without === undefined ? [] : [row('recorder with its two ffmpegs, no model', without)]),
          ...(withModel === undefined ? [] : [row('recorder with its two ffmpegs and the embedded model', withModel)]),
          ...(house === undefined ? [] : [row('the house, locked: supervisor, recorder, courier, owner, ffmpeg', house.locked), row('the house, unlocked: the vault as well', house.unlocked)]), // biome-ignore format: one line
        ],
        notes: [
          `Start of the program to the first picture looked at: ${spreadText(startMs)} ms, median of ${startMs.runs.length} (least-most).`,
          'PSS counts what is shared once; RSS added up counts libraries once for each ffmpeg. Targets are judged by PSS.',
        ],
      },
    ],
    targets: [
      {
        what: 'start of the recorder to the first motion frame',
        figure: `${figure(startMs.median / 1000)} s`,
        target: '<= 0.5 s',
        met: startMs.median <= 500,
      },
      target('resident recorder with ffmpeg, no model', without, 125),
      target('resident recorder with ffmpeg and model', withModel, 175),
      target('the house with model and ffmpeg, locked', house?.locked, 280),
      target('the house with model and ffmpeg, unlocked', house?.unlocked, 340),
    ],
    leftOut: typeof found === 'string' ? [`memory of the whole house: ${found}`] : [],
    drawings: [],
    values: { stream, startMs, recorder: Object.fromEntries(resident), house },
  };
}
