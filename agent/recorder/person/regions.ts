import type { Box } from '../stages.ts';

/**
 * Where to look for people: turns what moved into few square crops, so that a small far figure fills a good part of the
 * model's input and a still frame costs nothing. Pure.
 */
export interface RegionOptions {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Side of the smallest crop: below that of the model's input, small things are seen larger than they are. */
  readonly leastPx: number;
  /** At most this many crops, because each costs one run of the model. */
  readonly maxCount: number;
  /** Added around each moving box on every side, as a share of its longer side: legs may move while a head rests. */
  readonly contextRatio: number;
  /** Side of a crop to that of what it must contain. Often only a part of somebody moves, and the model knows whole people. */
  readonly roomRatio: number;
  /** One more crop: the whole frame. */
  readonly alsoWhole?: boolean;
}

interface Extent {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Above this share of the picture a crop saves nothing over the whole. */
const wholeRatio = 0.8;

/**
 * Crops that together contain every box, each within the frame. The whole frame when there is no box (a global change,
 * or nothing known) or when one crop would be nearly all of it.
 */
export function planRegions(boxes: readonly Box[], options: RegionOptions): Box[] {
  const whole: Box = { x: 0, y: 0, w: options.widthPx, h: options.heightPx };
  let groups = boxes.map((box) => padded(box, options));
  if (groups.length === 0) return [whole];
  groups = mergeWhile(groups, (a, b, union) => touches(a, b) || sideOf(union) <= options.leastPx);
  while (groups.length > options.maxCount) groups = mergeCheapest(groups);
  const crops = groups.map((group) => squareAround(group, options));
  const wholeArea = whole.w * whole.h;
  if (crops.some((crop) => crop.w * crop.h >= wholeRatio * wholeArea)) return [whole];
  return options.alsoWhole === true ? [...crops, whole] : crops;
}

function padded(box: Box, options: RegionOptions): Extent {
  const pad = Math.round(Math.max(box.w, box.h) * options.contextRatio);
  return {
    left: clamp(box.x - pad, 0, options.widthPx - 1),
    top: clamp(box.y - pad, 0, options.heightPx - 1),
    right: clamp(box.x + box.w + pad, 1, options.widthPx),
    bottom: clamp(box.y + box.h + pad, 1, options.heightPx),
  };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

function unite(a: Extent, b: Extent): Extent {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

function touches(a: Extent, b: Extent): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function sideOf(e: Extent): number {
  return Math.max(e.right - e.left, e.bottom - e.top);
}

/** Unites pairs until none qualifies: a union may touch what its parts did not. */
function mergeWhile(groups: readonly Extent[], qualifies: (a: Extent, b: Extent, union: Extent) => boolean): Extent[] {
  const left = [...groups];
  for (let i = 0; i < left.length; i++) {
    for (let j = i + 1; j < left.length; j++) {
      const a = left[i] as Extent;
      const b = left[j] as Extent;
      const union = unite(a, b);
      if (!qualifies(a, b, union)) continue;
      left[i] = union;
      left.splice(j, 1);
      // Start over: earlier groups may now qualify with the union.
      i = -1;
      break;
    }
  }
  return left;
}

/** Unites the pair whose union is smallest, which loses the least detail. */
function mergeCheapest(groups: readonly Extent[]): Extent[] {
  let best = { i: 0, j: 1, side: Number.POSITIVE_INFINITY };
  for (let i = 0; i < groups.length; i++) {
    for (let j = i + 1; j < groups.length; j++) {
      const side = sideOf(unite(groups[i] as Extent, groups[j] as Extent));
      if (side < best.side) best = { i, j, side };
    }
  }
  const union = unite(groups[best.i] as Extent, groups[best.j] as Extent);
  return [...groups.filter((_, k) => k !== best.i && k !== best.j), union];
}

/** A square around the group, moved into the frame; cut where the frame is smaller. */
function squareAround(group: Extent, options: RegionOptions): Box {
  const side = Math.max(options.leastPx, Math.round(sideOf(group) * options.roomRatio));
  const w = Math.min(side, options.widthPx);
  const h = Math.min(side, options.heightPx);
  const x = clamp(Math.round((group.left + group.right - w) / 2), 0, options.widthPx - w);
  const y = clamp(Math.round((group.top + group.bottom - h) / 2), 0, options.heightPx - h);
  return { x, y, w, h };
}
