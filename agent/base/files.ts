import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { AgentError, systemCode } from './errors.ts';

/** As `writeFileDurable` names them. */
const temporaryPattern = /^\.(.+)\.[0-9a-f]{12}\.tmp$/;

/** Makes a directory (and parents) that only this user can enter, and makes what was missing durable. */
export function ensurePrivateDir(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  // A file that is synced inside is lost all the same if a power cut takes back the folder's name.
  const { length } = resolve(first);
  for (let made = resolve(path); made.length >= length; made = dirname(made)) syncDir(dirname(made));
}

export function syncDir(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Replaces `path` by `bytes` so that after a power cut the file is either the old or the new one, whole: temporary
 * file, fsync, rename, fsync of the directory. Throws `base/disk-full` when the disk is full, leaving the old file.
 */
export function writeFileDurable(path: string, bytes: Uint8Array | string, mode = 0o600): void {
  const dir = dirname(path);
  const temporary = join(dir, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const fd = openSync(temporary, 'wx', mode);
    try {
      const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
      for (let offset = 0; offset < data.length; ) offset += writeSync(fd, data, offset);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
    syncDir(dir);
  } catch (thrown) {
    rmSync(temporary, { force: true });
    if (systemCode(thrown) === 'ENOSPC') {
      throw new AgentError('full', 'base/disk-full', `Cannot write ${basename(path)}: the disk is full`, {
        cause: thrown,
      });
    }
    throw thrown;
  }
}

/**
 * Removes what a program left that was killed while it replaced a file: of one file, or of every file in `dir`. Only for
 * what no other running program writes.
 */
export function removeTemporaries(dir: string, of?: string): void {
  if (!existsSync(dir)) return;
  for (const name of readdirSync(dir)) {
    const target = temporaryPattern.exec(name)?.[1];
    if (target !== undefined && (of === undefined || of === target)) rmSync(join(dir, name), { force: true });
  }
}

/** Renames within or between directories of one file system and makes it durable. */
export function renameDurable(from: string, to: string): void {
  renameSync(from, to);
  syncDir(dirname(to));
  if (dirname(from) !== dirname(to)) syncDir(dirname(from));
}

/** Removes a file or folder if it is there and makes that durable. */
export function removeDurable(path: string): void {
  rmSync(path, { recursive: true, force: true });
  try {
    syncDir(dirname(path));
  } catch (thrown) {
    if (systemCode(thrown) !== 'ENOENT') throw thrown;
  }
}

/**
 * Reads a regular file of at most `maxBytes`. A missing file is undefined; a larger one throws `base/too-large`, and
 * what is no regular file `base/not-a-file`: a pipe that another program put there would keep the reader for ever.
 */
export function readFileLimited(path: string, maxBytes: number): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return undefined;
    // A socket can't be opened at all.
    if (systemCode(thrown) === 'ENXIO') throw notAFile(path);
    throw thrown;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw notAFile(path);
    const { size } = stat;
    if (size > maxBytes) {
      throw new AgentError(
        'refused',
        'base/too-large',
        `${basename(path)} has ${size} bytes; at most ${maxBytes} are read`,
      );
    }
    const buffer = Buffer.alloc(size);
    let got = 0;
    while (got < size) {
      const n = readSync(fd, buffer, got, size - got, got);
      if (n === 0) break;
      got += n;
    }
    return buffer.subarray(0, got);
  } finally {
    closeSync(fd);
  }
}

function notAFile(path: string): AgentError {
  return new AgentError('refused', 'base/not-a-file', `Cannot read ${basename(path)}: it is not a regular file`);
}
