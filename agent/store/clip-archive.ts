/**
 * A clip as one file of a backup: a ustar archive (POSIX.1-1988) of its sealed parts, each a complete age file, so that stock
 * `tar` and `age` recover it. The first member, `index.json`, says what follows with sizes and hashes; nothing in it is secret
 * that `clips.db` does not show as well.
 */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { AgentError, systemCode } from '../base/errors.ts';
import { syncDir } from '../base/files.ts';

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const count = z.int().nonnegative();
const memberSchema = z.strictObject({
  name: z.string().regex(/^(opening|closing|segment-\d{3,5}-track-[1-8])\.(json|mp4)\.age$/),
  bytes: count.max(64 << 20),
  /** Of the whole age file. */
  sha256: hex(64),
  /** Track and place of a segment; left out for metadata. */
  track: z.int().min(1).max(8).optional(),
  position: count.optional(),
});

/** Metadata, then each track's segments as they follow each other: nothing has two names, and no place two parts. */
function isInOrder(members: readonly z.infer<typeof memberSchema>[]): boolean {
  let [lastTrack, lastPosition] = [0, -1];
  for (const { name, track, position } of members) {
    if (track === undefined || position === undefined) {
      if (track !== position || lastTrack > 0 || name.startsWith('segment-')) return false;
      continue;
    }
    if (!name.endsWith(`-track-${track}.mp4.age`)) return false;
    if (track < lastTrack || (track === lastTrack && position <= lastPosition)) return false;
    [lastTrack, lastPosition] = [track, position];
  }
  return new Set(members.map(({ name }) => name)).size === members.length;
}

const indexSchema = z.strictObject({
  v: z.literal(1),
  clip_id: hex(32),
  camera_id: z.string().regex(/^[a-z0-9-]{1,32}$/),
  day: z.iso.date(),
  state: z.enum(['closed', 'cut']),
  pinned: z.boolean(),
  /** Over all headers: another one means that the keys were changed since. */
  headers_sha256: hex(64),
  members: z.array(memberSchema).min(2).max(20_000).refine(isInOrder),
});
export type ArchiveIndex = z.infer<typeof indexSchema>;
export type ArchiveMember = z.infer<typeof memberSchema>;

const blockBytes = 512;
const maxIndexBytes = 8 << 20;
const indexName = 'index.json';

function damaged(path: string, why: string): AgentError {
  return new AgentError('corrupt', 'backup/damaged', `Cannot use ${basename(path)}: ${why}`);
}

const fillBytes = (bytes: number): number => (blockBytes - (bytes % blockBytes)) % blockBytes;

