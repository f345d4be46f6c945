import type { ClipLabel } from '../../protocol/clip-metadata.ts';
import type { Box } from '../stages.ts';

/** What was seen when, as intervals. Sightings of one track, or with only short pauses between them, are one label. */
interface Sighting {
  readonly kind: ClipLabel['kind'];
  track: number;
  fromMs: number;
  toMs: number;
  score: number;
  box: Box;
}

export interface LabelScale {
  /** Wall time of the run's time 0. */
  readonly wallAtZeroMs: number;
  /** The picture in which boxes were found, and the one that is recorded. */
  readonly seen: { readonly widthPx: number; readonly heightPx: number };
  readonly recorded: { readonly widthPx: number; readonly heightPx: number };
}

const maxPauseMs = 2000;
const maxSightings = 500;

export class LabelLog {
  #sightings: Sighting[] = [];

  /**
   * `box` in pixels of the small picture; the best-scored (for motion: the largest) is kept. Run-relative time. `track`
   * joins what one person did however long they were hidden.
   */
  add(kind: ClipLabel['kind'], timeMs: number, score: number, box: Box, track = 0): void {
    const last = this.#sightings.findLast((sighting) => sighting.kind === kind);
    const same = last !== undefined && track > 0 && last.track === track;
    if (last === undefined || (!same && timeMs - last.toMs > maxPauseMs)) {
      this.#sightings.push({ kind, track, fromMs: timeMs, toMs: timeMs, score, box });
      if (this.#sightings.length > maxSightings) this.#sightings.shift();
      return;
    }
    last.track = track;
    last.toMs = Math.max(last.toMs, timeMs);
    last.fromMs = Math.min(last.fromMs, timeMs);
    const better = kind === 'person' ? score > last.score : box.w * box.h > last.box.w * last.box.h;
    if (better) {
      last.score = score;
      last.box = box;
    }
  }

  /** The part of every label that lies within [fromMs, toMs], in wall time and recorded pixels. */
  within(fromMs: number, toMs: number, scale: LabelScale): ClipLabel[] {
    return this.#sightings
      .filter((sighting) => sighting.toMs >= fromMs && sighting.fromMs <= toMs)
      .map((sighting) => ({
        kind: sighting.kind,
        from_ms: Math.round(scale.wallAtZeroMs + Math.max(sighting.fromMs, fromMs)),
        to_ms: Math.round(scale.wallAtZeroMs + Math.min(sighting.toMs, toMs)),
        score: Math.min(1, Math.max(0, sighting.score)),
        box: scaleBox(sighting.box, scale),
      }));
  }

  /** Drops what ended before `timeMs`. */
  forgetBefore(timeMs: number): void {
    this.#sightings = this.#sightings.filter((sighting) => sighting.toMs >= timeMs);
  }

  clear(): void {
    this.#sightings = [];
  }
}

function scaleBox(box: Box, { seen, recorded }: LabelScale): ClipLabel['box'] {
  const sx = recorded.widthPx / seen.widthPx;
  const sy = recorded.heightPx / seen.heightPx;
  const x = Math.max(0, Math.min(recorded.widthPx - 1, Math.floor(box.x * sx)));
  const y = Math.max(0, Math.min(recorded.heightPx - 1, Math.floor(box.y * sy)));
  return {
    x,
    y,
    w: Math.max(1, Math.min(recorded.widthPx - x, Math.ceil(box.w * sx))),
    h: Math.max(1, Math.min(recorded.heightPx - y, Math.ceil(box.h * sy))),
  };
}
