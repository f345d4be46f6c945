import type { Box, Detection } from '../stages.ts';
import { matchUp } from './matching.ts';
import { intersectionArea, overlapRatio } from './nms.ts';
import { MotionTrail } from './trail.ts';

/**
 * Joins detections of one person over time and decides when somebody is really there: enough sure detections among the
 * last looks at the same place, and something that moves there. Somebody who stands still leaves the motion regions, so
 * the tracker also says where to look again. Identity is by position only. Pure: time comes with each call.
 */
export interface TrackerOptions {
  /** Looks that must see somebody, of the last `windowCount`; the surer a look is, the more it counts (see `weigh`). */
  readonly confirmCount: number;
  readonly windowCount: number;
  /** A detection below it starts nobody, but somebody who is known may go on with half of it. */
  readonly threshold: number;
  /** A confirmed person not found for this long, and missed in at least `windowCount` looks, is gone … */
  readonly forgetMs: number;
  /** … or for this long, where what stands out from the background still covers their place. */
  readonly doubtMs: number;
  /** Looks at somebody who stands still follow each other after at least this, and at most that long. */
  readonly recheckMs: number;
  readonly longestRecheckMs: number;
  /** Something that has not moved for this long is not looked at again: a statue, a coat, a poster. */
  readonly stillMs: number;
}

export const defaultTrackerOptions: TrackerOptions = {
  confirmCount: 3,
  windowCount: 5,
  threshold: 0.45,
  forgetMs: 2000,
  doubtMs: 8000,
  recheckMs: 1000,
  longestRecheckMs: 4000,
  stillMs: 10 * 60_000,
};

/** A score this much above the threshold is sure. */
const sureMargin = 0.2;
/** What a look is worth that finds half the threshold, at it and where it is sure. */
const [weakWeight, plainWeight, sureWeight] = [0.25, 1, 2];
/** A person's way is followed so far back before the first detection, and so far on after the last. */
const reachMs = 3000;
/** Motion at a detection so long ago still speaks for it. */
const supportMs = 3000;
/** Share of a detection that must have moved: an arm of somebody who sits. */
const supportRatio = 0.05;
/** Of the place of somebody who isn't found: enough that they may well be there. */
const standingRatio = 0.3;
/**
 * What never moved, and where nothing has stood out from the background for so long, belongs to the background. Somebody
 * who counts is given up later: the background itself may have been learnt anew while they stood there.
 */
const backgroundMs = 5000;
const confirmedBackgroundMs = 60_000;
/** Overlap with where somebody stood, below which they don't stand there any more … */
const restOverlap = 0.6;
/** … and with where they were first found, below which no unsteady box explains it: they have moved. */
const movedOverlap = 0.4;

export interface Track {
  readonly id: number;
  readonly box: Box;
  /** 0 where motion alone leads on to here. */
  readonly score: number;
  readonly confirmed: boolean;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
}

export interface TrackerUpdate {
  /** Confirmed people, longest known first. */
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
  firstSeenMs: number;
  /** Of the first detection. */
  firstBox: Box;
  /** Of the last detection. */
  foundMs: number;
  /** Of the last detection or of motion that leads on from it. */
  present: { timeMs: number; box: Box };
  /** Area of the whole of them, as last seen: at the picture's edge only a part is found. */
  wholePx: number;
  lastLookMs: number;
  /** Weight of the last looks at its place, 0 for a miss, newest last. */
  looks: number[];
  recheckMs: number;
  /** Where it stood when it last moved noticeably. */
  restBox: Box;
  restSinceMs: number;
  moved: boolean;
  /** Taken for a part of the background, until it moves. */
  isBackground: boolean;
  supportedMs: number;
}

export class PersonTracker {
  readonly #options: TrackerOptions;
  readonly #trail = new MotionTrail();
  #tracks: OpenTrack[] = [];
  #nextId = 1;

  constructor(options: Partial<TrackerOptions> = {}) {
    const all = { ...defaultTrackerOptions, ...options };
    if (!(all.confirmCount >= 1 && all.windowCount >= all.confirmCount)) {
      throw new RangeError('confirmCount must be 1 to windowCount');
    }
    this.#options = all;
  }

  /** What moved in a frame, for every frame, before the look at it. Without, everything counts as having moved. */
  moved(timeMs: number, boxes: readonly Box[]): void {
    this.#trail.add(timeMs, boxes);
  }

