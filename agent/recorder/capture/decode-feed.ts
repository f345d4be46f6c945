import type { Fragment } from '../stages.ts';

/**
 * What waits to be decoded. For a live source it is bounded by time: when the decoder lags, everything up to the newest
 * keyframe is dropped (or, without one, everything until the next), so that it always goes on with a whole GOP. For a
 * fast file nothing is dropped and the reader is asked to wait instead. Pure.
 */
const longestWaitMs = 1500;
const largestBacklogBytes = 4 << 20;

export class DecodeFeed {
  readonly #lossless: boolean;
  #waiting: Fragment[] = [];
  #bytes = 0;
  #needsKeyframe = true;
  #droppedCount = 0;

  constructor(lossless: boolean) {
    this.#lossless = lossless;
  }

  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** True when a reader that can wait should. */
  get full(): boolean {
    return this.#bytes > largestBacklogBytes / 4;
  }

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  push(fragment: Fragment): void {
    if (this.#needsKeyframe && !fragment.keyframe) {
      this.#droppedCount += 1;
      return;
    }
    this.#needsKeyframe = false;
    this.#waiting.push(fragment);
    this.#bytes += fragment.bytes.byteLength;
    if (!this.#lossless && this.#tooLong()) this.#dropTo(this.#lastKeyframe());
  }

  shift(): Fragment | undefined {
    const fragment = this.#waiting.shift();
    if (fragment !== undefined) this.#bytes -= fragment.bytes.byteLength;
    return fragment;
  }

  /** A new decoder knows nothing of what the last one got: go on at a keyframe. */
  restart(): void {
    const first = this.#waiting.findIndex((fragment) => fragment.keyframe);
    this.#dropTo(first);
  }

  #tooLong(): boolean {
    const first = this.#waiting[0];
    const last = this.#waiting.at(-1);
    if (first === undefined || last === undefined) return false;
    return last.startMs - first.startMs > longestWaitMs || this.#bytes > largestBacklogBytes;
  }

  #lastKeyframe(): number {
    const index = this.#waiting.findLastIndex((fragment) => fragment.keyframe);
    // A keyframe at the very front heads the GOP that is too long: keeping it would keep everything.
    return index === 0 ? -1 : index;
  }

  #dropTo(index: number): void {
    const keep = index < 0 ? [] : this.#waiting.slice(index);
    this.#droppedCount += this.#waiting.length - keep.length;
    this.#waiting = keep;
    this.#bytes = keep.reduce((sum, fragment) => sum + fragment.bytes.byteLength, 0);
    if (keep.length === 0) this.#needsKeyframe = true;
  }
}
