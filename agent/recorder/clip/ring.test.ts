import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fragment } from '../stages.ts';
import { PreRollRing } from './ring.ts';

function fragment(startMs: number, keyframe: boolean, bytes = 100): Fragment {
  return { runId: 'r', bytes: new Uint8Array(bytes), keyframe, startMs, durationMs: 200, pictureCount: 2 };
}

/** Fragments of 200 ms with a keyframe every `gopMs`. */
function stream(gopMs: number, untilMs: number): Fragment[] {
  return Array.from({ length: untilMs / 200 }, (_, i) => fragment(i * 200, (i * 200) % gopMs === 0));
}

describe('the pre-roll ring', () => {
  test.each([600, 2000, 5000])('with GOPs of %i ms it reaches back over the pre-roll from a keyframe', (gopMs) => {
    const ring = new PreRollRing({ preRollMs: 5000, maxSpanMs: 40_000, maxBytes: 1e6 });
    for (const f of stream(gopMs, 60_000)) {
      ring.push(f);
      const endMs = f.startMs + 200;
      const kept = ring.since(endMs - 5000);
      expect(kept[0]?.keyframe).toBe(true);
      expect(kept[0]?.startMs).toBe(Math.floor(Math.max(0, endMs - 5000) / gopMs) * gopMs);
      expect(kept.at(-1)).toBe(f);
      // No more than the pre-roll, the GOP that it begins in, and two GOPs.
      expect(ring.bytes / 100).toBeLessThanOrEqual((5000 + 3 * gopMs) / 200 + 1);
    }
    expect(ring.droppedCount).toBe(0);
  });

  test('keeps what it is asked to keep, but never beyond its span', () => {
    const ring = new PreRollRing({ preRollMs: 1000, maxSpanMs: 10_000, maxBytes: 1e6 });
    ring.keepFrom(2000);
    for (const f of stream(1000, 9000)) ring.push(f);
    expect(ring.since(2000)[0]?.startMs).toBe(2000);
    for (const f of stream(1000, 30_000).slice(45)) ring.push(f);
    expect(ring.since(0)[0]?.startMs).toBe(20_000);
    ring.keepFrom(undefined);
    ring.push(fragment(30_000, true));
    expect(ring.since(0)[0]?.startMs).toBeGreaterThanOrEqual(26_000);
  });

  test('is bounded in bytes whatever comes, counts what it loses, and always starts with a keyframe', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ keyframe: fc.boolean(), bytes: fc.integer({ min: 1, max: 500 }) }), { maxLength: 80 }),
        (parts) => {
          const ring = new PreRollRing({ preRollMs: 1e6, maxSpanMs: 1e7, maxBytes: 1000 });
          parts.forEach((part, i) => ring.push(fragment(i * 200, part.keyframe, part.bytes)));
          const kept = ring.since(0);
          expect(ring.bytes).toBe(kept.reduce((sum, f) => sum + f.bytes.length, 0));
          expect(ring.bytes).toBeLessThanOrEqual(1000);
          expect(kept.length + ring.droppedCount).toBe(parts.length);
          expect(kept[0]?.keyframe ?? true).toBe(true);
        },
      ),
    );
  });

  test('takes nothing before the first keyframe of a run', () => {
    const ring = new PreRollRing({ preRollMs: 1000, maxSpanMs: 9000, maxBytes: 1e6 });
    ring.push(fragment(0, false));
    expect(ring.since(0)).toEqual([]);
    ring.push(fragment(200, true));
    ring.clear();
    ring.push(fragment(400, false));
    expect(ring.since(0)).toEqual([]);
  });
});
