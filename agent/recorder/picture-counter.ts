import type { Fragment } from './stages.ts';

type Timed = Pick<Fragment, 'startMs' | 'durationMs' | 'pictureCount'>;

interface Numbered extends Timed {
  /** Pictures in earlier fragments. */
  readonly before: number;
}

/** Numbers the pictures of a run in the order of showing, so that a time can be compared with a truth kept by picture. */
export class PictureCounter {
  #count = 0;
  #startMs: number | undefined;
  #endMs = 0;
  #fragments: Numbered[] = [];

  get count(): number {
    return this.#count;
  }

  /** Of the first picture, on the run's time line. */
  get startMs(): number | undefined {
    return this.#startMs;
  }

  get durationMs(): number {
    return this.#startMs === undefined ? 0 : this.#endMs - this.#startMs;
  }

  push({ startMs, durationMs, pictureCount }: Timed): void {
    this.#startMs ??= startMs;
    this.#endMs = Math.max(this.#endMs, startMs + durationMs);
    // Never the fragment itself, which would keep its bytes.
    this.#fragments.push({ startMs, durationMs, pictureCount, before: this.#count });
    this.#count += pictureCount;
  }

  /** Number from 0 of the picture shown at that time; exact where the pictures of a fragment are evenly spaced. */
  numberAt(timeMs: number): number {
    const found = this.#fragments.findLast(({ startMs }) => startMs <= timeMs) ?? this.#fragments[0];
    if (found === undefined) return 0;
    const { startMs, durationMs, pictureCount } = found;
    const share = durationMs > 0 ? (timeMs - startMs) / durationMs : 0;
    return found.before + Math.min(pictureCount - 1, Math.max(0, Math.round(share * pictureCount)));
  }

  forgetBefore(timeMs: number): void {
    const keepFrom = this.#fragments.findLastIndex(({ startMs }) => startMs <= timeMs);
    if (keepFrom > 0) this.#fragments.splice(0, keepFrom);
  }
}
