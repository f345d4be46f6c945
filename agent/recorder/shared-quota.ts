/**
 * All cameras of a house share one quota, though each recorder deletes only its own clips: a camera may use what the others
 * leave, and each is sure of an equal share. One that has taken more gives way as the others grow, at the latest with the
 * next two megabytes of its own stream.
 */
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Config } from '../config/schema.ts';
import { ClipsReader } from '../store/clips-reader.ts';
import type { RetentionRules } from './clip/retention.ts';

const lookAgainMs = 10_000;
const patienceMs = 200;

/** Bytes that one of `cameraCount` cameras may keep while the others keep so many. Pure. */
export function quotaOf(maxBytes: number, cameraCount: number, othersBytes: number): number {
  return Math.max(Math.floor(maxBytes / cameraCount), maxBytes - othersBytes);
}

export class SharedQuota implements RetentionRules {
  readonly maxAgeMs: number;
  readonly minFreeBytes: number;
  /** What a request may hold of this camera's clips is counted from its equal share. */
  readonly equalShareBytes: number;
  readonly #totalBytes: number;
  readonly #cameraCount: number;
  readonly #others: { readonly path: string; bytes: number }[];
  readonly #clock: Clock;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor({ retention, cameras, dataDir }: Config, cameraId: string, clock: Clock) {
    this.maxAgeMs = retention.maxAgeMs;
    this.minFreeBytes = retention.minFreeBytes;
    this.equalShareBytes = quotaOf(retention.maxBytes, cameras.length, retention.maxBytes);
    this.#totalBytes = retention.maxBytes;
    this.#cameraCount = cameras.length;
    this.#clock = clock;
    this.#others = cameras
      .filter(({ id }) => id !== cameraId)
      .map(({ id }) => ({ path: join(dataDir, 'cameras', id, 'clips.db'), bytes: 0 }));
  }

  get maxBytes(): number {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lookedMs >= lookAgainMs) {
      this.#lookedMs = nowMs;
      for (const other of this.#others) other.bytes = usedBytes(other.path) ?? other.bytes;
    }
    const othersBytes = this.#others.reduce((sum, { bytes }) => sum + bytes, 0);
    return quotaOf(this.#totalBytes, this.#cameraCount, othersBytes);
  }
}

/** Undefined while nobody can tell: it is not there yet, or its own recorder is busy with it. */
function usedBytes(path: string): number | undefined {
  try {
    using reader = ClipsReader.open(path, { timeoutMs: patienceMs });
    return reader.usedBytes();
  } catch {
    return undefined;
  }
}
