import { cellCount } from './grid.ts';
import type { ScoredBox } from './nms.ts';

/**
 * Reads NanoDet's raw output: for each stride one table of class scores, already 0..1, and one of distances, a row a
 * cell. The four distances from the cell's middle (left, top, right, bottom) are distributions over whole strides
 * (Li et al. 2020, arXiv:2006.04388), given as logarithms up to a constant: the distance is their expectation. Pure.
 */
export interface NanodetLevel {
  readonly stride: number;
  readonly scores: Float32Array;
  readonly distances: Float32Array;
}

export interface NanodetLayout {
  readonly inputPx: number;
  /** The first class is the person. */
  readonly classCount: number;
  /** Of each distribution: distances of 0 to `binCount - 1` strides. */
  readonly binCount: number;
}

/** Boxes of people of at least `minScore`, in input pixels, not clipped. Rows that are no box are passed over. */
export function decodeNanodet(levels: readonly NanodetLevel[], layout: NanodetLayout, minScore: number): ScoredBox[] {
  const { inputPx, classCount, binCount } = layout;
  const boxes: ScoredBox[] = [];
  for (const { stride, scores, distances } of levels) {
    const side = Math.floor(inputPx / stride);
    const count = cellCount(inputPx, stride);
    if (scores.length !== count * classCount || distances.length !== count * 4 * binCount) {
      throw new RangeError('The output does not have the length that its layout says');
    }
    for (let cell = 0; cell < count; cell++) {
      const score = scores[cell * classCount] as number;
      if (!(score >= minScore)) continue;
      const at = cell * 4 * binCount;
      const [left, top, right, bottom] = [0, 1, 2, 3].map(
        (edge) => expectation(distances, at + edge * binCount, binCount) * stride,
      ) as [number, number, number, number];
      const x = ((cell % side) + 0.5) * stride - left;
      const y = (Math.floor(cell / side) + 0.5) * stride - top;
      const [w, h] = [left + right, top + bottom];
      if (w > 0 && h > 0 && Number.isFinite(x + y + w + h + score))
        boxes.push({ x, y, w, h, score: Math.min(1, score) });
    }
  }
  return boxes;
}

function expectation(values: Float32Array, from: number, count: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = from; i < from + count; i++) most = Math.max(most, values[i] as number);
  let sum = 0;
  let weighted = 0;
  for (let i = 0; i < count; i++) {
    const part = Math.exp((values[from + i] as number) - most);
    sum += part;
    weighted += part * i;
  }
  return weighted / sum;
}
