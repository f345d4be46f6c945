/** Writes an approved share: one age file to the agency alone, split into body and the key that is held back. */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError, systemCode } from '../base/errors.ts';
import { ensurePrivateDir, removeDurable, syncDir, writeFileDurable } from '../base/files.ts';
import { createSealer } from '../protocol/age-file.ts';

export interface SizedHash {
  readonly bytes: number;
  readonly sha256: string;
}

class HashedFile {
  readonly #fd: number;
  readonly #hash: Hash = createHash('sha256');
  #bytes = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'wx', 0o600);
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
  }

  finish(): SizedHash {
    fsyncSync(this.#fd);
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/**
 * Writes `body.age` and `header.age` into a new folder, synced. Only ciphertext reaches the disk. A full disk gives
 * `vault/disk-full` and leaves no folder.
 */
export function writeSealedShare(
  folder: string,
  recipient: string,
  parts: Iterable<Uint8Array>,
): { body: SizedHash; header: SizedHash } {
  ensurePrivateDir(folder);
  let body: HashedFile | undefined;
  try {
    const sealer = createSealer([recipient]);
    body = new HashedFile(join(folder, 'body.age'));
    for (const part of parts) body.write(sealer.update(part));
    body.write(sealer.final());
    const bodySize = body.finish();
    writeFileDurable(join(folder, 'header.age'), sealer.header);
    syncDir(folder);
    const sha256 = createHash('sha256').update(sealer.header).digest('hex');
    return { body: bodySize, header: { bytes: sealer.header.length, sha256 } };
  } catch (thrown) {
    removeDurable(folder);
    if (systemCode(thrown) === 'ENOSPC' || (thrown instanceof AgentError && thrown.kind === 'full')) {
      throw new AgentError('full', 'vault/disk-full', 'Cannot build the share: the disk is full', { cause: thrown });
    }
    throw thrown;
  } finally {
    body?.close();
  }
}

/** What else a share writes: keys, dispatch, demand, and the ledger's rows. */
const besidesBytes = 4 * 1024 * 1024;

/** Throws `vault/disk-full` where there is no room for so much more: better before a share is begun than in its middle. */
export function requireRoom(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= bytes + besidesBytes) return;
  throw new AgentError('full', 'vault/disk-full', 'Cannot build the share: there is no room for it on the disk');
}

/** Size of the sealed body for a plaintext of this size: nonce and one tag for each 64 KiB chunk. */
export function sealedBytes(plainBytes: number): number {
  return 16 + plainBytes + 16 * Math.max(1, Math.ceil(plainBytes / 65_536));
}
