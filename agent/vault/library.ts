/** The owner's clips, opened: reads every camera's `clips.db` in short statements and keeps opened metadata in memory. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../base/errors.ts';
import { type OwnerIdentity, openFile } from '../protocol/age-file.ts';
import {
  type ClosingMetadata,
  type OpeningMetadata,
  parseClosingMetadata,
  parseOpeningMetadata,
} from '../protocol/clip-metadata.ts';
import { ClipsReader } from '../store/clips-reader.ts';
import type { ClipRow } from '../store/clips-rows.ts';
import { initOf } from './content.ts';
import { joinTracks } from './movie.ts';
import { camerasPath } from './paths.ts';

const dayMs = 24 * 3600 * 1000;
export const videoTrack = 1;
export const soundTrack = 2;

export interface ListedClip {
  readonly clipId: string;
  readonly cameraId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly labels: readonly string[];
  readonly bytes: number;
  readonly cut: boolean;
  readonly thumbnailJpegBase64?: string;
}

export interface OpenedClip {
  readonly cameraId: string;
  readonly opening: OpeningMetadata;
  /** Undefined for a clip that is still open or was cut. */
  readonly closing: ClosingMetadata | undefined;
  /** The whole video track: initialisation segment and fragments, a playable fragmented MP4. */
  readonly video: Uint8Array;
  /** The same of the sound; undefined where none was recorded. */
  readonly sound: Uint8Array | undefined;
}

interface Described {
  readonly opening: OpeningMetadata;
  readonly closing: ClosingMetadata | undefined;
}

export class ClipLibrary {
  readonly #dataDir: string;
  readonly #identity: OwnerIdentity;
  readonly #described = new Map<string, Described>();

  constructor(dataDir: string, identity: OwnerIdentity) {
    this.#dataDir = dataDir;
    this.#identity = identity;
  }

  #cameras(): { cameraId: string; path: string }[] {
    const folder = camerasPath(this.#dataDir);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .map((cameraId) => ({ cameraId, path: join(folder, cameraId, 'clips.db') }))
      .filter(({ path }) => existsSync(path));
  }

  /** A clip that was deleted meanwhile, or whose metadata doesn't open, is undefined: others must still be shown. */
  #describe(reader: ClipsReader, row: ClipRow): Described | undefined {
    const known = this.#described.get(row.clipId);
    if (known !== undefined && (known.closing !== undefined || row.state !== 'closed')) return known;
    try {
      const opening = reader.meta(row.seq, 'opening');
      const closing = row.state === 'closed' ? reader.meta(row.seq, 'closing') : undefined;
      if (opening === undefined) return undefined;
      const described = {
        opening: parseOpeningMetadata(openFile(opening, this.#identity)),
        closing: closing === undefined ? undefined : parseClosingMetadata(openFile(closing, this.#identity)),
      };
      this.#described.set(row.clipId, described);
      return described;
    } catch (thrown) {
      if (thrown instanceof AgentError && thrown.kind === 'corrupt') return undefined;
      throw thrown;
    }
  }

  /** Clips that overlap [fromMs, toMs], oldest first. A clip still being recorded is not listed. */
  list(fromMs: number, toMs: number): ListedClip[] {
    const day = (ms: number): string => new Date(Math.min(Math.max(ms, 0), 8.64e15)).toISOString().slice(0, 10);
    const found: ListedClip[] = [];
    for (const { cameraId, path } of this.#cameras()) {
      using reader = ClipsReader.open(path);
      // A clip opened just before midnight belongs to the day before.
      for (const row of reader.listClips({ fromDay: day(fromMs - dayMs), toDay: day(toMs + dayMs) })) {
        if (row.state === 'open') continue;
        const described = this.#describe(reader, row);
        if (described === undefined) continue;
        const { opening, closing } = described;
        const endMs = closing?.end_ms ?? opening.start_ms;
        if (endMs < fromMs || opening.start_ms > toMs) continue;
        found.push({
          clipId: row.clipId,
          cameraId,
          startMs: opening.start_ms,
          endMs,
          labels: [...new Set(closing?.labels.map((l) => l.kind) ?? [])],
          bytes: row.bytes,
          cut: row.state === 'cut',
          ...(closing === undefined || closing.thumbnail === '' ? {} : { thumbnailJpegBase64: closing.thumbnail }),
        });
      }
    }
    return found.toSorted((a, b) => a.startMs - b.startMs);
  }

  /** Throws `vault/no-such-clip`; damage in a segment throws what age says. */
  open(clipId: string): OpenedClip {
    for (const { cameraId, path } of this.#cameras()) {
      using reader = ClipsReader.open(path);
      const row = reader.clip(clipId);
      if (row === undefined) continue;
      const described = this.#describe(reader, row);
      if (described === undefined) {
        throw new AgentError('corrupt', 'vault/clip-unreadable', 'Cannot open the clip: its metadata is damaged');
      }
      const parts = new Map<number, Uint8Array[]>();
      for (const { segment, track } of reader.listSegments(row.seq)) {
        const sealed = reader.segment(segment);
        if (sealed === undefined) throw noSuchClip();
        parts.set(track, [...(parts.get(track) ?? []), openFile(sealed, this.#identity)]);
      }
      const sound = parts.get(soundTrack);
      return {
        cameraId,
        ...described,
        video: Buffer.concat(parts.get(videoTrack) ?? []),
        sound: sound && Buffer.concat(sound),
      };
    }
    throw noSuchClip();
  }
}

/** What a player takes: both tracks in one file, or the video alone where there is no more or the clip was cut. */
export function movieOf({ closing, video, sound }: OpenedClip): Uint8Array {
  if (closing === undefined || sound === undefined || initOf(closing.fragments, soundTrack) === undefined) return video;
  return joinTracks(closing.fragments, { track: videoTrack, bytes: video }, { track: soundTrack, bytes: sound });
}

function noSuchClip(): AgentError {
  return new AgentError('usage', 'vault/no-such-clip', 'Cannot open the clip: it does not exist, or was deleted');
}
