/** Visits from end to end: what the real recorder kept, clip times and labels from `clips.db`, against who was really there. */
import { type BenchContext, type Drawing, emptyReport, type Part, type PartReport, type TargetRow } from '../bench.ts';
import { timelineChart } from '../plot/timelines.ts';
import { joinSpans, lengthMs, matchVisits, type Span, sharedMs, type VisibilityScore, type VisitScore, visibility } from '../score/intervals.ts'; // biome-ignore format: one line
import { quantile } from '../statistics.ts';
import { committedStreams, recordedStreams, scoredPart, type TruthStream } from '../streams.ts';
import { figure, percent } from '../table.ts';
import { everyFrame } from './every-frame.ts';
import { type ComparedModel, chooseModels } from './models.ts';
import { type Recording, recordStream } from './recordings.ts';
import { streamMistakes } from './stream-mistakes.ts';
import { type Told, tellTimes, toldTables, toleranceMs } from './told.ts';

/** As far as the recorder follows somebody's way back before they are first found. */
const longestDateBackMs = 3000;

export interface ScoredVisits {
  readonly stream: TruthStream;
  readonly visits: readonly Span[];
  readonly hours: number;
  readonly recording: Recording;
  readonly match: VisitScore;
  readonly visible: VisibilityScore;
  /** Share of the visits' time that is in clips. */
  readonly filmed: number;
}

export const visits: Part = {
  name: 'visits',
  about: 'visits found, split, missed; visibility; false events; time until somebody is told',
  async run(context) {
    const recorded = (context.dataDir === undefined ? [] : recordedStreams(context.dataDir)).filter(({ visitsAre }) => visitsAre === 'people'); // biome-ignore format: one line
    const all = [...committedStreams(), ...recorded];
    const streams = context.quick ? all.slice(0, 1) : all;
    const { models } = chooseModels(context);
    const [embedded, ...others] = models;
    if (streams.length === 0 || embedded === undefined) return emptyReport('visits', ['visits: there is no stream']);
    const failures: string[] = [];
    const bySystem = new Map<string, ScoredVisits[]>([
      ['embedded', await scoreAll(context, streams, embedded, failures)],
    ]);
    for (const named of others.filter(({ role }) => role === 'named')) {
      bySystem.set(named.name, await scoreAll(context, streams, named, failures));
    }
    const nano = others.find(({ name }) => name.startsWith('yolox'));
    if (nano !== undefined && !context.quick) {
      const peer: ScoredVisits[] = [];
      for (const stream of streams) peer.push(score(stream, await everyFrame(stream, nano, context.signal)));
      bySystem.set('yolox_nano on every frame', peer);
    }
    const told = context.quick ? [] : await tellTimes(context, streams, embedded);
    const leftOut = [
      ...failures,
      ...(recorded.length > 0 ? [] : ['visits on recorded streams: they are not there (LATCHKEY_DATA)']),
      ...(nano === undefined ? ['visits by yolox_nano on every frame: it is not there (LATCHKEY_DATA)'] : []),
      ...(context.quick ? ['the time until somebody is told, and yolox_nano on every frame: --quick'] : []),
    ];
    const sheets = context.draws ? await streamMistakes(context, bySystem.get('embedded') ?? []) : [];
    return report(bySystem, told, leftOut, sheets);
  },
};

