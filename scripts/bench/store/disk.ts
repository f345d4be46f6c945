/** Where a store is measured: a file system of its own on a loop device, whose sectors are counted, or any folder where that is not allowed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SmallDisk } from '../../../test-fixtures/small-disk.ts';

export interface MeasuredDisk extends Disposable {
  readonly path: string;
  /** `loop0`; undefined where bytes can be counted at the process alone. */
  readonly device: string | undefined;
}

const diskBytes = 512 << 20;
const sectorBytes = 512;

/** ext4 with its defaults, empty. */
export function openDisk(workDir: string): MeasuredDisk {
  if (SmallDisk.possible) {
    const disk = new SmallDisk(diskBytes);
    return { path: disk.path, device: deviceOf(disk.path), [Symbol.dispose]: () => disk[Symbol.dispose]() };
  }
  const path = join(workDir, 'store');
  mkdirSync(path, { recursive: true });
  return { path, device: undefined, [Symbol.dispose]: () => {} };
}

function deviceOf(path: string): string | undefined {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const device = mounts.map((line) => line.split(' ')).find(([, at]) => at === path)?.[0];
  return device === undefined ? undefined : basename(device);
}

/** Bytes that have reached the device once everything was synced; NaN where there is no device of our own. */
export function deviceBytes(path: string, device: string | undefined): number {
  if (device === undefined) return Number.NaN;
  spawnSync('sync', ['-f', path]);
  // Documentation/block/stat: the seventh figure is sectors written.
  const sectors = Number(readFileSync(`/sys/block/${device}/stat`, 'latin1').trim().split(/\s+/)[6]);
  return sectors * sectorBytes;
}

/** Bytes that this process has sent to the page cache on their way to a disk. */
export function processBytes(): number {
  return Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'))?.[1]);
}
