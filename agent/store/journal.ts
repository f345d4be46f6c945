import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { systemCode } from '../base/errors.ts';

/**
 * A PERSIST journal between transactions, where nothing in it counts. Only for the one program that has the database open.
 * It keeps its size, so that a deletion needs no free disk space, and it must not keep pages as they were before, with
 * rows that `secure_delete` has since erased from the database.
 */

const blockBytes = 64 * 1024;
const pageBytes = 4096;

function openJournal(databasePath: string, flags: number): number | undefined {
  try {
    return openSync(`${databasePath}-journal`, flags, 0o600);
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

/** Overwrites with zeros what isn't zero. */
export function wipeJournal(databasePath: string): void {
  const fd = openJournal(databasePath, constants.O_RDWR);
  if (fd === undefined) return;
  try {
    const block = Buffer.alloc(blockBytes);
    const zeros = Buffer.alloc(blockBytes);
    for (let at = 0; ; ) {
      const got = readSync(fd, block, 0, blockBytes, at);
      if (got === 0) break;
      // By pages: what is zero already need not be written again.
      for (let from = 0; from < got; from += pageBytes) {
        const to = Math.min(got, from + pageBytes);
        if (block.subarray(from, to).equals(zeros.subarray(from, to))) continue;
        for (let done = from; done < to; ) done += writeSync(fd, zeros, 0, to - done, at + done);
      }
      at += got;
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes the journal at least so long, if the disk has room for it; `false` when it has not. */
export function reserveJournal(databasePath: string, wantedBytes: number): boolean {
  const fd = openJournal(databasePath, constants.O_RDWR | constants.O_CREAT);
  if (fd === undefined) return false;
  try {
    const { size } = fstatSync(fd);
    const zeros = Buffer.alloc(blockBytes);
    for (let at = size; at < wantedBytes; ) at += writeSync(fd, zeros, 0, Math.min(blockBytes, wantedBytes - at), at);
    if (size < wantedBytes) fsyncSync(fd);
    return true;
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOSPC') return false;
    throw thrown;
  } finally {
    closeSync(fd);
  }
}
