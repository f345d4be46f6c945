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
  edgePx,
  emptyCells,
  fillBox,
  fillPolygon,
  type PixelBox,
} from './cells.ts';
import type { RedactionChoice } from './choice.ts';
import { type Find, type PersonTrack, placeAt } from './people.ts';

/** Added to a box on each side, as a share of its height, at most, and at least one cell. */
const marginRatio = 0.2;
/** A track goes on where it was for so long before its first and after its last find. */
const carryMs = 3000;
/** Whatever is filled was filled so long before and stays filled so long after. */
const holdMs = 500;
/** Somebody who walks goes on as they walked for so long, unless slower than this share of their height in a second. */
const [longestWayMs, leastSpeedRatio, speedMs] = [3000, 0.3, 1200];
const strayRatio = 0.25;

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
    box: guarded({ x: x * widthPx, y: y * heightPx, w: w * widthPx, h: h * heightPx }),
    fromMs: fromMs - startMs,
    toMs: toMs - startMs,
  }));
  return held.map((cells, i) => {
    addCells(cells, always);
    // It stays on the screen until the next: who stopped there saw this one.
    const [shownMs, goneMs] = [timesMs[i] ?? 0, timesMs[i + 1] ?? Number.POSITIVE_INFINITY];
    for (const region of regions)
      if (shownMs <= region.toMs && goneMs > region.fromMs) fillBox(cells, grid, region.box);
    return cells;
  });
}

function coverMoving({ foreground, people, grid, timesMs }: Analysis): Cells[] {
  return foreground.map((cells, i) => {
    const wide = dilate(dilate(cells, grid), grid);
    for (const track of people) for (const box of placesAt(track, i, timesMs)) fillBox(wide, grid, box);
    return wide;
  });
}

function coverPeople(analysis: Analysis, keep: ReadonlySet<number>): Cells[] {
  const { grid, timesMs, foreground, people } = analysis;
  const blobs = foreground.map((cells) => blobsOf(dilate(cells, grid), grid));
  const covered = timesMs.map(() => new Set<number>());
  const kept = timesMs.map(() => new Set<number>());
  const boxes = timesMs.map((_, i) => {
    const hidden: PixelBox[] = [];
    for (const track of people) {
      for (const box of placesAt(track, i, timesMs)) {
        if (!keep.has(track.id)) hidden.push(box);
        const touched = touchedBlobs(blobs[i] as Blobs, grid, box);
        for (const blob of touched) (keep.has(track.id) ? kept : covered)[i]?.add(blob);
      }
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
    const wide = dilate(cells, grid);
    for (const box of boxes[i] ?? []) fillBox(wide, grid, box);
    return wide;
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

/** Where the track is, was just before, or may have gone: nobody comes out of nowhere or ends in the middle of a street. */
function placesAt(track: PersonTrack, picture: number, timesMs: readonly number[]): PixelBox[] {
  const [first, last] = [track.finds[0], track.finds.at(-1)];
  if (first === undefined || last === undefined) return [];
  const place = placeAt(track, picture, timesMs);
  if (place !== undefined) return [widen(place)];
  const end = picture < first.picture ? first : last;
  const [now, then] = [timesMs[picture] ?? 0, timesMs[end.picture] ?? 0];
  const awayMs = Math.abs(now - then);
  const places = awayMs <= carryMs ? [widen(end.box)] : [];
  const speed = speedAt(track, end, timesMs);
  if (awayMs > longestWayMs || Math.hypot(speed.x, speed.y) * 1000 < leastSpeedRatio * end.box.h) return places;
  const [dx, dy] = [speed.x * (now - then), speed.y * (now - then)];
  const { x, y, w, h } = widen({ ...end.box, x: end.box.x + dx, y: end.box.y + dy });
  // The further away, the less is known.
  const doubt = strayRatio * Math.hypot(dx, dy);
  return [...places, { x: x - doubt, y: y - doubt, w: w + 2 * doubt, h: h + 2 * doubt }];
}

/** Pixels a millisecond at an end of the track, over about a second. */
function speedAt(track: PersonTrack, end: Find, timesMs: readonly number[]): { x: number; y: number } {
  const endMs = timesMs[end.picture] ?? 0;
  const near = track.finds.filter(({ picture }) => Math.abs((timesMs[picture] ?? 0) - endMs) <= speedMs);
  const other = end === track.finds[0] ? near.at(-1) : near[0];
  const passedMs = other === undefined ? 0 : (timesMs[other.picture] ?? 0) - endMs;
  if (other === undefined || Math.abs(passedMs) < 300) return { x: 0, y: 0 };
  const middle = ({ box }: Find): { x: number; y: number } => ({ x: box.x + box.w / 2, y: box.y + box.h });
  const [from, to] = [middle(end), middle(other)];
  return { x: (to.x - from.x) / passedMs, y: (to.y - from.y) / passedMs };
}

/** An encoder smooths the edges of its blocks over three pixels: what was drawn stays clear of them. */
function guarded({ x, y, w, h }: PixelBox): PixelBox {
  return { x: x - edgePx, y: y - edgePx, w: w + 2 * edgePx, h: h + 2 * edgePx };
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
