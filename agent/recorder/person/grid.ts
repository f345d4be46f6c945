/** What the outputs of all detectors here share: cells of a square grid, row by row. Pure. */
export function cellCount(inputPx: number, stride: number): number {
  return Math.floor(inputPx / stride) ** 2;
}
