/**
 * Privacy masks as boxes that ffmpeg fills before it encodes: a polygon is cut into upright strips, each covered whole. What is
 * filled is never less than the polygon, whatever the size of the picture, which is not known here. Pure.
 */

/** Corners in shares of the picture, 0..1. */
export type Polygon = readonly (readonly [x: number, y: number])[];

interface Strip {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Blocks of H.264: one that is half masked would smear what it hides over the mask. */
const blockPx = 16;
/** The loop filter reaches three pixels across the edge of a block. */
const marginPx = 4;
/** How far a slanted side may be overshot; doubled until the filter has no more boxes than this. */
const firstStepRatio = 0.01;
const maxBoxCount = 300;

/** Gray, so that it can't be taken for the night. */
export const maskFill = { name: 'gray', y: 126, u: 128, v: 128 } as const;

/** A value for `-vf`; empty without a mask. */
export function maskFilter(masks: readonly Polygon[]): string {
  const boxes = coverBoxes(masks).map(({ left, top, right, bottom }) => {
    const [x, y] = [floorPx('iw', left), floorPx('ih', top)];
    const [w, h] = [`${ceilPx('iw', right)}-${x}`, `${ceilPx('ih', bottom)}-${y}`];
    return `drawbox=x='${x}':y='${y}':w='${w}':h='${h}':color=${maskFill.name}:t=fill`;
  });
  return boxes.length === 0 ? '' : ['format=yuv420p', ...boxes].join(',');
}

const floorPx = (side: string, share: number): string =>
  `floor((${share.toFixed(6)}*${side}-${marginPx})/${blockPx})*${blockPx}`;
const ceilPx = (side: string, share: number): string =>
  `ceil((${share.toFixed(6)}*${side}+${marginPx})/${blockPx})*${blockPx}`;

/** Boxes that together cover every mask. */
export function coverBoxes(masks: readonly Polygon[]): readonly Strip[] {
  for (let step = firstStepRatio; ; step *= 2) {
    const strips = masks.flatMap((mask) => stripsOf(mask, step));
    // A step wider than the picture leaves every trapezoid in one piece: no further doubling can help.
    if (strips.length <= maxBoxCount || step > 1) return strips;
  }
}

interface Side {
  readonly top: readonly [number, number];
  readonly bottom: readonly [number, number];
}

function sidesOf(polygon: Polygon): Side[] {
  return polygon.flatMap((a, i) => {
    const b = polygon[(i + 1) % polygon.length] ?? a;
    if (a[1] === b[1]) return [];
    return [a[1] < b[1] ? { top: a, bottom: b } : { top: b, bottom: a }];
  });
}

function xAt({ top, bottom }: Side, y: number): number {
  return top[0] + ((bottom[0] - top[0]) * (y - top[1])) / (bottom[1] - top[1]);
}

/** Between two neighbouring corner heights a simple polygon is a row of trapezoids, bounded by its sides from left to right. */
function stripsOf(polygon: Polygon, step: number): Strip[] {
  const sides = sidesOf(polygon);
  const heights = [...new Set(polygon.map(([, y]) => y))].toSorted((a, b) => a - b);
  return heights.slice(0, -1).flatMap((top, i) => {
    const bottom = heights[i + 1] ?? top;
    const middle = (top + bottom) / 2;
    const crossing = sides
      .filter((side) => side.top[1] <= top && side.bottom[1] >= bottom)
      .toSorted((a, b) => xAt(a, middle) - xAt(b, middle));
    const strips: Strip[] = [];
    for (let at = 0; at + 1 < crossing.length; at += 2) {
      const [left, right] = [crossing[at], crossing[at + 1]];
      if (left !== undefined && right !== undefined) strips.push(...slice(left, right, { top, bottom }, step));
    }
    return strips;
  });
}

function slice(left: Side, right: Side, { top, bottom }: { top: number; bottom: number }, step: number): Strip[] {
  const lean = (side: Side): number => Math.abs(xAt(side, bottom) - xAt(side, top));
  const count = Math.max(1, Math.ceil(Math.max(lean(left), lean(right)) / step));
  const yOf = (n: number): number => top + ((bottom - top) * n) / count;
  return Array.from({ length: count }, (_, n) => {
    const [from, to] = [yOf(n), yOf(n + 1)];
    return {
      left: Math.min(xAt(left, from), xAt(left, to)),
      right: Math.max(xAt(right, from), xAt(right, to)),
      top: from,
      bottom: to,
    };
  });
}
