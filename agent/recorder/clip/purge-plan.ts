/** What retention would take away under other rules, without taking it: the order is that of the recorder. Pure. */
import { type ClipRow, utcDay } from '../../store/clips-rows.ts';
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

/** As the store judges it, see `ClipsDb.purgeBefore`. */
function tooOldAt(clips: readonly ClipRow[], firstDay: string, today: string): (clip: ClipRow) => boolean {
  const isKnown = ({ dated, day }: ClipRow): boolean => dated && day <= today;
  const known = clips.filter(isKnown);
  const firstYoung = Math.min(...known.filter(({ day }) => day >= firstDay).map(({ seq }) => seq));
  const lastOld = Math.max(...known.filter(({ day, seq }) => day < firstDay && seq < firstYoung).map(({ seq }) => seq));
  return (clip) => (isKnown(clip) ? clip.day < firstDay : clip.seq < lastOld);
}

const bytesOf = (clips: readonly ClipRow[]): number => clips.reduce((sum, { bytes }) => sum + bytes, 0);

export function planPurge(clips: readonly ClipRow[], rules: RetentionRules, wallMs: number): PurgePlan {
  const isTooOld = tooOldAt(clips, oldestKeptDay(rules, wallMs), utcDay(wallMs));
  const isHeld = ({ holdUntilS }: ClipRow): boolean => holdUntilS * 1000 > wallMs;
  const free = clips.filter(({ state, pinned }) => state !== 'open' && !pinned).toSorted((a, b) => a.seq - b.seq);
  const tooOld = free.filter((clip) => isTooOld(clip) && !isHeld(clip));
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
