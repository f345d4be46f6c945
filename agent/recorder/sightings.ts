import type { Sighted } from './clip/clip-recorder.ts';
import { PictureCounter } from './picture-counter.ts';
import type { ClipKeeper } from './pipeline.ts';
import type { Box, Fragment, Run, SmallFrame } from './stages.ts';

/**
 * Stands where the clip recorder stands and keeps nothing of the stream: what was seen becomes one line an event. Its
 * times begin at zero with the stream and, unlike a clip's, hold no pre-roll or post-roll.
 */
export interface SeenEvent {
  /** `person` as soon as one was confirmed in it. */
  readonly kind: 'person' | 'motion';
  /** Numbers of source pictures, from 0, of the first and last sighting of that kind. */
  readonly firstFrame: number;
  readonly lastFrame: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Of the best sighting, 0..1; 0 for motion. */
  readonly score: number;
  /** Of the best sighting, in source pixels: x, y, w, h. */
  readonly box: readonly [number, number, number, number];
}

/** A picture worth showing, with what was seen in it. */
export interface Shot {
  readonly frame: SmallFrame;
  readonly kind: 'person' | 'motion';
  readonly score: number;
  readonly box: Box;
}

/** When the event opened, its best sighting and its last one. */
export type Shots = readonly Shot[];

/** Evidence of an event may lie before it opened: pre-roll and candidate reach. */
const rememberMs = 60_000;

interface Sighting {
  readonly kind: Sighted['kind'];
  readonly frame: number;
  readonly timeMs: number;
  readonly score: number;
  readonly box: Box;
}

interface Tally {
  first: Sighting;
  last: Sighting;
  best: Sighting;
}

interface OpenEvent {
  readonly fromMs: number;
  readonly tallies: Map<Sighted['kind'], Tally>;
  readonly opening: Shot | undefined;
  best: Shot | undefined;
  last: Shot | undefined;
}

export class Sightings implements ClipKeeper {
  readonly #onEvent: (event: SeenEvent, shots: Shots) => void;
  #pictures = new PictureCounter();
  #run: Run | undefined;
  #wallAtZeroMs = 0;
  #newestMs: number | undefined;
  #recent: Sighting[] = [];
  #latest: Shot | undefined;
  #event: OpenEvent | undefined;

  constructor(onEvent: (event: SeenEvent, shots: Shots) => void) {
    this.#onEvent = onEvent;
  }

  get newestMs(): number | undefined {
    return this.#newestMs;
  }

  get pictures(): Pick<PictureCounter, 'count' | 'startMs' | 'durationMs'> {
    return this.#pictures;
  }

  startRun(run: Run): void {
    this.endRun();
    this.#run = run;
    this.#pictures = new PictureCounter();
    this.#newestMs = undefined;
    this.#recent = [];
    this.#latest = undefined;
  }

  endRun(): void {
    this.end();
  }

  anchor(_runId: string, wallAtZeroMs: number): void {
    this.#wallAtZeroMs = wallAtZeroMs;
  }

  toWallMs(timeMs: number): number {
    return Math.round(this.#wallAtZeroMs + timeMs);
  }

  push(fragment: Fragment): void {
    this.#pictures.push(fragment);
    this.#newestMs = fragment.startMs + fragment.durationMs;
  }

  keepFrom(): void {}
  extend(): void {}
  picture(): void {}

  settle(horizonMs: number): void {
    this.#recent = this.#recent.filter(({ timeMs }) => timeMs >= horizonMs - rememberMs);
    this.#pictures.forgetBefore(horizonMs - rememberMs);
  }

  begin(_trigger: unknown, fromMs: number): void {
    const shot = this.#latest;
    this.#event = { fromMs, tallies: new Map(), opening: shot, best: shot, last: shot };
    for (const sighting of this.#recent) this.#tally(sighting);
  }

  label(frame: SmallFrame, seen: Sighted): void {
    const { kind, score, box, sinceMs = frame.timeMs } = seen;
    const times = sinceMs < frame.timeMs ? [sinceMs, frame.timeMs] : [frame.timeMs];
    for (const timeMs of times) {
      const sighting = { kind, frame: this.#pictures.numberAt(timeMs), timeMs, score, box: this.#toSource(frame, box) };
      this.#recent.push(sighting);
      this.#tally(sighting);
    }
    // Where motion alone leads on from the last detection there may be no more than a shadow to show.
    if (kind !== 'person' || score > 0)
      this.#show({ frame, kind: kind === 'person' ? 'person' : 'motion', score, box });
  }

  end(): void {
    const event = this.#event;
    this.#event = undefined;
    const kind = event?.tallies.has('person') === true ? 'person' : 'motion';
    const tally = event?.tallies.get(kind);
    if (event === undefined || tally === undefined) return;
    const { first, last, best } = tally;
    const atMs = (timeMs: number): number => Math.max(0, Math.round(timeMs - (this.#pictures.startMs ?? 0)));
    const { x, y, w, h } = best.box;
    const seen: SeenEvent = {
      kind,
      firstFrame: first.frame,
      lastFrame: last.frame,
      firstMs: atMs(first.timeMs),
      lastMs: atMs(last.timeMs),
      score: Math.round(best.score * 1e4) / 1e4,
      box: [x, y, w, h],
    };
    const shots = [event.opening, event.best, event.last].filter((shot) => shot !== undefined);
    this.#onEvent(seen, [...new Set(shots)]);
  }

  #tally(sighting: Sighting): void {
    const event = this.#event;
    if (event === undefined || sighting.timeMs < event.fromMs) return;
    const tally = event.tallies.get(sighting.kind);
    if (tally === undefined) {
      event.tallies.set(sighting.kind, { first: sighting, last: sighting, best: sighting });
      return;
    }
    if (sighting.timeMs < tally.first.timeMs) tally.first = sighting;
    if (sighting.timeMs > tally.last.timeMs) tally.last = sighting;
    if (isBetter(sighting, tally.best)) tally.best = sighting;
  }

  #show(shot: Shot): void {
    this.#latest = shot;
    const event = this.#event;
    if (event === undefined) return;
    if (event.last?.kind !== 'person' || shot.kind === 'person') event.last = shot;
    if (event.best === undefined || isBetter(shot, event.best)) event.best = shot;
  }

  #toSource({ widthPx, heightPx }: SmallFrame, { x, y, w, h }: Box): Box {
    const scaleX = (this.#run?.widthPx ?? widthPx) / widthPx;
    const scaleY = (this.#run?.heightPx ?? heightPx) / heightPx;
    const left = Math.round(x * scaleX);
    const top = Math.round(y * scaleY);
    return { x: left, y: top, w: Math.round((x + w) * scaleX) - left, h: Math.round((y + h) * scaleY) - top };
  }
}

/** The surer one; of equally sure ones (motion has no score) the larger. */
function isBetter(a: Pick<Shot, 'score' | 'box'>, b: Pick<Shot, 'score' | 'box'>): boolean {
  return a.score > b.score || (a.score === b.score && a.box.w * a.box.h > b.box.w * b.box.h);
}
