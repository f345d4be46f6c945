/** Average precision on labelled photographs that nothing was trained on. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openPicture } from '../../../agent/cli/picture-file.ts';
import { PersonDetector } from '../../../agent/recorder/person/detector.ts';
import type { SmallFrame } from '../../../agent/recorder/stages.ts';
import { type BenchContext, type Drawing, emptyReport, type Part, type PartReport, type TargetRow } from '../bench.ts';
import { curveChart, plotPoints } from '../plot/curves.ts';
import { type FoundBox, type JudgedPicture, judgePicture, overlapRatio, type PrecisionScore, plainScore, scorePictures, type TrueBox } from '../score/average-precision.ts'; // biome-ignore format: one line
import { intervalText } from '../table.ts';
import { mistakeSheet, WorstMistakes } from './mistakes.ts';
import { type ComparedModel, chooseModels } from './models.ts';

const sets = ['coco-val-a', 'penn-fudan'] as const;
const overlap = 0.5;
/** Least height of people that count, as a share of the picture. */
const heights = [0, 0.15] as const;
const leastScore = 0.01;

interface Picture {
  readonly name: string;
  readonly frame: SmallFrame;
  readonly people: readonly TrueBox[];
}

export type SetScores = ReadonlyMap<ComparedModel, readonly PrecisionScore[]>;

export const accuracy: Part = {
  name: 'accuracy',
  about: 'AP50 on coco-val-a and penn-fudan, all people and those of 15 % of the height',
  async run(context) {
    const folder = join(context.dataDir ?? '', 'person-eval');
    const present = sets.filter((set) => context.dataDir !== undefined && existsSync(join(folder, `${set}.json`)));
    const absent = 'AP on coco-val-a and penn-fudan: they are not there (LATCHKEY_DATA)';
    if (present.length === 0) return emptyReport('accuracy', [absent]);
    const { models, leftOut } = chooseModels(context);
    await using ending = new AsyncDisposableStack();
    const detectors = new Map<ComparedModel, PersonDetector>();
    for (const compared of models) {
      detectors.set(compared, ending.use(await PersonDetector.open({ model: compared.model, minScore: leastScore })));
    }
    const scores = new Map<string, SetScores>();
    const drawings: Drawing[] = [];
    for (const set of present) {
      const { judged, sheets } = await judgeSet(context, folder, set, detectors);
      scores.set(set, new Map([...judged].map(([model, lists]) => [model, lists.map((list) => scorePictures(list))])));
      drawings.push(...sheets);
    }
    return report(scores, leftOut, drawings);
  },
};

type Truth = Readonly<Record<string, readonly (readonly [cx: number, cy: number, w: number, h: number])[]>>;

async function* readPictures(folder: string, set: string, limit: number): AsyncGenerator<Picture> {
  const truth = JSON.parse(readFileSync(join(folder, `${set}.json`), 'utf8')) as Truth;
  for (const [name, rows] of Object.entries(truth).slice(0, limit)) {
    const { frame } = await openPicture(join(folder, set, name));
    yield { name, frame, people: rows.map(([cx, cy, w, h]) => ({ x: cx - w / 2, y: cy - h / 2, w, h })) };
  }
}

/** Each picture is opened once and shown to every model whole. */
async function judgeSet(
  context: BenchContext,
  folder: string,
  set: string,
  detectors: ReadonlyMap<ComparedModel, PersonDetector>,
): Promise<{ readonly judged: ReadonlyMap<ComparedModel, JudgedPicture[][]>; readonly sheets: Drawing[] }> {
  const judged = new Map<ComparedModel, JudgedPicture[][]>([...detectors.keys()].map((model) => [model, heights.map(() => [])])); // biome-ignore format: one line
  const [misses, alarms] = [new WorstMistakes(), new WorstMistakes()];
  let count = 0;
  for await (const { name, frame, people } of readPictures(
    folder,
    set,
    context.quick ? 10 : Number.POSITIVE_INFINITY,
  )) {
    context.signal.throwIfAborted();
    for (const [compared, detector] of detectors) {
      const found = await findInShares(detector, frame);
      heights.forEach((leastHeight, at) => {
        judged.get(compared)?.[at]?.push(judgePicture(found, people, { overlap, leastHeight }));
      });
      if (compared.role !== 'embedded' || !context.draws) continue;
      const sure = found.filter(({ score }) => score >= compared.threshold);
      const caption = (text: string): string => `${name}: ${text}`;
      for (const person of people) {
        if (sure.some((one) => overlapRatio(one, person) >= overlap)) continue;
        misses.add({ weight: person.h, group: name, caption: caption(`${(person.h * 100).toFixed(0)} % high`), frame, people, found: sure, box: person }); // biome-ignore format: one line
      }
      for (const one of sure) {
        if (people.some((person) => overlapRatio(one, person) >= 0.3)) continue;
        alarms.add({
          weight: one.score,
          group: name,
          caption: caption(one.score.toFixed(2)),
          frame,
          people,
          found: sure,
          box: one,
        });
      }
    }
    count += 1;
    if (count % 50 === 0) context.note(`${set}: ${count} pictures`);
  }
  const sheets = [
    ...(await mistakeSheet(`misses-${set}`, `embedded, ${set}: the tallest people that are missed`, misses.list)),
    ...(await mistakeSheet(`false-alarms-${set}`, `embedded, ${set}: the surest false alarms`, alarms.list)),
  ];
  return { judged, sheets };
}

