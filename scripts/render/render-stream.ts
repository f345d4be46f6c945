/** One plan into one mp4 and its truth. */
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Encoder, frameTimes } from './encode.ts';
import type { Box, Testimony } from './page/witness.ts';
import type { StreamPlan } from './plan.ts';
import { makeWav } from './sound.ts';
import type { Studio } from './studio.ts';
import { findCrossings, findVisits, type Truth, type TruthFrame, writeTruth } from './truth.ts';

export interface RenderJob {
  readonly studio: Studio;
  readonly ffmpeg: string;
  readonly outDir: string;
  readonly onProgress: (done: number, total: number) => void;
}
export interface Rendered {
  readonly name: string;
  readonly frames: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly visits: number;
}

const round = (value: number): number => Math.round(value * 10) / 10;
const roundBox = (box: Box): [number, number, number, number] => [
  round(box[0]),
  round(box[1]),
  round(box[2]),
  round(box[3]),
];

export function truthFrame(plan: StreamPlan, index: number, ms: number, testimony: Testimony): TruthFrame {
  const owners = new Set(plan.actors.filter((actor) => actor.type === 'person').map((actor) => actor.id));
  const owned = (id: number): boolean => {
    const actor = plan.actors.find((one) => one.id === id);
    return actor?.type === 'prop' && actor.ownerId !== undefined && owners.has(actor.ownerId);
  };
  return {
    i: index,
    ms,
    people: testimony.sightings.flatMap(({ id, person, box, full, visible }) =>
      person && box !== undefined && full !== undefined
        ? [{ id, box: roundBox(box), full: roundBox(full), visible: Math.round(visible * 100) / 100 }]
        : [],
    ),
    movers: testimony.sightings.flatMap(({ id, what, person, box }) =>
      person || box === undefined || owned(id) ? [] : [{ what, box: roundBox(box) }],
    ),
    moving: Math.round(testimony.moving * 1e5) / 1e5,
  };
}

export function assembleTruth(plan: StreamPlan, frames: readonly TruthFrame[], masks?: Truth['masks']): Truth {
  return {
    version: 2,
    name: plan.name,
    command: `npm run render -- render ${plan.name}`,
    seed: plan.seed,
    widthPx: plan.widthPx,
    heightPx: plan.heightPx,
    fps: plan.fps,
    light: plan.light,
    tags: plan.tags,
    kind: plan.kind,
    visits: findVisits(frames, plan.heightPx, plan.fps, plan.what),
    notEvents: [...findCrossings(frames, plan.fps), ...plan.notEvents].toSorted((a, b) => a.fromMs - b.fromMs),
    frames,
    ...(masks === undefined ? {} : { masks }),
  };
}

export async function renderStream(plan: StreamPlan, job: RenderJob): Promise<Rendered> {
  const started = performance.now();
  const folder = plan.blind === true ? join(job.outDir, 'blind') : job.outDir;
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'latchkey-render-'));
  try {
    const sound = plan.sounds === undefined ? undefined : join(work, 'sound.wav');
    if (sound !== undefined && plan.sounds !== undefined)
      writeFileSync(sound, makeWav(plan.sounds, plan.durationMs, plan.seed));
    const video = join(work, 'stream.mp4');
    const times = frameTimes(plan);
    const every = plan.masksEveryFrames;
    const frames: TruthFrame[] = [];
    const rows: { i: number; runs: readonly number[] }[] = [];
    await job.studio.load(plan);
    const count = Math.round((plan.durationMs / 1000) * plan.fps);
    let kept = 0;
    let frozen: Buffer | undefined;
    {
      await using encoder = new Encoder(job.ffmpeg, plan, video, sound);
      for (let index = 0; index < count; index++) {
        const ms = Math.round((1000 * index) / plan.fps);
        const gap = plan.gaps.find((one) => ms >= one.fromMs && ms < one.toMs);
        const stays = gap?.outage === 'frozen' && frozen !== undefined;
        if (gap?.outage === 'missing' && frozen !== undefined) {
          // The encoder counts frames, so that it gets one that it drops.
          await encoder.write(frozen);
          continue;
        }
        const wantRuns = every !== undefined && kept % every === 0;
        const drawn = stays
          ? undefined
          : await job.studio.frame(index, ms, { settle: index === 0, runs: wantRuns, layout: 'yuv420' });
        const pixels = drawn?.pixels ?? frozen;
        if (pixels === undefined) continue;
        frozen = pixels;
        await encoder.write(pixels);
        const previous = frames.at(-1);
        if (drawn !== undefined) {
          frames.push(truthFrame(plan, kept, ms, drawn.testimony));
          if (wantRuns && drawn.testimony.runs !== undefined) rows.push({ i: kept, runs: drawn.testimony.runs });
        } else if (previous !== undefined) frames.push({ ...previous, i: kept, ms });
        kept++;
        job.onProgress(index + 1, count);
      }
      await encoder.finish();
    }
    if (kept !== times.length) throw new RangeError(`Rendered ${kept} frames where ${times.length} were planned`);
    const truth = assembleTruth(plan, frames, every === undefined ? undefined : { everyFrames: every, rows });
    copyFileSync(video, join(folder, `.${plan.name}.mp4.tmp`));
    renameSync(join(folder, `.${plan.name}.mp4.tmp`), join(folder, `${plan.name}.mp4`));
    writeFileSync(join(folder, `${plan.name}.json`), writeTruth(truth));
    return {
      name: plan.name,
      frames: kept,
      bytes: statSync(join(folder, `${plan.name}.mp4`)).size,
      seconds: (performance.now() - started) / 1000,
      visits: truth.visits.length,
    };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
