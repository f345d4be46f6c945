/** Detections against true boxes: who was found, and average precision with its interval. Pure. */
import { bootstrapInterval } from '../statistics.ts';

/** In any one unit of the picture; `h` is compared with `leastHeight` in the same unit. */
export interface TrueBox {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
  /** Counts neither way, whether found or not: somebody of whom hardly anything is seen. */
  readonly ignored?: boolean;
}

export interface FoundBox extends TrueBox {
  readonly score: number;
}

/** One detection that counts. */
export interface Judged {
  readonly score: number;
  readonly hit: boolean;
}

export interface JudgedPicture {
  readonly judged: readonly Judged[];
  /** People that are to be found. */
  readonly peopleCount: number;
}

export function overlapRatio(a: TrueBox, b: TrueBox): number {
  const w = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
  const h = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y);
  if (w <= 0 || h <= 0) return 0;
  return (w * h) / (a.w * a.h + b.w * b.h - w * h);
}

export interface MatchRule {
  /** Intersection over union from which a detection is of that person. */
  readonly overlap: number;
  /** People, and detections of nobody, that are lower count neither way. */
  readonly leastHeight: number;
}

/** COCO's rule: surest first, each takes the free person it overlaps most, people that count before those that don't. */
export function judgePicture(found: readonly FoundBox[], people: readonly TrueBox[], rule: MatchRule): JudgedPicture {
  const counts = (box: TrueBox): boolean => box.ignored !== true && box.h >= rule.leastHeight;
  const free = new Set(people);
  const judged: Judged[] = [];
  for (const detection of found.toSorted((a, b) => b.score - a.score)) {
    const near = [...free].filter((person) => overlapRatio(person, detection) >= rule.overlap);
    const [best] = near
      .toSorted((a, b) => overlapRatio(b, detection) - overlapRatio(a, detection))
      .toSorted((a, b) => Number(counts(b)) - Number(counts(a)));
    if (best !== undefined) free.delete(best);
    if (counts(best ?? detection)) judged.push({ score: detection.score, hit: best !== undefined });
  }
  return { judged, peopleCount: people.filter(counts).length };
}

export interface CurvePoint {
  readonly score: number;
  readonly precision: number;
  readonly recall: number;
}

/** One point a detection, surest first. `weights` say how often each picture counts; once each by default. */
export function precisionRecall(pictures: readonly JudgedPicture[], weights?: Uint16Array): CurvePoint[] {
  return curve(ranked(pictures), peopleIn(pictures, weights), weights);
}

/** Area under the curve, precision made monotonic from the right (Everingham et al. 2010, all points). NaN: nobody there. */
export function averagePrecision(points: readonly CurvePoint[], peopleCount = 1): number {
  if (peopleCount === 0) return Number.NaN;
  let area = 0;
  let envelope = 0;
  for (let at = points.length - 1; at >= 0; at--) {
    const { precision, recall } = points[at] as CurvePoint;
    envelope = Math.max(envelope, precision);
    area += envelope * (recall - (points[at - 1]?.recall ?? 0));
  }
  return area;
}

/** Largest recall at which the precision is still that high. */
export function recallAtPrecision(points: readonly CurvePoint[], least: number): number {
  return points.reduce((best, { precision, recall }) => (precision >= least ? Math.max(best, recall) : best), 0);
}

export interface PrecisionScore {
  readonly ap: number;
  /** 95 %, by drawing pictures anew. */
  readonly interval: readonly [low: number, high: number];
  readonly recallAt90: number;
  readonly peopleCount: number;
  readonly curve: readonly CurvePoint[];
}

/** Without the curve, which is long. */
export function plainScore({ ap, interval, recallAt90, peopleCount }: PrecisionScore): Omit<PrecisionScore, 'curve'> {
  return { ap, interval, recallAt90, peopleCount };
}

export function scorePictures(pictures: readonly JudgedPicture[], resamples = 1000): PrecisionScore {
  const order = ranked(pictures);
  const peopleCount = peopleIn(pictures);
  const points = curve(order, peopleCount);
  const again = (weights: Uint16Array): number => {
    const count = peopleIn(pictures, weights);
    return averagePrecision(curve(order, count, weights), count);
  };
  return {
    ap: averagePrecision(points, peopleCount),
    interval: bootstrapInterval(pictures.length, again, { resamples }),
    recallAt90: recallAtPrecision(points, 0.9),
    peopleCount,
    curve: points,
  };
}

interface Ranked extends Judged {
  readonly picture: number;
}

function ranked(pictures: readonly JudgedPicture[]): Ranked[] {
  return pictures
    .flatMap(({ judged }, picture) => judged.map((one) => ({ ...one, picture })))
    .toSorted((a, b) => b.score - a.score);
}

function peopleIn(pictures: readonly JudgedPicture[], weights?: Uint16Array): number {
  return pictures.reduce((sum, { peopleCount }, at) => sum + peopleCount * (weights?.[at] ?? 1), 0);
}

function curve(order: readonly Ranked[], peopleCount: number, weights?: Uint16Array): CurvePoint[] {
  let [hits, all] = [0, 0];
  const points: CurvePoint[] = [];
  for (const { score, hit, picture } of order) {
    const weight = weights?.[picture] ?? 1;
    if (weight === 0) continue;
    all += weight;
    if (hit) hits += weight;
    points.push({ score, precision: hits / all, recall: hits / peopleCount });
  }
  return points;
}
