import { utcDay } from '../../store/clips-rows.ts';

/** What has to go before more is written: by age, by quota, and by the space left on the disk. */

export interface RetentionRules {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly minFreeBytes: number;
}

export interface DiskUse {
  readonly usedBytes: number;
  /** Room inside the database file: deleting makes it, and only it can be used once the disk is down to its floor. */
  readonly freePagesBytes: number;
  readonly diskFreeBytes: number;
}

/**
 * How many sealed bytes may stay so that `needBytes` more can be written. The database file never shrinks, so on a disk
 * at its floor the clips live within the file that they already have.
 */
export function allowedBytes(use: DiskUse, rules: RetentionRules, needBytes: number): number {
  const room = use.usedBytes + use.freePagesBytes + Math.max(0, use.diskFreeBytes - rules.minFreeBytes);
  return Math.max(0, Math.min(rules.maxBytes, room) - needBytes);
}

/** Clips of days before this one are too old: each stays at least `maxAgeMs` and at most a day longer. */
export function oldestKeptDay(rules: RetentionRules, wallMs: number): string {
  return utcDay(Math.max(0, wallMs - rules.maxAgeMs));
}

/** What retention needs of the store. */
export interface PurgeableStore {
  usage(): { readonly usedBytes: number; readonly freePagesBytes: number };
  releaseHolds(wallMs: number): void;
  /** A batch, or 0 when there is nothing left to delete. */
  purgeBefore(day: string, today: string): number;
  purgeOldest(): number;
}

export interface RetentionOutcome {
  readonly purgedCount: number;
  /** False when what is left is kept by the owner and leaves no room. */
  readonly hasRoom: boolean;
}

interface Now {
  readonly wallMs: number;
  readonly diskFreeBytes: number;
  readonly needBytes: number;
}

/** One batch of what is too old by a clock that is right; returns how many clips went. More may be left for the next time. */
export function purgeTooOld(store: PurgeableStore, rules: RetentionRules, wallMs: number): number {
  store.releaseHolds(wallMs);
  return store.purgeBefore(oldestKeptDay(rules, wallMs), utcDay(wallMs));
}

/** Everything that is too old, and what doesn't fit. */
export function makeRoom(store: PurgeableStore, rules: RetentionRules, now: Now): RetentionOutcome {
  let purgedCount = 0;
  for (let gone = -1; gone !== 0; purgedCount += gone) gone = purgeTooOld(store, rules, now.wallMs);
  const fitted = makeFit(store, rules, now);
  return { ...fitted, purgedCount: purgedCount + fitted.purgedCount };
}

/** What doesn't fit by quota and disk, the oldest first. */
export function makeFit(store: PurgeableStore, rules: RetentionRules, now: Now): RetentionOutcome {
  let purgedCount = 0;
  for (;;) {
    const use = { ...store.usage(), diskFreeBytes: now.diskFreeBytes };
    if (use.usedBytes <= allowedBytes(use, rules, now.needBytes)) return { purgedCount, hasRoom: true };
    const gone = store.purgeOldest();
    if (gone === 0) return { purgedCount, hasRoom: use.usedBytes === 0 };
    purgedCount += gone;
  }
}
