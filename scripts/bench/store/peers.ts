/** The same bytes kept in other ways, each with the same quota: what one would write without knowing better. */
import { closeSync, fdatasyncSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Fragment } from '../../../agent/recorder/stages.ts';
import { clipSeconds, type Keeper, type KeeperOptions, segmentBytes } from './keeper.ts';

const deleteBatch = 16;

interface RowsOptions {
  readonly journal: 'WAL' | 'PERSIST';
  /** One row a fragment, or one a megabyte. */
  readonly row: 'fragment' | 'segment';
  /** The oldest rows go together in a transaction of their own, or each in the one that needs its room. */
  readonly deletes: 'batched' | 'same transaction';
}

/** Rows of one SQLite table. */
function rows(options: RowsOptions, { folder, quotaBytes, timed, timedPurge }: KeeperOptions): Keeper {
  const db = new Database(join(folder, 'rows.db'));
  db.pragma('page_size = 4096');
  db.pragma(`journal_mode = ${options.journal}`);
  db.pragma('synchronous = FULL');
  db.exec('CREATE TABLE part (id INTEGER PRIMARY KEY, start_ms INTEGER NOT NULL, body BLOB NOT NULL) STRICT');
  const insert = db.prepare('INSERT INTO part (start_ms, body) VALUES (?, ?)');
  const remove = db.prepare('DELETE FROM part WHERE id IN (SELECT id FROM part ORDER BY id LIMIT ?)');
  const lengths: number[] = [];
  let kept = 0;
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  const forget = (count: number): void => {
    for (const bytes of lengths.splice(0, count)) kept -= bytes;
  };
  const put = (startMs: number, body: Uint8Array): void => {
    const full = kept + body.length > quotaBytes;
    if (full && options.deletes === 'batched') {
      timedPurge(() => remove.run(deleteBatch));
      forget(deleteBatch);
    }
    timed(() =>
      db.transaction(() => {
        if (full && options.deletes === 'same transaction') remove.run(1);
        insert.run(startMs, body);
      })(),
    );
    if (full && options.deletes === 'same transaction') forget(1);
    lengths.push(body.length);
    kept += body.length;
  };
  return {
    push: (fragment) => {
      if (options.row === 'fragment') return put(fragment.startMs, fragment.bytes);
      if (pendingBytes + fragment.bytes.length > segmentBytes) {
        put(fragment.startMs, Buffer.concat(pending, pendingBytes));
        [pending, pendingBytes] = [[], 0];
      }
      pending.push(fragment.bytes);
      pendingBytes += fragment.bytes.length;
    },
    settle: async () => {},
    close: () => db.close(),
  };
}

/** One file a clip, synced whenever a megabyte is complete, and one index row a clip; the oldest file is removed. */
function plainFiles({ folder, quotaBytes, timed, timedPurge }: KeeperOptions): Keeper {
  const clips = join(folder, 'clips');
  mkdirSync(clips);
  const index = new Database(join(folder, 'index.db'));
  index.pragma('journal_mode = PERSIST');
  index.pragma('synchronous = FULL');
  index.exec('CREATE TABLE clip (name TEXT PRIMARY KEY, start_ms INTEGER, bytes INTEGER) STRICT');
  const done: { readonly path: string; readonly bytes: number }[] = [];
  let [kept, number] = [0, 0];
  let open: { readonly path: string; readonly fd: number; readonly startMs: number; bytes: number } | undefined;
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  const flush = (): void => {
    if (open === undefined || pendingBytes === 0) return;
    const { fd } = open;
    const bytes = Buffer.concat(pending, pendingBytes);
    timed(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      fdatasyncSync(fd);
    });
    open.bytes += bytes.length;
    kept += bytes.length;
    [pending, pendingBytes] = [[], 0];
  };
  const finish = (): void => {
    flush();
    if (open === undefined) return;
    closeSync(open.fd);
    index.prepare('INSERT INTO clip VALUES (?, ?, ?)').run(open.path, open.startMs, open.bytes);
    done.push(open);
    open = undefined;
  };
  return {
    push: (fragment: Fragment) => {
      if (open !== undefined && fragment.startMs - open.startMs >= clipSeconds * 1000) finish();
      while (kept > quotaBytes) {
        const oldest = done.shift();
        if (oldest === undefined) break;
        timedPurge(() => {
          unlinkSync(oldest.path);
          index.prepare('DELETE FROM clip WHERE name = ?').run(oldest.path);
        });
        kept -= oldest.bytes;
      }
      if (open === undefined) {
        const path = join(clips, `${number}.mp4`);
        number += 1;
        open = { path, fd: openSync(path, 'wx'), startMs: fragment.startMs, bytes: 0 };
      }
      if (pendingBytes + fragment.bytes.length > segmentBytes) flush();
      pending.push(fragment.bytes);
      pendingBytes += fragment.bytes.length;
    },
    settle: async () => {},
    close: () => {
      finish();
      index.close();
    },
  };
}

export const peerKeepers: Readonly<Record<string, (options: KeeperOptions) => Keeper>> = {
  'plain files': plainFiles,
  'WAL, 1 MB rows': (o) => rows({ journal: 'WAL', row: 'segment', deletes: 'batched' }, o),
  'PERSIST, row per fragment': (o) => rows({ journal: 'PERSIST', row: 'fragment', deletes: 'batched' }, o),
  'PERSIST, delete in the same transaction': (o) =>
    rows({ journal: 'PERSIST', row: 'segment', deletes: 'same transaction' }, o),
};
