/** Frames of streams in which the recorder said that a person was there and none was, or said nothing of one who was. */
import { join } from 'node:path';
import { findFfmpeg } from '../../../agent/base/ffmpeg.ts';
import { openPicture } from '../../../agent/cli/picture-file.ts';
import type { BenchContext, Drawing } from '../bench.ts';
import { runProgram } from '../python.ts';
import type { TruthStream } from '../streams.ts';
import { type Mistake, mistakeSheet } from './mistakes.ts';
import { frameAt } from './rendered.ts';
import type { ScoredVisits } from './visits.ts';

const maxCount = 12;

export async function streamMistakes(context: BenchContext, scored: readonly ScoredVisits[]): Promise<Drawing[]> {
  const alarms: Mistake[] = [];
  const misses: Mistake[] = [];
  for (const { stream, match, recording } of scored) {
    for (const { fromMs, toMs } of match.falseSpans) {
      const label = recording.labels.find((one) => one.fromMs >= fromMs && one.fromMs <= toMs);
      const [x, y, w, h] = label?.box ?? [0, 0, stream.widthPx, stream.heightPx];
      const at = (fromMs + toMs) / 2;
      const caption = `${stream.name} ${(fromMs / 1000).toFixed(1)}-${(toMs / 1000).toFixed(1)} s: ${(label?.score ?? 0).toFixed(2)}`;
      alarms.push(await mistakeAt(context, stream, at, { box: [x, y, w, h], caption, weight: label?.score ?? 0 }));
    }
    for (const { visit, parts } of match.matches) {
      if (parts.length > 0) continue;
      const at = (visit.fromMs + visit.toMs) / 2;
      const box = frameAt(stream, at)?.people[0]?.box ?? [0, 0, stream.widthPx, stream.heightPx];
      const caption = `${stream.name} ${(visit.fromMs / 1000).toFixed(1)}-${(visit.toMs / 1000).toFixed(1)} s: missed`;
      misses.push(await mistakeAt(context, stream, at, { box, caption, weight: box[3] / stream.heightPx }));
    }
  }
  const worst = (list: readonly Mistake[]): Mistake[] =>
    list.toSorted((a, b) => b.weight - a.weight).slice(0, maxCount);
  return [
    ...(await mistakeSheet('false-people-in-streams', 'the recorder said that a person was there (the box is the label at its best)', worst(alarms))), // biome-ignore format: one line
    ...(await mistakeSheet('missed-visits', 'visits that the recorder missed, at their middle', worst(misses))),
  ];
}

interface Shown {
  readonly box: readonly [number, number, number, number];
  readonly caption: string;
  readonly weight: number;
}

async function mistakeAt(context: BenchContext, stream: TruthStream, atMs: number, shown: Shown): Promise<Mistake> {
  const path = join(context.workDir, 'mistake.png');
  const seek = ['-ss', (Math.max(0, atMs) / 1000).toFixed(3), '-i', stream.path, '-frames:v', '1', path];
  await runProgram(findFfmpeg(), ['-nostdin', '-v', 'error', '-y', ...seek]);
  const { frame } = await openPicture(path);
  const [x, y, w, h] = shown.box;
  const { widthPx, heightPx } = stream;
  const box = { x: x / widthPx, y: y / heightPx, w: w / widthPx, h: h / heightPx };
  return { weight: shown.weight, group: stream.name, caption: shown.caption, frame, people: [], found: [], box };
}
