import { randomBytes } from 'node:crypto';
import { type SealedFile, sealBytes } from '../../protocol/age-file.ts';
import { sha256, toHex } from '../../protocol/bytes.ts';
import {
  type ClipFragment,
  type ClipLabel,
  type ClipTrigger,
  type ClockTrust,
  encodeClipMetadata,
} from '../../protocol/clip-metadata.ts';
import { signEnvelope } from '../../protocol/envelope.ts';
import { generateSigningKey } from '../../protocol/keys.ts';
import { leafHash, rootOf } from '../../protocol/merkle.ts';
import type { Fragment, Run } from '../stages.ts';

/**
 * One clip being recorded: fragments are gathered into segments, each sealed and stored as one whole age file, so that a
 * power cut loses at most the segment in memory. The clip's signing key exists only inside this object and only until
 * the clip is closed.
 */

/** What the builder needs of the store. */
export interface ClipStore {
  openClip(clip: { clipId: string; wallMs: number; opening: SealedFile }): number;
  appendSegment(seq: number, segment: { track: number; position: number; sealed: SealedFile }): void;
  closeClip(seq: number, closing: SealedFile): void;
  markCut(seq: number): void;
}

export interface ClipBuilderOptions {
  readonly store: ClipStore;
  /** Owner and recovery. Public keys only: what is sealed here can't be opened here. */
  readonly recipients: readonly string[];
  readonly cameraId: string;
  readonly run: Run;
  readonly trigger: ClipTrigger;
  readonly clock: ClockTrust;
  readonly wallAtZeroMs: number;
}

export interface ClipEnding {
  readonly labels: readonly ClipLabel[];
  /** JPEG; empty for none. */
  readonly thumbnail: Uint8Array;
  /** The run's clock mapping as known by now; it may have been refined since the clip opened. */
  readonly wallAtZeroMs: number;
}

const videoTrack = 1;
const segmentBytes = 1_000_000;
const segmentMs = 5000;

interface Leaf {
  readonly fragment: Omit<ClipFragment, 'start_ms'>;
  readonly startMs: number;
  readonly hash: Uint8Array;
}

export class ClipBuilder {
  readonly clipId = toHex(randomBytes(16));
  readonly trigger: ClipTrigger;
  readonly run: Run;
  /** Run-relative time of the first fragment. */
  readonly startMs: number;
  #endMs: number;
  readonly #options: ClipBuilderOptions;
  readonly #key = generateSigningKey();
  readonly #seq: number;
  readonly #leaves: Leaf[] = [];
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #pendingFromMs: number;
  #trackBytes = 0;
  #nextPosition = 0;
  #ended = false;

  /** Writes the opening row at once. `first` must start with a keyframe; it is not yet added. */
  constructor(options: ClipBuilderOptions, first: Fragment) {
    this.#options = options;
    this.run = options.run;
    this.trigger = options.trigger;
    this.startMs = first.startMs;
    this.#endMs = first.startMs;
    this.#pendingFromMs = first.startMs;
    const startMs = Math.round(options.wallAtZeroMs + first.startMs);
    const opening = encodeClipMetadata({
      v: 1,
      clip_id: this.clipId,
      camera_id: options.cameraId,
      trigger: options.trigger,
      run_id: options.run.runId,
      start_ms: startMs,
      clock: options.clock,
      wall_at_zero_ms: Math.round(options.wallAtZeroMs),
      codec: options.run.codec,
      width_px: options.run.widthPx,
      height_px: options.run.heightPx,
      key: toHex(this.#key.publicKey),
    });
    this.#seq = options.store.openClip({
      clipId: this.clipId,
      wallMs: startMs,
      opening: sealBytes(options.recipients, opening),
    });
    this.#addLeaf(options.run.init, first.startMs, 0, true);
  }

  /** Run-relative time at which the newest fragment ends. */
  get endMs(): number {
    return this.#endMs;
  }

  get bytes(): number {
    return this.#trackBytes;
  }

  add(fragment: Fragment): void {
    // Aligned to fragments: a segment is stored before the fragment that would make it too long.
    const fits =
      this.#pendingBytes + fragment.bytes.length <= segmentBytes &&
      fragment.startMs + fragment.durationMs - this.#pendingFromMs <= segmentMs;
    if (!fits && this.#pending.length > 0 && this.#leaves.length > 1) this.#store(fragment.startMs);
    this.#addLeaf(fragment.bytes, fragment.startMs, Math.max(1, Math.round(fragment.durationMs)), fragment.keyframe);
    this.#endMs = fragment.startMs + fragment.durationMs;
  }

  /** Stores the last segment; nothing can be added after it, and only `close` remains. */
  finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#store(this.#endMs);
  }

  /** Signs and stores the closing metadata. The signing key is gone afterwards. */
  close(ending: ClipEnding): void {
    this.finish();
    const { store, recipients, run, clock } = this.#options;
    const { wallAtZeroMs } = ending;
    const manifest = signEnvelope(
      'manifest',
      {
        clip_id: this.clipId,
        key: toHex(this.#key.publicKey),
        root: toHex(rootOf(this.#leaves.map((leaf) => leaf.hash))),
        size: this.#leaves.length,
        tracks: [{ id: videoTrack, kind: 'video', codec: run.codec, leaves: this.#leaves.length }],
        t0: Math.floor((wallAtZeroMs + this.startMs) / 1000),
        t1: Math.ceil((wallAtZeroMs + this.#endMs) / 1000),
        clock,
      },
      [this.#key],
    );
    this.#key.seed.fill(0);
    const closing = encodeClipMetadata({
      v: 1,
      end_ms: Math.round(wallAtZeroMs + this.#endMs),
      labels: ending.labels,
      fragments: this.#leaves.map((leaf) => ({
        ...leaf.fragment,
        start_ms: Math.round(wallAtZeroMs + leaf.startMs),
      })),
      manifest: Buffer.from(manifest).toString('base64'),
      thumbnail: Buffer.from(ending.thumbnail).toString('base64'),
    });
    store.closeClip(this.#seq, sealBytes(recipients, closing));
  }

  /** Gives the clip up after a failure; what is stored stays, marked as cut. */
  abandon(): void {
    this.#ended = true;
    this.#key.seed.fill(0);
    this.#options.store.markCut(this.#seq);
  }

  #addLeaf(bytes: Uint8Array, startMs: number, durationMs: number, keyframe: boolean): void {
    const salt = randomBytes(16);
    const digest = sha256(bytes);
    this.#leaves.push({
      fragment: {
        index: this.#leaves.length,
        track: videoTrack,
        offset: this.#trackBytes,
        bytes: bytes.length,
        duration_ms: durationMs,
        keyframe,
        salt: toHex(salt),
        sha256: toHex(digest),
      },
      startMs,
      hash: leafHash(salt, videoTrack, digest),
    });
    this.#trackBytes += bytes.length;
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
  }

  #store(nextFromMs: number): void {
    if (this.#pending.length === 0) return;
    const { store, recipients } = this.#options;
    const sealed = sealBytes(recipients, Buffer.concat(this.#pending, this.#pendingBytes));
    store.appendSegment(this.#seq, { track: videoTrack, position: this.#nextPosition, sealed });
    this.#nextPosition += 1;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#pendingFromMs = nextFromMs;
  }
}
