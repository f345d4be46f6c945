/** What was true and what was said, over the time of each stream. */
import type { Span } from '../score/intervals.ts';
import { drawing, line, paleColour, palette, rect, text, ticks } from './svg.ts';

export interface TimelineRow {
  readonly label: string;
  readonly spans: readonly Span[];
  readonly truth?: boolean;
}

export interface Timeline {
  readonly title: string;
  readonly durationMs: number;
  readonly rows: readonly TimelineRow[];
}

const widthPx = 1000;
const leftPx = 200;
const rightPx = 24;
const rowPx = 16;
const headPx = 26;
const footPx = 30;

export function timelineChart(title: string, timelines: readonly Timeline[]): string {
  const parts = [text(12, 24, title, { sizePx: 15, bold: true })];
  let top = 36;
  for (const { title: name, durationMs, rows } of timelines) {
    const at = (ms: number): number =>
      leftPx + (Math.min(Math.max(ms, 0), durationMs) / durationMs) * (widthPx - leftPx - rightPx);
    parts.push(text(12, top + 16, name, { bold: true }));
    const bottom = top + headPx + rows.length * rowPx;
    for (const mark of ticks(durationMs / 1000, 8)) {
      parts.push(line(at(mark * 1000), top + headPx, at(mark * 1000), bottom, paleColour));
      parts.push(text(at(mark * 1000), bottom + 12, `${mark} s`, { anchor: 'middle', sizePx: 10 }));
    }
    for (const [index, { label, spans, truth = false }] of rows.entries()) {
      const y = top + headPx + index * rowPx;
      const colour = truth ? '#444444' : (palette[(index - 1 + palette.length) % palette.length] ?? palette[0]);
      parts.push(text(leftPx - 8, y + 11, label, { anchor: 'end', sizePx: 11 }));
      for (const { fromMs, toMs } of spans)
        parts.push(rect(at(fromMs), y + 2, Math.max(1.5, at(toMs) - at(fromMs)), rowPx - 5, colour));
    }
    top = bottom + footPx;
  }
  return drawing(widthPx, top, parts);
}
