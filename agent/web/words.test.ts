import { expect, test } from 'vitest';
import { areaShape, scaleBarM } from './area.ts';
import {
  clockTime,
  dateOf,
  dateTime,
  dayBounds,
  deletionInWords,
  distance,
  duration,
  offsetAt,
  outcomeInWords,
  size,
  standingInWords,
  warningInWords,
} from './words.ts';

test('times say their offset, which changes with summer time', () => {
  const winter = Date.UTC(2026, 10, 21, 20, 0, 5);
  const summer = Date.UTC(2026, 6, 1, 20, 0, 5);
  expect(dateTime(winter, 'Europe/Berlin')).toBe('Sat 21 Nov 2026, 21:00 UTC+01:00');
  expect(dateTime(summer, 'Europe/Berlin')).toBe('Wed 1 Jul 2026, 22:00 UTC+02:00');
  expect(offsetAt(winter, 'America/St_Johns')).toBe('UTC\u221203:30');
  expect(offsetAt(winter, 'UTC')).toBe('UTC+00:00');
  expect(clockTime(Date.UTC(2026, 10, 21, 0, 0, 5), 'UTC')).toBe('00:00:05');
});

test('a day runs from midnight to midnight', () => {
  const { fromMs, toMs } = dayBounds('2026-11-21');
  expect([dateOf(fromMs), dateOf(toMs - 1), dateOf(toMs)]).toEqual(['2026-11-21', '2026-11-21', '2026-11-22']);
});

test('sizes, lengths and distances', () => {
  expect([850, 1200, 1_048_576, 123_456_789, 2.5e9].map(size)).toEqual([
    '850 B',
    '1.2 kB',
    '1.0 MB',
    '123 MB',
    '2.5 GB',
  ]);
  expect([400, 20_400, 60_000, 65_000].map(duration)).toEqual(['0 s', '20 s', '1 min', '1 min 5 s']);
  expect([7_200_000, 5_400_000, 3_605_000].map(duration)).toEqual(['2 h', '1 h 30 min', '1 h']);
  expect([90.4, 1300].map(distance)).toEqual(['90 m', '1.3 km']);
});

test('a warning that the page does not know is shown as it is', () => {
  expect(warningInWords('something-new')).toBe('something-new');
  expect(warningInWords('constructor')).toBe('constructor');
});

test('the map knows inside from outside and draws both within its frame', () => {
  const circle = { kind: 'circle', latE6: 42_000_000, lonE6: -92_000_000, radiusM: 200 } as const;
  const near = areaShape(circle, { latE6: 42_001_000, lonE6: -92_000_000 });
  expect([near.inside, Math.round(near.distanceM), near.place.y < 0]).toEqual([true, 111, true]);
  const far = areaShape(circle, { latE6: 42_000_000, lonE6: -91_990_000 });
  expect(far.inside).toBe(false);
  expect(Math.round(far.distanceM)).toBe(827);
  expect(far.halfM).toBeGreaterThan(far.place.x);
  const corner = [[42_000_000, -92_000_000], [42_002_000, -92_000_000], [42_000_000, -91_998_000]] as const; // biome-ignore format: points
  const polygon = { kind: 'polygon', pointsE6: corner } as const;
  expect(areaShape(polygon, { latE6: 42_000_500, lonE6: -91_999_500 }).inside).toBe(true);
  expect(areaShape(polygon, { latE6: 42_001_500, lonE6: -91_998_500 }).inside).toBe(false);
  expect([150, 300, 40].map(scaleBarM)).toEqual([100, 200, 20]);
});

test('an agency that is not heard says why, and every fate of a share has its words', () => {
  const heard = { suspended: false, muted: 'no', directory: 'no-doubt' } as const;
  expect(standingInWords(heard)).toBe('');
  const notes = [
    { ...heard, suspended: true },
    { ...heard, muted: 'by-owner' as const },
    { ...heard, muted: 'overdue-outcomes' as const },
    { ...heard, directory: 'agency-outdated' as const },
    { ...heard, directory: 'agency-unlisted' as const },
    { ...heard, recipientChangedAtMs: 0 },
  ].map(standingInWords);
  expect(new Set(notes).size).toBe(6);
  for (const outcome of ['due', 'overdue', 'open', 'closed'] as const)
    expect(outcomeInWords(outcome)).toMatch(/agency/);
  for (const deletion of ['due', 'demanded', 'overdue', 'confirmed'] as const)
    expect(deletionInWords(deletion)).not.toBe('');
});
