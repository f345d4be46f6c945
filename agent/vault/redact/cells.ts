/**
 * What is filled, in cells of 16 × 16 pixels: the blocks that an encoder codes. A cell is filled as a whole or not at all, so
 * no block mixes fill and picture and what is filled stays flat. Everything is rounded outwards. Pure.
 */
import type { Turns } from './video-init.ts';

export const cellPx = 16;
/** So far from its edge a filled place may still show something of what is beside it. */
export const edgePx = 4;

export interface CellGrid {
  readonly cols: number;
  readonly rows: number;
}

/** One byte a cell, row by row: 0 shown, 1 filled. */
export type Cells = Uint8Array;

/** In pixels of the picture that the grid lies on; may reach beyond it. */
export interface PixelBox {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export function gridOf(widthPx: number, heightPx: number): CellGrid {
  return { cols: Math.ceil(widthPx / cellPx), rows: Math.ceil(heightPx / cellPx) };
}

export const emptyCells = ({ cols, rows }: CellGrid): Cells => new Uint8Array(cols * rows);

/** The cells that the box touches, as [first, behind the last) of columns and rows. */
export function cellRange(grid: CellGrid, box: PixelBox): { x0: number; y0: number; x1: number; y1: number } {
  const clamp = (value: number, most: number): number => Math.min(most, Math.max(0, value));
  return {
    x0: clamp(Math.floor(box.x / cellPx), grid.cols),
    y0: clamp(Math.floor(box.y / cellPx), grid.rows),
    x1: clamp(Math.ceil((box.x + box.w) / cellPx), grid.cols),
    y1: clamp(Math.ceil((box.y + box.h) / cellPx), grid.rows),
  };
}

export function fillBox(cells: Cells, grid: CellGrid, box: PixelBox): void {
  const { x0, y0, x1, y1 } = cellRange(grid, box);
  for (let y = y0; y < y1; y++) if (x1 > x0) cells.fill(1, y * grid.cols + x0, y * grid.cols + x1);
}

/** Every cell that the polygon touches: one whose square holds a corner, meets a side, or lies inside. Corners in pixels. */
export function fillPolygon(cells: Cells, grid: CellGrid, corners: readonly (readonly [x: number, y: number])[]): void {
  for (let row = 0; row < grid.rows; row++) {
    // Several lines through each row of cells: thin wedges between two lines are caught by walking along the sides below.
    for (const part of [0.01, 0.25, 0.5, 0.75, 0.99]) {
      const y = (row + part) * cellPx;
      const crossings = crossingsAt(corners, y);
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        const [from = 0, to = 0] = [crossings[i], crossings[i + 1]];
        fillBox(cells, grid, { x: from, y, w: Math.max(to - from, 0.001), h: 0.001 });
      }
    }
  }
  for (const [i, [x, y]] of corners.entries()) {
    const [nextX, nextY] = corners[(i + 1) % corners.length] ?? [x, y];
    const steps = Math.ceil(Math.hypot(nextX - x, nextY - y)) + 1;
    for (let step = 0; step <= steps; step++) {
      const [atX, atY] = [x + ((nextX - x) * step) / steps, y + ((nextY - y) * step) / steps];
      fillBox(cells, grid, { x: atX - edgePx, y: atY - edgePx, w: 2 * edgePx, h: 2 * edgePx });
    }
  }
}

function crossingsAt(corners: readonly (readonly [number, number])[], y: number): number[] {
  return corners
    .flatMap(([x0, y0], i) => {
      const [x1, y1] = corners[(i + 1) % corners.length] ?? [x0, y0];
      return y0 <= y === y1 <= y ? [] : [x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)];
    })
    .toSorted((a, b) => a - b);
}

/** Each cell with its eight neighbours. */
export function dilate(cells: Cells, { cols, rows }: CellGrid): Cells {
  const wide = new Uint8Array(cells.length);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < cols; x++) {
      if (cells[y * cols + x] === 0) continue;
      for (let ny = Math.max(0, y - 1); ny <= Math.min(rows - 1, y + 1); ny++) {
        wide.fill(1, ny * cols + Math.max(0, x - 1), ny * cols + Math.min(cols, x + 2));
      }
    }
  }
  return wide;
}

export function addCells(cells: Cells, more: Cells): void {
  for (let i = 0; i < cells.length; i++) if (more[i] === 1) cells[i] = 1;
}

export const anyCell = (cells: Cells): boolean => cells.includes(1);

/**
 * The same places in the picture as it is coded, which a player turns by `turns` quarter turns clockwise to show it. Where
 * the edges of the two grids don't meet, both cells are filled.
 */
export function turnBack(
  shown: Cells,
  shownPx: { readonly widthPx: number; readonly heightPx: number },
  turns: Turns,
): Cells {
  if (turns === 0) return shown;
  const { widthPx: w, heightPx: h } = shownPx;
  const from = gridOf(w, h);
  const to = turns === 2 ? from : gridOf(h, w);
  const coded = emptyCells(to);
  for (let i = 0; i < shown.length; i++) {
    if (shown[i] === 0) continue;
    const x = (i % from.cols) * cellPx;
    const y = Math.floor(i / from.cols) * cellPx;
    const [cw, ch] = [Math.min(cellPx, w - x), Math.min(cellPx, h - y)];
    if (turns === 1) fillBox(coded, to, { x: y, y: w - x - cw, w: ch, h: cw });
    else if (turns === 2) fillBox(coded, to, { x: w - x - cw, y: h - y - ch, w: cw, h: ch });
    else fillBox(coded, to, { x: h - y - ch, y: x, w: ch, h: cw });
  }
  return coded;
}
