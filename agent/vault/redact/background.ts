/**
 * What stands out from the empty scene, looked at from afar: because a clip is finished, its background can be taken from all
 * of it, before and after, so that somebody who stands still for half a minute stands out as well. Pure.
 *
 * Each cell of a picture is described by four numbers (brightness, both colours, roughness). Its background is the median
 * over the clip, or over the part of it between two changes of the light; what is further from it than noise is foreground.
 */
import type { CellGrid, Cells } from './cells.ts';

const features = 4;
/** Least distance that counts, in levels. */
const leastDistance = [5, 4, 4, 5] as const;
/** Noise and rain are what changes from one picture to the next: in units of the median of that, and of its larger part. */
const noiseFactor = 5;
const restlessShare = 0.85;
const samplesPerPart = 48;
/** A share of cells that change at once is the light. */
const [lightRatio, lightLevels] = [0.4, 7];
const shortestPartMs = 1500;

export class CellHistory {
  readonly #grid: CellGrid;
  readonly #smallW: number;
  readonly #smallH: number;
  readonly #cellOfX: Uint16Array;
  readonly #cellOfY: Uint16Array;
  readonly #frames: Uint8Array[] = [];
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;
  readonly #counts: Uint32Array;

  /** Grid of the whole picture, and the size of the small pictures of it. */
  constructor(
    grid: CellGrid,
    full: { widthPx: number; heightPx: number },
    small: { widthPx: number; heightPx: number },
    cellPx: number,
  ) {
    this.#grid = grid;
    this.#smallW = small.widthPx;
    this.#smallH = small.heightPx;
    const cellsOf = (count: number, fullPx: number): Uint16Array =>
      Uint16Array.from({ length: count }, (_, i) => Math.floor((((i + 0.5) / count) * fullPx) / cellPx));
    this.#cellOfX = cellsOf(small.widthPx, full.widthPx);
    this.#cellOfY = cellsOf(small.heightPx, full.heightPx);
    const cellCount = grid.cols * grid.rows;
    this.#sums = new Float64Array(cellCount * 3);
    this.#squares = new Float64Array(cellCount);
    this.#counts = new Uint32Array(cellCount * 2);
    for (let y = 0; y < this.#smallH; y++) {
      for (let x = 0; x < this.#smallW; x++) {
        const cell = (this.#cellOfY[y] as number) * grid.cols + (this.#cellOfX[x] as number);
        this.#counts[cell] = (this.#counts[cell] as number) + 1;
        if (x % 2 === 0 && y % 2 === 0) this.#counts[cellCount + cell] = (this.#counts[cellCount + cell] as number) + 1;
      }
    }
  }

  get length(): number {
    return this.#frames.length;
  }

  /** One small picture, planar 4:2:0. */
  add(yuv: Uint8Array): void {
    const { cols, rows } = this.#grid;
    const cellCount = cols * rows;
    const [w, h] = [this.#smallW, this.#smallH];
    const [sums, squares, counts, cellOfX] = [this.#sums, this.#squares, this.#counts, this.#cellOfX];
    sums.fill(0);
    squares.fill(0);
    for (let y = 0; y < h; y++) {
      const row = (this.#cellOfY[y] as number) * cols;
      for (let x = 0, at = y * w; x < w; x++, at++) {
        const cell = row + (cellOfX[x] as number);
        const value = yuv[at] as number;
        sums[cell] = (sums[cell] as number) + value;
        squares[cell] = (squares[cell] as number) + value * value;
      }
    }
    const [halfW, planeU, planeV] = [w / 2, w * h, (w * h * 5) / 4];
    for (let y = 0; y < h; y += 2) {
      const row = (this.#cellOfY[y] as number) * cols;
      for (let x = 0, at = (y / 2) * halfW; x < w; x += 2, at++) {
        const cell = row + (cellOfX[x] as number);
        sums[cellCount + cell] = (sums[cellCount + cell] as number) + (yuv[planeU + at] as number);
        sums[2 * cellCount + cell] = (sums[2 * cellCount + cell] as number) + (yuv[planeV + at] as number);
      }
    }
    const frame = new Uint8Array(cellCount * features);
    for (let cell = 0; cell < cellCount; cell++) {
      const count = Math.max(1, counts[cell] as number);
      const colours = Math.max(1, counts[cellCount + cell] as number);
      const mean = (sums[cell] as number) / count;
      frame[cell] = mean + 0.5;
      frame[cellCount + cell] = (sums[cellCount + cell] as number) / colours + 0.5;
      frame[2 * cellCount + cell] = (sums[2 * cellCount + cell] as number) / colours + 0.5;
      frame[3 * cellCount + cell] = Math.sqrt(Math.max(0, (squares[cell] as number) / count - mean * mean)) + 0.5;
    }
    this.#frames.push(frame);
  }

  /** For each picture the cells that stand out. `timesMs` of the pictures, rising. */
  foreground(timesMs: readonly number[]): Cells[] {
    const cellCount = this.#grid.cols * this.#grid.rows;
    const found: Cells[] = this.#frames.map(() => new Uint8Array(cellCount));
    for (const [from, to] of partsBetweenLights(this.#frames, cellCount, timesMs)) {
      const { middle, limit } = backgroundOf(this.#frames.slice(from, to));
      for (let i = from; i < to; i++) {
        const frame = this.#frames[i] as Uint8Array;
        const drift = driftOf(frame, middle, cellCount);
        const cells = found[i] as Cells;
        for (let at = 0; at < frame.length; at++) {
          const distance = Math.abs((frame[at] as number) - (middle[at] as number) - (at < cellCount ? drift : 0));
          if (distance > (limit[at] as number)) cells[at % cellCount] = 1;
        }
      }
    }
    return found;
  }
}

/** How much brighter the whole picture is than its background: what a camera's exposure or a cloud does. */
function driftOf(frame: Uint8Array, middle: Uint8Array, cellCount: number): number {
  const histogram = new Uint32Array(511);
  for (let cell = 0; cell < cellCount; cell++) {
    const at = (frame[cell] as number) - (middle[cell] as number) + 255;
    histogram[at] = (histogram[at] as number) + 1;
  }
  let seen = 0;
  for (let at = 0; at < histogram.length; at++) {
    seen += histogram[at] as number;
    if (seen * 2 >= cellCount) return at - 255;
  }
  return 0;
}

/** Median and the distance that counts, value by value. */
function backgroundOf(frames: readonly Uint8Array[]): { middle: Uint8Array; limit: Uint8Array } {
  const step = Math.max(1, frames.length / samplesPerPart);
  const picked = Array.from({ length: Math.min(frames.length, samplesPerPart) }, (_, i) => Math.floor(i * step));
  const samples = picked.map((i) => frames[i] as Uint8Array);
  const nexts = picked.map((i) => frames[Math.min(i + 1, frames.length - 1)] as Uint8Array);
  const valueCount = samples[0]?.length ?? 0;
  const [middle, limit] = [new Uint8Array(valueCount), new Uint8Array(valueCount)];
  const values = new Uint8Array(samples.length);
  const [half, most] = [samples.length >> 1, Math.floor(samples.length * restlessShare)];
  const quarter = valueCount / features;
  for (let at = 0; at < valueCount; at++) {
    for (let i = 0; i < values.length; i++) values[i] = (samples[i] as Uint8Array)[at] as number;
    values.sort();
    const median = values[half] as number;
    for (let i = 0; i < values.length; i++) {
      values[i] = Math.abs(((samples[i] as Uint8Array)[at] as number) - ((nexts[i] as Uint8Array)[at] as number));
    }
    values.sort();
    middle[at] = median;
    const least = leastDistance[Math.floor(at / quarter)] as number;
    // A cell that somebody crosses often must not hide them by its own unrest.
    limit[at] = Math.min(
      3 * least,
      Math.max(least, noiseFactor * (values[half] as number), 1.3 * (values[most] as number)),
    );
  }
  return { middle, limit };
}

/** Runs of pictures [from, to) under one light. They cover the clip: a change belongs to the part behind it. */
function partsBetweenLights(
  frames: readonly Uint8Array[],
  cellCount: number,
  timesMs: readonly number[],
): [number, number][] {
  const cuts: number[] = [0];
  for (let i = 1; i < frames.length; i++) {
    const [now, before] = [frames[i] as Uint8Array, frames[i - 1] as Uint8Array];
    let changed = 0;
    for (let cell = 0; cell < cellCount; cell++) {
      if (Math.abs((now[cell] as number) - (before[cell] as number)) > lightLevels) changed++;
    }
    if (changed < lightRatio * cellCount) continue;
    // A lamp takes a few pictures to come on: the last of them counts.
    if ((timesMs[i] ?? 0) - (timesMs[cuts.at(-1) ?? 0] ?? 0) < shortestPartMs && cuts.length > 1)
      cuts[cuts.length - 1] = i;
    else cuts.push(i);
  }
  return cuts.map((from, i) => [from, cuts[i + 1] ?? frames.length]);
}
