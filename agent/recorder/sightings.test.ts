// What was seen becomes events: which kind, from when to when, by which picture, and where.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PictureCounter } from './picture-counter.ts';
import { type SeenEvent, type Shots, Sightings } from './sightings.ts';
import type { Box, SmallFrame } from './stages.ts';

const box: Box = { x: 10, y: 20, w: 30, h: 40 };
const frameAt = (timeMs: number): SmallFrame => ({ runId: 'r', timeMs, widthPx: 640, heightPx: 360, yuv: new Uint8Array() }); // biome-ignore format: one object

function start() {
  const events: SeenEvent[] = [];
  const shots: Shots[] = [];
  const seen = new Sightings((event, pictures) => {
    events.push(event);
    shots.push(pictures);
  });
  seen.startRun({ runId: 'r', init: new Uint8Array(), codec: 'avc1.64001f', widthPx: 1920, heightPx: 1080 });
  // Ten pictures a second, from 10 s on.
  for (let startMs = 10_000; startMs < 40_000; startMs += 500) {
    seen.push({ runId: 'r', bytes: new Uint8Array(), keyframe: true, startMs, durationMs: 500, pictureCount: 5 });
  }
  return { seen, events, shots };
}

describe('Sightings', () => {
  it('counts people alone as soon as there is one, from the first look that saw them, in source pixels', () => {
    const { seen, events, shots } = start();
    seen.label(frameAt(12_000), { kind: 'motion', score: 0, box });
    seen.label(frameAt(12_600), { kind: 'person', score: 0.5, box, sinceMs: 12_200 });
    seen.begin('person', 9000);
    seen.label(frameAt(13_000), { kind: 'person', score: 0.9, box: { x: 20, y: 20, w: 30, h: 40 } });
    seen.label(frameAt(14_000), { kind: 'person', score: 0.7, box });
    seen.label(frameAt(14_200), { kind: 'motion', score: 0, box });
    seen.end();
    expect(events).toEqual([{ kind: 'person', firstFrame: 22, lastFrame: 40, firstMs: 2200, lastMs: 4000, score: 0.9, box: [60, 60, 90, 120] }]); // biome-ignore format: one event
    expect(shots[0]?.map(({ frame, score }) => [frame.timeMs, score])).toEqual([[12_600, 0.5], [13_000, 0.9], [14_000, 0.7]]); // biome-ignore format: one list
  });

  it('leaves what lies before the event to the one before, and takes the largest of what only moves', () => {
    const { seen, events } = start();
    seen.label(frameAt(11_000), { kind: 'motion', score: 0, box });
    seen.label(frameAt(15_000), { kind: 'motion', score: 0, box });
    seen.begin('motion', 13_000);
    seen.label(frameAt(15_200), { kind: 'motion', score: 0, box: { ...box, w: 60 } });
    seen.endRun();
    seen.end();
    expect(events).toEqual([{ kind: 'motion', firstFrame: 50, lastFrame: 52, firstMs: 5000, lastMs: 5200, score: 0, box: [30, 60, 180, 120] }]); // biome-ignore format: one event
  });

  it('knows nothing of an earlier run', () => {
    const { seen, events } = start();
    seen.label(frameAt(11_000), { kind: 'person', score: 1, box });
    seen.startRun({ runId: 's', init: new Uint8Array(), codec: 'avc1.64001f', widthPx: 640, heightPx: 360 });
    seen.begin('motion', 0);
    seen.end();
    expect([events, seen.newestMs, seen.pictures.count]).toEqual([[], undefined, 0]);
  });
});

describe('PictureCounter', () => {
  it('numbers evenly spaced pictures exactly, whatever the fragments', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 60 }), (sizes, fps) => {
        const counter = new PictureCounter();
        const at = (n: number): number => Math.round(10_000 + (n * 1000) / fps);
        let n = 0;
        for (const pictureCount of sizes) {
          counter.push({ startMs: at(n), durationMs: at(n + pictureCount) - at(n), pictureCount });
          n += pictureCount;
        }
        expect(counter.count).toBe(n);
        for (let i = 0; i < n; i++) expect(counter.numberAt(at(i))).toBe(i);
      }),
    ); // biome-ignore format: one property
  });

  it('answers for what is outside, and forgets what is over', () => {
    const counter = new PictureCounter();
    expect([counter.numberAt(5), counter.durationMs, counter.startMs]).toEqual([0, 0, undefined]);
    for (let n = 0; n < 10; n++) counter.push({ startMs: n * 100, durationMs: 100, pictureCount: 2 });
    expect([counter.numberAt(-50), counter.numberAt(5000), counter.durationMs]).toEqual([0, 19, 1000]);
    counter.forgetBefore(500);
    expect([counter.numberAt(0), counter.numberAt(550), counter.count]).toEqual([10, 11, 20]);
  });
});
