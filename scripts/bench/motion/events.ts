/** Visits found and seconds of false motion, every method on the same small frames, five a second. */
import { join } from 'node:path';
import { type BenchContext, emptyReport, type Part, type PartReport, type Table } from '../bench.ts';
import { decodeLuma } from '../frames.ts';
import { barChart } from '../plot/bars.ts';
import { type Timeline, timelineChart } from '../plot/timelines.ts';
import { hasPythonPeers } from '../python.ts';
import { reportedSeconds, type SecondsScore, type Span, scoreSeconds } from '../score/intervals.ts';
import { committedStreams, recordedStreams, scoredPart, type TruthStream } from '../streams.ts';
import { percent, ratio } from '../table.ts';
import { type Method, methods, motionTimes, noPeers } from './methods.ts';

const widthPx = 640;
const heightPx = 360;
const fps = 5;
/** Every method may learn its background first. */
const skipS = 2;

interface Scored {
  readonly stream: TruthStream;
  readonly visits: readonly Span[];
  readonly seconds: number;
  readonly byMethod: ReadonlyMap<Method, SecondsScore & { readonly reported: readonly number[] }>;
}

export const events: Part = {
  name: 'events',
  about: 'visits found and false motion seconds on every stream',
  async run(context) {
    const recorded = context.dataDir === undefined ? [] : recordedStreams(context.dataDir);
    const all = [...committedStreams(), ...recorded];
    const streams = context.quick ? all.slice(0, 2) : all;
    if (streams.length === 0) return emptyReport('events', ['events of motion: there is no stream']);
    const compared = methods();
    const scored: Scored[] = [];
    for (const stream of streams) {
      context.signal.throwIfAborted();
      scored.push(await score(context, stream, compared));
      context.note(stream.name);
    }
    const leftOut = [
      ...(hasPythonPeers() ? [] : [`events of ${noPeers}`]),
      ...(recorded.length > 0 ? [] : ['events on recorded streams: they are not there (LATCHKEY_DATA)']),
    ];
    return report(scored, compared, leftOut);
  },
};

async function score(context: BenchContext, stream: TruthStream, compared: readonly Method[]): Promise<Scored> {
  const { visits, durationMs } = scoredPart(stream);
  const out = join(context.workDir, 'events.gray');
  const maxSeconds = stream.scored.toMs / 1000;
  const file = await decodeLuma({ source: stream.path, out, widthPx, heightPx, fps, maxSeconds });
  const byMethod = new Map<Method, SecondsScore & { reported: number[] }>();
  const times = await motionTimes(file);
  for (const method of compared) {
    const reported = reportedSeconds(times.get(method.name) ?? []);
    byMethod.set(method, { ...scoreSeconds(visits, reported, skipS), reported: [...reported] });
  }
  return { stream, visits, seconds: durationMs / 1000, byMethod };
}

interface Sum {
  readonly visits: number;
  readonly found: number;
  readonly falseSeconds: number;
  readonly seconds: number;
}

function sumOf(scored: readonly Scored[], method: Method): Sum {
  const sum = { visits: 0, found: 0, falseSeconds: 0, seconds: 0 };
  for (const { visits, seconds, byMethod } of scored) {
    const one = byMethod.get(method);
    sum.visits += visits.length;
    sum.found += one?.foundCount ?? 0;
    sum.falseSeconds += one?.falseSeconds.length ?? 0;
    sum.seconds += seconds;
  }
  return sum;
}

function report(scored: readonly Scored[], compared: readonly Method[], leftOut: readonly string[]): PartReport {
  const cell = ({ visits, byMethod }: Scored, method: Method): string => {
    const one = byMethod.get(method);
    return `${one?.foundCount ?? 0}/${visits.length}, ${one?.falseSeconds.length ?? 0} s`;
  };
  const totals = (name: string, list: readonly Scored[]): string[] => {
    const sums = compared.map((method) => sumOf(list, method));
    return [name, `${(sums[0]?.seconds ?? 0).toFixed(0)} s`, ...sums.map(({ found, visits, falseSeconds }) => `${found}/${visits}, ${falseSeconds} s`)]; // biome-ignore format: one row
  };
  const committed = scored.filter(({ stream }) => stream.from === 'committed');
  const recorded = scored.filter(({ stream }) => stream.from === 'data');
  const causes = falseByCause(scored, compared);
  return {
    part: 'events',
    tables: [
      {
        title: `Visits found and seconds of false motion, ${fps} frames a second of ${widthPx}x${heightPx}`,
        columns: ['stream', 'length', ...compared.map(({ label }) => label)],
        rows: [
          ...scored.map((one) => [one.stream.name, `${one.seconds.toFixed(0)} s`, ...compared.map((method) => cell(one, method))]), // biome-ignore format: one row
          totals('all committed', committed),
          ...(recorded.length > 0 ? [totals('all recorded', recorded)] : []),
        ],
        notes: [
          'A second is false when a frame in it reports motion and no visit is within a second of it; whatever else moves (cats, cars, trees) is no visit. The first two seconds count for nobody.',
          "Rules: latchkey, any frame of state motion; Frigate, any box while not calibrating; MOG2 and KNN, shadows dropped, 3x3 opening, a contour of a thousandth of the picture (our own least area). walkers: visits are the spans of something moving.", // biome-ignore format: one note
        ],
      },
      causes,
      coverageTable(scored, compared),
    ],
    targets: eventTargets(committed, compared),
    leftOut,
    drawings: [
      {
        name: 'false-motion',
        svg: barChart({
          title: 'Seconds of false motion, committed streams',
          unit: 's',
          bars: compared.map((method) => ({ label: method.label, value: sumOf(committed, method).falseSeconds, ours: method.name === 'latchkey' })), // biome-ignore format: one object
        }),
      },
      { name: 'motion-timelines', svg: timelineChart('Visits and seconds that report motion', scored.map((one) => timeline(one, compared))) }, // biome-ignore format: one object
    ],
    values: scored.map(({ stream, visits, seconds, byMethod }) => ({
      stream: stream.name,
      tags: stream.tags,
      light: stream.light,
      seconds,
      visits,
      methods: Object.fromEntries([...byMethod].map(([{ name }, one]) => [name, one])),
    })),
  };
}

