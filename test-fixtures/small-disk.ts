/** A real file system of its own, small enough to be filled: ext4 on a loop device. Needs root. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
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
  #fillers = 0;

  constructor(sizeBytes = 64 * mebibyte) {
    this.#dir = mkdtempSync(join(tmpdir(), 'small-disk-'));
    this.path = join(this.#dir, 'mounted');
    mkdirSync(this.path);
    const image = join(this.#dir, 'image');
    writeFileSync(image, '');
    truncateSync(image, sizeBytes);
    if (!run('mkfs.ext4', '-q', '-m', '0', image) || !run('mount', '-o', 'loop', image, this.path)) {
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

  [Symbol.dispose](): void {
    if (!run('umount', this.path)) run('umount', '-l', this.path);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
