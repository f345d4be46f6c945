import { randomBytes } from 'node:crypto';
import { type SealedFile, sealBytes } from '../../protocol/age-file.ts';
import { sha256, toHex } from '../../protocol/bytes.ts';
import type { ClipFragment } from '../../protocol/clip-metadata.ts';
import { leafHash } from '../../protocol/merkle.ts';

/**
 * One track of a clip being recorded: its fragments become leaves of the clip's tree at once, and segments, each sealed
 * as one whole age file, as soon as one is full.
 */
export interface TrackWriterOptions {
  /** As in the manifest. */
  readonly track: number;
  /** Owner and recovery. */
  readonly recipients: readonly string[];
  readonly append: (segment: {
    readonly track: number;
    readonly position: number;
    readonly sealed: SealedFile;
  }) => void;
}

interface Piece {
  readonly bytes: Uint8Array;
  readonly startMs: number;
  readonly durationMs: number;
  readonly keyframe: boolean;
}

interface Leaf {
  readonly fragment: Omit<ClipFragment, 'start_ms' | 'index'>;
  readonly startMs: number;
  readonly hash: Uint8Array;
}

/** Five seconds at 2 Mbit/s, with some to spare: every row stored costs a dozen pages besides its own. */
const segmentBytes = 1_300_000;
const segmentMs = 5000;

export class TrackWriter {
  readonly #options: TrackWriterOptions;
  readonly #leaves: Leaf[] = [];
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #pendingFromMs: number;
  #bytes = 0;
  #nextPosition = 0;

  /** `init` is the track's first leaf and opens its first segment. */
  constructor(options: TrackWriterOptions, init: Uint8Array, startMs: number) {
    this.#options = options;
    this.#pendingFromMs = startMs;
    this.#take({ bytes: init, startMs, durationMs: 0, keyframe: true });
  }

  get leaves(): readonly Leaf[] {
    return this.#leaves;
  }

  /** Of everything that was added. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Aligned to fragments: a segment is stored before the fragment that would make it too long. */
  add(piece: Piece): void {
    const fits =
      this.#pendingBytes + piece.bytes.length <= segmentBytes &&
      piece.startMs + piece.durationMs - this.#pendingFromMs <= segmentMs;
    if (!fits && this.#leaves.length > 1) {
      this.flush();
      this.#pendingFromMs = piece.startMs;
    }
    this.#take({ ...piece, durationMs: Math.max(1, Math.round(piece.durationMs)) });
  }

  /** Stores what has been gathered. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const { recipients, track, append } = this.#options;
    const sealed = sealBytes(recipients, Buffer.concat(this.#pending, this.#pendingBytes));
    append({ track, position: this.#nextPosition, sealed });
    this.#nextPosition += 1;
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  #take({ bytes, startMs, durationMs, keyframe }: Piece): void {
    const { track } = this.#options;
    const salt = randomBytes(16);
    const digest = sha256(bytes);
    this.#leaves.push({
      fragment: {
        track,
        offset: this.#bytes,
        bytes: bytes.length,
        duration_ms: durationMs,
        keyframe,
        salt: toHex(salt),
        sha256: toHex(digest),
      },
      startMs,
      hash: leafHash(salt, track, digest),
    });
    this.#bytes += bytes.length;
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
  }
}
