/**
 * Time is an argument. `wallMs` is Unix time and may step; `monotonicMs` never goes back and is used for durations.
 */
export interface Clock {
  wallMs(): number;
  monotonicMs(): number;
  /** Resolves after `ms`, or rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortReason(signal));
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(abortReason(signal));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};

function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error('aborted');
}

/** A clock that tests move by hand. Wall and monotonic time can be moved apart, as a Pi without a battery does. */
export class ManualClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;
  #sleepers: { at: number; resolve: () => void }[] = [];

  constructor(wallMs: number) {
    this.#wallMs = wallMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortReason(signal));
      const sleeper = { at: this.#monotonicMs + ms, resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener(
        'abort',
        () => {
          this.#sleepers = this.#sleepers.filter((s) => s !== sleeper);
          reject(abortReason(signal));
        },
        { once: true },
      );
    });
  }

  /** Lets `ms` pass and wakes every sleeper whose time has come. */
  async advance(ms: number): Promise<void> {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
    const due = this.#sleepers.filter((s) => s.at <= this.#monotonicMs);
    this.#sleepers = this.#sleepers.filter((s) => s.at > this.#monotonicMs);
    for (const s of due) s.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Moves only the wall clock, as NTP or a user does. */
  stepWall(ms: number): void {
    this.#wallMs += ms;
  }
}
