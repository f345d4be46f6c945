/** Whether committed streams and their truth fit together. Says everything that is wrong, not just the first thing. */
import { existsSync, globSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { asAgentError } from '../../agent/base/errors.ts';
import { readFileLimited } from '../../agent/base/files.ts';
import { frameTimes } from './encode.ts';
import type { StreamPlan } from './plan.ts';
import { probeVideo } from './probe.ts';
import { findVisits, MAX_TRUTH_BYTES, parseTruth, type Truth } from './truth.ts';

export const BUDGET_BYTES = 25_000_000;

export interface CheckResult {
  readonly streams: number;
  readonly bytes: number;
  readonly problems: readonly string[];
}

export interface CheckJob {
  readonly folder: string;
  readonly catalog: readonly StreamPlan[];
  readonly ffprobe: string;
}

/** Streams that aren't in the catalogue are none of ours and only count as bytes. */
export async function checkStreams(job: CheckJob): Promise<CheckResult> {
  const problems: string[] = [];
  const files = globSync(['*', 'blind/*'], { cwd: job.folder }).filter((path) =>
    statSync(join(job.folder, path)).isFile(),
  );
  const bytes = files.reduce((sum, path) => sum + statSync(join(job.folder, path)).size, 0);
  if (bytes > BUDGET_BYTES) problems.push(`${bytes} bytes in all; at most ${BUDGET_BYTES} are allowed`);
  let streams = 0;
  for (const plan of job.catalog) {
    const stem = join(job.folder, plan.blind === true ? 'blind' : '', plan.name);
    if (!existsSync(`${stem}.mp4`) || !existsSync(`${stem}.json`)) {
      problems.push(`${plan.name}: ${existsSync(`${stem}.mp4`) ? 'the truth' : 'the video'} is missing`);
      continue;
    }
    streams++;
    try {
      const text = readFileLimited(`${stem}.json`, MAX_TRUTH_BYTES)?.toString('utf8') ?? '';
      const truth = parseTruth(text, basename(stem));
      problems.push(
        ...compareWithPlan(truth, plan),
        ...checkTruth(truth),
        ...(await compareWithVideo(truth, plan, `${stem}.mp4`, job.ffprobe)),
      );
    } catch (thrown) {
      problems.push(`${plan.name}: ${asAgentError(thrown).message}`);
    }
  }
  return { streams, bytes, problems };
}

function compareWithPlan(truth: Truth, plan: StreamPlan): readonly string[] {
  const same = (['name', 'seed', 'widthPx', 'heightPx', 'fps', 'light', 'kind'] as const).filter(
    (key) => truth[key] !== plan[key],
  );
  const times = frameTimes(plan);
  const late = truth.frames.length !== times.length || truth.frames.some((frame, i) => frame.ms !== times[i]?.ms);
  return [
    ...same.map((key) => `${plan.name}: ${key} is ${truth[key]}, the catalogue says ${plan[key]}`),
    ...(late ? [`${plan.name}: the truth's frames are not those of the catalogue`] : []),
  ];
}

/** What must hold in any truth. */
export function checkTruth(truth: Truth): readonly string[] {
  const problems: string[] = [];
  const { name, widthPx, heightPx, frames } = truth;
  const inside = ([x, y, w, h]: readonly [number, number, number, number]): boolean =>
    x >= 0 && y >= 0 && x + w <= widthPx + 0.05 && y + h <= heightPx + 0.05;
  for (const [k, frame] of frames.entries()) {
    if (frame.i !== k) problems.push(`${name}: frame ${k} is numbered ${frame.i}`);
    for (const { box } of [...frame.people, ...frame.movers])
      if (!inside(box)) problems.push(`${name}: frame ${k} has a box outside the picture`);
    for (const { box, full } of frame.people) {
      const holds =
        full[0] <= box[0] + 0.2 &&
        full[1] <= box[1] + 0.2 &&
        full[0] + full[2] >= box[0] + box[2] - 0.2 &&
        full[1] + full[3] >= box[1] + box[3] - 0.2;
      if (!holds) problems.push(`${name}: frame ${k} has more to see of a person than there is`);
    }
  }
  const visits = findVisits(frames, heightPx, truth.fps, '');
  const told = JSON.stringify(truth.visits.map(({ fromMs, toMs, people }) => [fromMs, toMs, people]));
  if (JSON.stringify(visits.map(({ fromMs, toMs, people }) => [fromMs, toMs, people])) !== told)
    problems.push(`${name}: the visits do not follow from the frames`);
  if ((truth.kind === 'positive') !== truth.visits.length > 0)
    problems.push(`${name}: is ${truth.kind} and has ${truth.visits.length} visits`);
  if (truth.kind === 'negative' && frames.some((frame) => frame.people.length > 0))
    problems.push(`${name}: is negative and shows a person`);
  for (const row of truth.masks?.rows ?? []) {
    const sum = row.runs.reduce((total, run) => total + run, 0);
    const moving = row.runs.reduce((total, run, k) => total + (k % 2 === 1 ? run : 0), 0);
    const share = frames[row.i]?.moving ?? -1;
    if (sum !== widthPx * heightPx) problems.push(`${name}: the mask of frame ${row.i} has ${sum} pixels`);
    if (Math.abs(moving / sum - share) > 1e-4)
      problems.push(`${name}: the mask of frame ${row.i} does not match its share of moving pixels`);
  }
  return problems;
}

async function compareWithVideo(
  truth: Truth,
  plan: StreamPlan,
  path: string,
  ffprobe: string,
): Promise<readonly string[]> {
  const facts = await probeVideo(ffprobe, path);
  const problems: string[] = [];
  if (facts.widthPx !== truth.widthPx || facts.heightPx !== truth.heightPx)
    problems.push(`${plan.name}: the video is ${facts.widthPx}x${facts.heightPx}`);
  if (facts.timesMs.length !== truth.frames.length)
    problems.push(`${plan.name}: the video has ${facts.timesMs.length} frames, the truth ${truth.frames.length}`);
  const off = truth.frames.findIndex((frame, i) => Math.abs(frame.ms - (facts.timesMs[i] ?? -1)) > 1);
  if (off >= 0)
    problems.push(
      `${plan.name}: frame ${off} is shown at ${facts.timesMs[off]} ms, the truth says ${truth.frames[off]?.ms}`,
    );
  if (facts.hasSound !== (plan.sounds !== undefined))
    problems.push(`${plan.name}: ${facts.hasSound ? 'has' : 'lacks'} a sound track`);
  return problems;
}
