/** How long it takes until somebody is told: streams at their own pace, with a listener on the recorder's control socket. */
import type { BenchContext, Table } from '../bench.ts';
import { quantile } from '../statistics.ts';
import type { TruthStream } from '../streams.ts';
import { figure } from '../table.ts';
import type { ComparedModel } from './models.ts';
import { type LiveRecording, recordLive } from './recordings.ts';

/** What is said may begin and end that much off. */
export const toleranceMs = 500;
/** Beside one-by-one. */
const livePositiveCount = 5;
/** Somebody who is there when the stream begins says nothing about the delay. */
const earliestMs = 2000;
/** An event may come that long after a visit and still be its own. */
const longestDelayMs = 5000;

export interface Told {
  readonly stream: string;
  /** From the first frame with a visible person to the event at a listener; one a visit that was told of. */
  readonly afterMs: readonly number[];
}

/** All at once, each at its own pace: one such recorder takes a fraction of a processor. */
export async function tellTimes(
  context: BenchContext,
  streams: readonly TruthStream[],
  model: ComparedModel,
): Promise<Told[]> {
  const positive = streams.filter(({ visits: list, scored }) => list.some(({ fromMs }) => fromMs > earliestMs && fromMs < scored.toMs)); // biome-ignore format: one line
  const oneByOne = positive.filter(({ name }) => name === 'one-by-one');
  const chosen = [...oneByOne, ...positive.filter(({ from }) => from === 'committed').slice(0, livePositiveCount)];
  context.note(`watching ${chosen.map(({ name }) => name).join(', ')} at their own pace`);
  return Promise.all(
    chosen.map(async (stream) => {
      const live: LiveRecording = await recordLive(stream, model, context.signal);
      const afterMs = stream.visits
        .filter(({ fromMs }) => fromMs > earliestMs)
        .flatMap(({ fromMs, toMs }) => {
          const first = live.toldMs.find((ms) => ms > fromMs - toleranceMs && ms < toMs + longestDelayMs);
          return first === undefined ? [] : [first - fromMs];
        });
      return { stream: stream.name, afterMs };
    }),
  );
}

export function toldTables(told: readonly Told[]): Table[] {
  const afterMs = told.flatMap((one) => one.afterMs);
  if (afterMs.length === 0) return [];
  return [
    {
      title: 'Seconds from the first frame with a visible person to the event at a listener, live paced',
      columns: ['stream', 'visits told', 'p50', 'p95', 'most'],
      rows: [...told, { stream: 'all', afterMs }].map((one) => [
        one.stream,
        String(one.afterMs.length),
        ...[0.5, 0.95, 1].map((at) => figure(quantile(one.afterMs, at) / 1000)),
      ]),
      notes: ["By the recorder's clock of the stream, which is set by the arrival of the first fragments."],
    },
  ];
}
