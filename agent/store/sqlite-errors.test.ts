import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { AgentError } from '../base/errors.ts';
import { asStoreError, translated } from './sqlite-errors.ts';

test.each([
  ['SQLITE_FULL', 'store/full', 'full'],
  ['SQLITE_IOERR_READ', 'store/unreadable', 'unavailable'],
  ['SQLITE_BUSY_SNAPSHOT', 'store/busy', 'unavailable'],
  ['SQLITE_READONLY_ROLLBACK', 'store/recovering', 'unavailable'],
  ['SQLITE_READONLY_DIRECTORY', 'store/cannot-open', 'unavailable'],
  ['SQLITE_CORRUPT_INDEX', 'store/damaged', 'corrupt'],
  ['SQLITE_NOTADB', 'store/damaged', 'corrupt'],
  ['SQLITE_CONSTRAINT_CHECK', 'base/unexpected', 'bug'],
])('%s is %s', (sqlite, code, kind) => {
  const error = asStoreError(new Database.SqliteError('why', sqlite), 'read clips');
  expect([error.code, error.kind]).toEqual([code, kind]);
});

test('our own errors pass, anything else is a bug', () => {
  const own = new AgentError('refused', 'age/wrong-key', 'Cannot open');
  expect(asStoreError(own, 'read clips')).toBe(own);
  expect(() =>
    translated('read clips', () => {
      throw new TypeError('oops');
    }),
  ).toThrow(expect.objectContaining({ code: 'base/unexpected' }));
});
