import { closeSync, fstatSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { systemCode } from '../base/errors.ts';

/**
 * Overwrites a database's PERSIST journal with zeros and keeps its size, so that the next small change needs no free disk
 * space. What it holds are pages as they were before, with rows that `secure_delete` has since erased from the database.
 * Only for the one program that has the database open, and only between transactions: then nothing in it counts.
 */
export function wipeJournal(databasePath: string): void {
  let fd: number;
  try {
    fd = openSync(`${databasePath}-journal`, 'r+');
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return;
    throw thrown;
  }
  try {
    const { size } = fstatSync(fd);
    const zeros = Buffer.alloc(Math.min(size, 256 * 1024));
    for (let at = 0; at < size; ) at += writeSync(fd, zeros, 0, Math.min(zeros.length, size - at), at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
