import { expect, test } from 'vitest';
import { LabelLog } from './labels.ts';

const scale = {
  wallAtZeroMs: 1_000_000,
  seen: { widthPx: 640, heightPx: 360 },
  recorded: { widthPx: 1920, heightPx: 1080 },
};

test('sightings with short pauses are one label with its best box, in recorded pixels and wall time', () => {
  const log = new LabelLog();
  log.add('person', 1000, 0.5, { x: 10, y: 10, w: 20, h: 40 });
  log.add('person', 2000, 0.9, { x: 100, y: 50, w: 30, h: 60 });
  log.add('person', 4000, 0.4, { x: 0, y: 0, w: 1, h: 1 });
  log.add('motion', 900, 0, { x: 0, y: 0, w: 5, h: 5 });
  expect(log.within(0, 10_000, scale)).toEqual([
    { kind: 'person', from_ms: 1_001_000, to_ms: 1_004_000, score: 0.9, box: { x: 300, y: 150, w: 90, h: 180 } },
    { kind: 'motion', from_ms: 1_000_900, to_ms: 1_000_900, score: 0, box: { x: 0, y: 0, w: 15, h: 15 } },
  ]);
});

test('a longer pause makes two labels; a clip shows only its part', () => {
  const log = new LabelLog();
  const box = { x: 630, y: 350, w: 20, h: 20 };
  for (const ms of [1000, 2000, 9000, 10_000]) log.add('person', ms, 0.5, box);
  expect(log.within(0, 20_000, scale).map((label) => [label.from_ms, label.to_ms])).toEqual([
    [1_001_000, 1_002_000],
    [1_009_000, 1_010_000],
  ]);
  // The same person after a long look away.
  const hidden = new LabelLog();
  hidden.add('person', 1000, 0.5, box, 7);
  hidden.add('person', 5000, 0.5, box, 7);
  expect(hidden.within(0, 20_000, scale)).toHaveLength(1);
  hidden.add('person', 9000, 0.5, box, 8);
  expect(hidden.within(0, 20_000, scale)).toHaveLength(2);
  expect(log.within(9500, 20_000, scale)).toMatchObject([
    { from_ms: 1_009_500, box: { x: 1890, y: 1050, w: 30, h: 30 } },
  ]);
  log.forgetBefore(5000);
  expect(log.within(0, 20_000, scale)).toHaveLength(1);
  log.clear();
  expect(log.within(0, 20_000, scale)).toEqual([]);
});
