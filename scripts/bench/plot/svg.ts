/** The pieces that every plot is made of. Pure text; sizes in pixels. */

export const palette = [
  '#1f6fb2',
  '#d1661b',
  '#3d8c40',
  '#8e4ea8',
  '#b03a48',
  '#6b6b6b',
  '#118a8a',
  '#a88a12',
] as const;
export const inkColour = '#222222';
export const paleColour = '#d8d8d8';

export function escapeText(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

export interface TextStyle {
  readonly sizePx?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly colour?: string;
  readonly bold?: boolean;
}

export function text(x: number, y: number, words: string, style: TextStyle = {}): string {
  const { sizePx = 12, anchor = 'start', colour = inkColour, bold = false } = style;
  const weight = bold ? ' font-weight="bold"' : '';
  return `<text x="${px(x)}" y="${px(y)}" font-size="${sizePx}" text-anchor="${anchor}" fill="${colour}"${weight}>${escapeText(words)}</text>`;
}

export function rect(x: number, y: number, w: number, h: number, colour: string): string {
  return `<rect x="${px(x)}" y="${px(y)}" width="${px(Math.max(0, w))}" height="${px(h)}" fill="${colour}"/>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, colour: string, widthPx = 1): string {
  return `<line x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}" stroke="${colour}" stroke-width="${widthPx}"/>`;
}

export function polyline(points: readonly (readonly [x: number, y: number])[], colour: string): string {
  const path = points.map(([x, y]) => `${px(x)},${px(y)}`).join(' ');
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`;
}

export function drawing(widthPx: number, heightPx: number, parts: readonly string[]): string {
  const size = `width="${widthPx}" height="${px(heightPx)}" viewBox="0 0 ${widthPx} ${px(heightPx)}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif">${rect(0, 0, widthPx, heightPx, '#ffffff')}${parts.join('')}</svg>`;
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Steps of 1, 2 or 5 times a power of ten, about `count` of them from 0 to `most`. */
export function ticks(most: number, count = 5): number[] {
  const rough = most / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= rough) ?? rough;
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, at) => at * step);
}