async function scoreAll(
  context: BenchContext,
  streams: readonly TruthStream[],
  model: ComparedModel,
  failures: string[],
): Promise<ScoredVisits[]> {
  const scored: ScoredVisits[] = [];
  for (const stream of streams) {
    context.signal.throwIfAborted();
    let one: ScoredVisits;
    try {
      one = score(stream, await recordStream(stream, model, context.signal));
    } catch (thrown) {
      // The other streams are still worth their hour.
      failures.push(`visits on ${stream.name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      continue;
    }
    scored.push(one);
    const { foundCount, splitCount, falseSpans } = one.match;
    context.note(`${model.name}, ${stream.name}: ${foundCount} of ${one.visits.length} visits, ${splitCount} split, ${falseSpans.length} false`); // biome-ignore format: one line
  }
  return scored;
}

function score(stream: TruthStream, recording: Recording): ScoredVisits {
  const { visits: wanted, durationMs } = scoredPart(stream);
  const { scored } = stream;
  // The label of somebody who comes right after the scored part may be dated back into it: it is theirs, as elsewhere.
  const after = stream.visits.filter(({ fromMs }) => fromMs >= scored.toMs);
  const isLater = (one: Span): boolean =>
    after.some(
      ({ fromMs, toMs }) => one.fromMs >= fromMs - longestDateBackMs && one.fromMs < toMs && one.toMs > fromMs,
    );
  const said = recording.people.filter((one) => one.fromMs < scored.toMs && !isLater(one));
  return {
    stream,
    visits: wanted,
    hours: durationMs / 3_600_000,
    recording,
    match: matchVisits(wanted, said, toleranceMs),
    visible: visibility(wanted, said, toleranceMs),
    filmed: sharedMs(wanted, recording.clips) / lengthMs(wanted),
  };
}

interface Sum {
  readonly visits: number;
  readonly found: number;
  readonly split: number;
  readonly joined: number;
  readonly falseEvents: number;
  readonly hours: number;
}

function sumOf(list: readonly ScoredVisits[]): Sum {
  const add = (of: (one: ScoredVisits) => number): number => list.reduce((sum, one) => sum + of(one), 0);
  return {
    visits: add((one) => one.visits.length),
    found: add(({ match }) => match.foundCount),
    split: add(({ match }) => match.splitCount),
    joined: add(({ match }) => match.mergedCount),
    falseEvents: add(({ match }) => match.falseSpans.length),
    hours: add(({ hours }) => hours),
  };
}

function report(
  bySystem: ReadonlyMap<string, readonly ScoredVisits[]>,
  told: readonly Told[],
  leftOut: readonly string[],
  sheets: readonly Drawing[],
): PartReport {
  const share = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(3));
  const rows = [...bySystem].flatMap(([system, list]) =>
    list.map(({ stream, visits: wanted, match, visible, filmed, recording }) => {
      const late = match.matches.flatMap(({ latencyMs }) => (latencyMs === undefined ? [] : [latencyMs]));
      return [
        `${system}: ${stream.name}`,
        `${match.foundCount}/${wanted.length}`,
        String(match.splitCount),
        String(match.mergedCount),
        share(visible.recall),
        share(visible.precision),
        late.length === 0 ? '-' : figure(quantile(late, 0.5) / 1000),
        String(match.falseSpans.length),
        recording.clips.length === 0 ? '-' : percent(filmed),
        `${(lengthMs(joinSpans(recording.clips)) / 1000).toFixed(0)} of ${(stream.durationMs / 1000).toFixed(0)} s`,
      ];
    }),
  );
  const afterMs = told.flatMap((one) => one.afterMs);
  const sums = [...bySystem].map(([system, list]) => [system, list, sumOf(list.filter((one) => one.visits.length === 0))] as const); // biome-ignore format: one line
  return {
    part: 'visits',
    tables: [
      {
        title: `Visits from end to end, person labels of clips.db against truth (within ${toleranceMs / 1000} s)`,
        columns: [
          'model: stream',
          'visits',
          'split',
          'joined',
          'recall',
          'precision',
          'late s',
          'false',
          'filmed',
          'kept',
        ],
        rows,
        notes: [
          'The recorder program on the file, every frame looked at, default settings. recall and precision: of the time that somebody is visible. joined: visits under one label with the visit before. late: from the visit to its label, median (labels are dated back). false: person labels away from visits.',
          'yolox_nano on every frame: whole picture, .4, five a second, joined over 2 s; no recorder, so nothing is filmed.',
        ],
      },
      {
        title: 'False person events in streams without people',
        columns: ['model', 'events', 'hours', 'an hour'],
        rows: sums.map(([system, , { falseEvents, hours }]) => [system, String(falseEvents), hours.toFixed(3), figure(falseEvents / hours)]), // biome-ignore format: one line
      },
      ...toldTables(told),
    ],
    targets: targets(bySystem, afterMs),
    leftOut,
    drawings: [
      { name: 'visits', svg: timelineChart('Who was there, and who was said to be there', timelines(bySystem)) },
      ...sheets,
    ],
    values: {
      systems: Object.fromEntries(
        [...bySystem].map(([system, list]) => [
          system,
          list.map(({ stream, visits: wanted, recording, match, visible, filmed }) => {
            const { name, light, tags } = stream;
            return { stream: name, light, tags, visits: wanted, recording, match, visible, filmed };
          }),
        ]),
      ),
      told,
    },
  };
}

function timelines(bySystem: ReadonlyMap<string, readonly ScoredVisits[]>) {
  const [first = []] = bySystem.values();
  return first.map(({ stream, visits: wanted, recording }) => ({
    title: `${stream.name} (${[stream.light, ...stream.tags].join(', ')})`,
    durationMs: stream.durationMs,
    rows: [
      { label: 'visits', spans: wanted, truth: true },
      ...[...bySystem].map(([system, list]) => ({
        label: system,
        spans: list.find((one) => one.stream === stream)?.recording.people ?? [],
      })),
      { label: 'clips', spans: recording.clips },
    ],
  }));
}

function targets(bySystem: ReadonlyMap<string, readonly ScoredVisits[]>, afterMs: readonly number[]): TargetRow[] {
  const list = bySystem.get('embedded') ?? [];
  const rows: TargetRow[] = [];
  const oneByOne = list.find(({ stream }) => stream.name === 'one-by-one');
  if (oneByOne !== undefined) {
    const { visible, match } = oneByOne;
    rows.push({ what: 'one-by-one, visibility recall', figure: visible.recall.toFixed(3), target: '>= 0.97', met: visible.recall >= 0.97 }); // biome-ignore format: one line
    rows.push({ what: 'one-by-one, precision', figure: visible.precision.toFixed(3), target: '>= 0.97', met: visible.precision >= 0.97 }); // biome-ignore format: one line
    const whole = match.splitCount + match.missedCount;
    rows.push({ what: 'one-by-one, visits split or missed', figure: String(whole), target: '0', met: whole === 0 });
  }
  const committed = list.filter(({ stream }) => stream.from === 'committed');
  const sum = sumOf(committed);
  rows.push({
    what: 'committed streams, visits found, split',
    figure: `${sum.found} of ${sum.visits}, ${sum.split} split`,
    target: 'all, 0 split',
    met: sum.found === sum.visits && sum.split === 0,
  });
  const negatives = list.filter((one) => one.visits.length === 0);
  const bad = negatives.filter(({ match }) => match.falseSpans.length > 0).map(({ stream }) => stream.name);
  rows.push({
    what: 'person events in streams without people',
    figure: `${sumOf(negatives).falseEvents} in ${negatives.length} streams${bad.length > 0 ? ` (${bad.join(', ')})` : ''}`,
    target: '0',
    met: negatives.length === 0 ? undefined : bad.length === 0,
  });
  const p95 = quantile(afterMs, 0.95) / 1000;
  rows.push({ what: 'first visible frame to event, p95', figure: `${figure(p95)} s`, target: '<= 1.0 s', met: afterMs.length === 0 ? undefined : p95 <= 1 }); // biome-ignore format: one line
  return rows;
}
