/** Person models on rendered streams, where everybody's box is known, by light and by height in the picture. */

import { PersonDetector } from '../../../agent/recorder/person/detector.ts';
import { readSmallFrames } from '../../../test-fixtures/small-frames.ts';
import type { TruthFrame } from '../../render/truth.ts';
import { type BenchContext, type Drawing, emptyReport, type Part, type PartReport, type TargetRow } from '../bench.ts';
import { curveChart, plotPoints } from '../plot/curves.ts';
import { type JudgedPicture, judgePicture, overlapRatio, plainScore, scorePictures, type TrueBox } from '../score/average-precision.ts'; // biome-ignore format: one line
import { committedStreams, type TruthStream } from '../streams.ts';
import { intervalText, percent } from '../table.ts';
import { findInShares } from './accuracy.ts';
import { mistakeSheet, WorstMistakes } from './mistakes.ts';
import { type ComparedModel, chooseModels } from './models.ts';

const framesPerSecond = 1;
const overlap = 0.5;
const leastScore = 0.01;
/** Somebody of whom less is seen counts neither way. */
const leastVisible = 0.5;
const leastHeight = 0.15;
/** Of the picture's height: the people that recall is told for. */
const bands = [
  { name: '8-15 % high', from: 0.08, to: 0.15 },
  { name: '15-30 %', from: 0.15, to: 0.3 },
  { name: '30-60 %', from: 0.3, to: 0.6 },
  { name: '60-100 %', from: 0.6, to: 1.01 },
] as const;

interface Tally {
  readonly judged: JudgedPicture[];
  readonly bands: { found: number; all: number }[];
  emptyFrames: number;
  falseFrames: number;
}

type Tallies = Map<string, Map<ComparedModel, Tally>>;

export const rendered: Part = {
  name: 'rendered',
  about: 'AP50 and recall on the committed streams, by light and height',
  async run(context) {
    const streams = committedStreams().slice(0, context.quick ? 1 : undefined);
    if (streams.length === 0) return emptyReport('rendered', ['rendered streams: there is none']);
    const { models, leftOut } = chooseModels(context);
    await using ending = new AsyncDisposableStack();
    const detectors = new Map<ComparedModel, PersonDetector>();
    for (const compared of models) {
      detectors.set(compared, ending.use(await PersonDetector.open({ model: compared.model, minScore: leastScore })));
    }
    const tallies: Tallies = new Map();
    const worst = { misses: new WorstMistakes(), alarms: new WorstMistakes() };
    for (const stream of streams) {
      await judgeStream(context, stream, detectors, tallies, worst);
      context.note(stream.name);
    }
    const sheets = [
      ...(await mistakeSheet('misses-rendered', 'embedded, rendered: the tallest people that are missed', worst.misses.list)), // biome-ignore format: one line
      ...(await mistakeSheet(
        'false-alarms-rendered',
        'embedded, rendered: the surest false alarms',
        worst.alarms.list,
      )),
    ];
    return report(tallies, leftOut, sheets);
  },
};

interface Worst {
  readonly misses: WorstMistakes;
  readonly alarms: WorstMistakes;
}

async function judgeStream(
  context: BenchContext,
  stream: TruthStream,
  detectors: ReadonlyMap<ComparedModel, PersonDetector>,
  tallies: Tallies,
  worst: Worst,
): Promise<void> {
  for await (const frame of readSmallFrames({ path: stream.path, fps: framesPerSecond })) {
    context.signal.throwIfAborted();
    const truth = frameAt(stream, frame.timeMs);
    if (truth === undefined) continue;
    const people = truth.people.map(
      ({ box: [x, y, w, h], visible }): TrueBox => ({
        x: x / stream.widthPx,
        y: y / stream.heightPx,
        w: w / stream.widthPx,
        h: h / stream.heightPx,
        ignored: visible < leastVisible,
      }),
    );
    for (const [compared, detector] of detectors) {
      const found = await findInShares(detector, frame);
      const tally = tallyOf(tallies, stream.light, compared);
      tally.judged.push(judgePicture(found, people, { overlap, leastHeight }));
      const sure = found.filter(({ score }) => score >= compared.threshold);
      if (people.length === 0) {
        tally.emptyFrames += 1;
        if (sure.length > 0) tally.falseFrames += 1;
      }
      for (const person of people.filter(({ ignored }) => ignored !== true)) {
        const at = bands.findIndex(({ from, to }) => person.h >= from && person.h < to);
        const band = tally.bands[at];
        const isFound = sure.some((one) => overlapRatio(one, person) >= overlap);
        if (band !== undefined) {
          band.all += 1;
          if (isFound) band.found += 1;
        }
        if (compared.role === 'embedded' && context.draws && !isFound && band !== undefined) {
          worst.misses.add({ weight: person.h, group: stream.name, caption: `${stream.name} at ${seconds(truth)}`, frame, people, found: sure, box: person }); // biome-ignore format: one line
        }
      }
      if (compared.role !== 'embedded' || !context.draws) continue;
      for (const one of sure) {
        if (people.some((person) => overlapRatio(one, person) >= 0.1)) continue;
        worst.alarms.add({ weight: one.score, group: stream.name, caption: `${stream.name} at ${seconds(truth)}: ${one.score.toFixed(2)}`, frame, people, found: sure, box: one }); // biome-ignore format: one line
      }
    }
  }
}

