/** The picture of `latchkey watch --draw`: frames of the events with what was seen in them, above a plot over time. */
import sharp, { type OverlayOptions } from 'sharp';
import { yuvToRgb } from '../base/image.ts';
import type { CameraConfig } from '../config/schema.ts';
import type { Trace } from '../recorder/observe.ts';
import type { SeenEvent, Shot, Shots } from '../recorder/sightings.ts';
import type { Box, Detection, MotionResult, SmallFrame } from '../recorder/stages.ts';
import { boxSvg, svgText } from './drawing.ts';
import { seconds } from './terminal-text.ts';
import { colours, type Point, plotHeightPx, plotSvg } from './watch-plot.ts';

const tileWidthPx = 320;
const columnCount = 3;
const gapPx = 8;
const headPx = 52;
const captionPx = 22;
const widthPx = columnCount * tileWidthPx + (columnCount + 1) * gapPx;
/** More would make a picture that nobody can read; the rest is counted. */
const maxEventCount = 12;

/** What moved in a frame. */
interface Moving {
  readonly atMs: number;
  readonly boxes: readonly Box[];
  readonly mask: Uint8Array | null;
}

interface Tile extends Pick<Moving, 'boxes' | 'mask'> {
  readonly shot: Shot;
  readonly caption: string;
  readonly colour: string;
}

/** Where each tile lies in the picture. */
interface Place {
  readonly left: number;
  readonly top: number;
  readonly heightPx: number;
}

export class WatchPicture implements Trace {
  readonly #camera: CameraConfig;
  readonly #name: string;
  readonly #tiles: Tile[][] = [];
  readonly #events: SeenEvent[] = [];
  /** What is known of a frame, for as long as somebody holds the frame. */
  readonly #known = new WeakMap<SmallFrame, Moving>();
  readonly #scores: Point[] = [];
  readonly #motion: Point[] = [];
  #liveliest: { readonly frame: SmallFrame; readonly ratio: number } | undefined;

  constructor(camera: CameraConfig, name: string) {
    this.#camera = camera;
    this.#name = name;
  }

  onMotion(atMs: number, frame: SmallFrame, result: MotionResult, mask: () => Uint8Array | null): void {
    const { boxes, foregroundRatio, state } = result;
    this.#known.set(frame, { atMs, boxes, mask: boxes.length > 0 ? mask() : null });
    this.#motion.push([atMs, state === 'settling' ? 0 : foregroundRatio]);
    if (boxes.length > 0 && foregroundRatio > (this.#liveliest?.ratio ?? 0)) {
      this.#liveliest = { frame, ratio: foregroundRatio };
    }
  }

  onPeople(atMs: number, _frame: SmallFrame, found: readonly Detection[]): void {
    this.#scores.push([atMs, Math.max(0, ...found.map(({ score }) => score))]);
  }

  add(event: SeenEvent, shots: Shots): void {
    this.#events.push(event);
    const number = this.#events.length;
    if (number > maxEventCount) return;
    const surest = Math.max(...shots.map(({ score }) => score));
    const best = shots.findIndex(({ score }) => score === surest);
    const says = (index: number): string => (index === 0 ? 'opened' : index === best ? 'surest' : 'last');
    this.#tiles.push(
      shots.map((shot, index) => {
        const { atMs = event.firstMs, boxes = [], mask = null } = this.#known.get(shot.frame) ?? {};
        const caption = `${number}  ${says(index)} at ${seconds(atMs)}`;
        return { shot, boxes, mask, caption, colour: colours[event.kind] };
      }),
    );
  }

