import { randomInt } from 'node:crypto';

export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Returns an integer in [0, bound). Tests pass their own. */
  readonly random?: (bound: number) => number;
}

/** Exponential backoff with full jitter: each wait is uniform in [cap/2, cap], cap doubles up to `maxMs`. For ever. */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempt = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  nextMs(): number {
    const { firstMs, maxMs } = this.#options;
    const capMs = Math.min(maxMs, firstMs * 2 ** Math.min(this.#attempt, 30));
    this.#attempt += 1;
    const random = this.#options.random ?? ((bound: number) => randomInt(bound));
    return Math.floor(capMs / 2) + random(Math.max(1, Math.ceil(capMs / 2)));
  }

  reset(): void {
    this.#attempt = 0;
  }
}
