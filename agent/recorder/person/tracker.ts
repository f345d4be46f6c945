import type { Box, Detection } from '../stages.ts';
import { intersectionArea, overlapRatio } from './nms.ts';

/**
 * Joins detections of one person over time and decides when somebody is really there: N detections among the last M
 * looks at the same place. Somebody who stands still leaves the motion regions, so the tracker also says where to look
 * again. Pure: time comes with each call.
 */
export interface TrackerOptions {
  /** N of M looks confirm a person. */
  readonly confirmCount: number;
  readonly windowCount: number;
  /** A confirmed person not found for this long, and missed in at least M looks, is gone. */
  readonly forgetMs: number;
  /** A confirmed person is looked at again after this long without a look. */
  readonly recheckMs: number;
  /** Something that has not moved for this long is not looked at again: a statue, a coat, a poster. */
  readonly stillMs: number;
}

export const defaultTrackerOptions: TrackerOptions = {
  confirmCount: 2,
  windowCount: 3,
  forgetMs: 2000,
  recheckMs: 1000,
  stillMs: 10 * 60_000,
};

export interface Track {
  readonly id: number;
  readonly box: Box;
  readonly score: number;
  readonly confirmed: boolean;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
}

export interface TrackerUpdate {
  /** Confirmed people who moved within `stillMs`, longest known first. */
  readonly people: readonly Track[];
  /** Confirmed by this very look. */
  readonly appeared: readonly Track[];
  /** Confirmed before, gone now. */
  readonly left: readonly Track[];
}

interface OpenTrack {
  readonly id: number;
  box: Box;
  score: number;
  confirmed: boolean;
  readonly firstSeenMs: number;
  lastSeenMs: number;
  lastLookMs: number;
  /** Outcome of the last M looks at its place, newest last. */
  looks: boolean[];
  /** Where it stood when it last moved noticeably. */
  restBox: Box;
  restSinceMs: number;
}

export class PersonTracker {
  readonly #options: TrackerOptions;
  #tracks: OpenTrack[] = [];
  #nextId = 1;

  constructor(options: Partial<TrackerOptions> = {}) {
    const all = { ...defaultTrackerOptions, ...options };
    if (!(all.confirmCount >= 1 && all.windowCount >= all.confirmCount)) {
      throw new RangeError('confirmCount must be 1 to windowCount');
    }
    this.#options = all;
  }

  /**
   * Takes what one look found. `regions` are the boxes that were asked for (none = the whole frame): only a track inside
   * them counts as missed.
   */
  update(timeMs: number, detections: readonly Detection[], regions: readonly Box[] = []): TrackerUpdate {
    const { confirmCount, windowCount, forgetMs } = this.#options;
    const free = new Set(detections);
    const appeared: Track[] = [];
    for (const [track, detection] of matchUp(this.#tracks, detections)) {
      free.delete(detection);
      see(track, detection, timeMs);
      record(track, true, windowCount);
      if (!track.confirmed && track.looks.filter(Boolean).length >= confirmCount) {
        track.confirmed = true;
        appeared.push(publish(track));
      }
    }
    for (const track of this.#tracks) {
      if (track.lastLookMs !== timeMs && (regions.length === 0 || regions.some((r) => contains(r, track.box)))) {
        track.lastLookMs = timeMs;
        record(track, false, windowCount);
      }
    }
    for (const detection of free) {
      const track = begin(this.#nextId++, detection, timeMs);
      this.#tracks.push(track);
      if (confirmCount === 1) {
        track.confirmed = true;
        appeared.push(publish(track));
      }
    }
    const left: Track[] = [];
    this.#tracks = this.#tracks.filter((track) => {
      const missedAll = track.looks.length >= windowCount && !track.looks.includes(true);
      const stays = track.confirmed
        ? !missedAll || timeMs - track.lastSeenMs < forgetMs
        : track.looks.length - track.looks.filter(Boolean).length <= windowCount - confirmCount;
      if (!stays && track.confirmed) left.push(publish(track));
      return stays;
    });
    return { people: this.people(timeMs), appeared, left };
  }

