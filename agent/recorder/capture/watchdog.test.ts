import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { StallWatchdog, WallClockWatch } from './watchdog.ts';

describe('the watch over a source', () => {
  test('is patient with the start, then not', () => {
    const watchdog = new StallWatchdog(4000, 0);
    expect([7000, 8000, 14_999, 15_000].map((ms) => watchdog.judge(ms))).toEqual(['ok', 'stale', 'stale', 'stalled']);
    watchdog.fragmentArrived(20_000);
    expect([21_999, 22_000, 23_999, 24_000].map((ms) => watchdog.judge(ms))).toEqual([
      'ok',
      'stale',
      'stale',
      'stalled',
    ]);
    watchdog.fragmentArrived(24_000);
    expect(watchdog.judge(25_000)).toBe('ok');
  });

  test('sees the wall clock step either way, or drift by as much, and lets it be corrected a little', async () => {
    const clock = new ManualClock(1_000_000);
    const watch = new WallClockWatch(clock);
    await clock.advance(3_600_000);
    clock.stepWall(900);
    expect(watch.stepped()).toBe(false);
    clock.stepWall(200);
    expect(watch.stepped()).toBe(true);
    clock.stepWall(-2200);
    expect(watch.stepped()).toBe(true);
  });
});
