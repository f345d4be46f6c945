/** The picture of `latchkey watch --draw`: frames of the events with their boxes, and scores and motion over time. */
import sharp, { type OverlayOptions } from 'sharp';
import { yuvToRgb } from '../base/image.ts';
import type { CameraConfig } from '../config/schema.ts';
import type { Trace } from '../recorder/observe.ts';
import type { SeenEvent, Shot, Shots } from '../recorder/sightings.ts';
import type { Box, Detection, MotionResult, SmallFrame } from '../recorder/stages.ts';
import { boxSvg, svgText } from './drawing.ts';
import { seconds } from './terminal-text.ts';

const tileWidthPx = 320;
const columnCount = 3;
const gapPx = 6;
const headPx = 28;
const captionPx = 18;
const plotPx = 190;
const widthPx = columnCount * tileWidthPx + (columnCount + 1) * gapPx;
/** More would make a picture that nobody can read; the rest is counted. */
const maxEventCount = 12;
/** At most this many points across the plot, each the largest of its time. */
const bucketCount = widthPx - 80;

interface Tile {
  readonly shot: Shot;
  readonly motion: readonly Box[];
  readonly caption: string;
}

export class WatchPicture implements Trace {
  readonly #camera: CameraConfig;
  readonly #tiles: Tile[] = [];
  readonly #events: SeenEvent[] = [];
  /** What is known of a frame, for as long as somebody holds the frame. */
  readonly #known = new WeakMap<SmallFrame, { readonly atMs: number; readonly motion: readonly Box[] }>();
  readonly #scores: (readonly [atMs: number, score: number])[] = [];
  readonly #motion: (readonly [atMs: number, ratio: number])[] = [];
  #liveliest: { readonly frame: SmallFrame; readonly atMs: number; readonly ratio: number } | undefined;

  constructor(camera: CameraConfig) {
    this.#camera = camera;
  }

  onMotion(atMs: number, frame: SmallFrame, { boxes, foregroundRatio, state }: MotionResult): void {
    this.#known.set(frame, { atMs, motion: boxes });
    this.#motion.push([atMs, state === 'settling' ? 0 : foregroundRatio]);
    if (boxes.length > 0 && foregroundRatio > (this.#liveliest?.ratio ?? 0)) {
      this.#liveliest = { frame, atMs, ratio: foregroundRatio };
    }
  }

  onPeople(atMs: number, _frame: SmallFrame, found: readonly Detection[]): void {
    this.#scores.push([atMs, Math.max(0, ...found.map(({ score }) => score))]);
  }

  add(event: SeenEvent, shots: Shots): void {
    this.#events.push(event);
    if (this.#events.length > maxEventCount) return;
    for (const shot of shots) {
      const { atMs = event.firstMs, motion = [] } = this.#known.get(shot.frame) ?? {};
      const span = `${seconds(event.firstMs)} to ${seconds(event.lastMs)}`;
      this.#tiles.push({
        shot,
        motion,
        caption: `${this.#events.length}: ${event.kind} at ${seconds(atMs)}, of ${span}`,
      });
    }
  }

  /** A PNG. */
  async render({ durationMs }: { readonly durationMs: number }): Promise<Uint8Array> {
    const tiles = this.#tiles.length > 0 ? this.#tiles : this.#nothing();
    const { widthPx: frameWidth, heightPx: frameHeight } = this.#camera.detect;
    const tileHeightPx = Math.round((tileWidthPx * frameHeight) / frameWidth);
    const rowPx = tileHeightPx + captionPx + gapPx;
    const rowCount = Math.ceil(tiles.length / columnCount);
    const plotTopPx = headPx + rowCount * rowPx;
    const heightPx = plotTopPx + plotPx;
    const layers: OverlayOptions[] = [];
    const captions: string[] = [];
    for (const [index, { shot, motion, caption }] of tiles.entries()) {
      const left = gapPx + (index % columnCount) * (tileWidthPx + gapPx);
      const top = headPx + Math.floor(index / columnCount) * rowPx;
      const scale = { x: tileWidthPx / frameWidth, y: tileHeightPx / frameHeight };
      const raw = { width: frameWidth, height: frameHeight, channels: 3 } as const;
      const small = sharp(yuvToRgb(shot.frame), { raw }).resize(tileWidthPx, tileHeightPx, { fit: 'fill' });
      layers.push({ input: await small.png().toBuffer(), left, top });
      const marks = [
        ...motion.map((box) => boxSvg(box, scale, { colour: '#ffb000', widthPx: 1 })),
        ...(shot.kind === 'person'
          ? [boxSvg(shot.box, scale, { colour: '#30e060', widthPx: 2, label: shot.score.toFixed(2) })]
          : []),
      ];
      captions.push(
        `<svg x="${left}" y="${top}" width="${tileWidthPx}" height="${tileHeightPx}">${marks.join('')}</svg>`,
      );
      captions.push(svgText(left + 2, top + tileHeightPx + 13, caption));
    }
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}">
${svgText(gapPx, 19, this.#title(), 14)}${captions.join('')}${this.#plot(plotTopPx, durationMs)}</svg>`;
    const canvas = { width: widthPx, height: heightPx, channels: 3, background: '#16181d' } as const;
    const picture = sharp({ create: canvas }).composite([...layers, { input: Buffer.from(svg), left: 0, top: 0 }]);
    return new Uint8Array(await picture.png().toBuffer());
  }

  #title(): string {
    const people = this.#events.filter(({ kind }) => kind === 'person').length;
    const left = this.#events.length - maxEventCount;
    const more = left > 0 ? `, the last ${left} without pictures` : '';
    const events = this.#events.length === 1 ? '1 event' : `${this.#events.length} events`;
    return `${events}, ${people} with people${more}. Green: person. Amber: motion.`;
  }

