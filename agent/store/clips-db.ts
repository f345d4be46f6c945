import type Database from 'better-sqlite3';
import { AgentError } from '../base/errors.ts';
import type { SealedFile } from '../protocol/age-file.ts';
import { sha256 } from '../protocol/bytes.ts';
import { DiskReserve, type OpenOptions, openClipsDatabase } from './clips-open.ts';
import { type MetaPhase, utcDay } from './clips-rows.ts';
import { reserveJournal, wipeJournal } from './journal.ts';
import { asStoreError, translated } from './sqlite-errors.ts';

/**
 * The writer's side of a camera's `clips.db`. A call that returns is on disk. On a full disk the oldest clips give way and
 * recording goes on; `store/full` is thrown only when nothing may be dropped.
 */

/** Rows of about 1 MB deleted at once: pages freed by an earlier transaction are written without being journaled first. */
const batchSegments = 32;
/** At once at the owner's wish. */
const batchClips = 32;
/** Of what is stored: under a small quota one batch must not take nearly everything. */
const maxBatchRatio = 1 / 8;
/** More than the journal of a deletion of that many ever takes: on a full disk it must not have to grow. */
const journalBytes = 512 * 1024;
const maxHeldShare = 0.25;

export interface ClipsUsage {
  readonly clipCount: number;
  readonly usedBytes: number;
  /** Inside the file, free for the next segment. */
  readonly freePagesBytes: number;
  readonly oldestDay: string | undefined;
}

export interface HeldClips {
  readonly days?: readonly string[] | undefined;
  readonly clipIds?: readonly string[] | undefined;
}

interface Purgeable {
  readonly seq: number;
  readonly bytes: number;
}

/** Of one clip, by its own rows. */
const storedBytes = '(SELECT coalesce(sum(bytes + length(header)), 0) FROM segment WHERE segment.clip = clip.seq)';

/** A new version may have to rearrange the database first, which takes room for a moment. */
function openWithReserve(options: OpenOptions, reserve: DiskReserve): Database.Database {
  try {
    return openClipsDatabase(options);
  } catch (thrown) {
    if (!(thrown instanceof AgentError) || thrown.code !== 'store/full') throw thrown;
    reserve.release();
    return openClipsDatabase(options);
  }
}

export class ClipsDb {
  readonly #db: Database.Database;
  /** Of clips being written: a clip's own row would otherwise be written again with every segment. */
  readonly #openBytes = new Map<number, number>();
  readonly #reserve: DiskReserve;

  private constructor(db: Database.Database, reserve: DiskReserve) {
    this.#db = db;
    this.#reserve = reserve;
  }

  /** Opens, checks and heals: clips left open by a killed recorder become `cut`, half-deleted ones go. */
  static open(options: OpenOptions): ClipsDb {
    const reserve = new DiskReserve(options.path);
    const clips = new ClipsDb(openWithReserve(options, reserve), reserve);
    clips.#makeRoom(() => clips.#heal());
    reserveJournal(options.path, journalBytes);
    reserve.take();
    return clips;
  }

