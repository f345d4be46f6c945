/** What keeps a stream within a quota: our writer or a peer. */
import type { Fragment } from '../../../agent/recorder/stages.ts';

export const segmentBytes = 1_000_000;
export const clipSeconds = 60;

export interface KeeperOptions {
  readonly folder: string;
  readonly quotaBytes: number;
  /** Around every write that has to be on the disk when it returns. */
  readonly timed: <T>(write: () => T) => T;
  /** Around every removal that makes room, where it is not part of a write. */
  readonly timedPurge: <T>(purge: () => T) => T;
}

export interface Keeper {
  push(fragment: Fragment): void;
  /** Whatever was begun in the background is done. */
  settle(): Promise<void>;
  close(): void;
}

export interface Written {
  readonly keptBytes: number;
  /** From `/proc/self/io`. */
  readonly processBytes: number;
  /** Sectors that reached the device after a sync; absent where it can't be counted. */
  readonly deviceBytes?: number;
  readonly insertMs: readonly number[];
  readonly purgeMs: readonly number[];
}

export const oursName = 'latchkey (sealed)';
