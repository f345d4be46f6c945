import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fragment, Run } from '../stages.ts';
import { ClipCutter } from './clip-cutter.ts';

const run: Run = { runId: 'r', init: new Uint8Array(8), codec: 'avc1.64001f', widthPx: 640, heightPx: 360 };

class Taken {
  readonly fragments: Fragment[] = [];
  readonly startMs: number;
  finished = false;

  constructor(first: Fragment) {
    this.startMs = first.startMs;
  }

  get endMs(): number {
    return (this.fragments.at(-1)?.startMs ?? 0) + 100;
  }

  add(fragment: Fragment): void {
    this.fragments.push(fragment);
  }

  finish(): void {
    this.finished = true;
  }
}

function cutter(maxClipMs = 60_000, room: () => boolean = () => true) {
  const clips: Taken[] = [];
  const cut = new ClipCutter<Taken>({
    ring: { preRollMs: 5000, maxSpanMs: 30_000, maxBytes: 1e7 },
    maxClipMs,
    openClip: (_run, _trigger, first) => (room() ? new Taken(first) : undefined),
    onFinished: (clip) => clips.push(clip),
  });
  cut.startRun(run);
  return { cut, clips };
}

function feed(cut: ClipCutter<Taken>, gopMs: number, fromMs: number, untilMs: number): void {
  for (let ms = fromMs; ms < untilMs; ms += 100) {
    cut.push({
      runId: 'r',
      bytes: new Uint8Array(10),
      keyframe: ms % gopMs === 0,
      startMs: ms,
      durationMs: 100,
      pictureCount: 1,
    });
  }
}

describe('pre-roll and post-roll', () => {
  test.each([500, 2000, 5000, 10_000])(
    'are exact to the GOP with GOPs of %i ms, however the detector lags',
    (gopMs) => {
      for (const lagMs of [0, 600, 3000]) {
        const { cut, clips } = cutter();
        // What the detector has yet to look at is kept for it.
        cut.keepFrom(15_000);
        feed(cut, gopMs, 0, 20_000 + lagMs);
        cut.begin('person', 15_000, 28_000);
        feed(cut, gopMs, 20_000 + lagMs, 24_000);
        cut.extend(31_550);
        feed(cut, gopMs, Math.max(24_000, 20_000 + lagMs), 40_000);
        cut.end();
        expect(clips).toHaveLength(1);
        expect(clips[0]?.startMs).toBe(Math.floor(15_000 / gopMs) * gopMs);
        expect(clips[0]?.endMs).toBe(31_600);
        expect(clips[0]?.finished).toBe(true);
      }
    },
  );

  test('a long event is a chain without a gap, each clip within the bound and beginning with a keyframe', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(500, 1000, 2000, 5000, 10_000),
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 1, max: 200 }),
        (gopMs, beginAt, fifths) => {
          const { cut, clips } = cutter(20_000);
          const beginMs = beginAt * 1000;
          const untilMs = beginMs + fifths * 200;
          feed(cut, gopMs, 0, beginMs + 400);
          cut.begin('motion', beginMs, untilMs);
          feed(cut, gopMs, beginMs + 400, untilMs + 5000);
          cut.end();
          const all = clips.flatMap((clip) => clip.fragments.map((f) => f.startMs));
          const firstMs = Math.floor(beginMs / gopMs) * gopMs;
          expect(all).toEqual(Array.from({ length: (untilMs - firstMs) / 100 }, (_, i) => firstMs + i * 100));
          for (const clip of clips) {
            expect(clip.fragments[0]?.keyframe).toBe(true);
            expect(clip.endMs - clip.startMs).toBeLessThanOrEqual(20_000);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('GOPs of any length chain without a gap, within the bound once their longest is known', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 20, maxLength: 60 });
    fc.assert(
      fc.property(lengths, (fifths) => {
        const { cut, clips } = cutter(60_000);
        // The longest comes before the event.
        const gops = [10_000, ...fifths.map((length) => length * 100)];
        cut.keepFrom(0);
        let startMs = 0;
        for (const gopMs of gops) {
          for (let ms = startMs; ms < startMs + gopMs; ms += 100) {
            const keyframe = ms === startMs;
            const bytes = new Uint8Array(10);
            cut.push({ runId: 'r', bytes, keyframe, startMs: ms, durationMs: 100, pictureCount: 1 });
          }
          if (startMs === 0) cut.begin('continuous', 0, Number.POSITIVE_INFINITY);
          startMs += gopMs;
        }
        cut.end();
        const all = clips.flatMap((clip) => clip.fragments.map((f) => f.startMs));
        expect(all).toEqual(Array.from({ length: startMs / 100 }, (_, i) => i * 100));
        for (const clip of clips) {
          expect(clip.fragments[0]?.keyframe).toBe(true);
          expect(clip.endMs - clip.startMs).toBeLessThanOrEqual(60_000);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('an event that begins before anything was recorded starts with the first keyframe', () => {
    const { cut, clips } = cutter();
    cut.begin('continuous', 0, Number.POSITIVE_INFINITY);
    feed(cut, 2000, 1000, 9000);
    cut.end();
    expect(clips[0]?.startMs).toBe(2000);
  });

  test('without room nothing is stored until there is room again, from a keyframe on', () => {
    let room = false;
    const { cut, clips } = cutter(60_000, () => room);
    feed(cut, 2000, 0, 3000);
    cut.begin('motion', 0, 20_000);
    room = true;
    feed(cut, 2000, 3000, 20_000);
    cut.end();
    expect(clips.map((clip) => clip.startMs)).toEqual([4000]);
  });

  test('a clip given up is followed by another at the next keyframe', () => {
    const { cut, clips } = cutter();
    cut.begin('motion', 0, 20_000);
    feed(cut, 2000, 0, 3000);
    expect(cut.giveUp()?.startMs).toBe(0);
    feed(cut, 2000, 3000, 8000);
    cut.end();
    expect(clips.map((clip) => [clip.startMs, clip.endMs])).toEqual([[4000, 8000]]);
  });

  test('events that overlap share one clip', () => {
    const { cut, clips } = cutter();
    feed(cut, 2000, 0, 10_000);
    cut.begin('motion', 5000, 12_000);
    cut.begin('button', 8000, 15_000);
    feed(cut, 2000, 10_000, 20_000);
    cut.end();
    expect(clips.map((clip) => [clip.startMs, clip.endMs])).toEqual([[4000, 15_000]]);
  });

  test('a new run ends the clip and shares nothing with it', () => {
    const { cut, clips } = cutter();
    cut.begin('motion', 0, 20_000);
    feed(cut, 2000, 0, 3000);
    cut.startRun({ ...run, runId: 's' });
    expect(clips.map((clip) => clip.endMs)).toEqual([3000]);
    cut.begin('motion', 0, 20_000);
    expect(cut.newestMs).toBeUndefined();
  });
});
