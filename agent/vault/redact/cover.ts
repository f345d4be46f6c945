/**
 * Which cells of which picture are filled, from what the analysis found and what the owner chose. Pure.
 *
 * Somebody is filled where they were found, between two finds, and for a while before the first and after the last; and
 * with them all that stands out from the empty scene and touches them, followed through the clip in both directions. So one
 * find of somebody who walks through covers their whole way, and what they hold or push as well.
 */
import type { Analysis } from './analysis.ts';
import {
  addCells,
  type CellGrid,
  type Cells,
  cellPx,
  cellRange,
  dilate,
  emptyCells,
  fillBox,
  fillPolygon,
  type PixelBox,
} from './cells.ts';
import type { RedactionChoice } from './choice.ts';
import { type PersonTrack, placeAt } from './people.ts';

/** Added to a box on each side, as a share of its height, at most, and at least one cell. */
const marginRatio = 0.2;
/** A track goes on where it was for so long before its first and after its last find. */
const carryMs = 1000;
/** Whatever is filled was filled so long before and stays filled so long after. */
const holdMs = 600;

export interface CoverTimes {
  /** Unix milliseconds of the clip's first picture. */
  readonly startMs: number;
}

/** For each picture the cells to fill, as shown. Empty cells where nothing is. */
export function coverPictures(analysis: Analysis, choice: RedactionChoice, { startMs }: CoverTimes): readonly Cells[] {
  const { grid, timesMs } = analysis;
  const moving =
    choice.fill === 'people'
      ? coverPeople(analysis, new Set(choice.keep))
      : choice.fill === 'moving'
        ? coverMoving(analysis)
        : [];
  const cover = timesMs.map((_, i) => {
    const cells = emptyCells(grid);
    return moving[i] === undefined ? cells : (addCells(cells, moving[i]), cells);
  });
  const held = moving.length === 0 ? cover : hold(cover, timesMs);
  const always = emptyCells(grid);
  const { widthPx, heightPx } = analysis;
  for (const zone of choice.zones)
    fillPolygon(
      always,
      grid,
      zone.map(([x, y]) => [x * widthPx, y * heightPx] as const),
    );
  const regions = choice.regions.map(({ x, y, w, h, fromMs = 0, toMs = Number.POSITIVE_INFINITY }) => ({
    box: { x: x * widthPx, y: y * heightPx, w: w * widthPx, h: h * heightPx },
    fromMs: fromMs - startMs,
    toMs: toMs - startMs,
  }));
  return held.map((cells, i) => {
    addCells(cells, always);
    const timeMs = timesMs[i] ?? 0;
    for (const region of regions)
      if (timeMs >= region.fromMs && timeMs <= region.toMs) fillBox(cells, grid, region.box);
    return cells;
  });
}

function coverMoving({ foreground, people, grid, timesMs }: Analysis): Cells[] {
  return foreground.map((cells, i) => {
    const wide = dilate(cells, grid);
    for (const track of people) {
      const box = carriedPlace(track, i, timesMs);
      if (box !== undefined) fillBox(wide, grid, widen(box));
    }
    return wide;
  });
}

function coverPeople(analysis: Analysis, keep: ReadonlySet<number>): Cells[] {
  const { grid, timesMs, foreground, people } = analysis;
  const blobs = foreground.map((cells) => blobsOf(dilate(cells, grid), grid));
  const covered = new Array<Set<number>>(timesMs.length);
  const kept = new Array<Set<number>>(timesMs.length);
  const boxes = timesMs.map((_, i) => {
    covered[i] = new Set();
    kept[i] = new Set();
    const hidden: PixelBox[] = [];
    for (const track of people) {
      const box = carriedPlace(track, i, timesMs);
      if (box === undefined) continue;
      const touched = touchedBlobs(blobs[i] as Blobs, grid, box);
      if (!keep.has(track.id)) hidden.push(widen(box));
      for (const blob of touched) (keep.has(track.id) ? kept : covered)[i]?.add(blob);
    }
    return hidden;
  });
  const order = timesMs.map((_, i) => i);
  spread(order, blobs, covered, kept);
  spread(order.toReversed(), blobs, covered, kept);
  return timesMs.map((_, i) => {
    const cells = emptyCells(grid);
    const { labels } = blobs[i] as Blobs;
    const wanted = covered[i] as Set<number>;
    if (wanted.size > 0) for (let at = 0; at < cells.length; at++) if (wanted.has(labels[at] as number)) cells[at] = 1;
    for (const box of boxes[i] ?? []) fillBox(cells, grid, box);
    return cells;
  });
}

