/**
 * People followed through a finished clip: what was found in single pictures, joined to tracks, with the gaps between two
 * finds filled from both sides. Pure.
 */
import { matchUp } from '../../recorder/person/matching.ts';
import type { Detection } from '../../recorder/stages.ts';
import type { PixelBox } from './cells.ts';

/** Somebody (or something taken for it) in one picture. */
export interface Find {
  /** Which picture, from 0. */
  readonly picture: number;
  readonly box: PixelBox;
  readonly score: number;
}

export interface PersonTrack {
  /** From 1, in the order of appearance. The same for every analysis of the same clip. */
  readonly id: number;
  readonly finds: readonly Find[];
  readonly bestScore: number;
}

export interface Look {
  readonly picture: number;
  readonly timeMs: number;
  readonly detections: readonly Detection[];
}

/** Somebody who isn't found for so long is taken for another when found again. */
const longestGapMs = 3000;
/** A track needs one sure find, or several weak ones. */
const [sureScore, fewestFinds] = [0.35, 3];

/** Looks in the order of time. */
export function followPeople(looks: readonly Look[]): readonly PersonTrack[] {
  const all: { finds: Find[]; box: Detection['box']; lastMs: number }[] = [];
  for (const { picture, timeMs, detections } of looks) {
    const open = all.filter((track) => timeMs - track.lastMs <= longestGapMs);
    const matched = new Map(matchUp(open, detections).map(([track, detection]) => [detection, track]));
    for (const detection of detections) {
      const find = { picture, box: detection.box, score: detection.score };
      const track = matched.get(detection);
      if (track === undefined) all.push({ finds: [find], box: detection.box, lastMs: timeMs });
      else {
        track.finds.push(find);
        track.box = detection.box;
        track.lastMs = timeMs;
      }
    }
  }
  const bestOf = (finds: readonly Find[]): number => Math.max(...finds.map(({ score }) => score));
  return all
    .filter(({ finds }) => finds.length >= fewestFinds || bestOf(finds) >= sureScore)
    .map(({ finds }, i) => ({ id: i + 1, finds, bestScore: bestOf(finds) }));
}

/** Where the track is in a picture; undefined before its first find and after its last. `timesMs` of all pictures, rising. */
export function placeAt(track: PersonTrack, picture: number, timesMs: readonly number[]): PixelBox | undefined {
  const { finds } = track;
  const after = finds.findIndex((find) => find.picture >= picture);
  const [a, b] = [finds[after - 1], finds[after]];
  if (b === undefined) return undefined;
  if (b.picture === picture) return b.box;
  if (a === undefined) return undefined;
  // By time: pictures may come in bursts.
  const at = (i: number): number => timesMs[i] ?? 0;
  return between(a, b, (at(picture) - at(a.picture)) / (at(b.picture) - at(a.picture)));
}

function between({ box: a }: Find, { box: b }: Find, part: number): PixelBox {
  const mix = (from: number, to: number): number => from + (to - from) * part;
  const [left, top] = [mix(a.x, b.x), mix(a.y, b.y)];
  return { x: left, y: top, w: mix(a.x + a.w, b.x + b.w) - left, h: mix(a.y + a.h, b.y + b.h) - top };
}