  #heal(): void {
    // Headers go first and in their own transaction, so a segment without one is a deletion cut short. An open clip
    // without any segment shows nothing.
    const unfinished = this.#seqs(
      `SELECT clip AS seq FROM segment WHERE header IS NULL OR (length(header) > 15 AND header = zeroblob(length(header)))
       UNION SELECT seq FROM clip WHERE state <> 'closed' AND seq NOT IN (SELECT clip FROM segment)`,
    );
    this.#delete(unfinished);
    this.#db.prepare(`UPDATE clip SET state = 'cut', bytes = ${storedBytes} WHERE state = 'open'`).run();
  }

  /** Opens a clip and returns its `seq`. `dated`: whether `wallMs` is of a clock that is known to be right. */
  openClip(clip: { clipId: string; wallMs: number; dated?: boolean; opening: SealedFile }): number {
    return this.#write(() => {
      const added = this.#db
        .prepare("INSERT INTO clip (clip_id, day, dated, state) VALUES (?, ?, ?, 'open')")
        .run(clip.clipId, utcDay(clip.wallMs), clip.dated === false ? 0 : 1);
      const seq = Number(added.lastInsertRowid);
      this.#putMeta(seq, 'opening', clip.opening);
      return seq;
    });
  }

  appendSegment(seq: number, segment: { track: number; position: number; sealed: SealedFile }): void {
    const { header, body } = segment.sealed;
    this.#write(() => {
      const added = this.#db.prepare('INSERT INTO segment_body (body) VALUES (?)').run(body);
      this.#db
        .prepare(
          'INSERT INTO segment (clip, track, position, segment, bytes, body_sha256, header) VALUES (?, ?, ?, ?, ?, ?, ?)',
        )
        .run(seq, segment.track, segment.position, added.lastInsertRowid, body.length, sha256(body), header);
    });
    this.#openBytes.set(seq, (this.#openBytes.get(seq) ?? 0) + header.length + body.length);
  }

  closeClip(seq: number, closing: SealedFile): void {
    this.#write(() => {
      this.#putMeta(seq, 'closing', closing);
      this.#end(seq, 'closed');
    });
    this.#openBytes.delete(seq);
  }

  /** For a clip that can't be closed properly, such as after an error of its camera's sealing. */
  markCut(seq: number): void {
    this.#write(() => this.#end(seq, 'cut'));
    this.#openBytes.delete(seq);
  }

  /** A clip of which something is missing: what is left can be looked at, nothing about it can be proved. False: it is gone. */
  markClipCut(clipId: string): boolean {
    const mark = this.#db.prepare("UPDATE clip SET state = 'cut' WHERE clip_id = ?");
    return this.#write(() => mark.run(clipId).changes > 0);
  }

  /** Undefined when there is no such clip. */
  stateOf(clipId: string): 'open' | 'closed' | 'cut' | undefined {
    return translated('read clips', () =>
      this.#db.prepare('SELECT state FROM clip WHERE clip_id = ?').pluck().get(clipId),
    ) as 'open' | 'closed' | 'cut' | undefined;
  }

  /** Whether the clip has so many segments. */
  isWhole(clipId: string, segmentCount: number): boolean {
    const count = 'SELECT count(*) FROM segment JOIN clip ON clip.seq = segment.clip WHERE clip_id = ?';
    return translated('read clips', () => Number(this.#db.prepare(count).pluck().get(clipId))) === segmentCount;
  }

  /** Returns how many of the clips exist. */
  setPinned(clipIds: readonly string[], pinned: boolean): number {
    const update = this.#db.prepare('UPDATE clip SET pinned = ? WHERE clip_id = ?');
    return this.#write(() => clipIds.reduce((sum, id) => sum + update.run(pinned ? 1 : 0, id).changes, 0));
  }

  /** Of all pinned clips. */
  get pinnedBytes(): number {
    const sum = 'SELECT coalesce(sum(bytes), 0) FROM clip WHERE pinned = 1';
    return translated('read clips', () => Number(this.#db.prepare(sum).pluck().get()));
  }

  /**
   * Keeps clips, named or of these UTC days, from being purged until a time; a longer hold stays. At most a quarter of the quota can
   * be held, newest first, so that no request can fill the disk. Returns how many clips are held and how many were left.
   */
  hold(which: HeldClips, untilMs: number, quotaBytes: number): { heldCount: number; leftCount: number } {
    const untilS = Math.ceil(untilMs / 1000);
    return this.#write(() => {
      let heldBytes = Number(
        this.#db.prepare('SELECT coalesce(sum(bytes), 0) FROM clip WHERE hold_until_s > 0').pluck().get(),
      );
      const rows = this.#db
        .prepare(
          `SELECT seq, bytes, hold_until_s AS held FROM clip
           WHERE day IN (SELECT value FROM json_each(?)) OR clip_id IN (SELECT value FROM json_each(?))
           ORDER BY seq DESC`,
        )
        .all(JSON.stringify(which.days ?? []), JSON.stringify(which.clipIds ?? [])) as {
        seq: number;
        bytes: number;
        held: number;
      }[];
      const update = this.#db.prepare('UPDATE clip SET hold_until_s = max(hold_until_s, ?) WHERE seq = ?');
      let heldCount = 0;
      for (const row of rows) {
        if (row.held === 0) {
          if (heldBytes + row.bytes > quotaBytes * maxHeldShare) continue;
          heldBytes += row.bytes;
        }
        update.run(untilS, row.seq);
        heldCount += 1;
      }
      return { heldCount, leftCount: rows.length - heldCount };
    });
  }

  /** Ends holds whose time has passed. */
  releaseHolds(wallMs: number): void {
    const nowS = Math.floor(wallMs / 1000);
    this.#write(() =>
      this.#db.prepare('UPDATE clip SET hold_until_s = 0 WHERE hold_until_s > 0 AND hold_until_s <= ?').run(nowS),
    );
  }

  /** Deletes finished clips by the owner's wish, pinned or not; returns how many there were. */
  deleteClips(clipIds: readonly string[]): number {
    return translated('delete clips', () => {
      const seqs = this.#seqs(
        "SELECT seq FROM clip WHERE state <> 'open' AND clip_id IN (SELECT value FROM json_each(?)) ORDER BY seq",
        JSON.stringify(clipIds),
      );
      this.#delete(seqs);
      return seqs.length;
    });
  }

  /** Deletes one batch of the oldest clips, those held by a request last and pinned ones never; returns how many. */
  purgeOldest(): number {
    return translated('purge clips', () => this.#purgeOldest());
  }

  /**
   * Deletes one batch of the clips of days before `day` that nobody keeps; returns how many, 0 when none is left: a whole day
   * at once would stop whoever asks for minutes, because giving pages back means reading them. Today must be known for certain. A clip
   * whose own day is not (undated, or yet to come) goes when one after it is too old and none before it is young enough.
   */
  purgeBefore(day: string, today: string): number {
    return translated('purge clips', () => {
      const sql = `WITH known AS (SELECT seq, day FROM clip WHERE dated = 1 AND day <= @today),
         young AS (SELECT coalesce(min(seq), 9e15) AS seq FROM known WHERE day >= @day),
         old AS (SELECT max(known.seq) AS seq FROM known, young WHERE day < @day AND known.seq < young.seq)
         SELECT seq, bytes FROM clip
         WHERE state <> 'open' AND pinned = 0 AND hold_until_s = 0 AND
           iif(dated = 1 AND day <= @today, day < @day, seq < (SELECT seq FROM old))
         ORDER BY seq LIMIT ${batchSegments}`;
      return this.#purge(this.#db.prepare(sql).all({ day, today }) as Purgeable[]);
    });
  }

  usage(): ClipsUsage {
    return translated('read clips', () => {
      const row = this.#db
        .prepare('SELECT count(*) AS clips, coalesce(sum(bytes), 0) AS used, min(day) AS oldest FROM clip')
        .get() as { clips: number; used: number; oldest: string | null };
      const pages = Number(this.#db.pragma('freelist_count', { simple: true }));
      const pageBytes = Number(this.#db.pragma('page_size', { simple: true }));
      return {
        clipCount: row.clips,
        usedBytes: row.used + [...this.#openBytes.values()].reduce((sum, bytes) => sum + bytes, 0),
        freePagesBytes: pages * pageBytes,
        oldestDay: row.oldest ?? undefined,
      };
    });
  }

  close(): void {
    this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #seqs(sql: string, ...params: readonly string[]): number[] {
    return this.#db
      .prepare(sql)
      .pluck()
      .all(...params) as number[];
  }

  #end(seq: number, state: 'closed' | 'cut'): void {
    this.#db.prepare(`UPDATE clip SET state = ?, bytes = ${storedBytes} WHERE seq = ?`).run(state, seq);
  }

  #putMeta(seq: number, phase: MetaPhase, sealed: SealedFile): void {
    this.#db.prepare('INSERT INTO meta (clip, phase, body) VALUES (?, ?, ?)').run(seq, phase, sealed.body);
    this.#db.prepare('INSERT INTO meta_header (clip, phase, header) VALUES (?, ?, ?)').run(seq, phase, sealed.header);
  }

  #purgeOldest(): number {
    const oldest = (held: '=' | '>') =>
      this.#db
        .prepare(
          `SELECT seq, bytes FROM clip WHERE state <> 'open' AND pinned = 0 AND hold_until_s ${held} 0
           ORDER BY seq LIMIT ${batchSegments}`,
        )
        .all() as Purgeable[];
    const unheld = oldest('=');
    return this.#purge(unheld.length > 0 ? unheld : oldest('>'));
  }

  /** As many of them, from the first on, as are one batch. */
  #purge(clips: readonly Purgeable[]): number {
    const batch: number[] = [];
    let segments = 0;
    let bytes = 0;
    const maxBytes = this.usage().usedBytes * maxBatchRatio;
    const count = this.#db.prepare('SELECT count(*) FROM segment WHERE clip = ?').pluck();
    for (const clip of clips) {
      batch.push(clip.seq);
      segments += Number(count.get(clip.seq));
      bytes += clip.bytes;
      if (segments >= batchSegments || bytes >= maxBytes) break;
    }
    this.#delete(batch);
    return batch.length;
  }

  /**
   * First the keys, overwritten with as many zeros: rows that shrank would make SQLite move others and leave copies; then what they opened. Zeroing the bodies too would write every byte three
   * times (measured), and without its header a body is noise.
   */
  #delete(seqs: readonly number[]): void {
    for (let at = 0; at < seqs.length; at += batchClips) this.#deleteBatch(seqs.slice(at, at + batchClips));
  }

  #deleteBatch(seqs: readonly number[]): void {
    try {
      this.#deleteTogether(JSON.stringify(seqs));
    } catch (thrown) {
      // Of long clips the journal outgrows what is kept for it. Fewer at once fit.
      if (seqs.length < 2 || asStoreError(thrown, 'delete clips').code !== 'store/full') throw thrown;
      const half = seqs.length >> 1;
      this.#deleteBatch(seqs.slice(0, half));
      this.#deleteBatch(seqs.slice(half));
    }
  }

  #deleteTogether(batch: string): void {
    const ofBatch = 'clip IN (SELECT value FROM json_each(?))';
    this.#db.transaction(() => {
      this.#secureDelete('ON');
      this.#db
        .prepare(`UPDATE segment SET header = zeroblob(coalesce(length(header), 16)) WHERE ${ofBatch}`)
        .run(batch);
      this.#db.prepare(`DELETE FROM meta_header WHERE ${ofBatch}`).run(batch);
    })();
    // It holds the pages as they were, keys and all.
    wipeJournal(this.#db.name);
    this.#db.transaction(() => {
      this.#secureDelete('FAST');
      const bodies = `SELECT segment FROM segment WHERE ${ofBatch}`;
      this.#db.prepare(`DELETE FROM segment_body WHERE segment IN (${bodies})`).run(batch);
      // A page that is given up here may hold keys of other clips, which have moved to its neighbour.
      this.#secureDelete('ON');
      this.#db.prepare(`DELETE FROM segment WHERE ${ofBatch}`).run(batch);
      this.#secureDelete('FAST');
      this.#db.prepare('DELETE FROM clip WHERE seq IN (SELECT value FROM json_each(?))').run(batch);
    })();
  }

  /** ON zeroes pages that become free, FAST only what is freed inside of pages. */
  #secureDelete(mode: 'ON' | 'FAST'): void {
    this.#db.pragma(`secure_delete = ${mode}`);
  }

  #write<T>(act: () => T): T {
    const run = this.#db.transaction(act);
    return translated('write clips', () => this.#makeRoom(() => run.immediate()));
  }

  #makeRoom<T>(act: () => T): T {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const done = translated('write clips', act);
        if (attempt > 0) this.#reserve.take();
        return done;
      } catch (thrown) {
        if (!(thrown instanceof AgentError) || thrown.code !== 'store/full') throw thrown;
        this.#reserve.release();
        if (this.#purgeOldest() === 0) throw thrown;
      }
    }
  }
}
