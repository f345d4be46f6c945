/**
 * Looks through a whole clip once: people where the model finds them, and what stands out from the empty scene. Everything a
 * redaction is planned from; it depends on the clip alone, so numbers of people stay the same whatever is chosen.
 */
import { AgentError } from '../../base/errors.ts';
import { MotionDetector } from '../../recorder/motion/detector.ts';
import { PersonDetector } from '../../recorder/person/detector.ts';
import { embeddedModel, type PersonModel } from '../../recorder/person/model.ts';
import type { Box, Detection, SmallFrame } from '../../recorder/stages.ts';
import { CellHistory } from './background.ts';
import { type CellGrid, type Cells, cellPx, emptyCells, fillBox, gridOf } from './cells.ts';
import { lostPictures } from './encoder.ts';
import { followPeople, type Look, type PersonTrack } from './people.ts';
import type { ClipPictures } from './pictures.ts';
import { decodeSmall, smallSize } from './small-pictures.ts';

export interface Analysis {
  /** As shown, after any turn. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly grid: CellGrid;
  /** When each picture is shown: milliseconds from the clip's first one, rising. */
  readonly timesMs: readonly number[];
  /** Of each picture, what stands out. */
  readonly foreground: readonly Cells[];
  /** Boxes in pixels of the whole picture. */
  readonly people: readonly PersonTrack[];
  /** Why nobody was looked for: the code of what failed. */
  readonly noModel: string | undefined;
  readonly pixelFormat: string | undefined;
}

export interface AnalysisOptions {
  readonly ffmpegPath: string;
  readonly pictures: ClipPictures;
  readonly signal?: AbortSignal | undefined;
  /** Undefined: the embedded one. */
  readonly model?: PersonModel | undefined;
}

/** Below what the recorder calls a person: a find too many costs the owner a tick, one too few costs somebody their privacy. */
const minScore = 0.2;
const looksPerSecond = 5;
/** So often the whole picture is looked at piece by piece, for somebody small who stands still. */
const closeLookMs = 1000;

/** Throws `redact/ffmpeg`, `redact/lost-pictures`, `base/addon-missing`. Without a usable model there are no people in it. */
export async function analyse(options: AnalysisOptions): Promise<Analysis> {
  const { pictures, signal } = options;
  const full = shownSize(pictures);
  const small = smallSize(full.widthPx, full.heightPx);
  const grid = gridOf(full.widthPx, full.heightPx);
  const { timesMs } = pictures;
  const history = new CellHistory(grid, full, small, cellPx);
  const looks: Look[] = [];
  const moved: (readonly Box[])[] = [];
  const opened = await openDetector(options.model);
  await using detector = opened.detector;
  using motion = new MotionDetector({ ...small, sensitivity: 0.8, minAreaRatio: 0.0002, zones: [] });
  const scale = { x: full.widthPx / small.widthPx, y: full.heightPx / small.heightPx };
  const { turns } = pictures.init;
  await using decoded = decodeSmall({ ...small, turns, ffmpegPath: options.ffmpegPath, input: pictures.bytes, signal });
  let [nextLookMs, nextCloseMs] = [0, 0];
  let pixelFormat: string | undefined;
  for (;;) {
    const { value, done } = await decoded.next();
    if (done === true) {
      pixelFormat = value;
      break;
    }
    const picture = history.length;
    history.add(value);
    const timeMs = timesMs[picture] ?? 0;
    const frame: SmallFrame = { runId: 'clip', timeMs, ...small, yuv: value };
    const { boxes } = motion.detect(frame);
    moved.push(boxes);
    if (detector === undefined || timeMs < nextLookMs) continue;
    nextLookMs = timeMs + 1000 / looksPerSecond - 5;
    const found = [...(await detector.detect(frame, boxes, { alsoWhole: true, maxCropCount: 2 }))];
    if (timeMs >= nextCloseMs) {
      nextCloseMs = timeMs + closeLookMs;
      for (const tile of tilesOf(small, detector.inputPx)) found.push(...(await detector.detect(frame, [tile])));
    }
    looks.push({ picture, timeMs, detections: distinct(found).map((d) => ({ ...d, box: enlarged(d.box, scale) })) });
  }
  if (history.length !== timesMs.length) throw lostPictures(history.length, timesMs.length);
  const foreground = history.foreground(timesMs);
  for (const [i, boxes] of moved.entries()) {
    // Somebody far away is smaller than a cell and lost in its mean.
    for (const box of boxes) fillBox(foreground[i] ?? emptyCells(grid), grid, enlarged(box, scale));
  }
  return {
    ...full,
    grid,
    timesMs,
    foreground,
    people: followPeople(looks),
    noModel: opened.reason,
    pixelFormat,
  };
}

