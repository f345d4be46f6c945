import type Database from 'better-sqlite3';
import { AgentError } from '../base/errors.ts';

/** Numbered schema steps. `user_version` counts those taken; a database from a newer version is left alone. */

export function schemaVersion(db: Database.Database): number {
  return Number(db.pragma('user_version', { simple: true }));
}

export function refuseNewerSchema(db: Database.Database, knownVersion: number): void {
  const version = schemaVersion(db);
  if (version <= knownVersion) return;
  throw new AgentError('config', 'store/newer-schema', 'Cannot open the database: a newer Latchkey has written it', {
    detail: { version, knownVersion },
  });
}

/**
 * Takes each missing step in its own transaction; false when there was none. Steps move rows between tables, so rules between
 * tables are off meanwhile and stay so: the caller puts them on. A step may change the text of the schema.
 */
export function migrate(db: Database.Database, steps: readonly string[]): boolean {
  refuseNewerSchema(db, steps.length);
  const taken = schemaVersion(db);
  db.pragma('foreign_keys = OFF');
  db.unsafeMode(true);
  try {
    for (let version = taken; version < steps.length; version += 1) {
      db.transaction(() => {
        db.exec(steps[version] ?? '');
        db.pragma(`user_version = ${version + 1}`);
      }).immediate();
    }
  } finally {
    db.unsafeMode(false);
  }
  return taken < steps.length;
}
