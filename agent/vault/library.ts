/** The owner's clips, opened: reads every camera's `clips.db` in short statements and keeps opened metadata in memory. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
import { readDeletions } from '../store/deletions.ts';
import { ClipStream, noSuchClip } from './clip-stream.ts';
import { ClipSummaries } from './clip-summaries.ts';
import { soundTrack, videoTrack } from './content.ts';
import { camerasPath } from './paths.ts';
import { SegmentCache } from './segment-cache.ts';

const dayMs = 24 * 3600 * 1000;

export interface ListedClip {
  readonly clipId: string;
  readonly cameraId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly labels: readonly string[];
  readonly bytes: number;
  readonly cut: boolean;
  /** Never purged. */
  readonly pinned: boolean;
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

interface Camera {
  readonly cameraId: string;
  readonly path: string;
}

interface Listed {
  readonly clip: ListedClip;
  readonly row: ClipRow;
  readonly hasStill: boolean;
}

interface Pictured {
  /** Place in the list. */
  readonly at: number;
  readonly path: string;
  readonly row: ClipRow;
}

/** Clips whose metadata is opened within one reading of the database: half a millisecond each. */
const readTogether = 40;

/** More than a day of a camera that records all the time. */
const maxPictured = 2000;

export class ClipLibrary {
  readonly #dataDir: string;
  readonly #identity: OwnerIdentity;
  readonly #cache = new SegmentCache();
  readonly #described = new Map<string, Described>();
  readonly #summaries: ClipSummaries;

  constructor(dataDir: string, identity: OwnerIdentity) {
    this.#dataDir = dataDir;
    this.#identity = identity;
    this.#summaries = new ClipSummaries(dataDir, identity);
  }

  #cameras(): Camera[] {
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

  #listCamera({ cameraId, path }: Camera, fromMs: number, toMs: number): Listed[] {
    const day = (ms: number): string => new Date(Math.min(Math.max(ms, 0), 8.64e15)).toISOString().slice(0, 10);
    const deleted = readDeletions(dirname(path));
    using reader = ClipsReader.open(path);
    // A clip opened just before midnight belongs to the day before.
    const rows = reader.listClips({ fromDay: day(fromMs - dayMs), toDay: day(toMs + dayMs) });
    const listed = (row: ClipRow): Listed[] => {
      if (row.state === 'open' || deleted.has(row.clipId)) return [];
      const summary = this.#summaries.of(reader, row);
      if (summary === undefined || summary.endMs < fromMs || summary.startMs > toMs) return [];
      const { startMs, endMs, labels, hasStill } = summary;
      const { clipId, bytes, pinned } = row;
      const clip = { clipId, cameraId, startMs, endMs, labels, bytes, cut: row.state === 'cut', pinned };
      return [{ clip, row, hasStill }];
    };
    const found: Listed[] = [];
    for (let at = 0; at < rows.length; at += readTogether)
      found.push(...reader.together(() => rows.slice(at, at + readTogether).flatMap(listed)));
    return found;
  }

  /** Clips that overlap [fromMs, toMs], oldest first. A clip still being recorded is not listed. */
  list(fromMs: number, toMs: number): ListedClip[] {
    const found: ListedClip[] = [];
    const pictured: Pictured[] = [];
    for (const camera of this.#cameras()) {
      try {
        for (const { clip, row, hasStill } of this.#listCamera(camera, fromMs, toMs)) {
          found.push(clip);
          if (hasStill) pictured.push({ at: found.length - 1, path: camera.path, row });
        }
      } catch (thrown) {
        // Its recorder sets a damaged database aside, and "check" tells of it; the other cameras must still be shown.
        if (!(thrown instanceof AgentError) || thrown.kind !== 'corrupt') throw thrown;
      }
    }
    // A long list would be all pictures.
    if (found.length <= maxPictured) this.#addStills(found, pictured);
    return found.toSorted((a, b) => a.startMs - b.startMs);
  }

  #addStills(found: ListedClip[], pictured: readonly Pictured[]): void {
    for (const path of new Set(pictured.map((each) => each.path))) {
      using reader = ClipsReader.open(path);
      for (const { at, row } of pictured.filter((each) => each.path === path)) {
        const [clip, thumbnailJpegBase64] = [found[at], this.#summaries.still(reader, row)];
        if (clip !== undefined && thumbnailJpegBase64 !== undefined) found[at] = { ...clip, thumbnailJpegBase64 };
      }
    }
  }

  /** Brings the index of past days up to date, a day with each step. */
  consolidate(today: string): Generator<string> {
    const cameras = this.#cameras().map(({ path }) => ({ open: () => ClipsReader.open(path) }));
    return this.#summaries.consolidate(cameras, today);
  }

  /** Overwrites what is opened. */
  wipe(): void {
    this.#cache.wipe();
  }

  /** Throws `vault/no-such-clip`, `vault/clip-unreadable`. Nothing of it is opened yet but its metadata. */
  stream(clipId: string): ClipStream {
    let unread: unknown;
    for (const camera of this.#cameras()) {
      try {
        const clip = this.#streamOf(camera, clipId);
        if (clip !== undefined) return clip;
      } catch (thrown) {
        // Another camera may have it.
        unread ??= thrown;
      }
    }
    if (unread !== undefined) throw unread;
    throw noSuchClip();
  }

  /** Undefined where the camera has no such clip. */
  #streamOf({ cameraId, path }: Camera, clipId: string): ClipStream | undefined {
    using reader = ClipsReader.open(path);
    const row = reader.clip(clipId);
    if (row === undefined || readDeletions(dirname(path)).has(clipId)) return undefined;
    const described = this.#describe(reader, row);
    if (described === undefined) {
      throw new AgentError('corrupt', 'vault/clip-unreadable', 'Cannot open the clip: its metadata is damaged');
    }
    const segments = reader.listSegments(row.seq);
    const [identity, cache] = [this.#identity, this.#cache];
    return new ClipStream({ path, clipId, cameraId, ...described, segments, identity, cache });
  }

  /** Throws `vault/no-such-clip` for what was deleted since it was previewed: its owner changed their mind. */
  requireThere(media: Iterable<{ readonly clipId: string }>): void {
    for (const { clipId } of media) this.stream(clipId);
  }

  /** The whole clip in memory. Damage in a segment throws what age says. */
  open(clipId: string): OpenedClip {
    const clip = this.stream(clipId);
    const whole = (track: number): Uint8Array => Buffer.concat([...clip.parts(track, 0, clip.length(track))]);
    const { cameraId, opening, closing } = clip;
    const sound = clip.length(soundTrack) === 0 ? undefined : whole(soundTrack);
    return { cameraId, opening, closing, video: whole(videoTrack), sound };
  }
}
