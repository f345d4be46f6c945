import type { Fragment } from '../stages.ts';

/**
 * The pre-roll ring: the newest fragments in memory, by whole GOPs, so that a clip can begin before its cause was seen.
 * Bounded in time (two GOPs more than the pre-roll, or as far back as `keepFrom` asks) and, whatever is asked, in bytes.
 */
export interface RingOptions {
  readonly preRollMs: number;
  /** `keepFrom` can't reach further back than this. */
  readonly maxSpanMs: number;
  readonly maxBytes: number;
}

interface Gop {
  readonly fragments: Fragment[];
  readonly startMs: number;
  endMs: number;
  bytes: number;
}

export class PreRollRing {
  readonly #options: RingOptions;
  #gops: Gop[] = [];
  #bytes = 0;
  #keepFromMs = Number.POSITIVE_INFINITY;
  #droppedCount = 0;
  /** After a drop inside a GOP, nothing is decodable before the next keyframe. */
  #waitsForKeyframe = true;

  constructor(options: RingOptions) {
    this.#options = options;
  }

  push(fragment: Fragment): void {
    if (fragment.keyframe) {
      this.#gops.push({ fragments: [], startMs: fragment.startMs, endMs: fragment.startMs, bytes: 0 });
      this.#waitsForKeyframe = false;
    }
    const gop = this.#gops.at(-1);
    if (gop === undefined || this.#waitsForKeyframe) {
      this.#droppedCount += 1;
      return;
    }
    gop.fragments.push(fragment);
    gop.endMs = fragment.startMs + fragment.durationMs;
    gop.bytes += fragment.bytes.length;
    this.#bytes += fragment.bytes.length;
    this.#trim();
  }

  /** Keeps everything from the GOP at `fromMs` on, beyond the pre-roll; undefined ends that. */
  keepFrom(fromMs: number | undefined): void {
    this.#keepFromMs = fromMs ?? Number.POSITIVE_INFINITY;
  }

  /** From the last keyframe at or before `fromMs` (or the oldest there is), in order. */
  since(fromMs: number): Fragment[] {
    const first = Math.max(
      0,
      this.#gops.findLastIndex((gop) => gop.startMs <= fromMs),
    );
    return this.#gops.slice(first).flatMap((gop) => gop.fragments);
  }

  clear(): void {
    this.#gops = [];
    this.#bytes = 0;
    this.#waitsForKeyframe = true;
  }

  /** Start of the oldest fragment, or undefined when the ring is empty. */
  get startMs(): number | undefined {
    return this.#gops[0]?.startMs;
  }

  /** End of the newest fragment, or undefined when the ring is empty. */
  get endMs(): number | undefined {
    return this.#gops.at(-1)?.endMs;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Fragments lost to the bound in bytes, or for want of a keyframe. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  #trim(): void {
    const endMs = this.endMs ?? 0;
    const lastGops = this.#gops.slice(-3, -1).reduce((sum, gop) => sum + gop.endMs - gop.startMs, 0);
    const preRollFromMs = endMs - this.#options.preRollMs - lastGops;
    const fromMs = Math.max(Math.min(preRollFromMs, this.#keepFromMs), endMs - this.#options.maxSpanMs);
    for (let oldest = this.#gops[0]; oldest !== undefined && oldest.endMs <= fromMs; oldest = this.#gops[0]) {
      this.#forget();
    }
    while (this.#bytes > this.#options.maxBytes && this.#gops.length > 0) {
      this.#droppedCount += this.#gops[0]?.fragments.length ?? 0;
      this.#forget();
      this.#waitsForKeyframe = this.#gops.length === 0;
    }
  }

  #forget(): void {
    this.#bytes -= this.#gops.shift()?.bytes ?? 0;
  }
}
