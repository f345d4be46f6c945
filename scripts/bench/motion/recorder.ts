/** What a second of stream costs a whole recorder, process tree and all, beside the floor and Debian's motion, live paced. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RtspCamera } from '../../../test-fixtures/cameras/rtsp-camera.ts';
import { type BenchContext, emptyReport, type Part, type PartReport, type TargetRow } from '../bench.ts';
import { barChart } from '../plot/bars.ts';
import { type TreeCost, treeCost } from '../process-cost.ts';
import { type CameraInput, RecorderSystem, type RunningSystem } from '../recorder-system.ts';
import { median, type Spread, spreadOf } from '../statistics.ts';
import { figure, ratio, spreadText } from '../table.ts';
import { makeQuietStream } from './quiet-stream.ts';
import { debianMotion, floorB, floorCopy, type StreamSize } from './systems.ts';

const hd: StreamSize = { widthPx: 1920, heightPx: 1080, fps: 15 };
const sub: StreamSize = { widthPx: 640, heightPx: 360, fps: 15 };

interface Scene {
  readonly name: string;
  readonly title: string;
  readonly file: string;
  readonly size: StreamSize;
  readonly person: 'off' | 'embedded';
}

interface Measured {
  readonly label: string;
  /** Of processor time a second of stream. */
  readonly cpuMs: Spread;
  readonly byProcess: Readonly<Record<string, number>>;
  /** Small pictures a second; five are wanted. */
  readonly picturesPerSecond: number | undefined;
  readonly rssMb: number;
  readonly pssMb: number;
}

type Results = ReadonlyMap<string, Measured>;

export const recorder: Part = {
  name: 'recorder',
  about: 'processor time a second of live stream, the whole process tree',
  async run(context) {
    if (spawnSync('/usr/bin/python3', ['-c', 'import gi; gi.require_version("GstRtspServer", "1.0")']).status !== 0) {
      return emptyReport('recorder', ["the whole recorder: GStreamer's RTSP server is not installed (scripts/setup --tier test)"]); // biome-ignore format: one line
    }
    const scenes = await chooseScenes(context);
    const results = new Map<Scene, Results>();
    for (const scene of scenes) {
      context.signal.throwIfAborted();
      results.set(scene, await measure(context, scene));
    }
    const leftOut = [
      ...(hasMotion() ? [] : ["Debian's motion: it is not installed (scripts/setup --tier bench)"]),
      ...(scenes.some(({ name }) => name === 'door') || context.quick ? [] : ['recorder on door-1080p15: it is not there (LATCHKEY_DATA)']), // biome-ignore format: one line
    ];
    return report(context, results, leftOut);
  },
};

function hasMotion(): boolean {
  return spawnSync('motion', ['-h'], { stdio: 'ignore' }).error === undefined;
}

async function chooseScenes(context: BenchContext): Promise<Scene[]> {
  const seconds = context.quick ? 6 : 20;
  context.note('encoding the quiet streams');
  const substream = await makeQuietStream(context.workDir, sub, seconds);
  const scenes: Scene[] = [{ name: 'sub', title: 'substream 640x360, 15 fps, quiet', file: substream, size: sub, person: 'off' }]; // biome-ignore format: one line
  if (context.quick) return scenes;
  const quiet = await makeQuietStream(context.workDir, hd, seconds);
  scenes.unshift({ name: 'quiet', title: '1080p15, quiet, no person check', file: quiet, size: hd, person: 'off' });
  const door = join(context.dataDir ?? '', 'streams/door-1080p15.mp4');
  if (existsSync(door)) {
    scenes.push({ name: 'door', title: 'door-1080p15, people, with the embedded model', file: door, size: hd, person: 'embedded' }); // biome-ignore format: one line
  }
  return scenes;
}

/** All systems at once on one camera: whatever else the machine does falls on all of them alike. */
async function measure(context: BenchContext, scene: Scene): Promise<Results> {
  const { size, person, file } = scene;
  const windowMs = context.quick ? 4000 : 12_000;
  const warmMs = context.quick ? 4000 : 10_000;
  await using server = await RtspCamera.start({ file });
  const camera: CameraInput = { source: { kind: 'rtsp', url: server.url }, person: { model: person } };
  await using ending = new AsyncDisposableStack();
  const systems: RunningSystem[] = [
    ending.use(new RecorderSystem('latchkey', 'latchkey recorder', camera)),
    ending.use(floorB(server.url)),
    ending.use(floorCopy(server.url)),
    ...(hasMotion() ? [true, false].map((copy) => ending.use(debianMotion(server.url, size, context.workDir, copy))) : []), // biome-ignore format: one line
  ];
  await delay(warmMs);
  const windows: Map<RunningSystem, TreeCost>[] = [];
  const rates = new Map<RunningSystem, number[]>(systems.map((system) => [system, []]));
  const look = (): Map<RunningSystem, TreeCost> => new Map(systems.map((system) => [system, treeCost(system.pid)]));
  const counts = (): Promise<(number | undefined)[]> => Promise.all(systems.map((system) => system.pictureCount()));
  const [countsBefore, beganMs] = [await counts(), performance.now()];
  let [before, beforeMs] = [look(), performance.now()];
  windows.push(before);
  for (let run = 0; run < context.runCount; run++) {
    context.signal.throwIfAborted();
    await delay(windowMs);
    const [after, afterMs] = [look(), performance.now()];
    for (const system of systems) {
      const spent = (after.get(system)?.cpuMs ?? 0) - (before.get(system)?.cpuMs ?? 0);
      rates.get(system)?.push((spent * 1000) / (afterMs - beforeMs));
    }
    windows.push(after);
    [before, beforeMs] = [after, afterMs];
    context.note(`${scene.name}: run ${run + 1} of ${context.runCount}`);
  }
  const [countsAfter, endedMs] = [await counts(), performance.now()];
  const [first, last] = [windows[0], windows.at(-1)];
  const elapsedS = (windowMs * context.runCount) / 1000;
  const results = new Map<string, Measured>();
  for (const [at, system] of systems.entries()) {
    await system.check();
    const [begin, end] = [first?.get(system), last?.get(system)];
    const memory = windows.slice(1).map((window) => window.get(system));
    results.set(system.name, {
      label: system.label,
      cpuMs: spreadOf(rates.get(system) ?? []),
      byProcess: perProcess(begin, end, elapsedS),
      picturesPerSecond: perSecond(countsBefore[at], countsAfter[at], endedMs - beganMs),
      rssMb: median(memory.map((one) => one?.rssMb ?? Number.NaN)),
      pssMb: median(memory.map((one) => one?.pssMb ?? Number.NaN)),
    });
  }
  return results;
}

