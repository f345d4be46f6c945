import type { Box } from '../stages.ts';
import { overlapRatio } from './nms.ts';

/**
 * Which of what stands out from the background is worth a look now. Something new always is; what has been looked at
 * again and again and stays as it is (a parcel, a parked car, somebody who stands and is known) is looked at once a
 * second. Pure.
 */
interface Known {
  /** As it was when the looks at it began: slow change adds up against it. */
  readonly box: Box;
  lookCount: number;
  lastLookMs: number;
  lastSeenMs: number;
}

const sameRatio = 0.85;
const enoughLooks = 5;
const againMs = 1000;
const forgetMs = 3000;

export class Attention {
  #known: Known[] = [];

  select(timeMs: number, boxes: readonly Box[]): Box[] {
    this.#known = this.#known.filter(({ lastSeenMs }) => timeMs - lastSeenMs <= forgetMs);
    return boxes.filter((box) => {
      const known = this.#find(box);
      if (known === undefined) return true;
      known.lastSeenMs = timeMs;
      return known.lookCount < enoughLooks || timeMs - known.lastLookMs >= againMs;
    });
  }

  looked(timeMs: number, boxes: readonly Box[]): void {
    for (const box of boxes) {
      const known = this.#find(box);
      if (known === undefined) this.#known.push({ box, lookCount: 1, lastLookMs: timeMs, lastSeenMs: timeMs });
      else Object.assign(known, { lookCount: known.lookCount + 1, lastLookMs: timeMs });
    }
  }

  clear(): void {
    this.#known = [];
  }

  #find(box: Box): Known | undefined {
    return this.#known.find((known) => overlapRatio(known.box, box) >= sameRatio);
  }
}
