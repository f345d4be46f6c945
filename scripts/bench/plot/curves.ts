/** Curves in a unit square: precision over recall. */
import { drawing, line, paleColour, palette, polyline, rect, text } from './svg.ts';

export interface Curve {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Of a precision-recall curve: a point for each five-hundredth of recall, and the last. */
export function plotPoints(curve: readonly { readonly recall: number; readonly precision: number }[]): Curve['points'] {
  const points: (readonly [number, number])[] = [];
  for (const [at, { recall, precision }] of curve.entries()) {
    if (at === curve.length - 1 || recall - (points.at(-1)?.[0] ?? -1) >= 0.002) points.push([recall, precision]);
  }
  return points;
}

const sidePx = 420;
const leftPx = 56;
const topPx = 44;
const legendPx = 290;

export function curveChart(chart: {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly curves: readonly Curve[];
}): string {
  const { title, x, y, curves } = chart;
  const at = ([a, b]: readonly [number, number]): [number, number] => [leftPx + a * sidePx, topPx + (1 - b) * sidePx];
  const marks = [0, 0.2, 0.4, 0.6, 0.8, 1];
  const parts = [
    text(12, 24, title, { sizePx: 15, bold: true }),
    ...marks.flatMap((mark) => {
      const [across, down] = at([mark, mark]);
      return [
        line(across, topPx, across, topPx + sidePx, paleColour),
        line(leftPx, down, leftPx + sidePx, down, paleColour),
        text(across, topPx + sidePx + 16, mark.toFixed(1), { anchor: 'middle', sizePx: 11 }),
        text(leftPx - 6, down + 4, mark.toFixed(1), { anchor: 'end', sizePx: 11 }),
      ];
    }),
    text(leftPx + sidePx / 2, topPx + sidePx + 34, x, { anchor: 'middle' }),
    text(12, topPx - 6, y),
    ...curves.flatMap(({ label, points }, index) => {
      const colour = palette[index % palette.length] ?? palette[0];
      const legendY = topPx + 8 + index * 20;
      return [
        polyline(points.map(at), colour),
        rect(leftPx + sidePx + 16, legendY, 12, 12, colour),
        text(leftPx + sidePx + 34, legendY + 10, label),
      ];
    }),
  ];
  return drawing(leftPx + sidePx + legendPx, topPx + sidePx + 48, parts);
}