/** A cat is no visit, but it moves; a lamp that is switched on is neither. */
function falseByCause(scored: readonly Scored[], compared: readonly Method[]): Table {
  const committed = scored.filter(({ stream }) => stream.from === 'committed');
  const whileMoving = ({ stream }: Scored, second: number): boolean =>
    stream.thingsMove.some(({ fromMs, toMs }) => fromMs < (second + 2) * 1000 && toMs > (second - 1) * 1000);
  const count = (method: Method, wanted: (one: Scored, second: number) => boolean): string =>
    String(
      committed.reduce((sum, one) => {
        const seconds = one.byMethod.get(method)?.falseSeconds ?? [];
        return sum + seconds.filter((second) => wanted(one, second)).length;
      }, 0),
    );
  const tagged = (tag: string): ((one: Scored, second: number) => boolean) => {
    return (one, second) => !whileMoving(one, second) && one.stream.tags.includes(tag);
  };
  const tags = ['switch', 'rain', 'wind'];
  const rows: (readonly [string, (one: Scored, second: number) => boolean])[] = [
    ['a cat, a car or a parcel moves', whileMoving],
    ...tags.map((tag) => [`nothing but the light, leaves or drops move (${tag})`, tagged(tag)] as const),
    ['nothing moves', (one, second) => !whileMoving(one, second) && !one.stream.tags.some((tag) => tags.includes(tag))],
  ];
  return {
    title: 'The seconds of false motion on committed streams, by what else happens',
    columns: ['meanwhile', ...compared.map(({ label }) => label)],
    rows: rows.map(([what, wanted]) => [what, ...compared.map((method) => count(method, wanted))]),
  };
}

function coverageTable(scored: readonly Scored[], compared: readonly Method[]): Table {
  const withVisits = scored.filter(({ visits }) => visits.length > 0);
  return {
    title: 'Share of the seconds of visits in which motion is reported (people who stand still included)',
    columns: ['stream', ...compared.map(({ label }) => label)],
    rows: withVisits.map(({ stream, byMethod }) => [
      stream.name,
      ...compared.map((method) => percent(byMethod.get(method)?.coverage ?? Number.NaN)),
    ]),
  };
}

function eventTargets(committed: readonly Scored[], compared: readonly Method[]): PartReport['targets'] {
  const [ours, ...theirs] = compared.map((method) => sumOf(committed, method));
  if (ours === undefined) return [];
  // A peer that misses visits may be quiet for the wrong reason; it is compared all the same.
  const best = Math.min(...theirs.map(({ falseSeconds }) => falseSeconds));
  const share = best === 0 ? (ours.falseSeconds === 0 ? 0 : Number.POSITIVE_INFINITY) : ours.falseSeconds / best;
  return [
    {
      what: 'visits found on committed streams',
      figure: `${ours.found} of ${ours.visits}`,
      target: 'all',
      met: ours.found === ours.visits,
    },
    {
      what: 'false motion seconds on committed streams',
      figure: `${ours.falseSeconds} of ${ours.seconds.toFixed(0)}`,
      target: theirs.length === 0 ? '<= 0.5 x best peer' : `<= 0.5 x ${best} (${ratio(share)} of the best peer)`,
      met: theirs.length === 0 ? undefined : share <= 0.5,
    },
  ];
}

function timeline({ stream, visits, seconds, byMethod }: Scored, compared: readonly Method[]): Timeline {
  const second = (at: number): Span => ({ fromMs: at * 1000, toMs: at * 1000 + 1000 });
  return {
    title: `${stream.name} (${[stream.light, ...stream.tags].join(', ')})`,
    durationMs: seconds * 1000,
    rows: [
      { label: stream.visitsAre === 'motion' ? 'something moves' : 'visits', spans: visits, truth: true },
      ...compared.map((method) => ({
        label: method.label,
        spans: (byMethod.get(method)?.reported ?? []).map(second),
      })),
    ],
  };
}
