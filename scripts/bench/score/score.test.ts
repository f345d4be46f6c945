// The scores against slow references and cases worked out by hand.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bootstrapInterval, quantile, seededRandom } from '../statistics.ts';
import {
  averagePrecision,
  type FoundBox,
  type JudgedPicture,
  judgePicture,
  overlapRatio,
  precisionRecall,
  recallAtPrecision,
  scorePictures,
  type TrueBox,
} from './average-precision.ts';
import { joinSpans, matchVisits, reportedSeconds, type Span, scoreSeconds, sharedMs, visibility } from './intervals.ts';
import { addCounts, countPixels, pixelScore, unpackRuns } from './pixels.ts';

const span = (fromMs: number, toMs: number): Span => ({ fromMs, toMs });
const spans = fc.array(
  fc.tuple(fc.nat(200), fc.nat(40)).map(([from, length]) => span(from, from + length)),
  { maxLength: 8 },
);

describe('pixel F', () => {
  it('counts by hand, leaving out what is unknown, outside, or not in the region', () => {
    const truth = Uint8Array.of(255, 255, 0, 50, 85, 170, 255, 0);
    const mask = Uint8Array.of(1, 0, 1, 1, 1, 1, 1, 1);
    expect(countPixels(mask, truth)).toEqual({ hits: 2, falseAlarms: 3, misses: 1 });
    const counted = countPixels(mask, truth, Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 0));
    expect(counted).toEqual({ hits: 2, falseAlarms: 2, misses: 1 });
    expect(pixelScore(counted)).toEqual({ precision: 0.5, recall: 2 / 3, f: 4 / 7 });
    expect(addCounts(counted, counted).hits).toBe(4);
    expect(() => countPixels(mask, truth.subarray(1))).toThrow(RangeError);
  });

  it('unpacks runs', () => {
    expect([...unpackRuns([1, 2, 3], 6)]).toEqual([0, 255, 255, 0, 0, 0]);
    expect([...unpackRuns([0, 2], 2)]).toEqual([255, 255]);
    expect(() => unpackRuns([1, 2], 4)).toThrow(RangeError);
  });

  it('is the harmonic mean of precision and recall', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), fc.nat(50), (hits, falseAlarms, misses) => {
        fc.pre(hits > 0);
        const { precision, recall, f } = pixelScore({ hits, falseAlarms, misses });
        expect(f).toBeCloseTo((2 * precision * recall) / (precision + recall), 12);
      }),
    );
  });
});

describe('intervals', () => {
  /** Millisecond by millisecond. */
  const slowShared = (a: readonly Span[], b: readonly Span[]): number => {
    const within = (list: readonly Span[], ms: number): boolean => list.some((s) => ms >= s.fromMs && ms < s.toMs);
    let sum = 0;
    for (let ms = 0; ms < 300; ms++) if (within(a, ms) && within(b, ms)) sum += 1;
    return sum;
  };

  it('share as much time as counting every millisecond says', () => {
    fc.assert(fc.property(spans, spans, (a, b) => sharedMs(a, b) === slowShared(a, b)));
  });

  it('join without overlapping and cover the same time', () => {
    fc.assert(
      fc.property(spans, (list) => {
        const joined = joinSpans(list);
        for (const [at, one] of joined.entries()) expect(one.fromMs).toBeGreaterThan(joined[at - 1]?.toMs ?? -1);
        expect(sharedMs(joined, list)).toBe(slowShared(list, list));
      }),
    );
    expect(joinSpans([span(0, 1), span(4, 5)], 2)).toHaveLength(2);
    expect(joinSpans([span(0, 1), span(3, 5)], 2)).toEqual([span(0, 5)]);
  });

  it('score visibility within a tolerance', () => {
    const truth = [span(1000, 5000), span(10_000, 12_000)];
    const said = [span(1400, 5600), span(20_000, 21_000)];
    const score = visibility(truth, said, 500);
    expect(score.recall).toBeCloseTo(4000 / 6000, 12);
    expect(score.precision).toBeCloseTo(4100 / 5200, 12);
    expect(visibility(truth, truth, 0)).toEqual({ recall: 1, precision: 1 });
    expect(visibility([], said, 500).recall).toBeNaN();
  });

  it('match visits: found, split, missed, joined, false', () => {
    const visits = [
      span(1000, 5000),
      span(10_000, 20_000),
      span(30_000, 31_000),
      span(32_000, 33_000),
      span(50_000, 51_000),
    ];
    const said = [
      span(1500, 5200),
      span(9800, 12_000),
      span(15_000, 20_000),
      span(30_500, 32_500),
      span(70_000, 71_000),
    ];
    const score = matchVisits(visits, said, 500);
    expect(score.matches.map(({ parts }) => parts.length)).toEqual([1, 2, 1, 1, 0]);
    expect(score.matches.map(({ latencyMs }) => latencyMs)).toEqual([500, 0, 500, 0, undefined]);
    expect(score).toMatchObject({ foundCount: 4, splitCount: 1, missedCount: 1, mergedCount: 1 });
    expect(score.falseSpans).toEqual([span(70_000, 71_000)]);
  });

  it('count false seconds away from visits only', () => {
    const visits = [span(5000, 8500)];
    const reported = reportedSeconds([100, 3000, 4100, 6000, 6999, 9400, 10_000, 20_500]);
    const score = scoreSeconds(visits, reported, 2);
    // 4 and 9 are within a second of the visit; 0 is before everybody has learnt.
    expect(score).toEqual({ foundCount: 1, coverage: 1 / 4, falseSeconds: [3, 10, 20] });
    expect(scoreSeconds(visits, new Set([4, 9]), 0).foundCount).toBe(0);
  });
});

