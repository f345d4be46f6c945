/** Boxes and words as SVG, to lay over pictures, and where the drawings go. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { AgentError, systemCode } from '../base/errors.ts';
import { writeFileDurable } from '../base/files.ts';
import type { Box } from '../recorder/stages.ts';

export function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export interface TextLook {
  readonly colour?: string;
  readonly sizePx?: number;
  readonly weight?: 'normal' | 'bold';
  /** Which part of the text stands at x. */
  readonly anchor?: 'start' | 'middle' | 'end';
}

export function svgText(x: number, y: number, text: string, look: TextLook = {}): string {
  const { colour = '#e6e9ef', sizePx = 12, weight = 'normal', anchor = 'start' } = look;
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-family="sans-serif" font-size="${sizePx}" font-weight="${weight}" text-anchor="${anchor}" fill="${colour}">${xmlText(text)}</text>`;
}

export interface BoxLook {
  readonly colour: string;
  readonly widthPx: number;
  readonly label?: string;
  readonly labelPx?: number;
  /** Where the drawing ends: no label reaches beyond. */
  readonly rightPx?: number;
}

/** `scale`: drawing pixels per box pixel. */
export function boxSvg(box: Box, scale: { readonly x: number; readonly y: number }, look: BoxLook): string {
  const [x, y, w, h] = [box.x * scale.x, box.y * scale.y, box.w * scale.x, box.h * scale.y].map((v) => v.toFixed(1));
  const frame = `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="${look.colour}" stroke-width="${look.widthPx}"/>`;
  if (look.label === undefined) return frame;
  const sizePx = look.labelPx ?? 13;
  // Inside the box where there is no room above it, and back from the edge of the drawing.
  const baseline = Math.max(sizePx, box.y * scale.y - 3);
  const left = Math.min(
    box.x * scale.x,
    (look.rightPx ?? Number.POSITIVE_INFINITY) - look.label.length * sizePx * 0.72,
  );
  return `${frame}<text x="${left.toFixed(1)}" y="${baseline.toFixed(1)}" font-family="sans-serif" font-weight="bold" font-size="${sizePx}" fill="${look.colour}" stroke="#000" stroke-width="${sizePx / 5}" paint-order="stroke">${xmlText(look.label)}</text>`;
}

function cannotDraw(path: string, why: string, cause?: unknown): AgentError {
  return new AgentError('usage', 'cli/cannot-draw', `Cannot draw into ${path}: ${why}`, { cause });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Before work that takes long. Throws `cli/cannot-draw`. */
export function requireDrawable(path: string): void {
  if (isFolder(path)) throw cannotDraw(path, 'it is a folder');
  if (!isFolder(dirname(path))) throw cannotDraw(path, `there is no folder ${dirname(path)}`);
}

/** Readable by this user alone: it shows what a camera saw. Throws `cli/cannot-draw`. */
export function writeDrawing(path: string, png: Uint8Array): void {
  try {
    writeFileDurable(path, png);
  } catch (thrown) {
    const code = systemCode(thrown);
    if (thrown instanceof AgentError || code === undefined) throw thrown;
    throw cannotDraw(path, code, thrown);
  }
}