  /**
   * Takes what one look found. `regions` are the boxes that were asked for (none = the whole frame): only a track inside
   * them counts as missed.
   */
  update(timeMs: number, detections: readonly Detection[], regions: readonly Box[] = []): TrackerUpdate {
    const { threshold } = this.#options;
    for (const track of this.#tracks) this.#fade(track, timeMs);
    const before = new Set(this.#tracks.filter(({ confirmed }) => confirmed));
    const free = new Set(detections);
    const unseen = new Set(this.#tracks);
    const join = (track: OpenTrack, detection: Detection): void => {
      free.delete(detection);
      unseen.delete(track);
      this.#see(track, detection, timeMs);
    };
    // The sure ones choose first: a shadow must not take somebody's track.
    const strong = detections.filter(({ score }) => score >= threshold);
    for (const [track, detection] of matchUp(this.#tracks, strong)) join(track, detection);
    const weak = [...free].filter(({ score }) => score < threshold);
    for (const [track, detection] of matchUp([...unseen], weak)) join(track, detection);
    for (const track of unseen) this.#miss(track, timeMs, regions);
    for (const detection of free) {
      if (detection.score >= threshold) this.#tracks.push(this.#begin(detection, timeMs));
    }
    for (const track of this.#tracks) this.#confirm(track, timeMs);
    const left: Track[] = [];
    this.#tracks = this.#tracks.filter((track) => {
      const stays = this.#stays(track, timeMs);
      if (!stays && before.has(track)) left.push(publish(track, timeMs));
      return stays;
    });
    const people = this.people(timeMs);
    const appeared = people.filter(({ id }) => this.#tracks.some((t) => t.id === id && !before.has(t)));
    return { people, appeared, left };
  }

  /** Boxes to add to the motion regions of the frame at `timeMs`. Empty means that nothing needs a look. */
  recheckRegions(timeMs: number): readonly Box[] {
    return this.#tracks
      .filter((track) => timeMs - track.restSinceMs < this.#options.stillMs)
      .filter((track) => timeMs - track.lastLookMs >= track.recheckMs)
      .map(({ box }) => box);
  }

  /** Confirmed people, without those who turned out to be part of the background. */
  people(timeMs: number): readonly Track[] {
    return this.#tracks
      .filter((track) => track.confirmed && !this.#isBackground(track, timeMs))
      .map((track) => publish(track, timeMs));
  }

  /** Forgets everybody, for a new run. */
  reset(): void {
    this.#tracks = [];
    this.#trail.clear();
  }

  #begin({ box, score }: Detection, timeMs: number): OpenTrack {
    return {
      id: this.#nextId++,
      box,
      score,
      confirmed: false,
      firstSeenMs: timeMs,
      firstBox: box,
      foundMs: timeMs,
      present: { timeMs, box },
      wholePx: box.w * box.h,
      lastLookMs: timeMs,
      looks: [weigh(score, this.#options.threshold)],
      recheckMs: 0,
      restBox: box,
      restSinceMs: timeMs,
      moved: false,
      isBackground: false,
      supportedMs: this.#isSupported(box, timeMs) ? timeMs : Number.NEGATIVE_INFINITY,
    };
  }

  #see(track: OpenTrack, { box, score }: Detection, timeMs: number): void {
    const { windowCount, threshold } = this.#options;
    Object.assign(track, { box, score, foundMs: timeMs, lastLookMs: timeMs, present: { timeMs, box } });
    track.wholePx = Math.max(box.w * box.h, 0.8 * track.wholePx);
    if (this.#isSupported(box, timeMs)) track.supportedMs = timeMs;
    if (overlapRatio(track.restBox, box) < restOverlap) {
      track.restBox = box;
      track.restSinceMs = timeMs;
      track.recheckMs = 0;
    }
    if (overlapRatio(track.firstBox, box) < movedOverlap) {
      track.moved = true;
      if (track.isBackground) {
        Object.assign(track, { isBackground: false, firstSeenMs: timeMs, firstBox: box, looks: [] });
      }
    }
    record(track, weigh(score, threshold), windowCount);
    this.#backOff(track, timeMs);
  }

  /** What turns out to be background is nobody any more. */
  #fade(track: OpenTrack, timeMs: number): void {
    if (!this.#isBackground(track, timeMs)) return;
    track.isBackground = true;
    track.confirmed = false;
  }

  #miss(track: OpenTrack, timeMs: number, regions: readonly Box[]): void {
    const { present, foundMs } = track;
    if (track.confirmed && timeMs - foundMs <= reachMs) {
      track.present = this.#trail.after(present, timeMs, track.wholePx);
    }
    if (this.#trail.coveredRatio(track.box, timeMs, 0) >= standingRatio) track.supportedMs = timeMs;
    if (regions.length > 0 && !regions.some((region) => contains(region, track.box))) return;
    track.lastLookMs = timeMs;
    track.recheckMs = 0;
    record(track, 0, this.#options.windowCount);
  }

  /** Somebody found again and again at the same place is looked at less and less often. */
  #backOff(track: OpenTrack, timeMs: number): void {
    const { recheckMs, longestRecheckMs } = this.#options;
    const isDecided = track.confirmed || timeMs - track.supportedMs > supportMs;
    if (!isDecided || track.looks.includes(0) || track.looks.length < this.#options.windowCount) track.recheckMs = 0;
    else track.recheckMs = Math.min(longestRecheckMs, Math.max(recheckMs, track.recheckMs * 1.5));
    if (track.confirmed) track.recheckMs = Math.max(track.recheckMs, recheckMs);
  }

  #confirm(track: OpenTrack, timeMs: number): void {
    const { confirmCount } = this.#options;
    if (track.confirmed || track.foundMs !== timeMs) return;
    const enough = track.looks.reduce((sum, weight) => sum + weight, 0) >= confirmCount;
    const strongCount = track.looks.filter((weight) => weight >= plainWeight).length;
    if (!enough || strongCount < Math.min(2, confirmCount)) return;
    if (timeMs - track.supportedMs > supportMs || this.#isBackground(track, timeMs)) return;
    const start = this.#trail.before(track.firstBox, track.firstSeenMs, reachMs);
    // People come from somewhere; what has always been there is lit or passed by others.
    track.moved ||= !this.#trail.isKnown || overlapRatio(start.box, track.box) < movedOverlap;
    if (!track.moved) return;
    track.confirmed = true;
    track.firstSeenMs = start.timeMs;
    track.recheckMs = this.#options.recheckMs;
  }

  #stays(track: OpenTrack, timeMs: number): boolean {
    const { windowCount, confirmCount, forgetMs, doubtMs } = this.#options;
    const missCount = track.looks.filter((weight) => weight === 0).length;
    if (!track.confirmed) return missCount <= windowCount - Math.min(2, confirmCount);
    const unfoundMs = timeMs - track.foundMs;
    if (missCount < windowCount || unfoundMs < forgetMs) return true;
    const isWalking = track.present.timeMs === timeMs && unfoundMs < reachMs;
    const isStanding = track.supportedMs === timeMs && unfoundMs < doubtMs;
    return isWalking || isStanding;
  }

  #isSupported(box: Box, timeMs: number): boolean {
    return !this.#trail.isKnown || this.#trail.coveredRatio(box, timeMs, supportMs) >= supportRatio;
  }

  #isBackground(track: OpenTrack, timeMs: number): boolean {
    if (track.isBackground || timeMs - track.restSinceMs >= this.#options.stillMs) return true;
    const sinceMs = Math.max(track.supportedMs, track.firstSeenMs);
    const longestMs = track.confirmed ? confirmedBackgroundMs : backgroundMs;
    return this.#trail.isKnown && !track.moved && timeMs - sinceMs > longestMs;
  }
}

/** What a look at somebody is worth: a sure one is as good as two others. In between it grows with the score. */
function weigh(score: number, threshold: number): number {
  const overRatio = score < threshold ? (2 * score) / threshold - 2 : (score - threshold) / sureMargin;
  const slope = score < threshold ? plainWeight - weakWeight : sureWeight - plainWeight;
  return Math.min(sureWeight, Math.max(weakWeight, plainWeight + overRatio * slope));
}

function record(track: OpenTrack, weight: number, windowCount: number): void {
  track.looks.push(weight);
  if (track.looks.length > windowCount) track.looks.shift();
}

function publish(track: OpenTrack, timeMs: number): Track {
  const { id, confirmed, firstSeenMs, foundMs, present } = track;
  const carried = present.timeMs > foundMs;
  return {
    id,
    box: carried ? present.box : track.box,
    score: carried && present.timeMs <= timeMs ? 0 : track.score,
    confirmed,
    firstSeenMs,
    lastSeenMs: present.timeMs,
  };
}

function contains(region: Box, box: Box): boolean {
  return intersectionArea(region, box) >= 0.5 * box.w * box.h;
}
