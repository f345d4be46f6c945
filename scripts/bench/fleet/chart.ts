/** Lines over the number of devices, both axes logarithmic. */
import { drawing, inkColour, line, paleColour, palette, polyline, rect, text } from '../plot/svg.ts';

export interface FleetLine {
  readonly label: string;
  readonly points: readonly (readonly [devices: number, value: number])[];
}

const widthPx = 620;
const heightPx = 360;
const leftPx = 64;
const topPx = 44;
const legendPx = 250;

export function fleetChart(chart: { title: string; unit: string; lines: readonly FleetLine[] }): string {
  const all = chart.lines.flatMap(({ points }) => points).filter(([, value]) => value > 0);
  const span = (values: readonly number[]): [number, number] => [
    Math.min(...values) / 1.15,
    Math.max(...values) * 1.15,
  ];
  const [least, most] = span(all.map(([devices]) => devices));
  const [low, high] = span(all.map(([, value]) => value));
  const across = (devices: number): number => leftPx + (Math.log(devices / least) / Math.log(most / least)) * widthPx;
  const up = (value: number): number => topPx + heightPx - (Math.log(value / low) / Math.log(high / low)) * heightPx;
  const counts = [...new Set(all.map(([devices]) => devices))].toSorted((a, b) => a - b);
  const parts = [
    text(12, 24, chart.title, { sizePx: 15, bold: true }),
    ...counts.flatMap((count) => [
      line(across(count), topPx, across(count), topPx + heightPx, paleColour),
      text(across(count), topPx + heightPx + 16, String(count), { anchor: 'middle', sizePx: 11 }),
    ]),
    ...marks(low, high).flatMap((mark) => [
      line(leftPx, up(mark), leftPx + widthPx, up(mark), paleColour),
      text(leftPx - 6, up(mark) + 4, String(mark), { anchor: 'end', sizePx: 11 }),
    ]),
    line(leftPx, topPx + heightPx, leftPx + widthPx, topPx + heightPx, inkColour),
    text(leftPx + widthPx / 2, topPx + heightPx + 34, 'devices', { anchor: 'middle' }),
    text(leftPx - 6, topPx - 8, chart.unit, { anchor: 'end', sizePx: 11 }),
    ...chart.lines.flatMap(({ label, points }, i) => {
      const colour = palette[i % palette.length] ?? inkColour;
      const y = topPx + i * 20;
      return [
        polyline(
          points.filter(([, value]) => value > 0).map(([devices, value]) => [across(devices), up(value)]),
          colour,
        ),
        rect(leftPx + widthPx + 16, y, 12, 12, colour),
        text(leftPx + widthPx + 34, y + 10, label),
      ];
    }),
  ];
  return drawing(leftPx + widthPx + legendPx, topPx + heightPx + 48, parts);
}

/** 1, 2 and 5 times the powers of ten in between. */
function marks(low: number, high: number): number[] {
  const found: number[] = [];
  for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
    for (const factor of [1, 2, 5]) if (factor * power >= low && factor * power <= high) found.push(factor * power);
  }
  return found;
}