/** A blob that lies where a covered one lay in the picture before belongs to it, unless it is of somebody who is kept. */
function spread(
  order: readonly number[],
  blobs: readonly Blobs[],
  covered: readonly Set<number>[],
  kept: readonly Set<number>[],
): void {
  for (const [step, i] of order.entries()) {
    const before = order[step - 1];
    if (before === undefined || covered[before]?.size === 0) continue;
    const [here, there] = [(blobs[i] as Blobs).labels, (blobs[before] as Blobs).labels];
    for (let at = 0; at < here.length; at++) {
      const blob = here[at] as number;
      if (blob === 0 || covered[before]?.has(there[at] as number) !== true) continue;
      if (kept[i]?.has(blob) !== true) covered[i]?.add(blob);
    }
  }
}

interface Blobs {
  /** 0 is none; connected cells have one number. */
  readonly labels: Uint16Array;
}

function blobsOf(cells: Cells, { cols, rows }: CellGrid): Blobs {
  const labels = new Uint16Array(cells.length);
  const queue: number[] = [];
  let count = 0;
  for (let start = 0; start < cells.length; start++) {
    if (cells[start] === 0 || labels[start] !== 0) continue;
    labels[start] = ++count;
    queue.push(start);
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      const [x, y] = [at % cols, Math.floor(at / cols)];
      for (let ny = Math.max(0, y - 1); ny <= Math.min(rows - 1, y + 1); ny++) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(cols - 1, x + 1); nx++) {
          const next = ny * cols + nx;
          if (cells[next] === 0 || labels[next] !== 0) continue;
          labels[next] = count;
          queue.push(next);
        }
      }
    }
  }
  return { labels };
}

function touchedBlobs({ labels }: Blobs, grid: CellGrid, box: PixelBox): Set<number> {
  const found = new Set<number>();
  const { x0, y0, x1, y1 } = cellRange(grid, box);
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) {
      const label = labels[y * grid.cols + x] as number;
      if (label !== 0) found.add(label);
    }
  }
  return found;
}

function carriedPlace(track: PersonTrack, picture: number, timesMs: readonly number[]): PixelBox | undefined {
  const [first, last] = [track.finds[0], track.finds.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const now = timesMs[picture] ?? 0;
  if (picture < first.picture) return (timesMs[first.picture] ?? 0) - now <= carryMs ? first.box : undefined;
  if (picture > last.picture) return now - (timesMs[last.picture] ?? 0) <= carryMs ? last.box : undefined;
  return placeAt(track, picture);
}

function widen({ x, y, w, h }: PixelBox): PixelBox {
  const margin = Math.max(cellPx, marginRatio * h);
  return { x: x - margin, y: y - margin, w: w + 2 * margin, h: h + 2 * margin };
}

/** Each picture with what its neighbours in time fill. */
function hold(cover: readonly Cells[], timesMs: readonly number[]): Cells[] {
  return cover.map((own, i) => {
    const cells = own.slice();
    const near = (other: number): boolean =>
      Math.abs((timesMs[other] ?? Number.POSITIVE_INFINITY) - (timesMs[i] ?? 0)) <= holdMs;
    for (let other = i - 1; other >= 0 && near(other); other--) addCells(cells, cover[other] as Cells);
    for (let other = i + 1; other < cover.length && near(other); other++) addCells(cells, cover[other] as Cells);
    return cells;
  });
}
