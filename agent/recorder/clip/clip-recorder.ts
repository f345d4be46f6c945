import { AgentError, asAgentError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { ClipLabel, ClipTrigger, ClockTrust } from '../../protocol/clip-metadata.ts';
import type { Box, Fragment, Run, SmallFrame, Sound, SoundFragment } from '../stages.ts';
import { ClipBuilder, type ClipStore } from './clip-builder.ts';
import { ClipCutter } from './clip-cutter.ts';
import { LabelLog } from './labels.ts';
import { makeFit, type PurgeableStore, purgeTooOld, type RetentionRules } from './retention.ts';
import type { RingOptions } from './ring.ts';
import { SoundBuffer } from './sound-buffer.ts';
import { encodeJpeg } from './thumbnail.ts';

/**
 * From "this belongs to an event" to closed clips in the store: cuts, seals, keeps room, labels, adds a thumbnail, and
 * goes on after a failure of the store with a new clip at the next keyframe.
 */
export interface ClipRecorderOptions {
  readonly cameraId: string;
  readonly recipients: readonly string[];
  readonly ring: RingOptions;
  readonly maxClipMs: number;
  readonly retention: RetentionRules;
  readonly store: ClipStore & PurgeableStore;
  readonly diskFreeBytes: () => number;
  readonly wallMs: () => number;
  readonly clockTrust: () => ClockTrust;
  readonly log: Log;
  /** The store said that it is damaged; it must be usable again when this returns. */
  readonly replaceStore: () => ClipStore & PurgeableStore;
  readonly onClosed: (clip: ClosedClip) => void;
}

export interface ClosedClip {
  readonly clipId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly bytes: number;
  readonly labels: readonly ClipLabel[];
}

export interface ClipRecorderState {
  readonly closedCount: number;
  /** Code of what last kept a clip from being stored; cleared by the next clip that closes. */
  readonly problem: string | undefined;
  readonly lostFragmentCount: number;
}

export interface Sighted {
  readonly kind: ClipLabel['kind'];
  /** 0..1; 0 for motion. */
  readonly score: number;
  /** Pixels of the small frame. */
  readonly box: Box;
  /** From 1: which person. */
  readonly track?: number;
  /** Seen before this frame, but only now known to count. */
  readonly sinceMs?: number;
}

interface Picture {
  readonly frame: SmallFrame;
  readonly score: number;
}

/** Room made ahead of writing; more than one segment, so that it isn't asked for before each. */
const headroomBytes = 4 << 20;
const roomEveryBytes = 2 << 20;
/** Half an hour at 64 kbit/s; only a file read faster than it plays gets near it. */
const soundBufferBytes = 16 << 20;
const soundLateMs = 2000;
/** Labels are kept while a clip that could show them may still begin. */
const rememberLabelsMs = 120_000;

export class ClipRecorder {
  readonly #options: ClipRecorderOptions;
  readonly #cutter: ClipCutter<ClipBuilder>;
  readonly #labels = new LabelLog();
  readonly #sound = new SoundBuffer(soundBufferBytes);
  #store: ClipStore & PurgeableStore;
  #run: Run | undefined;
  #wallAtZeroMs = 0;
  #seen = { widthPx: 1, heightPx: 1 };
  #picture: Picture | undefined;
  /** Finished clips whose last moments have yet to be looked at. */
  #finished: { readonly clip: ClipBuilder; readonly picture: Picture | undefined }[] = [];
  readonly #closing = new Set<Promise<void>>();
  #bytesSinceRoom = 0;
  #closedCount = 0;
  #problem: string | undefined;

  constructor(options: ClipRecorderOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#cutter = new ClipCutter<ClipBuilder>({
      ring: options.ring,
      maxClipMs: options.maxClipMs,
      openClip: (run, trigger, first) => this.#openClip(run, trigger, first),
      onFinished: (clip) => this.#onFinished(clip),
    });
  }

  get state(): ClipRecorderState {
    return {
      closedCount: this.#closedCount,
      problem: this.#problem,
      lostFragmentCount: this.#cutter.droppedCount,
    };
  }

  get newestMs(): number | undefined {
    return this.#cutter.newestMs;
  }

  startRun(run: Run): void {
    this.endRun();
    this.#guard(() => this.#cutter.startRun(run));
    // Until the first anchor arrives with the first fragment, now is the best guess.
    if (run.runId !== this.#run?.runId) this.#wallAtZeroMs = this.#options.wallMs();
    this.#run = run;
    this.#labels.clear();
    this.#sound.startRun(run.runId);
    this.#picture = undefined;
  }

  startSound(sound: Sound): void {
    this.#sound.begin(sound);
  }

  pushSound(fragment: SoundFragment): void {
    this.#bytesSinceRoom += fragment.bytes.length;
    this.#sound.push(fragment, this.#cutter.oldestMs ?? Number.POSITIVE_INFINITY);
    this.#fillSound();
  }

  /** Ends and closes whatever is open; nothing of the next run belongs to it. */
  endRun(): void {
    this.#guard(() => this.#cutter.end());
    this.#closeUpTo(Number.POSITIVE_INFINITY);
  }

  anchor(runId: string, wallAtZeroMs: number): void {
    if (this.#run?.runId === runId) this.#wallAtZeroMs = wallAtZeroMs;
  }

  toWallMs(timeMs: number): number {
    return Math.round(this.#wallAtZeroMs + timeMs);
  }

  push(fragment: Fragment): void {
    this.#bytesSinceRoom += fragment.bytes.length;
    // Apart: whatever becomes of the room, no fragment is missing between others.
    if (this.#bytesSinceRoom > roomEveryBytes) this.#guard(() => void this.#hasRoom());
    this.#guard(() => this.#cutter.push(fragment));
    this.#fillSound();
  }

  keepFrom(fromMs: number | undefined): void {
    this.#cutter.keepFrom(fromMs);
  }

  begin(trigger: ClipTrigger, fromMs: number, untilMs: number): void {
    this.#guard(() => this.#cutter.begin(trigger, fromMs, untilMs));
  }

  extend(untilMs: number): void {
    this.#guard(() => this.#cutter.extend(untilMs));
  }

  end(): void {
    this.#guard(() => this.#cutter.end());
  }

  /** Something was seen in the frame: a label, and perhaps the clip's picture. */
  label(frame: SmallFrame, seen: Sighted): void {
    const { kind, score, box, track = 0, sinceMs = frame.timeMs } = seen;
    this.#seen = frame;
    if (sinceMs < frame.timeMs) this.#labels.add(kind, sinceMs, score, box, track);
    this.#labels.add(kind, frame.timeMs, score, box, track);
    this.picture(frame, score);
  }

  /** Offers a frame as the clip's picture; the best-scored wins. */
  picture(frame: SmallFrame, score: number): void {
    const best = this.#picture;
    const stale = best === undefined || frame.timeMs - best.frame.timeMs > this.#options.maxClipMs;
    if (stale || score > best.score) this.#picture = { frame, score };
  }

  /** Everything up to `horizonMs` has been looked at: clips that end before it can be closed. */
  settle(horizonMs: number): void {
    this.#closeUpTo(horizonMs);
    this.#labels.forgetBefore(horizonMs - rememberLabelsMs);
  }

  /** What is too old goes also while nothing comes that needs its room. True: something went, and there may be more. */
  tidy(): boolean {
    let goneCount = 0;
    try {
      goneCount = this.#purgeTooOld();
    } catch (thrown) {
      this.#fail(thrown, asAgentError(thrown).kind === 'corrupt' ? this.#cutter.giveUp() : undefined);
    }
    return goneCount > 0;
  }

  /** Resolves when every closing under way is in the store. */
  async flush(): Promise<void> {
    while (this.#closing.size > 0) await Promise.all(this.#closing);
  }

  /** Clips that are finished but not yet closed still take what was heard to their end. */
  #fillSound(): void {
    this.#guard(() => {
      const { clip } = this.#cutter;
      if (clip !== undefined) this.#sound.fill(clip);
    });
    for (const { clip } of this.#finished) {
      try {
        this.#sound.fill(clip);
      } catch (thrown) {
        this.#finished = this.#finished.filter((other) => other.clip !== clip);
        this.#fail(thrown, clip);
      }
    }
  }

  #openClip(run: Run, trigger: ClipTrigger, first: Fragment): ClipBuilder | undefined {
    if (!this.#hasRoom()) {
      if (this.#problem !== 'store/full') {
        const full = new AgentError('full', 'store/full', 'Cannot record: what the owner keeps fills the space');
        this.#options.log.error('clip-refused', full, { camera: this.#options.cameraId });
      }
      this.#problem = 'store/full';
      return undefined;
    }
    const { recipients, cameraId, clockTrust } = this.#options;
    const clip = new ClipBuilder(
      {
        store: this.#store,
        recipients,
        cameraId,
        run,
        trigger,
        clock: clockTrust(),
        wallAtZeroMs: this.#wallAtZeroMs,
      },
      first,
    );
    this.#options.log.info('clip-opened', { camera: cameraId, clipId: clip.clipId, trigger });
    return clip;
  }

  /** By a clock that may be wrong nothing is too old: one that starts in 2040 would take everything. Space is made all the same. */
  #purgeTooOld(): number {
    const { retention, wallMs, clockTrust } = this.#options;
    return clockTrust() === 'unsynchronised' ? 0 : purgeTooOld(this.#store, retention, wallMs());
  }

  /** Where none can be made just now, recording goes on: the store itself says when it is full. Throws for a damaged one. */
  #hasRoom(): boolean {
    const { retention, diskFreeBytes, wallMs } = this.#options;
    this.#bytesSinceRoom = 0;
    const needBytes = Math.min(headroomBytes, Math.floor(retention.maxBytes / 4));
    const now = { wallMs: wallMs(), diskFreeBytes: diskFreeBytes(), needBytes };
    try {
      // A batch each time: fragments wait meanwhile.
      this.#purgeTooOld();
      return makeFit(this.#store, retention, now).hasRoom;
    } catch (thrown) {
      if (asAgentError(thrown).kind === 'corrupt') throw thrown;
      this.#fail(thrown, undefined);
      return true;
    }
  }

  #onFinished(clip: ClipBuilder): void {
    this.#finished.push({ clip, picture: this.#picture });
    this.#picture = undefined;
  }

  #closeUpTo(horizonMs: number): void {
    const soundToMs = this.#soundToMs();
    const isDue = ({ clip }: { readonly clip: ClipBuilder }): boolean =>
      clip.endMs <= horizonMs && (clip.endMs <= soundToMs || horizonMs === Number.POSITIVE_INFINITY);
    const due = this.#finished.filter(isDue);
    this.#finished = this.#finished.filter((waiting) => !isDue(waiting));
    for (const { clip, picture } of due) {
      const wallAtZeroMs = this.#wallAtZeroMs;
      const scale = { wallAtZeroMs, seen: this.#seen, recorded: clip.run };
      const labels = this.#labels.within(clip.startMs, clip.endMs, scale);
      const closing = this.#close(clip, { labels, wallAtZeroMs }, picture?.frame).finally(() =>
        this.#closing.delete(closing),
      );
      this.#closing.add(closing);
    }
  }

  /** All sound up to here has come, or is so late that nobody waits for it. */
  #soundToMs(): number {
    const { endMs } = this.#sound;
    return endMs === undefined ? Number.POSITIVE_INFINITY : Math.max(endMs, (this.newestMs ?? 0) - soundLateMs);
  }

  async #close(
    clip: ClipBuilder,
    ending: { labels: readonly ClipLabel[]; wallAtZeroMs: number },
    frame: SmallFrame | undefined,
  ): Promise<void> {
    const { log, cameraId, onClosed } = this.#options;
    let thumbnail: Uint8Array = new Uint8Array();
    try {
      if (frame !== undefined) thumbnail = await encodeJpeg(frame);
    } catch (thrown) {
      log.error('thumbnail-failed', thrown, { camera: cameraId, clipId: clip.clipId });
    }
    try {
      clip.close({ ...ending, thumbnail });
    } catch (thrown) {
      this.#fail(thrown, clip);
      return;
    }
    this.#closedCount += 1;
    this.#problem = undefined;
    log.info('clip-closed', { camera: cameraId, clipId: clip.clipId, bytes: clip.bytes });
    const startMs = Math.round(ending.wallAtZeroMs + clip.startMs);
    const endMs = Math.round(ending.wallAtZeroMs + clip.endMs);
    onClosed({ clipId: clip.clipId, startMs, endMs, bytes: clip.bytes, labels: ending.labels });
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (thrown) {
      this.#fail(thrown, this.#cutter.giveUp());
    }
  }

  /** A failing store costs this clip, not the recording. */
  #fail(thrown: unknown, clip: ClipBuilder | undefined): void {
    const { log, cameraId, replaceStore } = this.#options;
    const error = asAgentError(thrown);
    log.error('clip-failed', thrown, { camera: cameraId, clipId: clip?.clipId });
    this.#problem = error.code;
    try {
      if (error.kind === 'corrupt') this.#store = replaceStore();
      else clip?.abandon();
    } catch (again) {
      // The row stays open and becomes `cut` at the next start.
      log.error('clip-not-marked', again, { camera: cameraId });
    }
  }
}