/** Mode 0600, nobody's, without a time. */
function headerOf(name: string, bytes: number): Buffer {
  const header = Buffer.alloc(blockBytes);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(name, 0, 'latin1');
  header.write(octal(0o600, 7), 100, 'latin1');
  header.write(octal(0, 7), 108, 'latin1');
  header.write(octal(0, 7), 116, 'latin1');
  header.write(octal(bytes, 11), 124, 'latin1');
  header.write(octal(0, 11), 136, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/**
 * Writes the archive beside its place and renames it, synced: it is there whole or not at all. `read` gives the bytes of a
 * member, or undefined when the clip went meanwhile; then nothing is written and false returned. Throws `backup/disk-full`.
 */
export function writeClipArchive(
  path: string,
  index: ArchiveIndex,
  read: (member: ArchiveMember) => Uint8Array | undefined,
): boolean {
  const temporary = join(dirname(path), `.${basename(path)}.tmp`);
  let fd: number | undefined;
  try {
    fd = openSync(temporary, 'w', 0o600);
    const put = (bytes: Uint8Array): void => {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd as number, bytes, at);
    };
    const member = (name: string, bytes: Uint8Array): void => {
      put(headerOf(name, bytes.length));
      put(bytes);
      put(new Uint8Array(fillBytes(bytes.length)));
    };
    member(indexName, Buffer.from(`${JSON.stringify(index)}\n`));
    for (const each of index.members) {
      const bytes = read(each);
      if (bytes === undefined) return false;
      if (createHash('sha256').update(bytes).digest('hex') !== each.sha256) {
        throw damaged(path, 'a part of the clip is not what it was written as');
      }
      member(each.name, bytes);
    }
    put(new Uint8Array(2 * blockBytes));
    fsyncSync(fd);
    closeSync(fd);
    fd = undefined;
    renameSync(temporary, path);
    syncDir(dirname(path));
    return true;
  } catch (thrown) {
    if (systemCode(thrown) !== 'ENOSPC' && systemCode(thrown) !== 'EDQUOT') throw thrown;
    const message = 'Cannot go on: the disk of the backup is full. What was copied so far is whole';
    throw new AgentError('full', 'backup/disk-full', message, { cause: thrown });
  } finally {
    if (fd !== undefined) closeSync(fd);
    rmSync(temporary, { force: true });
  }
}

/** An archive opened for reading; every member is held to its size and hash. */
export class ClipArchive implements Disposable {
  readonly index: ArchiveIndex;
  readonly #path: string;
  readonly #fd: number;
  readonly #firstAt: number;

  private constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
    const bytes = this.#member(0, indexName, maxIndexBytes);
    try {
      this.index = indexSchema.parse(JSON.parse(bytes.toString('utf8')));
    } catch (cause) {
      throw damaged(path, `its index is malformed${cause instanceof SyntaxError ? ' JSON' : ''}`);
    }
    this.#firstAt = blockBytes + bytes.length + fillBytes(bytes.length);
  }

  /** Throws `backup/damaged`. */
  static open(path: string): ClipArchive {
    const fd = openSync(path, 'r');
    try {
      return new ClipArchive(path, fd);
    } catch (thrown) {
      closeSync(fd);
      throw thrown;
    }
  }

  /** What the file must have, by its index. */
  get wantedBytes(): number {
    const padded = (bytes: number): number => blockBytes + bytes + fillBytes(bytes);
    return this.#firstAt + this.index.members.reduce((sum, { bytes }) => sum + padded(bytes), 0) + 2 * blockBytes;
  }

  /** One after the other, one in memory at a time. Throws `backup/damaged`. */
  *members(): Generator<readonly [ArchiveMember, Buffer]> {
    let at = this.#firstAt;
    for (const member of this.index.members) {
      const bytes = this.#member(at, member.name, member.bytes);
      if (bytes.length !== member.bytes || createHash('sha256').update(bytes).digest('hex') !== member.sha256) {
        throw damaged(this.#path, `${member.name} was altered`);
      }
      yield [member, bytes];
      at += blockBytes + bytes.length + fillBytes(bytes.length);
    }
    if (!this.#read(at, 2 * blockBytes).every((byte) => byte === 0)) throw damaged(this.#path, 'its end was altered');
  }

  #member(at: number, name: string, maxBytes: number): Buffer {
    const header = this.#read(at, blockBytes);
    const bytes = Number.parseInt(header.toString('latin1', 124, 135), 8);
    if (!(bytes >= 0 && bytes <= maxBytes) || !header.equals(headerOf(name, bytes))) {
      throw damaged(this.#path, `${name} is not where it should be`);
    }
    const body = this.#read(at + blockBytes, bytes + fillBytes(bytes));
    if (!body.subarray(bytes).every((byte) => byte === 0)) throw damaged(this.#path, `${name} was altered`);
    return body.subarray(0, bytes);
  }

  #read(at: number, bytes: number): Buffer {
    const buffer = Buffer.alloc(bytes);
    for (let got = 0; got < bytes; ) {
      const n = readSync(this.#fd, buffer, got, bytes - got, at + got);
      if (n === 0) throw damaged(this.#path, 'it ends too early');
      got += n;
    }
    return buffer;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
