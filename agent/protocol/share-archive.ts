import { bytesEqual } from './bytes.ts';
import { defect, refusal } from './refuse.ts';
import { compareNames, maxBytesOf } from './share-names.ts';

/**
 * A share as a ustar archive (POSIX.1-1988) that says nothing but names and sizes: no owner, no time, fixed order. Zero
 * bytes pad it to a Padmé length (Nikitin et al., PETS 2019), so that the size tells little. One set of files has exactly
 * one archive, and the reader takes only that.
 */
export interface ArchiveFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The same, too large to be in memory: `parts` gives exactly `length` bytes. */
export interface StreamedFile {
  readonly name: string;
  readonly length: number;
  readonly parts: () => Iterable<Uint8Array>;
}

export type ArchiveSource = ArchiveFile | StreamedFile;

const blockBytes = 512;
const minPaddedBytes = 1 << 20;

/** The whole archive in memory. */
export function writeArchive(files: readonly ArchiveSource[]): Uint8Array {
  return Buffer.concat([...archiveParts(files)]);
}

/** The archive piece by piece; contents are handed on without a copy. */
export function* archiveParts(files: readonly ArchiveSource[]): Generator<Uint8Array> {
  const bytes = archiveBytes(files);
  for (const file of files) {
    const length = lengthOf(file);
    yield headerOf(file.name, length);
    yield* contentOf(file);
    yield new Uint8Array(fillBytes(length));
  }
  const zeros = new Uint8Array(1 << 16);
  const total = paddedBytes(bytes);
  const endBytes = 2 * blockBytes;
  for (let left = total - bytes + endBytes; left > 0; left -= zeros.length) {
    yield left < zeros.length ? zeros.subarray(0, left) : zeros;
  }
}

const lengthOf = (file: ArchiveSource): number => ('bytes' in file ? file.bytes.length : file.length);

/** A header that says another size than what follows would spoil everything behind it. */
function* contentOf(file: ArchiveSource): Generator<Uint8Array> {
  if ('bytes' in file) return yield file.bytes;
  let left = file.length;
  for (const part of file.parts()) {
    left -= part.length;
    if (left < 0) break;
    yield part;
  }
  if (left !== 0)
    throw defect('archive/not-writable', `Cannot write the share: ${file.name} has not the size announced`);
}

/** Size before padding, with the two zero blocks that end an archive. Throws for files that no share may hold. */
export function archiveBytes(files: readonly ArchiveSource[]): number {
  let bytes = 2 * blockBytes;
  let previous: string | undefined;
  for (const file of files) {
    const { name } = file;
    const length = lengthOf(file);
    const max = maxBytesOf(name);
    if (max === undefined || length > max || (previous !== undefined && compareNames(previous, name) >= 0)) {
      throw defect('archive/not-writable', `Cannot write the share: ${name} may not stand there with that size`);
    }
    previous = name;
    bytes += blockBytes + length + fillBytes(length);
  }
  return bytes;
}

/** Padmé: of a size's binary digits only the upper log2 log2 may differ from zero, which costs at most 12 %. */
export function paddedBytes(bytes: number): number {
  if (bytes <= minPaddedBytes) return minPaddedBytes;
  const exponent = Math.floor(Math.log2(bytes));
  const kept = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** (exponent - kept);
  return Math.ceil(bytes / step) * step;
}

/**
 * The files of an archive, as views into `archive`. Anything that `writeArchive` would not have written is refused: other
 * names, order, attributes or padding.
 */
export function readArchive(archive: Uint8Array): ArchiveFile[] {
  const files: ArchiveFile[] = [];
  let at = 0;
  while (at + blockBytes <= archive.length && !isZero(archive, at, at + blockBytes)) {
    const { name, bytes } = readHeader(archive.subarray(at, at + blockBytes));
    const previous = files.at(-1)?.name;
    if (previous !== undefined && compareNames(previous, name) >= 0) {
      throw refusal('archive/bad-order', 'Cannot read the share: its files are repeated or out of order');
    }
    const from = at + blockBytes;
    const to = from + bytes;
    if (to + fillBytes(bytes) > archive.length) throw refusal('archive/truncated', 'Cannot read the share: it is cut');
    files.push({ name, bytes: archive.subarray(from, to) });
    at = to + fillBytes(bytes);
    if (!isZero(archive, to, at)) throw badPadding();
  }
  if (at + 2 * blockBytes > archive.length) throw refusal('archive/truncated', 'Cannot read the share: it is cut');
  if (archive.length !== paddedBytes(at + 2 * blockBytes) || !isZero(archive, at, archive.length)) throw badPadding();
  return files;
}

function badPadding(): Error {
  return refusal('archive/bad-padding', 'Cannot read the share: its padding is not as specified');
}

/** Bytes up to the next block. */
function fillBytes(bytes: number): number {
  return (blockBytes - (bytes % blockBytes)) % blockBytes;
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** Reads name and size, then demands that the header is exactly the one written for them. */
function readHeader(header: Uint8Array): { name: string; bytes: number } {
  const text = Buffer.from(header).toString('latin1');
  const name = text.slice(0, 100).replace(/\0+$/, '');
  const max = maxBytesOf(name);
  if (max === undefined) throw refusal('archive/bad-name', 'Cannot read the share: it holds a file that no share has');
  const size = /^[0-7]{11}\0$/.exec(text.slice(124, 136));
  const bytes = size === null ? Number.NaN : Number.parseInt(size[0], 8);
  if (Number.isNaN(bytes) || !bytesEqual(header, headerOf(name, bytes))) {
    throw refusal('archive/bad-header', 'Cannot read the share: a file header is not as specified');
  }
  if (bytes > max) throw refusal('archive/file-too-large', 'Cannot read the share: a file is larger than allowed');
  return { name, bytes };
}

/** ustar header: mode 0644, uid and gid 0, mtime 0, no user, group or link name. */
function headerOf(name: string, bytes: number): Uint8Array {
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0, 'latin1');
  header.write('0000644\0', 100, 'latin1');
  header.write('0000000\0', 108, 'latin1');
  header.write('0000000\0', 116, 'latin1');
  header.write(`${bytes.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.write('00000000000\0', 136, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  header.write('0000000\0', 329, 'latin1');
  header.write('0000000\0', 337, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}
