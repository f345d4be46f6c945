import Database from 'better-sqlite3';
import { AgentError } from '../base/errors.ts';
import type { SealedFile } from '../protocol/age-file.ts';
import {
  type ClipRow,
  clipColumns,
  clipsSchemaSteps,
  type MetaPhase,
  parseClipRows,
  parseSegmentRows,
  type SegmentKey,
  type SegmentRow,
  segmentColumns,
} from './clips-rows.ts';
import { refuseNewerSchema, schemaVersion } from './schema-version.ts';
import { translated } from './sqlite-errors.ts';

const what = 'read clips';
const oneSegment = 'clip = ? AND track = ? AND position = ?';

/**
 * Reads a camera's `clips.db` while its recorder writes it. Every call is one short statement and large rows are read one
 * by one, because a reader that stays holds up the writer's commit. `store/recovering` and `store/busy` pass by
 * themselves: try again.
 */
export class ClipsReader {
  readonly #db: Database.Database;
  #askMeta: Database.Statement | undefined;

  private constructor(db: Database.Database) {
    this.#db = db;
  }

  /**
   * `offline` is for tools that run while no recorder does: it may roll back what a killed recorder left, and still
   * writes nothing else.
   */
  static open(path: string, options: { offline?: boolean; timeoutMs?: number } = {}): ClipsReader {
    const { offline = false, timeoutMs = 2000 } = options;
    return translated(what, () => {
      const db = new Database(path, { readonly: !offline, fileMustExist: true, timeout: timeoutMs });
      try {
        db.pragma('query_only = ON');
        db.pragma('cache_size = -2048');
        refuseNewerSchema(db, clipsSchemaSteps.length);
        if (schemaVersion(db) < clipsSchemaSteps.length) {
          throw new AgentError('unavailable', 'store/recovering', 'Cannot read clips: the recorder has yet to set up');
        }
        return new ClipsReader(db);
      } catch (thrown) {
        db.close();
        throw thrown;
      }
    });
  }

  /** Clips in order of opening, by UTC day, both ends included. */
  listClips(range: { fromDay?: string; toDay?: string } = {}): ClipRow[] {
    const { fromDay = '0000-00-00', toDay = '9999-99-99' } = range;
    const sql = `SELECT ${clipColumns} FROM clip WHERE day BETWEEN ? AND ? ORDER BY seq`;
    return translated(what, () => parseClipRows(this.#db.prepare(sql).all(fromDay, toDay)));
  }

  /** Sealed bytes of the segments of all clips. */
  usedBytes(): number {
    const sql = 'SELECT coalesce(sum(bytes), 0) FROM clip';
    return translated(what, () => Number(this.#db.prepare(sql).pluck().get()));
  }

  clip(clipId: string): ClipRow | undefined {
    const sql = `SELECT ${clipColumns} FROM clip WHERE clip_id = ?`;
    return translated(what, () => parseClipRows(this.#db.prepare(sql).all(clipId)))[0];
  }

  /** The sealed metadata, or undefined when the clip has none (a cut clip has no closing) or was just deleted. */
  meta(seq: number, phase: MetaPhase): SealedFile | undefined {
    const sql =
      'SELECT header, body FROM meta JOIN meta_header USING (clip, phase) WHERE meta.clip = ? AND meta.phase = ?';
    // Asked ten thousand times for a list: preparing it takes as long as the answer.
    return translated(what, () => sealedRow((this.#askMeta ??= this.#db.prepare(sql)).get(seq, phase)));
  }

  /** Reads of one moment, and a third cheaper: for some ten milliseconds, because a commit waits for the end. */
  together<T>(act: () => T): T {
    return translated(what, () => this.#db.transaction(act)());
  }

  /** The segments of a clip in order of track and position. */
  listSegments(seq: number): SegmentRow[] {
    const sql = `SELECT ${segmentColumns} FROM segment WHERE clip = ? ORDER BY track, position`;
    return translated(what, () => parseSegmentRows(this.#db.prepare(sql).all(seq)));
  }

  /** One sealed segment, or undefined when it was deleted meanwhile. */
  segment({ clip, track, position }: SegmentKey): SealedFile | undefined {
    const sql = `SELECT header, body FROM segment JOIN segment_body USING (segment)
       WHERE header IS NOT NULL AND ${oneSegment}`;
    return translated(what, () => sealedRow(this.#db.prepare(sql).get(clip, track, position)));
  }

  /** The small header alone, or undefined when the segment was deleted meanwhile. */
  segmentHeader({ clip, track, position }: SegmentKey): Uint8Array | undefined {
    const sql = `SELECT header FROM segment WHERE header IS NOT NULL AND ${oneSegment}`;
    const header = translated(what, () => this.#db.prepare(sql).pluck().get(clip, track, position));
    if (header === undefined || header instanceof Uint8Array) return header;
    throw new AgentError('corrupt', 'store/damaged', 'Cannot read clips: a row is malformed');
  }

  close(): void {
    this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function sealedRow(row: unknown): SealedFile | undefined {
  if (row === undefined) return undefined;
  const { header, body } = row as Partial<Record<'header' | 'body', unknown>>;
  if (!(header instanceof Uint8Array) || !(body instanceof Uint8Array)) {
    throw new AgentError('corrupt', 'store/damaged', 'Cannot read clips: a row is malformed');
  }
  return { header, body };
}
