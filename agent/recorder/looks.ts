import { AgentError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { Attention } from './person/attention.ts';
import type { Box, Detection, MotionResult, PersonStage, SmallFrame } from './stages.ts';

/**
 * When the person stage looks, and where: at what moves and isn't known yet, at people who stand still, at the whole
 * picture after a global change and now and then while something goes on. One look at a time; while one is under way
 * the newest frame waits for it and replaces the one that waited before. Nothing else waits longer than its deadline.
 */

/** Somebody followed from look to look. */
export interface FollowedPerson {
  readonly id: number;
  readonly box: Box;
  /** 0 where motion alone leads on from the last detection. */
  readonly score: number;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
}

export interface PersonFollower {
  /** What moved, once for every frame. */
  moved(timeMs: number, boxes: readonly Box[]): void;
  /** Confirmed people after this look, and those whom it confirmed. `regions` are what was asked for. */
  update(
    timeMs: number,
    found: readonly Detection[],
    regions: readonly Box[],
  ): { readonly people: readonly FollowedPerson[]; readonly appeared: readonly FollowedPerson[] };
  /** Where to look although nothing moves: people stand still. */
  recheckRegions(timeMs: number): readonly Box[];
  /** Confirmed people who count as being there. */
  people(timeMs: number): readonly FollowedPerson[];
  reset(): void;
}

export interface PersonLook {
  readonly stage: PersonStage;
  readonly tracker: PersonFollower;
}

export interface Looked {
  readonly frame: SmallFrame;
  readonly people: readonly FollowedPerson[];
  readonly appeared: readonly FollowedPerson[];
}

export interface LooksOptions {
  readonly cameraId: string;
  readonly person: PersonLook;
  readonly log: Log;
  /** After each look whose run has not ended. */
  readonly onLooked: (looked: Looked) => void;
  /** After each look, whatever came of it. */
  readonly onIdle: () => void;
}

interface Look {
  readonly frame: SmallFrame;
  readonly moving: readonly Box[];
  /** None: the whole picture, and only that. */
  readonly regions: readonly Box[];
  readonly alsoWhole: boolean;
}

/** Somebody in the middle of the picture may stand still where no motion and no track points. */
const wholeEveryMs = 4000;
const cropCount = 2;
/** What a look finds later than this, on the frames' time line, counts for nothing, and no event is held open for it. */
const deadlineMs = 10_000;
/** So many looks without a frame waiting at their end, and a board that was slow may try two crops again. */
const calmLookCount = 20;

export class PersonLooks {
  readonly #options: LooksOptions;
  readonly #attention = new Attention();
  #run = 0;
  #looking: Look | undefined;
  #next: Look | undefined;
  #newestMs = Number.NEGATIVE_INFINITY;
  #lastWholeMs = Number.NEGATIVE_INFINITY;
  #calmCount = calmLookCount;
  #skippedCount = 0;
  #failedCount = 0;

  constructor(options: LooksOptions) {
    this.#options = options;
  }

  get skippedCount(): number {
    return this.#skippedCount;
  }

  get failedCount(): number {
    return this.#failedCount;
  }

  /** Of the frame that is being looked at, as long as it is worth waiting for. */
  get underWayMs(): number | undefined {
    return this.#isLate ? undefined : this.#looking?.frame.timeMs;
  }

  people(timeMs: number): readonly FollowedPerson[] {
    return this.#options.person.tracker.people(timeMs);
  }

  /** What is under way counts for nothing any more. */
  reset(): void {
    this.#run += 1;
    this.#next = undefined;
    this.#newestMs = Number.NEGATIVE_INFINITY;
    this.#lastWholeMs = Number.NEGATIVE_INFINITY;
    this.#attention.clear();
    this.#options.person.tracker.reset();
  }

  /** The promise is that of the look, when one begins at once. */
  see(frame: SmallFrame, seen: MotionResult, before: MotionResult['state']): Promise<void> | undefined {
    const { tracker } = this.#options.person;
    const { timeMs } = frame;
    this.#newestMs = timeMs;
    tracker.moved(timeMs, seen.boxes);
    const moving = this.#attention.select(timeMs, [...seen.boxes, ...(seen.held ?? [])]);
    const regions = [...moving, ...tracker.recheckRegions(timeMs)];
    // After a global change (a lamp lights because somebody came) and at the start of a run: once, at the whole picture.
    const whole = before === 'settling' || (seen.state === 'global' && before !== 'global');
    if (!whole && regions.length === 0) return undefined;
    const alsoWhole = !whole && timeMs - this.#lastWholeMs >= wholeEveryMs;
    const look: Look = { frame, moving, regions: whole ? [] : regions, alsoWhole };
    if (whole || alsoWhole) this.#lastWholeMs = timeMs;
    if (this.#looking === undefined) return this.#look(look);
    if (this.#next !== undefined) this.#skippedCount += 1;
    this.#next = newest(this.#next, look);
    return undefined;
  }

  get #isLate(): boolean {
    return this.#looking !== undefined && this.#newestMs - this.#looking.frame.timeMs > deadlineMs;
  }

  async #look(first: Look): Promise<void> {
    const { person, onLooked, onIdle, log, cameraId } = this.#options;
    for (let look: Look | undefined = first; look !== undefined; look = this.#next) {
      this.#next = undefined;
      this.#looking = look;
      const { frame, moving, regions, alsoWhole } = look;
      this.#attention.looked(frame.timeMs, moving);
      const run = this.#run;
      const isSlow = this.#calmCount < calmLookCount;
      try {
        const found = await person.stage.detect(frame, regions, {
          alsoWhole: alsoWhole && !isSlow,
          maxCropCount: isSlow ? 1 : cropCount,
        });
        if (run === this.#run && this.#isLate) {
          const message = `Cannot use what a look found: it took longer than ${deadlineMs / 1000} seconds`;
          throw new AgentError('unavailable', 'person/late', message);
        }
        if (run === this.#run) onLooked({ frame, ...person.tracker.update(frame.timeMs, found, regions) });
      } catch (thrown) {
        this.#failedCount += 1;
        log.error('person-check-failed', thrown, { camera: cameraId });
      }
      this.#calmCount = this.#next === undefined ? this.#calmCount + 1 : 0;
    }
    this.#looking = undefined;
    onIdle();
  }
}

/** A look at the whole picture is not lost to a smaller one. */
function newest(waiting: Look | undefined, look: Look): Look {
  if (waiting?.regions.length === 0) return { ...look, regions: [] };
  return waiting?.alsoWhole === true ? { ...look, alsoWhole: true } : look;
}
