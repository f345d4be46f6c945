import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { AgentError, systemCode } from '../base/errors.ts';

/**
 * A file that is exactly what the dispatch says, byte for byte, at the moment each byte is sent. The whole file is hashed
 * first; every piece read later is held against its hash of that pass, because between the two the file may be changed.
 */
export const pieceBytes = 4 * 1024 * 1024;
const readBytes = 256 * 1024;

export interface SizedHash {
  readonly bytes: number;
  readonly sha256: string;
}

function changed(why: string): AgentError {
  return new AgentError('refused', 'upload/changed-files', `Cannot upload: ${why}`);
}

export class CheckedFile {
  readonly lengthBytes: number;
  readonly #handle: FileHandle;
  readonly #pieceHashes: readonly string[];

  private constructor(handle: FileHandle, lengthBytes: number, pieceHashes: readonly string[]) {
    this.#handle = handle;
    this.lengthBytes = lengthBytes;
    this.#pieceHashes = pieceHashes;
  }

  /** Throws `upload/changed-files` unless length and SHA-256 are as expected. */
  static async open(path: string, expected: SizedHash): Promise<CheckedFile> {
    let handle: FileHandle;
    try {
      handle = await open(path, 'r');
    } catch (thrown) {
      if (systemCode(thrown) === 'ENOENT') throw changed('a file of the share is missing');
      throw thrown;
    }
    try {
      const { size } = await handle.stat();
      if (size !== expected.bytes) throw changed('a file of the share has another size than was approved');
      const whole = createHash('sha256');
      const pieceHashes: string[] = [];
      const buffer = Buffer.alloc(readBytes);
      for (let start = 0; start < size; start += pieceBytes) {
        const piece = createHash('sha256');
        const end = Math.min(size, start + pieceBytes);
        for (let at = start; at < end; ) {
          const { bytesRead } = await handle.read(buffer, 0, Math.min(readBytes, end - at), at);
          if (bytesRead === 0) throw changed('a file of the share became shorter');
          piece.update(buffer.subarray(0, bytesRead));
          whole.update(buffer.subarray(0, bytesRead));
          at += bytesRead;
        }
        pieceHashes.push(piece.digest('hex'));
      }
      if (whole.digest('hex') !== expected.sha256)
        throw changed('a file of the share is not the one that was approved');
      return new CheckedFile(handle, size, pieceHashes);
    } catch (thrown) {
      await handle.close();
      throw thrown;
    }
  }

  /** The bytes from `offset` to the end of its piece, at most `pieceBytes`, checked once more. */
  async read(offset: number): Promise<Buffer> {
    const index = Math.floor(offset / pieceBytes);
    const start = index * pieceBytes;
    const piece = Buffer.alloc(Math.min(pieceBytes, this.lengthBytes - start));
    for (let at = 0; at < piece.length; ) {
      const { bytesRead } = await this.#handle.read(piece, at, piece.length - at, start + at);
      if (bytesRead === 0) throw changed('a file of the share became shorter');
      at += bytesRead;
    }
    if (createHash('sha256').update(piece).digest('hex') !== this.#pieceHashes[index]) {
      throw changed('a file of the share was changed while it was sent');
    }
    return piece.subarray(offset - start);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}
