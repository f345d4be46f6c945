import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fragment } from '../stages.ts';
import { DecodeFeed } from './decode-feed.ts';

describe('the feed of the decoder', () => {
  let atMs = 0;
  const fragments = (pattern: string, bytes = 1000): Fragment[] =>
    pattern.split('').map((letter) => ({
      runId: 'run',
      bytes: new Uint8Array(bytes),
      keyframe: letter === 'K',
      startMs: (atMs += 200),
      durationMs: 200,
      pictureCount: 2,
    }));
  const drain = (feed: DecodeFeed): string => {
    let text = '';
    for (let next = feed.shift(); next !== undefined; next = feed.shift()) text += next.keyframe ? 'K' : '.';
    return text;
  };

  test('starts at a keyframe and passes everything on while it is taken', () => {
    const feed = new DecodeFeed(false);
    for (const fragment of fragments('..K....K..')) feed.push(fragment);
    expect(feed.droppedCount).toBe(2);
    expect(drain(feed)).toBe('K....K..');
    expect(feed.empty).toBe(true);
  });

  test('drops up to the newest keyframe when it waits too long', () => {
    const feed = new DecodeFeed(false);
    for (const fragment of fragments('K...K....')) feed.push(fragment);
    expect(feed.droppedCount).toBe(4);
    expect(drain(feed)).toBe('K....');
  });

  test('drops all until the next keyframe when the GOP itself is too long', () => {
    const feed = new DecodeFeed(false);
    for (const fragment of fragments('K..........')) feed.push(fragment);
    expect(feed.empty).toBe(true);
    for (const fragment of fragments('..K.')) feed.push(fragment);
    expect(drain(feed)).toBe('K.');
  });

  test('is bounded in bytes as well, unless it may lose nothing', () => {
    const lossy = new DecodeFeed(false);
    for (const fragment of fragments('K...', 2 << 20)) lossy.push(fragment);
    expect(lossy.droppedCount).toBeGreaterThan(0);
    const lossless = new DecodeFeed(true);
    for (const fragment of fragments('K..........', 2 << 20)) lossless.push(fragment);
    expect(lossless.full).toBe(true);
    expect(drain(lossless)).toBe('K..........');
    expect(lossless.full).toBe(false);
  });

  test('goes on at a keyframe for a new decoder', () => {
    const feed = new DecodeFeed(true);
    for (const fragment of fragments('K..K..')) feed.push(fragment);
    feed.shift();
    feed.restart();
    expect(drain(feed)).toBe('K..');
    for (const fragment of fragments('K..')) feed.push(fragment);
    feed.shift();
    feed.restart();
    for (const fragment of fragments('.K.')) feed.push(fragment);
    expect(drain(feed)).toBe('K.');
  });

  test('never hands out a picture whose GOP has a hole before it', () => {
    const input = fc.array(fc.constantFrom('K', '.', '.', '.', 'take', 'restart'), { maxLength: 200 });
    fc.assert(
      fc.property(input, (steps) => {
        const feed = new DecodeFeed(false);
        let expected: number | undefined;
        for (const step of steps) {
          if (step === 'restart') {
            feed.restart();
            expected = undefined;
          } else if (step === 'take') {
            const fragment = feed.shift();
            if (fragment === undefined) continue;
            expect(fragment.keyframe || fragment.startMs === expected).toBe(true);
            expected = fragment.startMs + 200;
          } else {
            for (const fragment of fragments(step)) feed.push(fragment);
          }
        }
      }),
    );
  });
});
