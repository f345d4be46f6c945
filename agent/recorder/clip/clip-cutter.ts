import type { ClipTrigger } from '../../protocol/clip-metadata.ts';
import type { Fragment, Run } from '../stages.ts';
import { PreRollRing, type RingOptions } from './ring.ts';

/**
 * Cuts clips out of the stream of fragments: from the keyframe at or before an event's beginning to the fragment that
 * holds its end. Long events become a chain of clips that meet at keyframes, without a gap. Two events close together may
 * share the fragments of one GOP: each clip can be played by itself.
 */

/** The part of a clip builder that is fed. */
export interface OpenClip {
  readonly startMs: number;
  add(fragment: Fragment): void;
  finish(): void;
}

export interface ClipCutterOptions<C extends OpenClip> {
  readonly ring: RingOptions;
  readonly maxClipMs: number;
  /** Undefined when no clip can be opened now (no room): asked again with the next keyframe. */
  openClip(run: Run, trigger: ClipTrigger, first: Fragment): C | undefined;
  /** All fragments of the clip are stored; its metadata is still to be closed. */
  onFinished(clip: C): void;
}

interface Cutting {
  readonly trigger: ClipTrigger;
  readonly fromMs: number;
  /** Fragments that start before this belong to the event. */
  untilMs: number;
  /** Start of the newest fragment that was stored or passed over. */
  lastMs: number;
}

export class ClipCutter<C extends OpenClip> {
  readonly #options: ClipCutterOptions<C>;
  readonly #ring: PreRollRing;
  #run: Run | undefined;
  #cutting: Cutting | undefined;
  #clip: C | undefined;
  #keepFromMs: number | undefined;
  #keyframeMs: number | undefined;
  /** The longest of this run. */
  #gopMs = 0;

  constructor(options: ClipCutterOptions<C>) {
    this.#options = options;
    this.#ring = new PreRollRing(options.ring);
  }

  /** Fragments lost to the ring's bound in bytes. */
  get droppedCount(): number {
    return this.#ring.droppedCount;
  }

  /** End of the newest fragment of this run. */
  get newestMs(): number | undefined {
    return this.#ring.endMs;
  }

  /** Start of the oldest fragment that a clip could still begin with. */
  get oldestMs(): number | undefined {
    return this.#ring.startMs;
  }

  /** The clip being cut. */
  get clip(): C | undefined {
    return this.#clip;
  }

  startRun(run: Run): void {
    this.end();
    this.#ring.clear();
    this.#run = run;
    this.#keyframeMs = undefined;
    this.#gopMs = 0;
    this.#keepFromMs = undefined;
  }

  /** How far back a clip may still have to begin, beyond the pre-roll. */
  keepFrom(fromMs: number | undefined): void {
    this.#keepFromMs = fromMs;
  }

  push(fragment: Fragment): void {
    if (fragment.keyframe) {
      this.#gopMs = Math.max(this.#gopMs, fragment.startMs - (this.#keyframeMs ?? fragment.startMs));
      this.#keyframeMs = fragment.startMs;
    }
    const cutting = this.#cutting;
    const unstoredMs = cutting === undefined ? undefined : Math.max(cutting.lastMs, cutting.fromMs);
    const floors = [this.#keepFromMs, unstoredMs].filter((ms) => ms !== undefined);
    this.#ring.keepFrom(floors.length === 0 ? undefined : Math.min(...floors));
    this.#ring.push(fragment);
    this.#write();
  }

  begin(trigger: ClipTrigger, fromMs: number, untilMs: number): void {
    if (this.#cutting !== undefined) return this.extend(untilMs);
    const firstMs = this.#ring.since(fromMs)[0]?.startMs ?? fromMs;
    this.#cutting = { trigger, fromMs: firstMs, untilMs, lastMs: Number.NEGATIVE_INFINITY };
    this.#write();
  }

  extend(untilMs: number): void {
    if (this.#cutting === undefined) return;
    this.#cutting.untilMs = Math.max(this.#cutting.untilMs, untilMs);
    this.#write();
  }

  /** The event is over: what belongs to it and has arrived is stored. */
  end(): void {
    this.#write();
    this.#cutting = undefined;
    this.#finish();
  }

  /** Gives up the open clip after a failure and goes on with a new one at the next keyframe. */
  giveUp(): C | undefined {
    const clip = this.#clip;
    this.#clip = undefined;
    return clip;
  }

  #write(): void {
    const cutting = this.#cutting;
    if (cutting === undefined) return;
    for (const fragment of this.#ring.since(Math.max(cutting.fromMs, cutting.lastMs))) {
      if (fragment.startMs < cutting.fromMs || fragment.startMs <= cutting.lastMs) continue;
      if (fragment.startMs >= cutting.untilMs) break;
      cutting.lastMs = fragment.startMs;
      if (fragment.keyframe) this.#atKeyframe(cutting.trigger, fragment);
      this.#clip?.add(fragment);
    }
  }

  #atKeyframe(trigger: ClipTrigger, fragment: Fragment): void {
    const clip = this.#clip;
    // The GOP that begins here may be as long as any before it.
    if (clip !== undefined && fragment.startMs + this.#gopMs - clip.startMs > this.#options.maxClipMs) this.#finish();
    if (this.#run !== undefined) this.#clip ??= this.#options.openClip(this.#run, trigger, fragment);
  }

  #finish(): void {
    const clip = this.#clip;
    if (clip === undefined) return;
    // Only then: a clip that fails to finish has to be given up.
    clip.finish();
    this.#clip = undefined;
    this.#options.onFinished(clip);
  }
}
