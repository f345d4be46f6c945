/**
 * The days that open requests may concern, held from purging until each expires: one day before the window to one after,
 * whatever the owner does. Told to every recorder again and again, because a recorder may have been away when a request came,
 * and the same for every request, so that nothing about a decision can be seen from it.
 */
import type { LedgerDb } from '../store/ledger-db.ts';

const repeatMs = 10 * 60 * 1000;
const retryMs = 15_000;
const dayMs = 24 * 3600 * 1000;

export interface DayHoldsOptions {
  readonly db: LedgerDb;
  readonly cameras: readonly string[];
  readonly monotonicMs: () => number;
  readonly hold: (camera: string, params: { days: readonly string[]; untilMs: number }) => Promise<unknown>;
  readonly onFailure: (camera: string, thrown: unknown) => void;
}

/** UTC days from one day before to one day after. */
export function daysAround(fromMs: number, toMs: number): string[] {
  const days: string[] = [];
  for (let at = fromMs - dayMs; at < toMs + 2 * dayMs; at += dayMs) {
    const day = new Date(Math.min(at, toMs + dayMs)).toISOString().slice(0, 10);
    if (!days.includes(day)) days.push(day);
  }
  return days;
}

export class DayHolds {
  readonly #o: DayHoldsOptions;
  /** When each camera is to be told again; absent: now. */
  readonly #next = new Map<string, number>();

  constructor(options: DayHoldsOptions) {
    this.#o = options;
  }

  /** A request came: tell all of them at the next tick. */
  soon(): void {
    this.#next.clear();
  }

  tick(): void {
    const nowMs = this.#o.monotonicMs();
    for (const camera of this.#o.cameras) {
      if ((this.#next.get(camera) ?? Number.NEGATIVE_INFINITY) > nowMs) continue;
      this.#next.set(camera, nowMs + repeatMs);
      this.#tell(camera).catch((thrown: unknown) => {
        // Unless a new request is to be told of at once anyway.
        if (this.#next.has(camera)) this.#next.set(camera, nowMs + retryMs);
        this.#o.onFailure(camera, thrown);
      });
    }
  }

  async #tell(camera: string): Promise<void> {
    // What was shared, withdrawn or declined is held like what was not: the row stays until the request's own end.
    for (const row of this.#o.db.requests()) {
      const days = daysAround(row.window_from_s * 1000, row.window_to_s * 1000);
      await this.#o.hold(camera, { days, untilMs: row.expires_at_s * 1000 });
    }
  }
}