function seconds({ ms }: TruthFrame): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** The true frame that is shown at that time: frames are chosen by the first picture at or after each tick. */
export function frameAt(stream: TruthStream, timeMs: number): TruthFrame | undefined {
  return stream.frames.find(({ ms }) => ms >= timeMs - 1);
}

function tallyOf(tallies: Tallies, light: string, compared: ComparedModel): Tally {
  const byModel = tallies.get(light) ?? new Map<ComparedModel, Tally>();
  tallies.set(light, byModel);
  const tally = byModel.get(compared) ?? {
    judged: [],
    bands: bands.map(() => ({ found: 0, all: 0 })),
    emptyFrames: 0,
    falseFrames: 0,
  };
  byModel.set(compared, tally);
  return tally;
}

function report(tallies: Tallies, leftOut: readonly string[], sheets: readonly Drawing[]): PartReport {
  const scored = [...tallies].map(([light, byModel]) => ({
    light,
    models: [...byModel].map(([compared, tally]) => ({ compared, tally, score: scorePictures(tally.judged) })),
  }));
  const recall = ({ found, all }: { found: number; all: number }): string =>
    all === 0 ? '-' : `${percent(found / all)} of ${all}`;
  return {
    part: 'rendered',
    tables: [
      {
        title: 'People in rendered streams, one whole picture a second, by light',
        columns: ['light: model', 'AP50, >= 15 % high', ...bands.map(({ name }) => `found, ${name}`), 'empty frames with somebody'], // biome-ignore format: one line
        rows: scored.flatMap(({ light, models }) =>
          models.map(({ compared, tally, score }) => [
            `${light}: ${compared.name}`,
            score.peopleCount === 0 ? '-' : intervalText(score.ap, score.interval),
            ...tally.bands.map(recall),
            `${tally.falseFrames} of ${tally.emptyFrames}`,
          ]),
        ),
        notes: [
          'Found: a box above the threshold (embedded .45, references .4) that overlaps by half; people of whom less than half is seen count neither way.',
          'Frames of one stream are alike: the intervals, drawn by frame, are too narrow.',
        ],
      },
    ],
    targets: scored.flatMap(({ light, models }) => targets(light, models)),
    leftOut,
    drawings: [
      ...scored.map(({ light, models }) => ({
        name: `precision-recall-rendered-${light}`,
        svg: curveChart({
          title: `Rendered streams, ${light}, people of at least 15 % of the height`,
          x: 'recall',
          y: 'precision',
          curves: models.map(({ compared, score }) => ({
            label: `${compared.name}, AP50 ${score.ap.toFixed(3)}`,
            points: plotPoints(score.curve),
          })),
        }),
      })),
      ...sheets,
    ],
    values: scored.map(({ light, models }) => ({
      light,
      models: Object.fromEntries(
        models.map(({ compared, tally: { bands: found, emptyFrames, falseFrames }, score }) => [
          compared.name,
          { ...plainScore(score), bands: found, emptyFrames, falseFrames },
        ]),
      ),
    })),
  };
}

type Scored = {
  readonly compared: ComparedModel;
  readonly score: { readonly ap: number; readonly peopleCount: number };
};

/** Dusk and infrared are what references were never shown. */
function targets(light: string, models: readonly Scored[]): TargetRow[] {
  const ours = models.find(({ compared }) => compared.role === 'embedded')?.score;
  const nano = models.find(({ compared }) => compared.name.startsWith('yolox'))?.score;
  if ((light !== 'dusk' && light !== 'ir') || ours === undefined || ours.peopleCount === 0) return [];
  return [
    {
      what: `embedded model, AP50 on rendered ${light}`,
      figure: ours.ap.toFixed(3),
      target: nano === undefined ? '>= yolox_nano' : `>= ${nano.ap.toFixed(3)} (yolox_nano)`,
      met: nano === undefined ? undefined : ours.ap >= nano.ap,
    },
  ];
}