  /**
   * Boxes to add to the motion regions of the frame at `timeMs`: everybody not yet confirmed or missed at the last look,
   * and everybody else whose last look is `recheckMs` ago. Empty means that nothing needs a look.
   */
  recheckRegions(timeMs: number): readonly Box[] {
    const { recheckMs, stillMs } = this.#options;
    return this.#tracks
      .filter((t) => !t.confirmed || t.looks.at(-1) === false || timeMs - t.lastLookMs >= recheckMs)
      .filter((t) => timeMs - t.restSinceMs < stillMs)
      .map((t) => t.box);
  }

  /** Confirmed people who moved within `stillMs`. */
  people(timeMs: number): readonly Track[] {
    const { stillMs } = this.#options;
    return this.#tracks.filter((t) => t.confirmed && timeMs - t.restSinceMs < stillMs).map(publish);
  }

  /** Forgets everybody, for a new run. */
  reset(): void {
    this.#tracks = [];
  }
}

function begin(id: number, detection: Detection, timeMs: number): OpenTrack {
  return {
    id,
    box: detection.box,
    score: detection.score,
    confirmed: false,
    firstSeenMs: timeMs,
    lastSeenMs: timeMs,
    lastLookMs: timeMs,
    looks: [true],
    restBox: detection.box,
    restSinceMs: timeMs,
  };
}

function see(track: OpenTrack, detection: Detection, timeMs: number): void {
  track.box = detection.box;
  track.score = detection.score;
  track.lastSeenMs = timeMs;
  track.lastLookMs = timeMs;
  if (overlapRatio(track.restBox, detection.box) < 0.6) {
    track.restBox = detection.box;
    track.restSinceMs = timeMs;
  }
}

function record(track: OpenTrack, found: boolean, windowCount: number): void {
  track.looks.push(found);
  if (track.looks.length > windowCount) track.looks.shift();
}

function publish(track: OpenTrack): Track {
  const { id, box, score, confirmed, firstSeenMs, lastSeenMs } = track;
  return { id, box, score, confirmed, firstSeenMs, lastSeenMs };
}

function contains(region: Box, box: Box): boolean {
  return intersectionArea(region, box) >= 0.5 * box.w * box.h;
}

/** Best pairs first; each track and each detection once. */
function matchUp(
  tracks: readonly OpenTrack[],
  detections: readonly Detection[],
): readonly (readonly [OpenTrack, Detection])[] {
  const pairs: { track: OpenTrack; detection: Detection; likeness: number }[] = [];
  for (const track of tracks) {
    for (const detection of detections) {
      const likeness = likenessOf(track.box, detection.box);
      if (likeness > 0) pairs.push({ track, detection, likeness });
    }
  }
  pairs.sort((a, b) => b.likeness - a.likeness);
  const usedTracks = new Set<OpenTrack>();
  const usedDetections = new Set<Detection>();
  const matched: (readonly [OpenTrack, Detection])[] = [];
  for (const { track, detection } of pairs) {
    if (usedTracks.has(track) || usedDetections.has(detection)) continue;
    usedTracks.add(track);
    usedDetections.add(detection);
    matched.push([track, detection]);
  }
  return matched;
}

/**
 * Above 0 when both boxes may be one person: they overlap, or their centres are within one body height, which covers a
 * walker seen five times a second and one whose box was cut by the picture's edge.
 */
function likenessOf(a: Box, b: Box): number {
  const overlap = overlapRatio(a, b);
  const distance = Math.hypot(a.x + a.w / 2 - b.x - b.w / 2, a.y + a.h / 2 - b.y - b.h / 2);
  const reach = Math.max(a.h, b.h, a.w, b.w);
  if (overlap < 0.1 && distance > reach) return 0;
  return overlap + Math.max(0, 1 - distance / (2 * reach)) * 0.5;
}
