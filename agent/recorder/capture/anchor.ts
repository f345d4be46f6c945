/**
 * Maps the time line of a run to wall time. What a camera sends can only arrive late (network, start-up burst), never
 * early, so the mapping is the smallest (arrival − time) seen during the first ten seconds; then it stays, so that
 * times within a run don't jump. Arrival is steady time: a step of the wall clock must not move it.
 */
const windowMs = 10_000;
/** Smaller gains are noise and not worth telling anyone. */
const smallestGainMs = 1;

export class Anchor {
  readonly #wallMinusMonotonicMs: number;
  #firstArrivalMs: number | undefined;
  #smallestMs = Number.POSITIVE_INFINITY;

  /** The two clocks, read at the same moment. */
  constructor(wallMs: number, monotonicMs: number) {
    this.#wallMinusMonotonicMs = wallMs - monotonicMs;
  }

  /**
   * `endMs`: end of a fragment on the run's time line, `arrivalMs`: monotonic time of its arrival. Returns the wall time
   * of the run's zero when it has become earlier.
   */
  observe(endMs: number, arrivalMs: number): number | undefined {
    this.#firstArrivalMs ??= arrivalMs;
    const lateMs = arrivalMs - endMs;
    if (arrivalMs - this.#firstArrivalMs > windowMs || lateMs > this.#smallestMs - smallestGainMs) return undefined;
    this.#smallestMs = lateMs;
    return Math.round(this.#wallMinusMonotonicMs + lateMs);
  }
}
