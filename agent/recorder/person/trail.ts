import type { Box } from '../stages.ts';
import { intersectionArea, overlapRatio } from './nms.ts';

/**
 * What moved in the last seconds. A model sees whole people; what moves is seen from the first foot in the picture to
 * the last heel, so the way of a person can be followed back before the first detection and on after the last. Pure.
 */
interface Step {
  readonly timeMs: number;
  readonly boxes: readonly Box[];
}

/** Longest time that is remembered. */
const rememberMs = 5000;
/** A way ends where nothing moved at its end for longer. */
const longestPauseMs = 700;
/** Somebody who runs is beside where they were a frame ago: so much of the box's longer side. */
const stepRatio = 0.25;
/** A box this many times as large as any of the way before it is something else, or several people in one. */
const largestGrowth = 2.5;
/** What stays as it is for longer than a pause is no way of anybody: what somebody left, or light on the ground. */
const sameRatio = 0.9;

export interface TrailEnd {
  readonly timeMs: number;
  readonly box: Box;
}

export class MotionTrail {
  #steps: Step[] = [];
  #isKnown = false;

  /** Whether anybody tells what moves. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Once for every frame, in order of time, whether something moved or not. */
  add(timeMs: number, boxes: readonly Box[]): void {
    this.#isKnown = true;
    this.#steps.push({ timeMs, boxes });
    while ((this.#steps[0]?.timeMs ?? timeMs) < timeMs - rememberMs) this.#steps.shift();
  }

  clear(): void {
    this.#steps = [];
  }

  /** Largest share of the box that was covered by what moved in the `sinceMs` before `timeMs`. 0 where nobody told. */
  coveredRatio(box: Box, timeMs: number, sinceMs: number): number {
    const area = Math.max(1, box.w * box.h);
    let most = 0;
    for (const step of this.#steps) {
      if (step.timeMs > timeMs || step.timeMs < timeMs - sinceMs) continue;
      // Components are apart, though their boxes may overlap a little.
      const covered = step.boxes.reduce((sum, moving) => sum + intersectionArea(moving, box), 0);
      most = Math.max(most, Math.min(1, covered / area));
    }
    return most;
  }

  /** Where and when the way that led to the box began, at most `reachMs` before. */
  before(box: Box, timeMs: number, reachMs: number): TrailEnd {
    const steps = this.#steps.filter((step) => step.timeMs <= timeMs && step.timeMs >= timeMs - reachMs).toReversed();
    return follow({ timeMs, box }, steps);
  }

  /** Where and when the way that leads on from the box had come to by `untilMs`. `wholePx`: area of all of the person. */
  after(from: TrailEnd, untilMs: number, wholePx = 0): TrailEnd {
    const steps = this.#steps.filter((step) => step.timeMs > from.timeMs && step.timeMs <= untilMs);
    return follow(from, steps, wholePx);
  }
}

function follow(from: TrailEnd, steps: readonly Step[], wholePx = 0): TrailEnd {
  let end = from;
  let rest = from;
  let largestPx = Math.max(wholePx, from.box.w * from.box.h);
  for (const { timeMs, boxes } of steps) {
    if (Math.abs(timeMs - end.timeMs) > longestPauseMs) break;
    const box = continuation(end.box, boxes, largestPx * largestGrowth);
    if (box === undefined) continue;
    largestPx = Math.max(largestPx, box.w * box.h);
    end = { timeMs, box };
    if (overlapRatio(rest.box, box) < sameRatio) rest = end;
    if (Math.abs(timeMs - rest.timeMs) > longestPauseMs) return rest;
  }
  return end;
}

function continuation(box: Box, boxes: readonly Box[], mostPx: number): Box | undefined {
  const step = stepRatio * Math.max(box.w, box.h);
  const near = { x: box.x - step, y: box.y - step, w: box.w + 2 * step, h: box.h + 2 * step };
  const fitting = boxes.filter((next) => intersectionArea(next, near) > 0 && next.w * next.h <= mostPx);
  return fitting.toSorted((a, b) => overlapRatio(b, box) - overlapRatio(a, box))[0];
}
