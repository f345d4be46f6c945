/** Lying bars with their spread, one a method. */
import { figure } from '../table.ts';
import { drawing, inkColour, line, paleColour, palette, rect, text, ticks } from './svg.ts';

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
  readonly ours?: boolean;
}

export interface BarChart {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
  readonly logarithmic?: boolean;
}

const widthPx = 860;
const leftPx = 260;
const rightPx = 110;
const rowPx = 26;
const topPx = 48;

export function barChart({ title, unit, bars: all, logarithmic = false }: BarChart): string {
  const bars = all.filter(({ value }) => Number.isFinite(value) && (!logarithmic || value > 0));
  const most = Math.max(1e-9, ...bars.map(({ value, high = value }) => Math.max(value, high)));
  const least = logarithmic ? 10 ** Math.floor(Math.log10(Math.min(...bars.map(({ value }) => value)))) : 0;
  const spanPx = widthPx - leftPx - rightPx;
  const share = (value: number): number =>
    logarithmic ? Math.log(Math.max(value, least) / least) / Math.log(most / least) : value / most;
  const at = (value: number): number => leftPx + spanPx * Math.min(1, Math.max(0, share(value)));
  const bottomPx = topPx + bars.length * rowPx;
  const marks = logarithmic ? powers(least, most) : ticks(most);
  const parts = [
    text(12, 24, title, { sizePx: 15, bold: true }),
    ...marks.flatMap((mark) => [
      line(at(mark), topPx - 6, at(mark), bottomPx, paleColour),
      text(at(mark), bottomPx + 16, String(Number(mark.toPrecision(3))), { anchor: 'middle', sizePx: 11 }),
    ]),
    text(widthPx - 12, bottomPx + 16, unit, { anchor: 'end', sizePx: 11 }),
    ...bars.flatMap(({ label, value, low = value, high = value, ours = false }, row) => {
      const y = topPx + row * rowPx;
      const spread = high > low ? [line(at(low), y + 10, at(high), y + 10, inkColour, 2)] : [];
      return [
        text(leftPx - 8, y + 14, label, { anchor: 'end' }),
        rect(leftPx, y + 2, at(value) - leftPx, 16, ours ? palette[0] : '#b9bfc7'),
        ...spread,
        text(Math.max(at(value), at(high)) + 6, y + 14, figure(value)),
      ];
    }),
  ];
  return drawing(widthPx, bottomPx + 30, parts);
}

function powers(least: number, most: number): number[] {
  const marks: number[] = [];
  for (let mark = least; mark <= most; mark *= 10) marks.push(mark);
  return marks;
}
