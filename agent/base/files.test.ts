import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ensurePrivateDir,
  readFileLimited,
  removeDurable,
  removeTemporaries,
  renameDurable,
  writeFileDurable,
} from './files.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lk-files-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('files', () => {
  it('are replaced whole, private, and leave no temporary behind', () => {
    const path = join(dir, 'a');
    writeFileDurable(path, 'one');
    writeFileDurable(path, Buffer.from('two'));
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir)).toEqual(['a']);
    writeFileDurable(path, '');
    expect(readFileSync(path, 'utf8')).toBe('');
  });

  it('that were never finished are cleared away, of one file or of all, and nothing else is', () => {
    const left = ['.a.0123456789ab.tmp', '.b.json.0123456789ab.tmp'];
    const kept = ['a', '.hidden', '.a.0123456789.tmp', 'a.0123456789ab.tmp'];
    for (const name of [...left, ...kept]) writeFileSync(join(dir, name), '');
    removeTemporaries(dir, 'b.json');
    expect(readdirSync(dir).toSorted()).toEqual([left[0] ?? '', ...kept].toSorted());
    removeTemporaries(dir);
    expect(readdirSync(dir).toSorted()).toEqual(kept.toSorted());
    removeTemporaries(join(dir, 'missing'));
  });

  // Mounting a small file system needs root, which CI has.
  it.skipIf(process.getuid?.() !== 0)('keep their old content when the disk is full (needs root)', () => {
    const small = join(dir, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small]);
    try {
      const path = join(small, 'a');
      writeFileDurable(path, 'old');
      expect(() => writeFileDurable(path, Buffer.alloc(200_000, 1))).toThrow(
        expect.objectContaining({ code: 'base/disk-full', kind: 'full' }),
      );
      expect(readFileSync(path, 'utf8')).toBe('old');
      expect(readdirSync(small)).toEqual(['a']);
    } finally {
      execFileSync('umount', [small]);
    }
  });

  it('are read only up to a limit; a missing one is undefined', () => {
    const path = join(dir, 'a');
    expect(readFileLimited(path, 10)).toBeUndefined();
    writeFileSync(path, '0123456789');
    expect(readFileLimited(path, 10)?.toString()).toBe('0123456789');
    expect(() => readFileLimited(path, 9)).toThrow(expect.objectContaining({ code: 'base/too-large' }));
    const fifo = join(dir, 'fifo');
    execFileSync('mkfifo', [fifo]);
    for (const odd of [dir, fifo, '/dev/zero']) {
      expect(() => readFileLimited(odd, 1 << 20)).toThrow(expect.objectContaining({ code: 'base/not-a-file' }));
    }
  });

  it('move and go, also when they are not there', () => {
    ensurePrivateDir(join(dir, 'x/y'));
    expect(statSync(join(dir, 'x')).mode & 0o777).toBe(0o700);
    writeFileDurable(join(dir, 'a'), '1');
    renameDurable(join(dir, 'a'), join(dir, 'x/y/b'));
    expect(readFileSync(join(dir, 'x/y/b'), 'utf8')).toBe('1');
    removeDurable(join(dir, 'x'));
    removeDurable(join(dir, 'x/y/b'));
    expect(readdirSync(dir)).toEqual([]);
  });
});