  /** A PNG. */
  async render({ durationMs }: { readonly durationMs: number }): Promise<Uint8Array> {
    const rows = this.#tiles.length > 0 ? this.#tiles : [this.#nothing()];
    const { widthPx: frameWidth, heightPx: frameHeight } = this.#camera.detect;
    const tileHeightPx = Math.round((tileWidthPx * frameHeight) / frameWidth);
    const rowPx = tileHeightPx + captionPx + gapPx;
    const plotTopPx = headPx + rows.length * rowPx;
    const layers: OverlayOptions[] = [];
    const drawn: string[] = [];
    for (const [rowIndex, row] of rows.entries()) {
      for (const [column, tile] of row.entries()) {
        const left = gapPx + column * (tileWidthPx + gapPx);
        const place = { left, top: headPx + rowIndex * rowPx, heightPx: tileHeightPx };
        layers.push({ input: await thumbnail(tile, tileHeightPx), left: place.left, top: place.top });
        drawn.push(tileSvg(tile, place));
      }
    }
    const plot = plotSvg(
      {
        durationMs,
        threshold: this.#camera.person.threshold,
        events: this.#events,
        scores: this.#scores,
        motion: this.#motion,
      },
      plotTopPx,
      widthPx,
    );
    const heightPx = plotTopPx + plotHeightPx;
    const head =
      svgText(gapPx, 22, this.#name, { sizePx: 16, weight: 'bold' }) +
      svgText(gapPx, 41, this.#title(durationMs), { colour: colours.dim });
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}">${head}${drawn.join('')}${plot}</svg>`;
    const canvas = { width: widthPx, height: heightPx, channels: 3, background: colours.page } as const;
    const picture = sharp({ create: canvas }).composite([...layers, { input: Buffer.from(svg), left: 0, top: 0 }]);
    return new Uint8Array(await picture.png().toBuffer());
  }

  #title(durationMs: number): string {
    const people = this.#events.filter(({ kind }) => kind === 'person').length;
    const left = this.#events.length - maxEventCount;
    const more = left > 0 ? `, the last ${left} without pictures` : '';
    const events = this.#events.length === 1 ? '1 event' : `${this.#events.length} events`;
    return `${seconds(durationMs)}: ${events}, ${people} with people${more}. Green: person with score. Amber: what moves.`;
  }

  /** Without an event: what moved most, so that a miss can be looked at. */
  #nothing(): Tile[] {
    if (this.#liveliest === undefined) return [];
    const { frame } = this.#liveliest;
    const { atMs = 0, boxes = [], mask = null } = this.#known.get(frame) ?? {};
    const box = { x: 0, y: 0, w: frame.widthPx, h: frame.heightPx };
    const caption = `no event; most motion at ${seconds(atMs)}`;
    return [{ shot: { frame, kind: 'motion', score: 0, box }, boxes, mask, caption, colour: colours.dim }];
  }
}

/** Share of amber in a moving pixel. */
const maskShare = 0.4;
const maskColour = [0xf0, 0xa6, 0x3a] as const;

async function thumbnail({ shot: { frame }, mask }: Tile, heightPx: number): Promise<Buffer> {
  const rgb = yuvToRgb(frame);
  for (const [pixel, moves] of (mask ?? []).entries()) {
    if (moves !== 1) continue;
    for (const [plane, colour] of maskColour.entries()) {
      const at = pixel * 3 + plane;
      rgb[at] = (rgb[at] ?? 0) * (1 - maskShare) + colour * maskShare;
    }
  }
  const raw = { width: frame.widthPx, height: frame.heightPx, channels: 3 } as const;
  return sharp(rgb, { raw }).resize(tileWidthPx, heightPx, { fit: 'fill' }).png().toBuffer();
}

function tileSvg({ shot, boxes, caption, colour }: Tile, { left, top, heightPx }: Place): string {
  const scale = { x: tileWidthPx / shot.frame.widthPx, y: heightPx / shot.frame.heightPx };
  const marks = [
    ...boxes.map((box) => boxSvg(box, scale, { colour: colours.motion, widthPx: 1 })),
    ...(shot.kind === 'person'
      ? [
          boxSvg(shot.box, scale, {
            colour: colours.person,
            widthPx: 2,
            label: shot.score.toFixed(2),
            rightPx: tileWidthPx,
          }),
        ]
      : []),
  ];
  const foot = top + heightPx;
  return `<svg x="${left}" y="${top}" width="${tileWidthPx}" height="${heightPx}">${marks.join('')}</svg><rect x="${left}" y="${foot}" width="${tileWidthPx}" height="${captionPx}" fill="${colours.panel}"/><rect x="${left}" y="${foot}" width="3" height="${captionPx}" fill="${colour}"/>${svgText(left + 10, foot + 15, caption)}`;
}
