/** What a list shows of each clip: from the index of its day, from memory, or from its sealed metadata. */
import { AgentError } from '../base/errors.ts';
import { type OwnerIdentity, openFile } from '../protocol/age-file.ts';
import { parseClosingSummary, parseOpeningMetadata, parseThumbnail } from '../protocol/clip-metadata.ts';
import type { ClipsReader } from '../store/clips-reader.ts';
import type { ClipRow } from '../store/clips-rows.ts';
import { ClipIndex, type ClipSummary } from './clip-index.ts';

export interface CameraReader {
  /** Opened for each use and closed by the caller. */
  open(): ClipsReader;
}

export class ClipSummaries {
  readonly #identity: OwnerIdentity;
  readonly #index: ClipIndex;
  /** Of days that have no index yet. */
  readonly #known = new Map<string, ClipSummary>();

  constructor(dataDir: string, identity: OwnerIdentity) {
    this.#identity = identity;
    this.#index = new ClipIndex(dataDir, identity);
  }

  /** Undefined for a clip that is open, was deleted meanwhile, or whose metadata doesn't open: others must still be shown. */
  of(reader: ClipsReader, row: ClipRow): ClipSummary | undefined {
    const remembered = this.#index.day(row.day).get(row.clipId) ?? this.#known.get(row.clipId);
    if (remembered?.state === row.state) return remembered;
    const summary = this.#open(reader, row);
    if (summary !== undefined) this.#known.set(row.clipId, summary);
    return summary;
  }

  /** A JPEG in base64; undefined where there is none. */
  still(reader: ClipsReader, row: ClipRow): string | undefined {
    return intact(() => {
      const closing = reader.meta(row.seq, 'closing');
      if (closing === undefined) return undefined;
      const thumbnail = parseThumbnail(openFile(closing, this.#identity));
      return thumbnail === '' ? undefined : thumbnail;
    });
  }

  /**
   * Brings the index up to the clips that exist, one day with each step, so that other questions can be answered in between.
   * Only days that are over and have no open clip: those of today still change.
   */
  *consolidate(cameras: readonly CameraReader[], today: string): Generator<string> {
    const days = new Map<string, Map<CameraReader, ClipRow[]>>();
    for (const camera of cameras) {
      using reader = camera.open();
      for (const row of reader.listClips()) {
        const rows = days.get(row.day) ?? new Map<CameraReader, ClipRow[]>();
        days.set(row.day, rows.set(camera, [...(rows.get(camera) ?? []), row]));
      }
    }
    const over = [...days].filter(([day, rows]) => day < today && ![...rows.values()].flat().some(isOpen));
    this.#index.keepOnly(new Set(over.map(([day]) => day)));
    for (const [day, rows] of over.toSorted(([a], [b]) => (a < b ? 1 : -1))) {
      const indexed = this.#index.day(day);
      const all = [...rows.values()].flat();
      if (all.length === indexed.size && all.every((row) => indexed.get(row.clipId)?.state === row.state)) continue;
      const summaries: ClipSummary[] = [];
      for (const [camera, some] of rows) {
        using reader = camera.open();
        for (const row of some) {
          const summary = this.of(reader, row);
          if (summary !== undefined) summaries.push(summary);
        }
      }
      // What doesn't open was left out before, too.
      const known = summaries.length === indexed.size && summaries.every(({ clipId }) => indexed.has(clipId));
      if (known && summaries.every(({ clipId, state }) => indexed.get(clipId)?.state === state)) continue;
      this.#index.put(day, summaries);
      for (const { clipId } of summaries) this.#known.delete(clipId);
      yield day;
    }
  }

  #open(reader: ClipsReader, row: ClipRow): ClipSummary | undefined {
    const { clipId, state } = row;
    if (state === 'open') return undefined;
    return intact(() => {
      const closing = state === 'closed' ? reader.meta(row.seq, 'closing') : undefined;
      if (closing !== undefined) {
        const { startMs, endMs, labels, hasThumbnail } = parseClosingSummary(openFile(closing, this.#identity));
        const kinds = [...new Set(labels.map(({ kind }) => kind))];
        return { clipId, state, startMs, endMs, labels: kinds, hasStill: hasThumbnail };
      }
      const opening = reader.meta(row.seq, 'opening');
      if (opening === undefined) return undefined;
      const { start_ms: startMs } = parseOpeningMetadata(openFile(opening, this.#identity));
      return { clipId, state, startMs, endMs: startMs, labels: [], hasStill: false };
    });
  }
}

const isOpen = ({ state }: ClipRow): boolean => state === 'open';

/** Damage to one clip, or another key than ours, is that clip's. */
function intact<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof AgentError && (thrown.kind === 'corrupt' || thrown.code === 'age/wrong-key'))
      return undefined;
    throw thrown;
  }
}
