import { createHash } from 'node:crypto';
import { AgentError } from '../base/errors.ts';
import { parseHeader } from '../protocol/age-header.ts';
import type { ClipsReader } from './clips-reader.ts';
import type { ClipRow, SegmentRow } from './clips-rows.ts';

/**
 * What can be said of stored clips without any key: presence, then size, then hash. Reads one row after the other, in
 * short statements, so that a recorder may go on writing meanwhile.
 */
export type ClipFault =
  | 'opening-missing'
  | 'closing-missing'
  | 'no-segments'
  | 'segment-missing'
  | 'segment-gap'
  | 'segment-size'
  | 'segment-hash'
  | 'segment-header'
  | 'clip-size';

export interface CheckedClip {
  readonly clip: ClipRow;
  /** Empty: everything is there as it was written. */
  readonly faults: readonly { readonly fault: ClipFault; readonly segment?: number }[];
  readonly segmentCount: number;
  /** Segments that were kept before hashes were, and so were checked by size alone. */
  readonly unhashedCount: number;
}

/** Clips still being recorded are left out. `onlyClipId` checks one. */
export function* checkClips(reader: ClipsReader, onlyClipId?: string): Generator<CheckedClip> {
  for (const clip of reader.listClips()) {
    if (clip.state === 'open' || (onlyClipId !== undefined && clip.clipId !== onlyClipId)) continue;
    const checked = checkClip(reader, clip);
    // Retention may have been faster.
    if (checked.faults.length > 0 && reader.clip(clip.clipId) === undefined) continue;
    yield checked;
  }
}

function checkClip(reader: ClipsReader, clip: ClipRow): CheckedClip {
  const faults: { fault: ClipFault; segment?: number }[] = [];
  if (!hasMeta(reader, clip, 'opening')) faults.push({ fault: 'opening-missing' });
  if (clip.state === 'closed' && !hasMeta(reader, clip, 'closing')) faults.push({ fault: 'closing-missing' });
  const segments = reader.listSegments(clip.seq);
  if (segments.length === 0) faults.push({ fault: 'no-segments' });
  const next = new Map<number, number>();
  let bytes = 0;
  for (const row of segments) {
    const position = next.get(row.track) ?? 0;
    if (row.position !== position) faults.push({ fault: 'segment-gap', segment: row.segment });
    next.set(row.track, row.position + 1);
    const { fault, sealedBytes } = checkSegment(reader, row);
    if (fault !== undefined) faults.push({ fault, segment: row.segment });
    bytes += sealedBytes;
  }
  if (faults.length === 0 && bytes !== clip.bytes) faults.push({ fault: 'clip-size' });
  const unhashedCount = segments.filter(({ bodySha256 }) => bodySha256 === undefined).length;
  return { clip, faults, segmentCount: segments.length, unhashedCount };
}

function hasMeta(reader: ClipsReader, clip: ClipRow, phase: 'opening' | 'closing'): boolean {
  return readable(() => reader.meta(clip.seq, phase)) !== undefined;
}

function checkSegment(
  reader: ClipsReader,
  row: SegmentRow,
): { readonly fault?: ClipFault; readonly sealedBytes: number } {
  const sealed = readable(() => reader.segment(row));
  if (sealed === undefined) return { fault: 'segment-missing', sealedBytes: 0 };
  const sealedBytes = sealed.header.length + sealed.body.length;
  if (sealed.body.length !== row.bytes) return { fault: 'segment-size', sealedBytes };
  const hash = createHash('sha256').update(sealed.body).digest();
  if (row.bodySha256 !== undefined && !hash.equals(row.bodySha256)) return { fault: 'segment-hash', sealedBytes };
  if (readable(() => parseHeader(sealed.header)) === undefined) return { fault: 'segment-header', sealedBytes };
  return { sealedBytes };
}

/** Damage inside one row is that row's; everything else goes up. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof AgentError && thrown.kind === 'corrupt') return undefined;
    throw thrown;
  }
}
