/** The plot of `latchkey watch --draw`: person scores, motion and events over the time of the stream, as SVG. */
import type { SeenEvent } from '../recorder/sightings.ts';
import { svgText, type TextLook } from './drawing.ts';
import { seconds } from './terminal-text.ts';

export type Point = readonly [atMs: number, value: number];

export interface PlotData {
  readonly durationMs: number;
  readonly threshold: number;
  readonly events: readonly SeenEvent[];
  /** Best score of each look. */
  readonly scores: readonly Point[];
  /** Share of the picture that moves. */
  readonly motion: readonly Point[];
}

export const colours = {
  page: '#0f1217',
  panel: '#171b22',
  line: '#2c333f',
  text: '#e6e9ef',
  dim: '#8d97a6',
  person: '#35d07f',
  motion: '#f0a63a',
} as const;

export const plotHeightPx = 236;
const [left, right, scoreTop, scoreHeight] = [46, 16, 30, 110];
const [motionTop, motionHeight] = [scoreTop + scoreHeight + 14, 36];
const axisTop = motionTop + motionHeight;
const tickSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600].map((s) => s * 1000);
const mostTicks = 11;

export function plotSvg(data: PlotData, topPx: number, widthPx: number): string {
  const spanMs = Math.max(1, data.durationMs);
  const columns = widthPx - left - right;
  const x = (ms: number): number => left + (Math.min(ms, spanMs) / spanMs) * columns;
  const score = (value: number): number => topPx + scoreTop + scoreHeight * (1 - value);
  const bottom = topPx + axisTop;
  const panels = [
    [scoreTop, scoreHeight],
    [motionTop, motionHeight],
  ].map(
    ([top = 0, height = 0]) =>
      `<rect x="${left}" y="${topPx + top}" width="${columns}" height="${height}" fill="${colours.panel}"/>`,
  );
  return [
    ...panels,
    ...data.events.map((event, index) => band(event, index, { x, topPx })),
    ...ticks(spanMs, x, bottom),
    motionArea(largestByTime(data.motion, spanMs, columns), x, bottom),
    ...[0, data.threshold, 1].map((value) => scoreLine(value, value === data.threshold, score(value), widthPx)),
    ...largestByTime(data.scores, spanMs, columns).map(([ms, value]) => {
      const fill = value >= data.threshold ? colours.person : colours.dim;
      return `<circle cx="${x(ms).toFixed(1)}" cy="${score(value).toFixed(1)}" r="2.2" fill="${fill}"/>`;
    }),
    svgText(6, topPx + motionTop + motionHeight / 2 + 4, 'motion', { colour: colours.dim, sizePx: 11 }),
    svgText(left, bottom + 36, legend(data), { colour: colours.dim, sizePx: 11 }),
  ].join('');
}

function band(event: SeenEvent, index: number, at: { x: (ms: number) => number; topPx: number }): string {
  const fill = colours[event.kind];
  const from = at.x(event.firstMs);
  const width = Math.max(1.5, at.x(event.lastMs) - from);
  const top = at.topPx + scoreTop;
  const number = svgText(from + width / 2, top - 8, String(index + 1), {
    colour: fill,
    weight: 'bold',
    anchor: 'middle',
  });
  return `<rect x="${from.toFixed(1)}" y="${top}" width="${width.toFixed(1)}" height="${axisTop - scoreTop}" fill="${fill}" fill-opacity="0.16"/><rect x="${from.toFixed(1)}" y="${top - 3}" width="${width.toFixed(1)}" height="3" fill="${fill}"/>${number}`;
}

function scoreLine(value: number, isThreshold: boolean, y: number, widthPx: number): string {
  const look: TextLook = { colour: isThreshold ? colours.person : colours.dim, sizePx: 11 };
  const dash = isThreshold ? ' stroke-dasharray="5 4"' : '';
  const stroke = isThreshold ? colours.person : colours.line;
  return `<path d="M${left} ${y.toFixed(1)}H${widthPx - right}" stroke="${stroke}" stroke-opacity="0.8"${dash}/>${svgText(6, y + 4, value.toFixed(isThreshold ? 2 : 0), look)}`;
}

function ticks(spanMs: number, x: (ms: number) => number, bottom: number): string[] {
  const stepMs = tickSteps.find((step) => spanMs / step <= mostTicks) ?? spanMs / mostTicks;
  const count = Math.floor(spanMs / stepMs) + 1;
  return Array.from({ length: count }, (_, i) => i * stepMs).map((ms) => {
    const at = x(ms).toFixed(1);
    const anchor = ms === 0 ? 'start' : ms > spanMs - stepMs / 4 ? 'end' : 'middle';
    const look: TextLook = { colour: colours.dim, sizePx: 11, anchor };
    return `<path d="M${at} ${bottom - (axisTop - scoreTop)}V${bottom + 4}" stroke="${colours.line}"/>${svgText(x(ms), bottom + 17, seconds(ms), look)}`;
  });
}

function motionArea(points: readonly Point[], x: (ms: number) => number, bottom: number): string {
  if (points.length === 0) return '';
  const most = Math.max(1e-3, ...points.map(([, ratio]) => ratio));
  // The root shows what is far away beside what is near.
  const line = points.map(([ms, ratio]) => {
    return `L${x(ms).toFixed(1)} ${(bottom - Math.sqrt(ratio / most) * motionHeight).toFixed(1)}`;
  });
  const [first = 0, last = 0] = [points[0]?.[0], points.at(-1)?.[0]];
  return `<path d="M${x(first).toFixed(1)} ${bottom}${line.join('')}L${x(last).toFixed(1)} ${bottom}Z" fill="${colours.motion}" fill-opacity="0.75"/>`;
}

function legend({ motion }: PlotData): string {
  const most = Math.max(0, ...motion.map(([, ratio]) => ratio));
  return `Dots: best person score of each look. Below: what moves, up to ${(most * 100).toFixed(1)} % of the picture.`;
}

/** The largest value of each column of the plot in order of time, so that a long stream draws no more than a short one. */
function largestByTime(points: readonly Point[], spanMs: number, columns: number): Point[] {
  const largest = new Map<number, Point>();
  for (const point of points) {
    const column = Math.floor((point[0] / spanMs) * columns);
    if (point[1] >= (largest.get(column)?.[1] ?? 0)) largest.set(column, point);
  }
  return [...largest.values()].toSorted((a, b) => a[0] - b[0]);
}
