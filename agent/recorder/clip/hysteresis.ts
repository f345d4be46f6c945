/**
 * When an event opens, extends and closes. Pure: evidence and time in, changes out. All times are run-relative.
 *
 * Motion opens an event in mode `motion` only; in mode `person` it makes a *candidate*, so that the clip of a person
 * begins before the motion that announced them. Evidence may arrive a little late (person checks take time); an event
 * closes only when everything up to its end has been looked at (`settle`).
 */
export type EventMode = 'motion' | 'person';
export type EventTrigger = 'motion' | 'person' | 'button';

export interface EventOptions {
  readonly preRollMs: number;
  readonly postRollMs: number;
  /** Motion after a longer pause is a new candidate. */
  readonly candidateGapMs: number;
  /** How far a candidate may begin before the person is confirmed. */
  readonly candidateReachMs: number;
}

export type EventChange =
  | { readonly kind: 'opened'; readonly trigger: EventTrigger; readonly fromMs: number; readonly untilMs: number }
  | { readonly kind: 'extended'; readonly untilMs: number }
  | { readonly kind: 'closed'; readonly untilMs: number };

export class EventMachine {
  /** May change at any time; an open event goes on. */
  mode: EventMode;
  readonly #options: EventOptions;
  /** End of the open event as known so far. */
  #untilMs: number | undefined;
  /** No event reaches back into the one before it. */
  #lastEndMs = Number.NEGATIVE_INFINITY;
  #candidate: { fromMs: number; lastMs: number } | undefined;

  constructor(mode: EventMode, options: EventOptions) {
    this.mode = mode;
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#untilMs !== undefined;
  }

  /** Where a clip would have to begin if a person were confirmed now; undefined when nothing has moved lately. */
  get candidateFromMs(): number | undefined {
    return this.#candidate === undefined ? undefined : this.#candidate.fromMs - this.#options.preRollMs;
  }

  motion(timeMs: number): EventChange[] {
    const { candidateGapMs, candidateReachMs } = this.#options;
    const candidate = this.#candidate;
    const continues = candidate !== undefined && timeMs - candidate.lastMs <= candidateGapMs;
    const fromMs = continues ? Math.max(candidate.fromMs, timeMs - candidateReachMs) : timeMs;
    this.#candidate = { fromMs, lastMs: Math.max(timeMs, continues ? candidate.lastMs : timeMs) };
    return this.mode === 'motion' ? this.#evidence('motion', timeMs) : [];
  }

  /** `firstSeenMs`: the first look that saw the person, before enough looks had confirmed it. */
  person(timeMs: number, firstSeenMs: number = timeMs): EventChange[] {
    return this.#evidence('person', timeMs, Math.min(firstSeenMs, this.#candidate?.fromMs ?? firstSeenMs));
  }

  button(timeMs: number): EventChange[] {
    return this.#evidence('button', timeMs);
  }

  /** Everything up to `horizonMs` has been looked at. */
  settle(horizonMs: number): EventChange[] {
    if (this.#candidate !== undefined && horizonMs - this.#candidate.lastMs > this.#options.candidateGapMs) {
      this.#candidate = undefined;
    }
    if (this.#untilMs === undefined || horizonMs < this.#untilMs) return [];
    return this.#close(this.#untilMs);
  }

  /** The run is over: an open event ends with it. */
  end(timeMs: number): EventChange[] {
    const changes = this.#untilMs === undefined ? [] : this.#close(Math.min(timeMs, this.#untilMs));
    this.#candidate = undefined;
    this.#lastEndMs = Number.NEGATIVE_INFINITY;
    return changes;
  }

  #evidence(trigger: EventTrigger, timeMs: number, sinceMs: number = timeMs): EventChange[] {
    const untilMs = timeMs + this.#options.postRollMs;
    if (this.#untilMs === undefined) {
      // Late evidence about a time that a closed event already covers opens nothing.
      if (untilMs <= this.#lastEndMs) return [];
      this.#untilMs = untilMs;
      const fromMs = Math.max(sinceMs - this.#options.preRollMs, this.#lastEndMs);
      return [{ kind: 'opened', trigger, fromMs, untilMs }];
    }
    if (untilMs <= this.#untilMs) return [];
    this.#untilMs = untilMs;
    return [{ kind: 'extended', untilMs }];
  }

  #close(untilMs: number): EventChange[] {
    this.#untilMs = undefined;
    this.#lastEndMs = untilMs;
    return [{ kind: 'closed', untilMs }];
  }
}
