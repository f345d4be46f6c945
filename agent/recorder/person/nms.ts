/** Non-maximum suppression: of boxes that show the same person, the surest stays. Pure. */
export interface ScoredBox {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
  readonly score: number;
}

type Area = Omit<ScoredBox, 'score'>;

/** A box and the crop that it was found in. */
export interface CropBox extends ScoredBox {
  readonly crop: number;
}

export function intersectionArea(a: Area, b: Area): number {
  const w = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
  const h = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y);
  return w > 0 && h > 0 ? w * h : 0;
}

/** Intersection over union, 0..1. */
export function overlapRatio(a: Area, b: Area): number {
  const shared = intersectionArea(a, b);
  return shared === 0 ? 0 : shared / (a.w * a.h + b.w * b.h - shared);
}

export interface NmsOptions {
  /** Intersection over union above which two boxes are one person. */
  readonly overlapRatio: number;
  /**
   * Share of the smaller box inside the larger above which they are one person where they come from different crops: a
   * crop's edge cuts people, and the piece lies within the whole one found in another crop. Within one crop somebody
   * small before somebody large is two people.
   */
  readonly insideRatio: number;
}

/** Keeps the input's elements, highest score first; equal scores keep their order. */
export function suppressOverlaps<T extends CropBox>(boxes: readonly T[], options: NmsOptions): T[] {
  const sorted = boxes.toSorted((a, b) => b.score - a.score);
  const kept: T[] = [];
  for (const box of sorted) {
    const repeated = kept.some((other) => {
      const shared = intersectionArea(box, other);
      if (shared === 0) return false;
      const areas = [box.w * box.h, other.w * other.h] as const;
      return (
        shared > options.overlapRatio * (areas[0] + areas[1] - shared) ||
        (box.crop !== other.crop && shared > options.insideRatio * Math.min(...areas))
      );
    });
    if (!repeated) kept.push(box);
  }
  return kept;
}
