/** The bytes of a media file: in memory, or read out of stored clips as they are wanted. */
import type { ClipStream } from './clip-stream.ts';

export interface Content {
  readonly length: number;
  /** All of it in order, a bounded piece at a time. */
  parts(): Iterable<Uint8Array>;
  /** What there is of `length` bytes from `offset` on. */
  read(offset: number, length: number): Uint8Array;
  /** Of it, what stays in memory. */
  readonly heldBytes: number;
}

export function heldContent(bytes: Uint8Array): Content {
  return {
    length: bytes.length,
    heldBytes: bytes.length,
    parts: () => [bytes],
    read: (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/** All of it in memory. */
export function wholeOf(content: Content): Buffer {
  return Buffer.concat([...content.parts()]);
}

/** A stretch of a stored track, or bytes that were made. */
export type Stretch =
  | { readonly bytes: Uint8Array }
  | { readonly clip: ClipStream; readonly track: number; readonly from: number; readonly to: number };

const lengthOf = (stretch: Stretch): number => ('bytes' in stretch ? stretch.bytes.length : stretch.to - stretch.from);

export function streamedContent(stretches: readonly Stretch[]): Content {
  const joined = join(stretches);
  const starts: number[] = [];
  let length = 0;
  for (const stretch of joined) {
    starts.push(length);
    length += lengthOf(stretch);
  }
  return {
    length,
    heldBytes: joined.reduce((sum, stretch) => sum + ('bytes' in stretch ? stretch.bytes.length : 0), 0),
    *parts() {
      for (const stretch of joined) {
        if ('bytes' in stretch) yield stretch.bytes;
        else yield* stretch.clip.parts(stretch.track, stretch.from, stretch.to);
      }
    },
    read(offset, wanted) {
      const end = Math.min(length, offset + wanted);
      const parts: Uint8Array[] = [];
      for (const [i, stretch] of joined.entries()) {
        const at = starts[i] ?? 0;
        const [from, to] = [Math.max(offset, at) - at, Math.min(end, at + lengthOf(stretch)) - at];
        if (from >= to) continue;
        if ('bytes' in stretch) parts.push(stretch.bytes.subarray(from, to));
        else parts.push(stretch.clip.read(stretch.track, stretch.from + from, stretch.from + to));
      }
      return Buffer.concat(parts);
    },
  };
}

/** Neighbours in one track become one stretch: a segment is then opened once, not once for each of its fragments. */
function join(stretches: readonly Stretch[]): Stretch[] {
  const joined: Stretch[] = [];
  for (const stretch of stretches) {
    const last = joined.at(-1);
    const touches =
      last !== undefined && !('bytes' in last) && !('bytes' in stretch) &&
      last.clip === stretch.clip && last.track === stretch.track && last.to === stretch.from; // biome-ignore format: one question
    if (touches) joined[joined.length - 1] = { ...last, to: stretch.to };
    else joined.push(stretch);
  }
  return joined;
}
