import { cellCount } from './grid.ts';
import type { ScoredBox } from './nms.ts';

/**
 * Reads YOLOX's raw output (Ge et al. 2021, arXiv:2107.08430): one row a grid cell, all cells of the first stride row by
 * row, then the next stride. A row is x, y, log w, log h, objectness, class scores; x and y are offsets from the cell in
 * strides, and both kinds of score are already 0..1. Pure.
 */
export interface YoloxLayout {
  readonly inputPx: number;
  readonly strides: readonly number[];
  /** 5 + classes. The first class is the person. */
  readonly rowLength: number;
}

/** Rows of the output: the sum of the grids' cells. */
export function rowCount({ inputPx, strides }: Pick<YoloxLayout, 'inputPx' | 'strides'>): number {
  return strides.reduce((sum, stride) => sum + cellCount(inputPx, stride), 0);
}

/**
 * Boxes of people with `objectness * person >= minScore`, in input pixels, clipped to nothing: a person reaches beyond
 * the picture. Rows that are no box (not finite, no size) are passed over. `output` must hold `rowCount * rowLength` values.
 */
export function decodeYolox(output: Float32Array, layout: YoloxLayout, minScore: number): ScoredBox[] {
  const { inputPx, strides, rowLength } = layout;
  if (output.length !== rowCount(layout) * rowLength || rowLength < 6) {
    throw new RangeError('The output does not have the length that its layout says');
  }
  const boxes: ScoredBox[] = [];
  let at = 0;
  for (const stride of strides) {
    const cells = Math.floor(inputPx / stride);
    for (let row = 0; row < cells; row++) {
      for (let column = 0; column < cells; column++, at += rowLength) {
        const objectness = output[at + 4] as number;
        // Class scores are at most 1, so most rows end here. NaN fails the comparison too.
        if (!(objectness >= minScore)) continue;
        const score = objectness * (output[at + 5] as number);
        if (!(score >= minScore)) continue;
        const w = Math.exp(output[at + 2] as number) * stride;
        const h = Math.exp(output[at + 3] as number) * stride;
        const x = ((output[at] as number) + column) * stride - w / 2;
        const y = ((output[at + 1] as number) + row) * stride - h / 2;
        if (w > 0 && h > 0 && Number.isFinite(x + y + w + h + score))
          boxes.push({ x, y, w, h, score: Math.min(1, score) });
      }
    }
  }
  return boxes;
}
