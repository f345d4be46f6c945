/**
 * What a disk may hold after the power went: everything that was synced, and of the rest any part in any order, torn at
 * 512 bytes. Names of files are on the disk when their folder or, for a new one, the file itself was synced.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DiskOperation } from './trace.ts';

type Pending = Extract<DiskOperation, { kind: 'write' | 'truncate' }>;

interface DiskFile {
  bytes: Buffer;
  pending: Pending[];
  /** Its name is on the disk. */
  named: boolean;
}

const sectorBytes = 512;

/** Deterministic (mulberry32): an image can be made again from its number. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** In place where it can: an image is made from thousands of writes, and nobody else holds the bytes. */
function apply(bytes: Buffer, operation: Pending): Buffer {
  if (operation.kind === 'truncate') {
    const { sizeBytes } = operation;
    return sizeBytes <= bytes.length ? bytes.subarray(0, sizeBytes) : grow(bytes, sizeBytes);
  }
  const end = operation.atByte + operation.bytes.length;
  const out = end > bytes.length ? grow(bytes, end) : bytes;
  operation.bytes.copy(out, operation.atByte);
  return out;
}

function grow(bytes: Buffer, sizeBytes: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(sizeBytes - bytes.length)]);
}

/** The parts of a write that lie in sectors which happened to reach the disk. */
function tear(operation: Pending, random: () => number): Pending[] {
  if (operation.kind === 'truncate') return [operation];
  const parts: Pending[] = [];
  const { atByte, bytes } = operation;
  for (let from = atByte; from < atByte + bytes.length; ) {
    const to = Math.min(atByte + bytes.length, (Math.floor(from / sectorBytes) + 1) * sectorBytes);
    if (random() < 0.5) parts.push({ ...operation, atByte: from, bytes: bytes.subarray(from - atByte, to - atByte) });
    from = to;
  }
  return parts;
}

export type Mood = 'nothing more' | 'all of it' | 'any of it';

function survivors(pending: readonly Pending[], mood: Mood, random: () => number): Pending[] {
  if (mood === 'nothing more') return [];
  if (mood === 'all of it') return [...pending];
  const kept = pending.flatMap((operation) => {
    const fate = random();
    if (fate < 1 / 3) return [];
    return fate < 2 / 3 ? [operation] : tear(operation, random);
  });
  if (random() < 0.5) return kept;
  return kept
    .map((operation) => ({ operation, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ operation }) => operation);
}

/** Writes the files as they may be when the power goes before operation `cut`, into `into`. */
export function writeImage(
  operations: readonly DiskOperation[],
  options: { readonly into: string; readonly cut: number; readonly mood: Mood; readonly random: () => number },
): void {
  const { into, cut, mood, random } = options;
  const files = new Map<string, DiskFile>();
  /** Names taken away but not yet synced. */
  let leaving: { readonly path: string; readonly file: DiskFile }[] = [];
  const fileAt = (path: string): DiskFile => {
    const known = files.get(path) ?? { bytes: Buffer.alloc(0), pending: [], named: false };
    files.set(path, known);
    return known;
  };
  for (const operation of operations.slice(0, cut)) {
    switch (operation.kind) {
      case 'write':
      case 'truncate':
        fileAt(operation.path).pending.push(operation);
        break;
      case 'create':
        fileAt(operation.path);
        break;
      case 'sync': {
        const file = files.get(operation.path);
        if (file !== undefined) {
          file.bytes = file.pending.reduce(apply, file.bytes);
          file.pending = [];
          file.named = true;
        }
        for (const [path, each] of files) if (dirname(path) === operation.path) each.named = true;
        leaving = leaving.filter(({ path }) => dirname(path) !== operation.path);
        break;
      }
      case 'unlink':
      case 'rename': {
        const from = operation.kind === 'rename' ? operation.from : operation.path;
        const file = files.get(from);
        if (file === undefined) break;
        files.delete(from);
        if (file.named) leaving.push({ path: from, file });
        if (operation.kind === 'rename') files.set(operation.path, { ...file, named: false });
        break;
      }
      case 'mark':
        break;
    }
  }
  const keep = (): boolean => (mood === 'any of it' ? random() < 0.5 : mood === 'nothing more');
  for (const { path, file } of leaving) if (keep() && !files.has(path)) files.set(path, file);
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  for (const [path, file] of files) {
    if (!file.named && (mood === 'nothing more' || (mood === 'any of it' && random() < 0.5))) continue;
    writeFileSync(join(into, basename(path)), survivors(file.pending, mood, random).reduce(apply, file.bytes));
  }
}