/** All that filling drawn places needs: nobody is looked for. Decodes the first fragment. */
export async function describePictures(options: AnalysisOptions): Promise<Analysis> {
  const { pictures, signal, ffmpegPath } = options;
  const full = shownSize(pictures);
  const small = smallSize(full.widthPx, full.heightPx);
  const { turns } = pictures.init;
  await using decoded = decodeSmall({ ...small, turns, ffmpegPath, input: pictures.bytes.slice(0, 2), signal });
  let next = await decoded.next();
  while (next.done !== true) next = await decoded.next();
  const nothing = { foreground: [], people: [], noModel: undefined };
  const grid = gridOf(full.widthPx, full.heightPx);
  return { ...full, grid, timesMs: pictures.timesMs, ...nothing, pixelFormat: next.value };
}

/** As shown, after any turn. */
function shownSize({ init }: ClipPictures): { readonly widthPx: number; readonly heightPx: number } {
  const { widthPx, heightPx } = init;
  return init.turns % 2 === 1 ? { widthPx: heightPx, heightPx: widthPx } : { widthPx, heightPx };
}

async function openDetector(
  model: PersonModel | undefined,
): Promise<{ detector: PersonDetector | undefined; reason?: string | undefined }> {
  try {
    const detector = await PersonDetector.open({ model: model ?? embeddedModel(), minScore });
    return { detector };
  } catch (thrown) {
    if (!(thrown instanceof AgentError)) throw thrown;
    return { detector: undefined, reason: thrown.code };
  }
}

/** Points whose crops, of the model's own side, cover the picture. */
function tilesOf({ widthPx, heightPx }: { widthPx: number; heightPx: number }, sidePx: number): Box[] {
  const centres = (lengthPx: number): number[] => {
    const count = Math.max(1, Math.ceil((lengthPx - sidePx / 4) / ((sidePx * 3) / 4)));
    const reach = Math.max(0, lengthPx - sidePx);
    const first = Math.min(lengthPx, sidePx) / 2;
    return Array.from({ length: count }, (_, i) =>
      Math.round(first + (count === 1 ? reach / 2 : (reach * i) / (count - 1))),
    );
  };
  return centres(heightPx).flatMap((y) => centres(widthPx).map((x) => ({ x: x - 1, y: y - 1, w: 2, h: 2 })));
}

/** The same person found in two crops is one find. */
function distinct(found: readonly Detection[]): Detection[] {
  const kept: Detection[] = [];
  for (const detection of found.toSorted((a, b) => b.score - a.score)) {
    const { x, y, w, h } = detection.box;
    const same = kept.some(({ box }) => {
      const sharedW = Math.min(box.x + box.w, x + w) - Math.max(box.x, x);
      const sharedH = Math.min(box.y + box.h, y + h) - Math.max(box.y, y);
      if (sharedW <= 0 || sharedH <= 0) return false;
      return sharedW * sharedH > 0.5 * (box.w * box.h + w * h - sharedW * sharedH);
    });
    if (!same) kept.push(detection);
  }
  return kept;
}

function enlarged({ x, y, w, h }: Box, scale: { x: number; y: number }): Box {
  return { x: x * scale.x, y: y * scale.y, w: w * scale.x, h: h * scale.y };
}
