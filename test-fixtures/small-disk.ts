/** A real file system of its own, small enough to be filled: ext4 on a loop device. Needs root. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { systemCode } from '../agent/base/errors.ts';

const mebibyte = 1 << 20;

function run(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

export class SmallDisk {
  readonly path: string;
  readonly #dir: string;
  readonly #imagePath: string;
  #fillers = 0;

  /** `sync`: everything written is on the disk at once, also what is deleted in the next moment. */
  constructor(sizeBytes = 64 * mebibyte, options: { readonly sync?: boolean } = {}) {
    this.#dir = mkdtempSync(join(tmpdir(), 'small-disk-'));
    this.path = join(this.#dir, 'mounted');
    mkdirSync(this.path);
    this.#imagePath = join(this.#dir, 'image');
    writeFileSync(this.#imagePath, '');
    truncateSync(this.#imagePath, sizeBytes);
    const how = options.sync === true ? 'loop,sync' : 'loop';
    if (!run('mkfs.ext4', '-q', '-m', '0', this.#imagePath) || !run('mount', '-o', how, this.#imagePath, this.path)) {
      rmSync(this.#dir, { recursive: true });
      throw new Error('cannot mount a file system of our own');
    }
  }

  /** Whether this user of this machine may mount one. */
  static get possible(): boolean {
    if (process.getuid?.() !== 0) return false;
    try {
      new SmallDisk(8 * mebibyte)[Symbol.dispose]();
      return true;
    } catch {
      return false;
    }
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.path);
    return bavail * bsize;
  }

  /** Takes room until so much is left; with 0 until nothing more can be written. */
  fill(leaveBytes: number): void {
    this.#fillers += 1;
    const fd = openSync(join(this.path, `filler-${this.#fillers}`), 'w');
    try {
      for (let piece = mebibyte; piece >= 1; ) {
        if (leaveBytes > 0 && this.freeBytes - piece < leaveBytes) piece = Math.floor(piece / 16);
        else if (!this.#write(fd, piece)) piece = Math.floor(piece / 16);
      }
    } finally {
      closeSync(fd);
    }
  }

  #write(fd: number, bytes: number): boolean {
    try {
      return writeSync(fd, Buffer.alloc(bytes, 0x5a)) === bytes;
    } catch (thrown) {
      if (systemCode(thrown) === 'ENOSPC') return false;
      throw thrown;
    }
  }

  /** Every byte of the disk once it is unmounted, what files have left behind included. It can't be used after that. */
  unmountAndRead(): Buffer {
    if (!run('umount', this.path)) throw new Error('something still uses the disk');
    return readFileSync(this.#imagePath);
  }

  [Symbol.dispose](): void {
    if (!run('umount', this.path)) run('umount', '-l', this.path);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
