import type { Clock } from '../../base/clock.ts';

/**
 * Judges whether a source still delivers, by its fragments: bytes that never become a fragment are no recording, and a
 * frozen camera holds its connection open for a long time.
 */
export type Verdict = 'ok' | 'stale' | 'stalled';

/** A camera may take this long to answer and to send its first keyframe. */
const smallestStartMs = 15_000;

export class StallWatchdog {
  readonly #stallMs: number;
  #lastMs: number;
  #limitMs: number;

  constructor(stallMs: number, nowMs: number) {
    this.#stallMs = stallMs;
    this.#limitMs = Math.max(stallMs, smallestStartMs);
    this.#lastMs = nowMs;
  }

  fragmentArrived(nowMs: number): void {
    this.#lastMs = nowMs;
    this.#limitMs = this.#stallMs;
  }

  /** `stale` from half the limit on: worth showing, too early to reconnect. */
  judge(nowMs: number): Verdict {
    const silentMs = nowMs - this.#lastMs;
    if (silentMs >= this.#limitMs) return 'stalled';
    return silentMs >= this.#limitMs / 2 ? 'stale' : 'ok';
  }
}

/** A board without a clock battery starts in the past and jumps: what was mapped before is then wrong by that much. */
const largestStepMs = 1000;

export class WallClockWatch {
  readonly #clock: Clock;
  readonly #startMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.wallMs() - clock.monotonicMs();
  }

  /** True once wall and steady time have moved apart by more than a second since the start. */
  stepped(): boolean {
    return Math.abs(this.#clock.wallMs() - this.#clock.monotonicMs() - this.#startMs) > largestStepMs;
  }
}
