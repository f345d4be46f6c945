import type { ScoredBox } from './nms.ts';

/**
 * Reads FastestDet's raw output: planes of one square grid, of which the first is objectness, the next four are the box
 * and the rest class scores; scores are already 0..1. The middle is off the cell by tanh, the size is the logistic
 * function's share of the input. Its author weighs objectness to the power of .6 and the class to that of .4. Pure.
 */
export interface FastestdetLayout {
  readonly inputPx: number;
  /** Cells along one side. */
  readonly sideCount: number;
  /** 5 + classes. The first class is the person. */
  readonly planeCount: number;
}

const objectnessPower = 0.6;
const classPower = 0.4;

/** Boxes of people of at least `minScore`, in input pixels, not clipped. Cells that are no box are passed over. */
export function decodeFastestdet(output: Float32Array, layout: FastestdetLayout, minScore: number): ScoredBox[] {
  const { inputPx, sideCount, planeCount } = layout;
  const cells = sideCount ** 2;
  if (output.length !== cells * planeCount || planeCount < 6) {
    throw new RangeError('The output does not have the length that its layout says');
  }
  const boxes: ScoredBox[] = [];
  const plane = (index: number, cell: number): number => output[index * cells + cell] as number;
  for (let cell = 0; cell < cells; cell++) {
    const score = plane(0, cell) ** objectnessPower * plane(5, cell) ** classPower;
    if (!(score >= minScore)) continue;
    const w = logistic(plane(3, cell)) * inputPx;
    const h = logistic(plane(4, cell)) * inputPx;
    const cellPx = inputPx / sideCount;
    const x = ((cell % sideCount) + Math.tanh(plane(1, cell))) * cellPx - w / 2;
    const y = (Math.floor(cell / sideCount) + Math.tanh(plane(2, cell))) * cellPx - h / 2;
    if (w > 0 && h > 0 && Number.isFinite(x + y + w + h + score)) boxes.push({ x, y, w, h, score: Math.min(1, score) });
  }
  return boxes;
}

function logistic(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
