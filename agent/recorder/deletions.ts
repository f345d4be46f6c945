/** The recorder's side of a deletion: first hidden, then, when nobody took it back, gone with its keys overwritten. */
import { AgentError, asAgentError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { maxDeletions, readDeletions, writeDeletions } from '../store/deletions.ts';

export interface DeletionsOptions {
  readonly cameraFolder: string;
  readonly wallMs: () => number;
  /** Of clips that can be deleted; an open or unknown one is not. */
  readonly isFinished: (clipId: string) => boolean;
  /** Returns when they are off the disk. */
  readonly remove: (clipIds: readonly string[]) => void;
  readonly log: Log;
  readonly tickMs?: number;
}

/** So long an owner can take a deletion back. */
export const undoMs = 10 * 60 * 1000;
const tickMs = 1000;
/** To give the pages of a clip back they have to be read, and no fragment is taken meanwhile. */
const removedAtOnce = 8;

export interface PendingDeletion {
  readonly clipId: string;
  readonly goneAtMs: number;
}

export class PendingDeletions implements Disposable {
  readonly #o: DeletionsOptions;
  readonly #pending: Map<string, number>;
  readonly #timer: NodeJS.Timeout;

  constructor(options: DeletionsOptions) {
    this.#o = options;
    this.#pending = new Map(readDeletions(options.cameraFolder));
    this.#timer = setInterval(() => this.tick(), options.tickMs ?? tickMs);
    this.#timer.unref();
  }

  get list(): readonly PendingDeletion[] {
    return [...this.#pending].map(([clipId, goneAtMs]) => ({ clipId, goneAtMs }));
  }

  /** Hidden when this returns. `afterMs` 0, or no room to write it down: gone when this returns. Throws `recorder/too-many-deletions`. */
  begin(clipIds: readonly string[], afterMs: number): { readonly deletedCount: number; readonly goneAtMs: number } {
    const finished = [...new Set(clipIds)].filter((clipId) => this.#o.isFinished(clipId));
    if (this.#pending.size + finished.length > maxDeletions) {
      const message = 'Cannot delete: too many deletions can still be taken back. Try again in some minutes';
      throw new AgentError('unavailable', 'recorder/too-many-deletions', message);
    }
    const goneAtMs = Math.round(this.#o.wallMs()) + afterMs;
    const added = finished.filter((clipId) => !this.#pending.has(clipId));
    for (const clipId of added) this.#pending.set(clipId, goneAtMs);
    const deletedCount = finished.length;
    if (deletedCount === 0) return { deletedCount, goneAtMs };
    try {
      if (afterMs > 0 && this.#canSave()) return { deletedCount, goneAtMs };
      this.#remove(finished);
    } catch (thrown) {
      // Who is told that it failed must not lose the clip ten minutes later.
      for (const clipId of added) this.#pending.delete(clipId);
      throw thrown;
    }
    return { deletedCount, goneAtMs: Math.round(this.#o.wallMs()) };
  }

  /** Returns how many were still there to be taken back. */
  undo(clipIds: readonly string[]): number {
    const restored = this.list.filter(({ clipId }) => clipIds.includes(clipId));
    if (restored.length === 0) return 0;
    for (const { clipId } of restored) this.#pending.delete(clipId);
    try {
      this.#save();
    } catch (thrown) {
      // What isn't taken back on the disk would go after a restart: better said now.
      for (const { clipId, goneAtMs } of restored) this.#pending.set(clipId, goneAtMs);
      throw thrown;
    }
    return restored.length;
  }

  /** A clock that was set back must not keep what was deleted: nothing waits longer than it was told to. */
  tick(): void {
    const nowMs = this.#o.wallMs();
    const due = this.list
      .filter(({ goneAtMs }) => goneAtMs <= nowMs || goneAtMs - nowMs > undoMs)
      .slice(0, removedAtOnce);
    if (due.length === 0) return;
    try {
      this.#remove(due.map(({ clipId }) => clipId));
    } catch (thrown) {
      this.#o.log.warn('deletion not done, trying again', { code: asAgentError(thrown).code });
    }
  }

  /** Off the disk first: a cut in between removes them once more, which finds nothing. */
  #remove(clipIds: readonly string[]): void {
    this.#o.remove(clipIds);
    for (const clipId of clipIds) this.#pending.delete(clipId);
    this.#canSave();
  }

  /** False on a full disk: whoever deletes there needs the room, and what isn't written down could not be kept hidden. */
  #canSave(): boolean {
    try {
      this.#save();
      return true;
    } catch (thrown) {
      if (thrown instanceof AgentError && thrown.kind === 'full') return false;
      throw thrown;
    }
  }

  #save(): void {
    writeDeletions(this.#o.cameraFolder, this.#pending);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
