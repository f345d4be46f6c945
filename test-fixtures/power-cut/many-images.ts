/** Cuts the power at many moments of one traced run, in many ways, and asks each time what is left. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Mood, randomFrom, writeImage } from './image.ts';
import { type DiskOperation, traceDisk } from './trace.ts';

const moods: readonly Mood[] = ['any of it', 'any of it', 'any of it', 'nothing more', 'all of it'];

export function cutPowerOften(options: {
  readonly program: string;
  readonly imageCount: number;
  /** A disk that behaves otherwise, such as one that lies about what it has written. */
  readonly disk?: (operations: readonly DiskOperation[]) => readonly DiskOperation[];
  /** What is wrong with the disk in `folder`, cut before operation `cut`; empty for nothing. */
  readonly judge: (folder: string, operations: readonly DiskOperation[], cut: number) => readonly string[];
}): { readonly operationCount: number; readonly imageCount: number; readonly failures: readonly string[] } {
  const dir = mkdtempSync(join(tmpdir(), 'power-cut-'));
  try {
    const folder = join(dir, 'disk');
    mkdirSync(folder);
    const traced = traceDisk(options.program, folder);
    const operations = options.disk?.(traced) ?? traced;
    const into = join(dir, 'image');
    const failures: string[] = [];
    for (let n = 0; n < options.imageCount; n += 1) {
      const random = randomFrom(n + 1);
      const mood = moods[n % moods.length] ?? 'any of it';
      const cut = Math.floor(((n + random()) / options.imageCount) * operations.length);
      writeImage(operations, { into, cut, mood, random });
      failures.push(...options.judge(into, operations, cut).map((why) => `image ${n} (cut ${cut}, ${mood}): ${why}`));
    }
    return { operationCount: operations.length, imageCount: options.imageCount, failures };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
