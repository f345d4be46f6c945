import type { Sound, SoundFragment } from '../stages.ts';

/**
 * The newest sound of a run, in memory beside the pre-roll ring. Sound has no keyframes: a clip takes every fragment that
 * overlaps it, as soon as the clip is known to reach that far.
 */
export interface SoundTaker {
  readonly startMs: number;
  readonly endMs: number;
  /** End of the sound that it has taken; minus infinity before the first. */
  readonly soundEndMs: number;
  addSound(sound: Sound, fragment: SoundFragment): void;
}

/** Sound may arrive this much later than the video of the same time. */
const lateMs = 5000;

export class SoundBuffer {
  readonly #maxBytes: number;
  #sound: Sound | undefined;
  #fragments: SoundFragment[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Nothing of before is kept, except how the run's sound begins if it is that run again. */
  startRun(runId: string): void {
    if (this.#sound?.runId !== runId) this.#sound = undefined;
    this.#fragments = [];
    this.#bytes = 0;
  }

  begin(sound: Sound): void {
    this.#sound = sound;
  }

  /** End of the newest sound; undefined while there is none. */
  get endMs(): number | undefined {
    const newest = this.#fragments.at(-1);
    return newest === undefined ? undefined : newest.startMs + newest.durationMs;
  }

  /** `neededFromMs`: no clip begins before it. */
  push(fragment: SoundFragment, neededFromMs: number): void {
    this.#fragments.push(fragment);
    this.#bytes += fragment.bytes.length;
    const keepFromMs = Math.min(neededFromMs, fragment.startMs) - lateMs;
    for (let oldest = this.#fragments[0]; oldest !== undefined; oldest = this.#fragments[0]) {
      if (oldest.startMs + oldest.durationMs > keepFromMs && this.#bytes <= this.#maxBytes) break;
      this.#fragments.shift();
      this.#bytes -= oldest.bytes.length;
    }
  }

  /** Gives a clip what it lacks. */
  fill(clip: SoundTaker): void {
    const sound = this.#sound;
    if (sound === undefined) return;
    const newestFirst = this.#fragments.findLastIndex((f) => f.startMs + f.durationMs <= clip.startMs);
    for (const fragment of this.#fragments.slice(newestFirst + 1)) {
      if (fragment.startMs >= clip.endMs) break;
      if (fragment.startMs >= clip.soundEndMs - 1) clip.addSound(sound, fragment);
    }
  }
}
