import { randomUUID } from 'node:crypto';
import type { Log } from '../base/log.ts';
import type { ClipRecorder } from './clip/clip-recorder.ts';
import { type EventChange, EventMachine, type EventMode, type EventTrigger } from './clip/hysteresis.ts';
import { type Looked, type PersonLook, PersonLooks } from './looks.ts';
import type {
  CaptureSink,
  CaptureState,
  Fragment,
  MotionResult,
  MotionStage,
  Run,
  SmallFrame,
  Sound,
  SoundFragment,
} from './stages.ts';

/**
 * Joins the stages: fragments go to the clip recorder at once and unconditionally; frames go through motion, person checks
 * and the event machine, whose changes tell the clip recorder what to keep. Detection may lag or fail without costing a
 * fragment.
 */

/** Where what was seen goes: the clip recorder, or whoever only watches. */
export type SoundKeeper = Pick<ClipRecorder, 'startSound' | 'pushSound'>;
export type ClipKeeper = Pick<
  ClipRecorder,
  | 'startRun' | 'endRun' | 'anchor' | 'toWallMs' | 'newestMs' | 'push' | 'keepFrom' | 'begin' | 'extend' | 'end' | 'label'
  | 'picture' | 'settle'
>; // biome-ignore format: a list

export interface PipelineOptions {
  readonly cameraId: string;
  readonly mode: EventMode | 'continuous';
  readonly preRollMs: number;
  readonly postRollMs: number;
  /** A source that waits for us: every frame is looked at. Otherwise person checks take the latest frame. */
  readonly lossless: boolean;
  readonly motion: MotionStage;
  readonly clips: ClipKeeper & Partial<SoundKeeper>;
  readonly log: Log;
  readonly publish: (event: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** After a new run the picture settles (exposure, first keyframe) before anything in it counts. */
const settleMs = 1500;
const candidateGapMs = 2000;
const candidateReachMs = 15_000;
/** A decoder that is this far behind a live camera is not waited for: events close without it. */
const longestLagMs = 20_000;
/** Somebody not found for this long keeps no event open, even if no check could be made. */
const longestDoubtMs = 5000;

export class Pipeline implements CaptureSink {
  readonly #options: PipelineOptions;
  readonly #machine: EventMachine;
  #looks: PersonLooks | undefined;
  #run: Run | undefined;
  #settledFromMs: number | undefined;
  #motionState: MotionResult['state'] = 'settling';
  #horizonMs = Number.NEGATIVE_INFINITY;
  #lastFrame: SmallFrame | undefined;
  #event: { readonly id: string; readonly trigger: EventTrigger; readonly wallMs: number } | undefined;
  #lastEventMs: number | undefined;
  #recording = true;

  constructor(options: PipelineOptions) {
    this.#options = options;
    const { preRollMs, postRollMs } = options;
    // Until a person stage is there nobody can be confirmed: every motion counts rather than none.
    this.#machine = new EventMachine('motion', { preRollMs, postRollMs, candidateGapMs, candidateReachMs });
  }

  /** From now on people are looked for, and in mode `person` they alone count. */
  usePerson(person: PersonLook): void {
    this.#looks = new PersonLooks({
      cameraId: this.#options.cameraId,
      person,
      log: this.#options.log,
      onLooked: (looked) => this.#onLooked(looked),
      onIdle: () => this.#settle(this.#horizonMs),
    });
    if (this.#options.mode !== 'motion') this.#machine.mode = 'person';
  }

  get lastFrame(): SmallFrame | undefined {
    return this.#recording ? this.#lastFrame : undefined;
  }

  get state() {
    return {
      recording: this.#recording,
      eventOpen: this.#event !== undefined,
      lastEventMs: this.#lastEventMs,
      skippedLookCount: this.#looks?.skippedCount ?? 0,
      failedLookCount: this.#looks?.failedCount ?? 0,
    };
  }

  onRun(run: Run): void {
    this.#run = run;
    this.#settledFromMs = undefined;
    this.#motionState = 'settling';
    this.#horizonMs = Number.NEGATIVE_INFINITY;
    this.#options.motion.reset();
    this.#looks?.reset();
    this.#options.clips.startRun(run);
    this.#options.clips.keepFrom(this.#horizonMs);
    if (this.#recording) this.#beginContinuous();
  }

  onFragment(fragment: Fragment): void {
    if (!this.#recording) return;
    this.#options.clips.push(fragment);
    if (!this.#options.lossless) this.#settle(fragment.startMs - longestLagMs);
  }

  onSound(sound: Sound): void {
    this.#options.clips.startSound?.(sound);
  }

  onSoundFragment(fragment: SoundFragment): void {
    if (this.#recording) this.#options.clips.pushSound?.(fragment);
  }

  onFrame(frame: SmallFrame): void | Promise<void> {
    if (!this.#recording || frame.runId !== this.#run?.runId) return;
    const { motion, clips, lossless } = this.#options;
    this.#lastFrame = frame;
    this.#settledFromMs ??= frame.timeMs + settleMs;
    clips.picture(frame, -1);
    const before = this.#motionState;
    const seen = motion.detect(frame);
    this.#motionState = seen.state;
    if (seen.state === 'settling' || frame.timeMs < this.#settledFromMs) {
      this.#motionState = 'settling';
      return this.#settle(frame.timeMs);
    }
    const largest = seen.boxes[0];
    if (seen.state === 'motion' && largest !== undefined) {
      clips.label(frame, { kind: 'motion', score: 0, box: largest });
      this.#apply(this.#machine.motion(frame.timeMs));
    }
    const looked = this.#looks?.see(frame, seen, before);
    this.#horizonMs = frame.timeMs;
    if (lossless && looked !== undefined) return looked;
    this.#settle(frame.timeMs);
  }

  onAnchor(runId: string, wallAtZeroMs: number): void {
    this.#options.clips.anchor(runId, wallAtZeroMs);
  }

  onRunEnd(runId: string): void {
    if (runId !== this.#run?.runId) return;
    this.#apply(this.#machine.end(this.#options.clips.newestMs ?? 0));
    this.#options.clips.endRun();
    this.#run = undefined;
  }

  onState(state: CaptureState, code?: string): void {
    this.#options.publish('state', { state, ...(code === undefined ? {} : { code }) });
  }

  /** The doorbell outranks everything: an event at once, whatever is seen. */
  press(): void {
    const newestMs = this.#options.clips.newestMs;
    if (this.#recording && newestMs !== undefined) this.#apply(this.#machine.button(newestMs));
  }

  /** Off: nothing is kept, not even in memory, until it is on again. */
  setRecording(on: boolean): void {
    if (on === this.#recording) return;
    const run = this.#run;
    if (!on && run !== undefined) this.onRunEnd(run.runId);
    this.#recording = on;
    this.#lastFrame = undefined;
    if (run !== undefined) this.onRun(run);
  }

  #beginContinuous(): void {
    if (this.#options.mode !== 'continuous') return;
    this.#options.clips.begin('continuous', Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  }

  #onLooked({ frame, people, appeared }: Looked): void {
    if (!this.#recording) return;
    const { clips, publish } = this.#options;
    for (const { id, score, box, firstSeenMs, lastSeenMs } of people) {
      if (lastSeenMs !== frame.timeMs) continue;
      const isNew = appeared.some((newcomer) => newcomer.id === id);
      clips.label(frame, { kind: 'person', score, box, track: id, ...(isNew ? { sinceMs: firstSeenMs } : {}) });
      this.#apply(this.#machine.person(frame.timeMs, firstSeenMs));
      if (isNew) publish('person', { atMs: clips.toWallMs(firstSeenMs), score });
    }
  }

  /**
   * `lookedAtMs`: frames up to here went through motion. A person check still under way holds the horizon back, and so
   * does somebody who was there and isn't given up: whether they still are is not known yet.
   */
  #settle(lookedAtMs: number): void {
    const { clips, preRollMs } = this.#options;
    this.#horizonMs = Math.max(this.#horizonMs, lookedAtMs);
    const underWayMs = this.#looks?.underWayMs ?? Number.POSITIVE_INFINITY;
    const followed = this.#looks?.people(this.#horizonMs) ?? [];
    const doubtFromMs = followed.map(({ lastSeenMs }) => Math.max(lastSeenMs, this.#horizonMs - longestDoubtMs));
    const horizonMs = Math.min(this.#horizonMs, underWayMs, ...doubtFromMs);
    this.#apply(this.#machine.settle(horizonMs));
    const candidateMs = this.#machine.candidateFromMs ?? Number.POSITIVE_INFINITY;
    clips.keepFrom(Math.min(horizonMs - preRollMs, candidateMs));
    clips.settle(horizonMs);
  }

  #apply(changes: readonly EventChange[]): void {
    const { clips, mode, publish } = this.#options;
    for (const change of changes) {
      switch (change.kind) {
        case 'opened': {
          const wallMs = clips.toWallMs(change.fromMs + this.#options.preRollMs);
          this.#event = { id: randomUUID(), trigger: change.trigger, wallMs };
          this.#lastEventMs = wallMs;
          if (mode !== 'continuous') clips.begin(change.trigger, change.fromMs, change.untilMs);
          publish('event-opened', { eventId: this.#event.id, trigger: change.trigger, atMs: wallMs });
          break;
        }
        case 'extended':
          clips.extend(change.untilMs);
          break;
        case 'closed': {
          if (mode !== 'continuous') clips.end();
          const { id, trigger, wallMs } = this.#event ?? { id: '', trigger: 'motion', wallMs: 0 };
          publish('event-closed', { eventId: id, trigger, atMs: wallMs, untilMs: clips.toWallMs(change.untilMs) });
          this.#event = undefined;
          break;
        }
      }
    }
  }
}
