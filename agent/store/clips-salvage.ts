import { renameSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { SealedFile } from '../protocol/age-file.ts';
import { sha256, toHex } from '../protocol/bytes.ts';
import type { ClipsDb } from './clips-db.ts';
import {
  type ClipRow,
  clipColumns,
  type MetaPhase,
  parseClipRows,
  parseSegmentRows,
  type SegmentRow,
} from './clips-rows.ts';

/**
 * Takes what can still be read out of a `clips.db` that was set aside as damaged. Every row is asked for by its key, so
 * that one damaged page costs the rows on it and no others.
 */
export interface Salvaged {
  /** Whole again. */
  readonly savedCount: number;
  /** Kept without what was damaged, as `cut`. */
  readonly partCount: number;
  readonly lostCount: number;
  /** They had been saved before. */
  readonly presentCount: number;
  /** Not even the list of clips can be read: nobody knows what is lost. */
  readonly beyondRepair: boolean;
}

interface Found {
  readonly clip: ClipRow;
  readonly opening: SealedFile | undefined;
  readonly closing: SealedFile | undefined;
  readonly segments: readonly { readonly track: number; readonly position: number; readonly sealed: SealedFile }[];
  readonly complete: boolean;
}

export function salvageClips(path: string, into: ClipsDb): Salvaged {
  // A working copy of the journal, if it was hot, is rolled back here: the file is no longer anybody's.
  const counts = { savedCount: 0, partCount: 0, lostCount: 0, presentCount: 0, beyondRepair: false };
  const db = open(path);
  if (db === undefined) return { ...counts, beyondRepair: true };
  try {
    for (const seq of keysOf(db, 'clip', 'seq')) {
      const found = read(db, seq);
      if (found === undefined) counts.lostCount += 1;
      else counts[store(found, into)] += 1;
    }
    return counts;
  } finally {
    db.close();
  }
}

/** Called once nothing more can be had from it: a database whose clips are all safe takes room for nothing. */
export function settleSalvaged(path: string, salvaged: Salvaged): 'removed' | 'kept' {
  if (salvaged.lostCount === 0 && salvaged.partCount === 0 && !salvaged.beyondRepair) {
    for (const suffix of ['', '-journal']) rmSync(`${path}${suffix}`, { force: true });
    return 'removed';
  }
  renameSync(path, path.replace('.damaged-', '.salvaged-'));
  return 'kept';
}

function open(path: string): Database.Database | undefined {
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { fileMustExist: true });
    db.pragma('trusted_schema = OFF');
    db.prepare('SELECT seq FROM clip LIMIT 0').all();
    return db;
  } catch {
    db?.close();
    return undefined;
  }
}

/** No camera has opened so many clips; a damaged file may claim any number. */
const maxKey = 10_000_000;

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

/** All keys from 1 to the highest that anything in the file tells of: reading them in order would end at the first damaged page. */
function* keysOf(db: Database.Database, table: string, key: string): Generator<number> {
  const highest = [
    attempt(() => db.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').pluck().get(table)),
    attempt(() => db.prepare(`SELECT max(${key}) FROM ${table}`).pluck().get()),
  ];
  const claimed = highest.map((value) => Number(value ?? 0)).filter((value) => value <= maxKey);
  const last = Math.max(0, ...claimed);
  const ask = db.prepare(`SELECT 1 FROM ${table} WHERE ${key} = ?`);
  for (let value = 1; value <= last; value += 1) {
    try {
      if (ask.get(value) !== undefined) yield value;
    } catch {
      yield value;
    }
  }
}

function read(db: Database.Database, seq: number): Found | undefined {
  const ask = (columns: string): ClipRow | undefined =>
    attempt(() => parseClipRows(db.prepare(`SELECT ${columns} FROM clip WHERE seq = ?`).all(seq)))?.[0];
  // Before the third schema every day was taken for right.
  const clip = ask(clipColumns) ?? ask(clipColumns.replace('dated', '1 AS dated'));
  if (clip === undefined) return undefined;
  const rows = rowsOf(db, seq);
  const segments = (rows ?? []).flatMap(({ track, position, bodySha256 }) => {
    const sealed =
      sealedOf(db, sealedSegment('segment'), seq, track, position) ??
      sealedOf(db, sealedSegment('segment JOIN segment_header USING (segment)'), seq, track, position);
    // A row that can be read may still lie on a damaged page: stored anew, it would get a hash that fits the damage.
    const intact =
      sealed !== undefined && (bodySha256 === undefined || toHex(sha256(sealed.body)) === toHex(bodySha256));
    return intact ? [{ track, position, sealed }] : [];
  });
  const meta = (phase: MetaPhase): SealedFile | undefined =>
    sealedOf(
      db,
      'SELECT header, body FROM meta JOIN meta_header USING (clip, phase) WHERE meta.clip = ? AND meta.phase = ?',
      seq,
      phase,
    );
  const [opening, closing] = [meta('opening'), meta('closing')];
  const ended = closing !== undefined || clip.state === 'cut';
  const complete = rows !== undefined && segments.length === rows.length && opening !== undefined && ended;
  return { clip, opening, closing, segments, complete };
}

/** `headers` names where they are: tables of their own before the third schema. */
const sealedSegment = (headers: string): string =>
  `SELECT header, body FROM ${headers} JOIN segment_body USING (segment) WHERE clip = ? AND track = ? AND position = ?`;

/** The first schema had no hashes. */
function rowsOf(db: Database.Database, seq: number): SegmentRow[] | undefined {
  const ask = (hash: string): SegmentRow[] | undefined =>
    attempt(() =>
      parseSegmentRows(
        db
          .prepare(
            `SELECT clip, segment, track, position, bytes, ${hash} AS body_sha256 FROM segment WHERE clip = ? ORDER BY track, position`,
          )
          .all(seq),
      ),
    );
  return ask('body_sha256') ?? ask('NULL');
}

function sealedOf(db: Database.Database, sql: string, ...keys: readonly (number | string)[]): SealedFile | undefined {
  const row = attempt(() => db.prepare(sql).get(...keys)) as Partial<Record<'header' | 'body', unknown>> | undefined;
  if (!(row?.header instanceof Uint8Array) || !(row.body instanceof Uint8Array)) return undefined;
  return { header: row.header, body: row.body };
}

function store(found: Found, into: ClipsDb): 'savedCount' | 'partCount' | 'lostCount' | 'presentCount' {
  const { clip, opening, closing, segments, complete } = found;
  const before = into.stateOf(clip.clipId);
  if (before === 'closed' || (before === 'cut' && !complete)) return 'presentCount';
  // Without its opening nobody could say when and where it was.
  if (opening === undefined || segments.length === 0) return 'lostCount';
  if (before !== undefined) into.deleteClips([clip.clipId]);
  const seq = into.openClip({ clipId: clip.clipId, wallMs: Date.parse(clip.day), dated: clip.dated, opening });
  const next = new Map<number, number>();
  for (const { track, sealed } of segments) {
    const position = next.get(track) ?? 0;
    next.set(track, position + 1);
    into.appendSegment(seq, { track, position, sealed });
  }
  if (complete && closing !== undefined && clip.state === 'closed') into.closeClip(seq, closing);
  else into.markCut(seq);
  if (clip.pinned) into.setPinned([clip.clipId], true);
  return complete ? 'savedCount' : 'partCount';
}
