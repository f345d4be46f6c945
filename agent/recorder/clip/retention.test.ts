import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allowedBytes, makeRoom, oldestKeptDay, type PurgeableStore } from './retention.ts';

const rules = { maxBytes: 1000, maxAgeMs: 7 * 86_400_000, minFreeBytes: 500 };

describe('how much may stay', () => {
  test('the quota binds on a roomy disk', () => {
    expect(allowedBytes({ usedBytes: 900, freePagesBytes: 0, diskFreeBytes: 1e9 }, rules, 50)).toBe(950);
  });

  test('on a disk at its floor the clips live within their file', () => {
    expect(allowedBytes({ usedBytes: 300, freePagesBytes: 20, diskFreeBytes: 500 }, rules, 50)).toBe(270);
    expect(allowedBytes({ usedBytes: 300, freePagesBytes: 20, diskFreeBytes: 0 }, rules, 50)).toBe(270);
    expect(allowedBytes({ usedBytes: 300, freePagesBytes: 20, diskFreeBytes: 600 }, rules, 50)).toBe(370);
  });
});

test('the oldest day kept is the one maxAgeMs ago', () => {
  expect(oldestKeptDay(rules, Date.UTC(2026, 10, 21, 3))).toBe('2026-11-14');
  expect(oldestKeptDay(rules, 1000)).toBe('1970-01-01');
});

class FakeStore implements PurgeableStore {
  readonly clips: { day: string; bytes: number; kept: boolean }[];
  #freeBytes = 0;

  constructor(clips: { day: string; bytes: number; kept: boolean }[]) {
    this.clips = [...clips];
  }

  usage() {
    return { usedBytes: this.clips.reduce((sum, clip) => sum + clip.bytes, 0), freePagesBytes: this.#freeBytes };
  }

  releaseHolds(): void {}

  purgeBefore(day: string): number {
    return this.#drop(this.clips.filter((clip) => clip.day < day && !clip.kept));
  }

  purgeOldest(): number {
    return this.#drop(this.clips.filter((clip) => !clip.kept).slice(0, 2));
  }

  #drop(gone: readonly (typeof this.clips)[number][]): number {
    for (const clip of gone) {
      this.clips.splice(this.clips.indexOf(clip), 1);
      this.#freeBytes += clip.bytes;
    }
    return gone.length;
  }
}

test('makes exactly the room that is needed from the oldest, never from what is kept', () => {
  const clip = fc.record({
    day: fc.constantFrom('2026-11-01', '2026-11-20'),
    bytes: fc.integer({ min: 1, max: 300 }),
    kept: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(clip, { maxLength: 12 }), fc.integer({ min: 0, max: 2000 }), (clips, diskFreeBytes) => {
      const store = new FakeStore(clips);
      const now = { wallMs: Date.UTC(2026, 10, 21), diskFreeBytes, needBytes: 40 };
      const { hasRoom, purgedCount } = makeRoom(store, rules, now);
      expect(purgedCount).toBe(clips.length - store.clips.length);
      expect(store.clips.filter((c) => c.kept)).toEqual(clips.filter((c) => c.kept));
      expect(store.clips.some((c) => c.day === '2026-11-01' && !c.kept)).toBe(false);
      if (hasRoom && store.clips.length > 0) {
        expect(store.usage().usedBytes).toBeLessThanOrEqual(rules.maxBytes - 40);
      }
      if (!hasRoom) expect(store.clips.every((c) => c.kept)).toBe(true);
    }),
  );
});
