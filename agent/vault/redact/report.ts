/** What an analysis says to the owner: who was found where, and which moments they should look at themselves. Pure. */
import type { Analysis } from './analysis.ts';
import { type PersonTrack, placeAt } from './people.ts';

/** Shares of the picture as shown, in millionths. */
export interface PlaceE6 {
  readonly atMs: number;
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface FoundPerson {
  readonly id: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** 0..1: how sure the surest find was. */
  readonly score: number;
  readonly places: readonly PlaceE6[];
}

export interface ClipAnalysisReport {
  readonly clipId: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly startMs: number;
  readonly pictureCount: number;
  /** Why nobody was looked for; left out where the model works. */
  readonly noModel?: string;
  readonly people: readonly FoundPerson[];
  /** Moments in which something moves where nobody was found, or somebody was found only weakly: look yourself. */
  readonly unsure: readonly { readonly fromMs: number; readonly toMs: number }[];
}

const placesPerSecond = 2;
const weakScore = 0.5;
/** Less than this share of the picture is a leaf. */
const leastMovingRatio = 0.004;

export function describeAnalysis(clipId: string, analysis: Analysis, startMs: number): ClipAnalysisReport {
  const { timesMs, people, noModel, widthPx, heightPx } = analysis;
  const at = (picture: number): number => Math.round(startMs + (timesMs[picture] ?? 0));
  return {
    clipId,
    widthPx,
    heightPx,
    startMs,
    pictureCount: timesMs.length,
    ...(noModel === undefined ? {} : { noModel }),
    people: people.map((track) => ({
      id: track.id,
      fromMs: at(track.finds[0]?.picture ?? 0),
      toMs: at(track.finds.at(-1)?.picture ?? 0),
      score: Math.round(track.bestScore * 100) / 100,
      places: placesOf(track, analysis).map((place) => ({ ...place, atMs: Math.round(startMs + place.atMs) })),
    })),
    unsure: joinMoments(
      timesMs.flatMap((_, i) => (isUnsure(analysis, i) ? [at(i)] : [])),
      1000,
    ),
  };
}

function placesOf(track: PersonTrack, { timesMs, widthPx, heightPx }: Analysis): PlaceE6[] {
  const places: PlaceE6[] = [];
  const [first, last] = [track.finds[0]?.picture ?? 0, track.finds.at(-1)?.picture ?? 0];
  for (let picture = first; picture <= last; picture++) {
    const atMs = timesMs[picture] ?? 0;
    const before = places.at(-1);
    if (before !== undefined && atMs - before.atMs < 1000 / placesPerSecond && picture !== last) continue;
    const box = placeAt(track, picture, timesMs);
    if (box === undefined) continue;
    const e6 = (value: number, whole: number): number => Math.round((value / whole) * 1e6);
    places.push({ atMs, x: e6(box.x, widthPx), y: e6(box.y, heightPx), w: e6(box.w, widthPx), h: e6(box.h, heightPx) });
  }
  return places;
}

function isUnsure({ people, foreground, timesMs }: Analysis, picture: number): boolean {
  const here = people.filter((track) => placeAt(track, picture, timesMs) !== undefined);
  if (here.length > 0) return here.some((track) => track.bestScore < weakScore);
  const cells = foreground[picture];
  if (cells === undefined) return false;
  return cells.reduce((sum, cell) => sum + cell, 0) > leastMovingRatio * cells.length;
}

function joinMoments(momentsMs: readonly number[], gapMs: number): { fromMs: number; toMs: number }[] {
  const joined: { fromMs: number; toMs: number }[] = [];
  for (const atMs of momentsMs) {
    const last = joined.at(-1);
    if (last !== undefined && atMs - last.toMs <= gapMs) last.toMs = atMs;
    else joined.push({ fromMs: atMs, toMs: atMs });
  }
  return joined;
}