  /** Without an event: what moved most, so that a miss can be looked at. */
  #nothing(): Tile[] {
    if (this.#liveliest === undefined) return [];
    const { frame, atMs } = this.#liveliest;
    const box = { x: 0, y: 0, w: frame.widthPx, h: frame.heightPx };
    const caption = `no event; most motion at ${seconds(atMs)}`;
    return [{ shot: { frame, kind: 'motion', score: 0, box }, motion: this.#known.get(frame)?.motion ?? [], caption }];
  }

  #plot(topPx: number, durationMs: number): string {
    const [left, top, height] = [44, topPx + 10, plotPx - 44];
    const spanMs = Math.max(1, durationMs);
    const x = (ms: number): number => left + (Math.min(ms, spanMs) / spanMs) * bucketCount;
    const y = (share: number): number => top + height * (1 - share);
    const { threshold } = this.#camera.person;
    const motion = largestByTime(this.#motion, spanMs);
    const mostMotion = Math.max(0.001, ...motion.map(([, ratio]) => ratio));
    const bands = this.#events.map(({ firstMs, lastMs, kind }) => {
      const fill = kind === 'person' ? '#30e060' : '#ffb000';
      const width = Math.max(1, x(lastMs) - x(firstMs));
      return `<rect x="${x(firstMs)}" y="${top}" width="${width}" height="${height}" fill="${fill}" fill-opacity="0.18"/>`;
    });
    const bars = motion.map(([ms, ratio]) => `M${x(ms).toFixed(1)} ${y(0)}V${y(ratio / mostMotion).toFixed(1)}`);
    const dots = largestByTime(this.#scores, spanMs).map(([ms, score]) => {
      const fill = score >= threshold ? '#30e060' : '#9aa4b2';
      return `<circle cx="${x(ms).toFixed(1)}" cy="${y(score).toFixed(1)}" r="2" fill="${fill}"/>`;
    });
    const lines = [0, threshold, 1].map(
      (share) =>
        `<path d="M${left} ${y(share)}H${left + bucketCount}" stroke="#9aa4b2" stroke-opacity="0.5" stroke-dasharray="${share === threshold ? '4 3' : '0'}"/>` +
        svgText(6, y(share) + 4, share.toFixed(share === threshold ? 2 : 0)),
    );
    const times = [0, 0.25, 0.5, 0.75, 1].map((share) =>
      svgText(left + share * bucketCount - 14, top + height + 16, seconds(share * spanMs)),
    );
    const legend = `Dots: best person score of each look. Amber: share of the picture that moves, full height ${(mostMotion * 100).toFixed(1)} %.`;
    return [
      ...bands,
      `<path d="${bars.join('')}" stroke="#ffb000" stroke-opacity="0.7" fill="none"/>`,
      ...lines,
      ...dots,
      ...times,
      svgText(left, top + height + 31, legend),
    ].join('');
  }
}

type Point = readonly [atMs: number, value: number];

/** The largest value of each column of the plot, so that a long stream draws no more than a short one. */
function largestByTime(points: readonly Point[], spanMs: number): Point[] {
  const largest = new Map<number, Point>();
  for (const point of points) {
    const bucket = Math.floor((point[0] / spanMs) * bucketCount);
    if (point[1] >= (largest.get(bucket)?.[1] ?? 0)) largest.set(bucket, point);
  }
  return [...largest.values()];
}
