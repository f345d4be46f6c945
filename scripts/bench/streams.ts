/** Every stream with truth: those committed with the project, and those of LATCHKEY_DATA, in one shape. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findVisits, parseTruth, type Truth, type TruthFrame } from '../render/truth.ts';
import { joinSpans, type Span } from './score/intervals.ts';

export interface TruthStream {
  readonly name: string;
  readonly path: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly fps: number;
  readonly durationMs: number;
  /** When somebody is there, or, in a stream of moving things, when something moves. */
  readonly visits: readonly Span[];
  readonly visitsAre: 'people' | 'motion';
  /** Only this part of the stream is scored. */
  readonly scored: Span;
  readonly light: string;
  readonly tags: readonly string[];
  /** When a cat, a car or a parcel moves; light, rain and leaves are no things. */
  readonly thingsMove: readonly Span[];
  readonly frames: readonly TruthFrame[];
  /** What stands out from the empty scene, of some frames: counts of pixels that don't and that do, in turns, row by row. */
  readonly masks: readonly { readonly i: number; readonly runs: readonly number[] }[];
  readonly from: 'committed' | 'data';
}

const committedFolder = join(import.meta.dirname, '../../test-fixtures/streams');
/** Nobody can be confirmed by two looks in less, five looks a second. */
const leastVisitMs = 600;

/** The first rendered stream has a truth of its own shape, without visits. */
interface FirstTruth {
  readonly clip: string;
  readonly w: number;
  readonly h: number;
  readonly fps: number;
  readonly light: string;
  readonly frames: readonly { readonly i: number; readonly people: readonly { readonly box: Corners }[] }[];
}
type Corners = readonly [left: number, top: number, right: number, bottom: number];

/** `test-fixtures/streams`, and below `blind` those that nothing but scoring reads. Throws `render/bad-truth`. */
export function committedStreams(): TruthStream[] {
  return [committedFolder, join(committedFolder, 'blind')].filter((folder) => existsSync(folder)).flatMap(streamsIn);
}

function streamsIn(folder: string): TruthStream[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.mp4') && existsSync(join(folder, name.replace(/mp4$/, 'json'))))
    .toSorted()
    .map((name) => {
      const path = join(folder, name);
      const text = readFileSync(path.replace(/mp4$/, 'json'), 'utf8');
      const first = JSON.parse(text) as FirstTruth;
      return 'clip' in first ? firstStream(path, first) : renderedStream(path, parseTruth(text, name));
    });
}

function renderedStream(path: string, truth: Truth): TruthStream {
  const { name, widthPx, heightPx, fps, light, tags, visits, frames, masks } = truth;
  const durationMs = (frames.at(-1)?.ms ?? 0) + 1000 / fps;
  return {
    name,
    path,
    widthPx,
    heightPx,
    fps,
    durationMs,
    visits,
    visitsAre: 'people',
    scored: { fromMs: 0, toMs: durationMs },
    light,
    tags,
    thingsMove: joinSpans(
      frames.filter(({ movers }) => movers.length > 0).map(({ ms }) => ({ fromMs: ms, toMs: ms + 1000 / fps })),
      1,
    ),
    frames,
    masks: masks?.rows ?? [],
    from: 'committed',
  };
}

function firstStream(path: string, { clip, w, h, fps, light, frames }: FirstTruth): TruthStream {
  const durationMs = (frames.length * 1000) / fps;
  const seen = frames.map(
    ({ i, people }): TruthFrame => ({
      i,
      ms: (i * 1000) / fps,
      people: people.map(({ box: [left, top, right, bottom] }, id) => {
        const box = [left, top, right - left, bottom - top] as const;
        return { id, box, full: box, visible: 1 };
      }),
      movers: [],
      moving: 0,
    }),
  );
  return {
    name: clip,
    path,
    widthPx: w,
    heightPx: h,
    fps,
    durationMs,
    visits: findVisits(seen, h, fps, ''),
    visitsAre: 'people',
    scored: { fromMs: 0, toMs: durationMs },
    light,
    tags: [],
    thingsMove: [],
    frames: seen,
    masks: [],
    from: 'committed',
  };
}

