/** What retention would take away under other rules, without taking it: the order is that of the recorder. Pure. */
import type { ClipRow } from '../../store/clips-rows.ts';
import { oldestKeptDay, type RetentionRules } from './retention.ts';

export interface PurgePlan {
  readonly tooOld: readonly ClipRow[];
  /** Over the quota: the oldest first, those held for a request last. */
  readonly tooMany: readonly ClipRow[];
  readonly keptCount: number;
  readonly keptBytes: number;
  /** Of what stays and can't go, because the owner pinned it. */
  readonly pinnedBytes: number;
  /** Of what stays and goes last, because a request holds it. */
  readonly heldBytes: number;
}

const bytesOf = (clips: readonly ClipRow[]): number => clips.reduce((sum, { bytes }) => sum + bytes, 0);

export function planPurge(clips: readonly ClipRow[], rules: RetentionRules, wallMs: number): PurgePlan {
  const firstDay = oldestKeptDay(rules, wallMs);
  const isHeld = ({ holdUntilS }: ClipRow): boolean => holdUntilS * 1000 > wallMs;
  const free = clips.filter(({ state, pinned }) => state !== 'open' && !pinned).toSorted((a, b) => a.seq - b.seq);
  const tooOld = free.filter((clip) => clip.day < firstDay && !isHeld(clip));
  const left = free.filter((clip) => !tooOld.includes(clip));
  const inOrder = [...left.filter((clip) => !isHeld(clip)), ...left.filter(isHeld)];
  let keptBytes = bytesOf(clips) - bytesOf(tooOld);
  const tooMany: ClipRow[] = [];
  for (const clip of inOrder) {
    if (keptBytes <= rules.maxBytes) break;
    tooMany.push(clip);
    keptBytes -= clip.bytes;
  }
  const kept = clips.filter((clip) => !tooOld.includes(clip) && !tooMany.includes(clip));
  return {
    tooOld,
    tooMany,
    keptCount: kept.length,
    keptBytes,
    pinnedBytes: bytesOf(kept.filter(({ pinned }) => pinned)),
    heldBytes: bytesOf(kept.filter((clip) => !clip.pinned && isHeld(clip))),
  };
}
