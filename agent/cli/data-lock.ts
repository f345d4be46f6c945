/**
 * The data-directory lock: whoever runs the programs, or repairs with nothing running, holds it. It is SQLite's own file
 * lock on an empty database, so that the kernel frees it however the holder ends and two starters can't both win.
 */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { AgentError, systemCode } from '../base/errors.ts';
import { ensurePrivateDir } from '../base/files.ts';

/** Runs `action` under the lock. Throws `run/already-running` when another process holds it, `run/no-data-dir` when the folder can't be used. */
export async function withDataLock<T>(dataDir: string, action: () => Promise<T>): Promise<T> {
  const database = lock(dataDir);
  try {
    return await action();
  } finally {
    database.close();
  }
}

function lock(dataDir: string): Database.Database {
  let database: Database.Database;
  try {
    ensurePrivateDir(join(dataDir, 'run'));
    database = new Database(join(dataDir, 'run', 'lock.db'), { timeout: 0 });
  } catch (thrown) {
    throw unusable(thrown);
  }
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (thrown) {
    database.close();
    if (systemCode(thrown) !== 'SQLITE_BUSY') throw unusable(thrown);
    const message = 'Cannot start: "latchkey run" is already running on this data directory';
    throw new AgentError('unavailable', 'run/already-running', message);
  }
  return database;
}

function unusable(cause: unknown): AgentError {
  const message = 'Cannot use the data directory: this user may not write to it';
  return new AgentError('config', 'run/no-data-dir', message, { cause });
}