/** Boxes in shares of the picture. */
export async function findInShares(detector: PersonDetector, frame: SmallFrame): Promise<FoundBox[]> {
  const { widthPx, heightPx } = frame;
  const found = await detector.detect(frame, []);
  return found.map(({ box: { x, y, w, h }, score }) => ({
    x: x / widthPx,
    y: y / heightPx,
    w: w / widthPx,
    h: h / heightPx,
    score,
  }));
}

function report(
  scores: ReadonlyMap<string, SetScores>,
  leftOut: readonly string[],
  drawings: readonly Drawing[],
): PartReport {
  const rows = [...scores].flatMap(([set, byModel]) =>
    [...byModel].map(([{ name }, [all, tall]]) => [
      `${set}: ${name}`,
      all === undefined ? '-' : intervalText(all.ap, all.interval),
      tall === undefined ? '-' : intervalText(tall.ap, tall.interval),
      (all?.recallAt90 ?? 0).toFixed(3),
      (tall?.recallAt90 ?? 0).toFixed(3),
      String(all?.peopleCount ?? 0),
    ]),
  );
  const curves = [...scores].map(([set, byModel]) => ({
    name: `precision-recall-${set}`,
    svg: curveChart({
      title: `${set}, people of at least 15 % of the height`,
      x: 'recall',
      y: 'precision',
      curves: [...byModel].map(([{ name }, list]) => ({
        label: `${name}, AP50 ${(list[1]?.ap ?? 0).toFixed(3)}`,
        points: plotPoints(list[1]?.curve ?? []),
      })),
    }),
  }));
  return {
    part: 'accuracy',
    tables: [
      {
        title: 'People in photographs: average precision at overlap .5 (95 % interval)',
        columns: ['set: model', 'AP50', 'AP50, >= 15 % high', 'recall at 90 %', 'same, >= 15 %', 'people'],
        rows,
        notes: [
          'One look at the whole picture each, through our own preprocessing and decoders; intervals by drawing pictures anew a thousand times.',
          'The pictures are of person-eval: nothing was trained or tuned on them.',
        ],
      },
    ],
    targets: targets(scores),
    leftOut,
    drawings: [...curves, ...drawings],
    values: Object.fromEntries(
      [...scores].map(([set, byModel]) => [
        set,
        Object.fromEntries([...byModel].map(([{ name }, list]) => [name, list.map((score, at) => ({ leastHeight: heights[at], ...plainScore(score) }))])), // biome-ignore format: one line
      ]),
    ),
  };
}

function targets(scores: ReadonlyMap<string, SetScores>): TargetRow[] {
  const row = (set: string, at: number, least: number, what: string): TargetRow[] => {
    const byModel = scores.get(set);
    const ours = [...(byModel ?? [])].find(([{ role }]) => role === 'embedded')?.[1][at];
    const nano = [...(byModel ?? [])].find(([{ name }]) => name.startsWith('yolox'))?.[1][at];
    if (ours === undefined) return [];
    const beside = nano === undefined ? '' : ` (yolox_nano ${nano.ap.toFixed(3)})`;
    return [{ what, figure: intervalText(ours.ap, ours.interval), target: `>= ${least}${beside}`, met: ours.ap >= least }]; // biome-ignore format: one line
  };
  return [
    ...row('coco-val-a', 1, 0.75, 'embedded model, AP50 >= 15 % high, coco-val-a'),
    ...row('penn-fudan', 0, 0.93, 'embedded model, AP50, penn-fudan'),
  ];
}
