/** The worst misses and false alarms, drawn: what the figures are made of has to be looked at. */
import sharp from 'sharp';
import { yuvToRgb } from '../../../agent/base/image.ts';
import { boxSvg } from '../../../agent/cli/drawing.ts';
import type { SmallFrame } from '../../../agent/recorder/stages.ts';
import type { Drawing } from '../bench.ts';
import { text } from '../plot/svg.ts';
import type { FoundBox, TrueBox } from '../score/average-precision.ts';

/** Boxes in shares of the picture. */
export interface Mistake {
  /** How bad: the score of a false alarm, the height of somebody who was missed. */
  readonly weight: number;
  /** At most a few of one group are kept: a stream repeats its mistakes frame by frame. */
  readonly group: string;
  readonly caption: string;
  readonly frame: SmallFrame;
  readonly people: readonly TrueBox[];
  readonly found: readonly FoundBox[];
  readonly box: TrueBox;
}

const maxOfGroup = 3;

/** The worst of many, without holding the rest. */
export class WorstMistakes {
  readonly #count: number;
  #kept: Mistake[] = [];

  constructor(count = 12) {
    this.#count = count;
  }

  add(mistake: Mistake): void {
    const rivals = this.#kept.filter(({ group }) => group === mistake.group);
    const full = rivals.length >= maxOfGroup ? rivals.at(-1) : undefined;
    const last = full ?? (this.#kept.length === this.#count ? this.#kept.at(-1) : undefined);
    if (last !== undefined && mistake.weight <= last.weight) return;
    // The frame's bytes may be used again by whoever read it.
    const frame = { ...mistake.frame, yuv: Uint8Array.from(mistake.frame.yuv) };
    this.#kept = [...this.#kept.filter((one) => one !== last), { ...mistake, frame }].toSorted((a, b) => b.weight - a.weight); // biome-ignore format: one line
  }

  get list(): readonly Mistake[] {
    return this.#kept;
  }
}

const tilePx = 320;
const tileHeightPx = 240;
const captionPx = 20;
const columnCount = 4;

/** True people in blue, what was found in green, the mistake itself in red. */
export async function mistakeSheet(name: string, title: string, mistakes: readonly Mistake[]): Promise<Drawing[]> {
  if (mistakes.length === 0) return [];
  const rowPx = tileHeightPx + captionPx + 6;
  const heightPx = 32 + Math.ceil(mistakes.length / columnCount) * rowPx;
  const tiles = await Promise.all(
    mistakes.map(async ({ frame, people, found, box, caption }, index) => {
      const { widthPx, heightPx: frameHeight } = frame;
      const raw = { width: widthPx, height: frameHeight, channels: 3 } as const;
      const shrink = Math.min(tilePx / widthPx, tileHeightPx / frameHeight);
      const [w, h] = [Math.round(widthPx * shrink), Math.round(frameHeight * shrink)];
      const picture = await sharp(yuvToRgb(frame), { raw }).resize(w, h, { fit: 'fill' }).png().toBuffer();
      const left = (index % columnCount) * (tilePx + 6);
      const top = 32 + Math.floor(index / columnCount) * rowPx;
      const scale = { x: w, y: h };
      const marks = [
        ...people.map((person) => boxSvg(person, scale, { colour: '#4aa8ff', widthPx: 1 })),
        ...found.map((one) => boxSvg(one, scale, { colour: '#30e060', widthPx: 1, label: one.score.toFixed(2), labelPx: 10 })), // biome-ignore format: one line
        boxSvg(box, scale, { colour: '#ff4040', widthPx: 2 }),
      ];
      const svg = `<svg x="${left}" y="${top}" width="${w}" height="${h}">${marks.join('')}</svg>${text(left + 2, top + tileHeightPx + 14, caption, { sizePx: 11, colour: '#e6e9ef' })}`;
      return { layer: { input: picture, left, top }, svg };
    }),
  );
  const widthPx = columnCount * (tilePx + 6);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}" font-family="sans-serif">${text(6, 20, title, { sizePx: 15, colour: '#e6e9ef' })}${tiles.map((tile) => tile.svg).join('')}</svg>`;
  const png = await sharp({ create: { width: widthPx, height: heightPx, channels: 3, background: '#16181d' } })
    .composite([...tiles.map(({ layer }) => layer), { input: Buffer.from(svg), left: 0, top: 0 }])
    .png()
    .toBuffer();
  return [{ name, png }];
}