describe('average precision', () => {
  const box = (x: number, y: number, w: number, h: number): TrueBox => ({ x, y, w, h });
  const judged = fc.array(fc.record({ score: fc.double({ min: 0, max: 1, noNaN: true }), hit: fc.boolean() }), { maxLength: 12 }); // biome-ignore format: one line
  const pictures = fc.array(
    fc.tuple(judged, fc.nat(5)).map(([list, missed]): JudgedPicture => {
      const peopleCount = list.filter(({ hit }) => hit).length + missed;
      return { judged: list, peopleCount };
    }),
    { minLength: 1, maxLength: 6 },
  );

  it('is the mean over people of the best precision at or beyond their recall', () => {
    fc.assert(
      fc.property(pictures, (list) => {
        const people = list.reduce((sum, { peopleCount }) => sum + peopleCount, 0);
        fc.pre(people > 0);
        const all = list.flatMap((picture) => picture.judged).toSorted((a, b) => b.score - a.score);
        // For the n-th person: of all cuts that find n or more, the one with the highest precision.
        let sum = 0;
        for (let person = 1; person <= people; person++) {
          let best = 0;
          for (let cut = 1; cut <= all.length; cut++) {
            const hits = all.slice(0, cut).filter(({ hit }) => hit).length;
            if (hits >= person) best = Math.max(best, hits / cut);
          }
          sum += best;
        }
        expect(averagePrecision(precisionRecall(list), people)).toBeCloseTo(sum / people, 9);
      }),
    );
  });

  it('counts a picture drawn twice like two pictures', () => {
    fc.assert(
      fc.property(pictures, fc.nat(5), (list, which) => {
        const weights = Uint16Array.from(list, (_, at) => (at === which % list.length ? 2 : 1));
        const twice = list[which % list.length];
        const doubled = twice === undefined ? list : [...list, twice];
        const people = doubled.reduce((sum, { peopleCount }) => sum + peopleCount, 0);
        fc.pre(people > 0);
        // A pair of equals is one step of the weighted curve and two of the other: their last points are the same.
        const [a, b] = [precisionRecall(list, weights).at(-1), precisionRecall(doubled).at(-1)];
        expect(a?.recall ?? 0).toBeCloseTo(b?.recall ?? 0, 12);
        expect(a?.precision ?? 0).toBeCloseTo(b?.precision ?? 0, 12);
      }),
    );
  });

  it('matches by hand: one detection a person, small people neither way', () => {
    const people = [box(0, 0, 10, 40), box(100, 0, 10, 40), box(200, 0, 4, 8)];
    const found: FoundBox[] = [
      { ...box(0, 0, 10, 38), score: 0.9 },
      { ...box(1, 0, 10, 40), score: 0.8 },
      { ...box(200, 0, 4, 8), score: 0.7 },
      { ...box(300, 0, 10, 30), score: 0.6 },
      { ...box(400, 0, 3, 9), score: 0.5 },
    ];
    const rule = { overlap: 0.5, leastHeight: 20 };
    expect(judgePicture(found, people, rule)).toEqual({
      judged: [
        { score: 0.9, hit: true },
        { score: 0.8, hit: false },
        { score: 0.6, hit: false },
      ],
      peopleCount: 2,
    });
    const points = precisionRecall([judgePicture(found, people, rule)]);
    expect(averagePrecision(points, 2)).toBe(0.5);
    expect(recallAtPrecision(points, 0.9)).toBe(0.5);
    expect(overlapRatio(box(0, 0, 10, 10), box(5, 0, 10, 10))).toBeCloseTo(1 / 3, 12);
    expect(averagePrecision([], 0)).toBeNaN();
  });

  it('has an interval that holds it, and shrinks to a point when all pictures are alike', () => {
    const picture: JudgedPicture = { judged: [{ score: 0.9, hit: true }, { score: 0.4, hit: false }], peopleCount: 2 }; // biome-ignore format: one line
    const alike = scorePictures(
      Array.from({ length: 30 }, () => picture),
      200,
    );
    expect(alike.interval[0]).toBeCloseTo(alike.ap, 9);
    expect(alike.interval[1]).toBeCloseTo(alike.ap, 9);
    const mixed = scorePictures(
      Array.from({ length: 40 }, (_, at) => ({ judged: [{ score: 0.9, hit: at % 2 === 0 }], peopleCount: 1 })),
      400,
    );
    const [low, high] = mixed.interval;
    expect(low).toBeLessThan(mixed.ap);
    expect(high).toBeGreaterThan(mixed.ap);
  });
});

describe('statistics', () => {
  it('quantiles and repeatable randomness', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([7], 0.95)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
    const [a, b] = [seededRandom(7), seededRandom(7)];
    expect(Array.from({ length: 5 }, a)).toEqual(Array.from({ length: 5 }, b));
  });

  it('the bootstrap of a mean is about two standard errors wide', () => {
    const values = Array.from({ length: 100 }, (_, at) => at % 2);
    const [low, high] = bootstrapInterval(100, (weights) => values.reduce((sum, v, at) => sum + v * (weights[at] ?? 0), 0) / 100); // biome-ignore format: one line
    expect(high - low).toBeGreaterThan(0.16);
    expect(high - low).toBeLessThan(0.24);
  });
});
