import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { AgentError } from '../base/errors.ts';
import { syncDir } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import { clipsSchemaSteps } from './clips-rows.ts';
import { wipeJournal } from './journal.ts';
import { migrate } from './schema-version.ts';
import { asStoreError } from './sqlite-errors.ts';

/** Opening `clips.db` for its one writer: settings, schema, check, and quarantine of a database that fails it. */

const busyTimeoutMs = 5000;
const pageBytes = 4096;
/** Bodies are left out: age authenticates them, and reading them all would take minutes at every start. */
const checkedTables = ['sqlite_schema', 'clip', 'segment', 'meta', 'meta_header'] as const;

function openChecked(path: string, maxFileBytes: number): Database.Database {
  const db = new Database(path, { timeout: busyTimeoutMs });
  try {
    db.pragma(`page_size = ${pageBytes}`);
    db.pragma('journal_mode = PERSIST');
    db.pragma('synchronous = FULL');
    db.pragma('trusted_schema = OFF');
    db.pragma('cache_size = -4096');
    db.pragma(`max_page_count = ${Math.ceil(maxFileBytes / pageBytes)}`);
    // Of keys that move, nothing may stay where they were.
    db.pragma('secure_delete = ON');
    if (migrate(db, clipsSchemaSteps)) wipeJournal(path);
    // Pages that split would otherwise keep a copy of what moved, and with it keys that are deleted later.
    db.pragma('secure_delete = FAST');
    db.pragma('foreign_keys = ON');
    for (const table of checkedTables) {
      const answer: unknown = db.pragma(`quick_check(${table})`, { simple: true });
      if (answer !== 'ok') throw new AgentError('corrupt', 'store/damaged', 'Cannot open clips: the check failed');
    }
    return db;
  } catch (thrown) {
    db.close();
    throw asStoreError(thrown, 'open clips');
  }
}

/** Sets a damaged database aside, its journal with it, for `check --repair`; returns the new name. */
export function quarantine(path: string, wallMs: number): string {
  const aside = `${path}.damaged-${Math.floor(wallMs)}`;
  renameSync(path, aside);
  if (existsSync(`${path}-journal`)) renameSync(`${path}-journal`, `${aside}-journal`);
  syncDir(dirname(path));
  return aside;
}

export interface OpenOptions {
  readonly path: string;
  readonly log: Log;
  readonly wallMs: number;
  /** The file never grows beyond this, whatever goes wrong above. */
  readonly maxFileBytes?: number;
}

/** Never fails because of damage: a damaged database is set aside and a new one started, and that is logged. */
export function openClipsDatabase(options: OpenOptions): Database.Database {
  const { path, log, wallMs, maxFileBytes = 2 ** 43 } = options;
  try {
    return openChecked(path, maxFileBytes);
  } catch (thrown) {
    if (!(thrown instanceof AgentError) || thrown.code !== 'store/damaged') throw thrown;
    quarantine(path, wallMs);
    log.error(
      'clips-quarantined',
      new AgentError('corrupt', 'store/quarantined', 'The clips were damaged and set aside', { cause: thrown }),
    );
    return openChecked(path, maxFileBytes);
  }
}

const reserveBytes = 512 * 1024;

/** Disk space held back next to the database, so that on a full disk there is room for the journal of a deletion. */
export class DiskReserve {
  readonly #path: string;

  constructor(databasePath: string) {
    this.#path = `${databasePath}.reserve`;
  }

  /** Best effort: without room for a reserve, recording comes first. */
  take(): void {
    if (existsSync(this.#path)) return;
    try {
      const fd = openSync(this.#path, 'wx', 0o600);
      try {
        writeSync(fd, Buffer.alloc(reserveBytes));
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    } catch {
      this.release();
    }
  }

  release(): void {
    rmSync(this.#path, { force: true });
  }
}
