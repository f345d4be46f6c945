import { randomBytes } from 'node:crypto';
import { type SealedFile, sealBytes } from '../../protocol/age-file.ts';
import { toHex } from '../../protocol/bytes.ts';
import { type ClipLabel, type ClipTrigger, type ClockTrust, encodeClipMetadata } from '../../protocol/clip-metadata.ts';
import { signEnvelope } from '../../protocol/envelope.ts';
import { generateSigningKey } from '../../protocol/keys.ts';
import { rootOf } from '../../protocol/merkle.ts';
import type { Fragment, Run, Sound, SoundFragment } from '../stages.ts';
import { TrackWriter, type TrackWriterOptions } from './track-writer.ts';

/**
 * One clip being recorded: fragments are gathered into segments, each sealed and stored as one whole age file, so that a
 * power cut loses at most the segment in memory. The clip's signing key exists only inside this object and only until
 * the clip is closed.
 */

/** What the builder needs of the store. */
export interface ClipStore {
  openClip(clip: { clipId: string; wallMs: number; dated: boolean; opening: SealedFile }): number;
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
const soundTrack = 2;

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
  readonly #video: TrackWriter;
  #sound: { readonly track: TrackWriter; readonly codec: string } | undefined;
  #soundEndMs = Number.NEGATIVE_INFINITY;
  #ended = false;

  /** Writes the opening row at once. `first` must start with a keyframe; it is not yet added. */
  constructor(options: ClipBuilderOptions, first: Fragment) {
    this.#options = options;
    this.run = options.run;
    this.trigger = options.trigger;
    this.startMs = first.startMs;
    this.#endMs = first.startMs;
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
      dated: options.clock === 'synchronised',
      opening: sealBytes(options.recipients, opening),
    });
    this.#video = this.#track(videoTrack, options.run.init, first.startMs);
  }

  /** Run-relative time at which the newest fragment ends. */
  get endMs(): number {
    return this.#endMs;
  }

  /** Run-relative time at which the newest sound ends. */
  get soundEndMs(): number {
    return this.#soundEndMs;
  }

  get bytes(): number {
    return this.#video.bytes + (this.#sound?.track.bytes ?? 0);
  }

  add(fragment: Fragment): void {
    this.#video.add(fragment);
    this.#endMs = fragment.startMs + fragment.durationMs;
  }

  /** In order, until the clip is closed: sound may come later than the video of the same time. */
  addSound(sound: Sound, fragment: SoundFragment): void {
    this.#sound ??= { track: this.#track(soundTrack, sound.init, fragment.startMs), codec: sound.codec };
    this.#sound.track.add({ ...fragment, keyframe: true });
    this.#soundEndMs = fragment.startMs + fragment.durationMs;
  }

  /** Stores the last video segment; no video can be added after it. */
  finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#video.flush();
  }

  /** Signs and stores the closing metadata. The signing key is gone afterwards. */
  close(ending: ClipEnding): void {
    this.finish();
    this.#sound?.track.flush();
    const { store, recipients, run, clock } = this.#options;
    const { wallAtZeroMs } = ending;
    // Track by track, as the manifest counts them.
    const leaves = [...this.#video.leaves, ...(this.#sound?.track.leaves ?? [])];
    const sound = this.#sound && {
      id: soundTrack,
      kind: 'audio' as const,
      codec: this.#sound.codec,
      leaves: this.#sound.track.leaves.length,
    };
    const manifest = signEnvelope(
      'manifest',
      {
        clip_id: this.clipId,
        key: toHex(this.#key.publicKey),
        root: toHex(rootOf(leaves.map((leaf) => leaf.hash))),
        size: leaves.length,
        tracks: [
          { id: videoTrack, kind: 'video', codec: run.codec, leaves: this.#video.leaves.length },
          ...(sound === undefined ? [] : [sound]),
        ],
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
      fragments: leaves.map((leaf, index) => ({
        ...leaf.fragment,
        index,
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

  #track(track: number, init: Uint8Array, startMs: number): TrackWriter {
    const { store, recipients } = this.#options;
    const append: TrackWriterOptions['append'] = (segment) => store.appendSegment(this.#seq, segment);
    return new TrackWriter({ track, recipients, append }, init, startMs);
  }
}
