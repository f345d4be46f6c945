/**
 * A stored clip, opened a segment at a time: how long its tracks are is known from the sealed sizes, so that any stretch can be
 * read without opening what comes before it, and a long share takes no more memory than a short one.
 */
import { AgentError } from '../base/errors.ts';
import { type OwnerIdentity, openFile } from '../protocol/age-file.ts';
import type { ClosingMetadata, OpeningMetadata } from '../protocol/clip-metadata.ts';
import { ClipsReader } from '../store/clips-reader.ts';
import type { SegmentRow } from '../store/clips-rows.ts';
import type { SegmentCache } from './segment-cache.ts';

interface Segment {
  readonly row: SegmentRow;
  /** Of the plaintext, within the track. */
  readonly from: number;
  readonly to: number;
}

export interface ClipStreamOptions {
  readonly path: string;
  readonly clipId: string;
  readonly cameraId: string;
  readonly opening: OpeningMetadata;
  /** Undefined for a clip that is still open or was cut. */
  readonly closing: ClosingMetadata | undefined;
  readonly segments: readonly SegmentRow[];
  readonly identity: OwnerIdentity;
  readonly cache: SegmentCache;
}

const [nonceBytes, tagBytes, sealedChunkBytes] = [16, 16, 65_552];

/** Of an age payload of so many bytes. */
function plainBytes(sealedBytes: number): number {
  const chunkBytes = sealedBytes - nonceBytes;
  return chunkBytes - tagBytes * Math.ceil(chunkBytes / sealedChunkBytes);
}

export class ClipStream {
  readonly clipId: string;
  readonly cameraId: string;
  readonly opening: OpeningMetadata;
  readonly closing: ClosingMetadata | undefined;
  readonly #o: ClipStreamOptions;
  readonly #tracks = new Map<number, Segment[]>();

  constructor(options: ClipStreamOptions) {
    this.#o = options;
    this.clipId = options.clipId;
    this.cameraId = options.cameraId;
    this.opening = options.opening;
    this.closing = options.closing;
    for (const row of options.segments) {
      const { track, bytes } = row;
      const before = this.#tracks.get(track) ?? [];
      const from = before.at(-1)?.to ?? 0;
      this.#tracks.set(track, [...before, { row, from, to: from + plainBytes(bytes) }]);
    }
  }

  /** 0 for a track that there is not. */
  length(track: number): number {
    return this.#tracks.get(track)?.at(-1)?.to ?? 0;
  }

  /** In order, each segment opened once and kept nowhere. Damage throws what age says. */
  *parts(track: number, from: number, to: number): Generator<Uint8Array> {
    this.#require(track, from, to);
    for (const segment of this.#tracks.get(track) ?? []) {
      if (segment.to <= from || segment.from >= to) continue;
      yield this.#open(segment).subarray(Math.max(0, from - segment.from), to - segment.from);
    }
  }

  /** A stretch of any length, out of segments that stay opened for the next. */
  read(track: number, from: number, to: number): Buffer {
    this.#require(track, from, to);
    const parts = (this.#tracks.get(track) ?? [])
      .filter((segment) => segment.to > from && segment.from < to)
      .map((segment) => {
        const key = `${this.clipId}/${segment.row.segment}`;
        const range = [Math.max(0, from - segment.from), Math.min(segment.to, to) - segment.from] as const;
        return this.#o.cache.read(key, ...range, () => this.#open(segment));
      });
    return Buffer.concat(parts);
  }

  /** What the metadata names must be there. */
  #require(track: number, from: number, to: number): void {
    if (from >= 0 && from <= to && to <= this.length(track)) return;
    throw new AgentError('corrupt', 'vault/clip-unreadable', 'Cannot open the clip: a part of it is missing');
  }

  #open({ row, from, to }: Segment): Buffer {
    using reader = ClipsReader.open(this.#o.path);
    const sealed = reader.segment(row);
    if (sealed === undefined) throw noSuchClip();
    const opened = openFile(sealed, this.#o.identity);
    if (opened.length !== to - from) {
      throw new AgentError('corrupt', 'vault/clip-unreadable', 'Cannot open the clip: a part of it has another size');
    }
    return Buffer.from(opened.buffer, opened.byteOffset, opened.length);
  }
}

export function noSuchClip(): AgentError {
  return new AgentError('usage', 'vault/no-such-clip', 'Cannot open the clip: it does not exist, or was deleted');
}