function perSecond(before: number | undefined, after: number | undefined, elapsedMs: number): number | undefined {
  return before === undefined || after === undefined ? undefined : ((after - before) * 1000) / elapsedMs;
}

/** Of our two ffmpegs the one that began first copies and the other decodes. */
function perProcess(begin: TreeCost | undefined, end: TreeCost | undefined, elapsedS: number): Record<string, number> {
  const shares: Record<string, number> = {};
  for (const { pid, name, cpuMs } of end?.byProcess.toSorted((a, b) => a.pid - b.pid) ?? []) {
    const earlier = begin?.byProcess.find((one) => one.pid === pid)?.cpuMs ?? 0;
    const role = name in shares ? `${name} (second)` : name;
    shares[role] = (shares[role] ?? 0) + (cpuMs - earlier) / elapsedS;
  }
  return shares;
}

function report(context: BenchContext, results: ReadonlyMap<Scene, Results>, leftOut: readonly string[]): PartReport {
  const rows = [...results].flatMap(([scene, measured]) => {
    const floor = measured.get('floor')?.cpuMs.median ?? Number.NaN;
    return [...measured.values()].map(({ label, cpuMs, rssMb, pssMb, byProcess, picturesPerSecond }, at) => [
      at === 0 ? `${scene.title}: ${label}` : `  ${label}`,
      spreadText(cpuMs),
      ratio(cpuMs.median / floor),
      picturesPerSecond === undefined ? '-' : figure(picturesPerSecond),
      figure(rssMb),
      figure(pssMb),
      Object.values(byProcess).map(figure).join(' + '),
    ]);
  });
  return {
    part: 'recorder',
    tables: [
      {
        title: 'Whole recorder, live from one RTSP camera: processor milliseconds a second of stream',
        columns: ['stream: system', 'CPU-ms/s', 'to floor B', 'pictures/s', 'RSS MB', 'PSS MB', 'by process'],
        rows,
        notes: [
          `All systems of a stream run at once on the same camera (GStreamer, not counted); median of ${context.runCount} windows (least-most) after a warm-up.`,
          "Pictures: small ones decoded a second, of five wanted: who falls behind on a busy machine costs too little (Debian's motion does not tell).",
          'Ours by process: the recorder program, the ffmpeg that copies, the ffmpeg that decodes.',
        ],
      },
    ],
    targets: targets(results),
    leftOut,
    drawings: [...results].map(([scene, measured]) => ({
      name: `recorder-${scene.name}`,
      svg: barChart({
        title: `Processor milliseconds a second, ${scene.title}`,
        unit: 'ms/s',
        bars: [...measured].map(([name, { label, cpuMs }]) => ({ label, value: cpuMs.median, low: cpuMs.least, high: cpuMs.most, ours: name === 'latchkey' })), // biome-ignore format: one object
      }),
    })),
    values: Object.fromEntries([...results].map(([scene, measured]) => [scene.name, Object.fromEntries(measured)])),
  };
}

function targets(results: ReadonlyMap<Scene, Results>): TargetRow[] {
  const of = (scene: string, system: string): number =>
    [...results].find(([{ name }]) => name === scene)?.[1].get(system)?.cpuMs.median ?? Number.NaN;
  const within = (scene: string, system: string, most: number, what: string): TargetRow => {
    const share = of(scene, 'latchkey') / of(scene, system);
    return {
      what,
      figure: ratio(share),
      target: `<= ${most} x`,
      met: Number.isFinite(share) ? share <= most : undefined,
    };
  };
  const quiet = [...results].find(([{ name }]) => name === 'quiet')?.[1].get('latchkey');
  const copying = quiet?.byProcess['ffmpeg'];
  return [
    within('quiet', 'floor', 1.15, 'recorder, quiet 1080p15, to floor B'),
    within('quiet', 'motion-copy', 0.45, "recorder, quiet 1080p15, to Debian's motion copying"),
    within('sub', 'floor', 1.15, 'recorder, substream, to floor B'),
    within('sub', 'motion-copy', 0.85, "recorder, substream, to Debian's motion"),
    {
      what: 'record only, CPU-ms a second',
      figure: figure(copying ?? Number.NaN),
      target: '<= 10',
      met: undefined,
      why: `the recorder always decodes as well; the figure is its copying ffmpeg alone (one ffmpeg that only copies: ${figure(of('quiet', 'floor-copy'))})`,
    },
  ];
}
