import Database from 'better-sqlite3';
import { AgentError, asAgentError, type ErrorKind } from '../base/errors.ts';

/** What SQLite reports, in our words: full, recovering, busy, damaged and unreadable ask for different answers. */

const meanings: readonly (readonly [prefix: string, kind: ErrorKind, code: string, why: string])[] = [
  ['SQLITE_FULL', 'full', 'store/full', 'the disk is full'],
  ['SQLITE_READONLY_ROLLBACK', 'unavailable', 'store/recovering', 'its writer has to recover it first'],
  ['SQLITE_READONLY_CANTINIT', 'unavailable', 'store/recovering', 'its writer has to recover it first'],
  ['SQLITE_BUSY', 'unavailable', 'store/busy', 'another program holds it'],
  ['SQLITE_CORRUPT', 'corrupt', 'store/damaged', 'it is damaged'],
  ['SQLITE_NOTADB', 'corrupt', 'store/damaged', 'it is damaged'],
  ['SQLITE_CANTOPEN', 'unavailable', 'store/cannot-open', 'it is missing or may not be opened'],
  ['SQLITE_READONLY', 'unavailable', 'store/cannot-open', 'it may not be written'],
  ['SQLITE_IOERR', 'unavailable', 'store/unreadable', 'the disk reports an error'],
];

/** `what` completes "Cannot …": "write clips". */
export function asStoreError(thrown: unknown, what: string): AgentError {
  if (!(thrown instanceof Database.SqliteError)) return asAgentError(thrown);
  const meaning = meanings.find(([prefix]) => thrown.code.startsWith(prefix));
  if (meaning === undefined) return asAgentError(thrown);
  const [, kind, code, why] = meaning;
  return new AgentError(kind, code, `Cannot ${what}: ${why}`, { cause: thrown, detail: { sqlite: thrown.code } });
}

export function translated<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    throw asStoreError(thrown, what);
  }
}