interface Recorded {
  readonly file: string;
  readonly size: readonly [number, number];
  readonly fps: number;
  readonly frameCount: number;
  /** First and last frame, 0-based. `all`: somebody is there throughout. */
  readonly visits: 'all' | readonly (readonly [first: number, last: number])[];
  readonly visitsAre?: 'motion';
  readonly scoredFrames?: readonly [first: number, last: number];
  readonly tags?: readonly string[];
}

function readTruth(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
}

/** The recorded streams of LATCHKEY_DATA that are there. */
export function recordedStreams(dataDir: string): TruthStream[] {
  const folder = join(dataDir, 'streams');
  const frames = (file: string, key: string): readonly (readonly [number, number])[] =>
    existsSync(join(folder, file)) ? (readTruth(join(folder, file))[key] as [number, number][]) : [];
  const walkers = frames('walkers-1080p15.truth.json', 'moving');
  const hd = { size: [1920, 1080], fps: 15, frameCount: 900, visits: walkers, visitsAre: 'motion' } as const;
  const list: readonly Recorded[] = [
    { file: 'one-by-one.mp4', size: [768, 432], fps: 10, frameCount: 1394, visits: frames('one-by-one.truth.json', 'personVisible') }, // biome-ignore format: a row
    { file: 'pets-s2l1-view1.mp4', size: [480, 360], fps: 10, frameCount: 795, visits: 'all', tags: ['far'] },
    { file: 'store-aisle-detection.mp4', size: [480, 270], fps: 15, frameCount: 67, visits: 'all' },
    { file: 'worker-zone-detection.mp4', size: [480, 270], fps: 15, frameCount: 71, visits: 'all' },
    { file: 'people-detection.mp4', size: [480, 270], fps: 12, frameCount: 23, visits: 'all' },
    { file: 'cars.mp4', size: [768, 432], fps: 12.5, frameCount: 377, visits: [], tags: ['cars'] },
    {
      file: 'cdnet-highway/input.mp4',
      size: [320, 240],
      fps: 25,
      frameCount: 1700,
      visits: [],
      tags: ['cars', 'tree'],
    },
    { file: 'wallflower-trees/input.mp4', size: [160, 120], fps: 15, frameCount: 287, visits: [[243, 286]], scoredFrames: [0, 241], tags: ['tree'] }, // biome-ignore format: a row
    { file: 'walkers-1080p15-vbr.mp4', ...hd, tags: ['far'] },
    { file: 'walkers-1080p15-cbr.mp4', ...hd, tags: ['far'] },
  ];
  return list.filter(({ file }) => existsSync(join(folder, file))).map((stream) => recordedStream(folder, stream));
}

function recordedStream(folder: string, stream: Recorded): TruthStream {
  const { file, size, fps, frameCount, visits, visitsAre = 'people', scoredFrames, tags = [] } = stream;
  const toSpan = ([first, last]: readonly [number, number]): Span => ({
    fromMs: (first * 1000) / fps,
    toMs: ((last + 1) * 1000) / fps,
  });
  const durationMs = (frameCount * 1000) / fps;
  const spans = visits === 'all' ? [{ fromMs: 0, toMs: durationMs }] : visits.map(toSpan);
  return {
    name: file.replace(/\/input\.mp4$|\.mp4$/, ''),
    path: join(folder, file),
    widthPx: size[0],
    heightPx: size[1],
    fps,
    durationMs,
    visits: visitsAre === 'motion' ? spans : spans.filter(({ fromMs, toMs }) => toMs - fromMs > leastVisitMs),
    visitsAre,
    scored: scoredFrames === undefined ? { fromMs: 0, toMs: durationMs } : toSpan(scoredFrames),
    light: 'day',
    tags,
    thingsMove: tags.includes('cars') ? [{ fromMs: 0, toMs: durationMs }] : [],
    frames: [],
    masks: [],
    from: 'data',
  };
}

/** The visits and the duration of the part that is scored. */
export function scoredPart({ visits, scored }: TruthStream): { readonly visits: Span[]; readonly durationMs: number } {
  const within = visits.filter(({ fromMs, toMs }) => fromMs < scored.toMs && toMs > scored.fromMs);
  return { visits: within, durationMs: scored.toMs - scored.fromMs };
}
