import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ArchiveFile,
  archiveBytes,
  archiveParts,
  paddedBytes,
  readArchive,
  writeArchive,
} from './share-archive.ts';
import { mediaNameOf, shareNames } from './share-names.ts';

const files: ArchiveFile[] = [
  { name: shareNames.readme, bytes: Buffer.from('hello') },
  { name: shareNames.request, bytes: Buffer.from('{}') },
  { name: mediaNameOf('video', 1), bytes: Buffer.alloc(512, 7) },
  { name: mediaNameOf('video', 2), bytes: Buffer.alloc(0) },
  { name: mediaNameOf('video', 10), bytes: Buffer.alloc(1000, 9) },
  { name: mediaNameOf('audio', 1), bytes: Buffer.alloc(3, 1) },
];

function codeOf(archive: Uint8Array): string {
  try {
    readArchive(archive);
    return 'read';
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? String(thrown);
  }
}

/** A copy with one edit; `fix` makes the checksum of the header at `at` right again. */
function edited(edit: (archive: Buffer) => void, fix?: number): Buffer {
  const archive = Buffer.from(writeArchive(files));
  edit(archive);
  if (fix !== undefined) {
    archive.write('        ', fix + 148, 'latin1');
    const sum = archive.subarray(fix, fix + 512).reduce((total, byte) => total + byte, 0);
    archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, fix + 148, 'latin1');
  }
  return archive;
}

const expectWrite = (...list: ArchiveFile[]) => expect(() => writeArchive(list));

describe('a share archive', () => {
  it('comes back as it was written, and its parts are the whole', () => {
    const archive = writeArchive(files);
    expect(archive.length).toBe(1 << 20);
    expect(readArchive(archive).map(({ name, bytes }) => [name, Buffer.from(bytes)])).toEqual(
      files.map(({ name, bytes }) => [name, Buffer.from(bytes)]),
    );
    expect(Buffer.concat([...archiveParts(files)]).equals(archive)).toBe(true);
    expect(archiveBytes([])).toBe(1024);
  });

  it('is opened by stock tar, without owner or time', () => {
    const dir = mkdtempSync(join(tmpdir(), 'latchkey-archive-'));
    try {
      writeFileSync(join(dir, 'share.tar'), writeArchive(files));
      const list = execFileSync('tar', ['--numeric-owner', '--utc', '-tvf', 'share.tar'], { cwd: dir }).toString();
      expect(list.split('\n').filter((line) => line.includes('0/0') && line.includes('1970-01-01 00:00'))).toHaveLength(
        files.length,
      );
      execFileSync('tar', ['-xf', 'share.tar'], { cwd: dir });
      for (const { name, bytes } of files) expect(readFileSync(join(dir, name)).equals(bytes)).toBe(true);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('is refused with one code for each fault', () => {
    const second = 1024;
    expect(codeOf(edited(() => {}))).toBe('read');
    expect(codeOf(edited((a) => a.write('../../etc/passwd', 0, 'latin1'), 0))).toBe('archive/bad-name');
    expect(codeOf(edited((a) => a.write(shareNames.readme, second, 'latin1'), second))).toBe('archive/bad-name');
    expect(codeOf(edited((a) => a.fill(0, second, second + 20).write(shareNames.readme, second), second))).toBe(
      'archive/bad-order',
    );
    expect(codeOf(edited((a) => a.write('1', 107, 'latin1'), 0))).toBe('archive/bad-header');
    expect(codeOf(edited((a) => a.write('2', 156, 'latin1'), 0))).toBe('archive/bad-header');
    expect(codeOf(edited((a) => a.write('00000000001', 136, 'latin1'), 0))).toBe('archive/bad-header');
    expect(codeOf(edited((a) => a.write('root', 265, 'latin1'), 0))).toBe('archive/bad-header');
    expect(codeOf(edited((a) => a.write('7', 148, 'latin1')))).toBe('archive/bad-header');
    expect(codeOf(edited((a) => a.write('77777777777', 124, 'latin1'), 0))).toBe('archive/file-too-large');
    expect(codeOf(edited((a) => a.write('00000000003', 124, 'latin1'), 0))).toBe('archive/bad-padding');
    expect(codeOf(edited((a) => a.write('x', 600, 'latin1')))).toBe('archive/bad-padding');
    expect(codeOf(edited((a) => a.write('x', a.length - 1, 'latin1')))).toBe('archive/bad-padding');
    expect(codeOf(Buffer.concat([writeArchive(files), Buffer.alloc(512)]))).toBe('archive/bad-padding');
    expect(codeOf(writeArchive(files).subarray(0, 3000))).toBe('archive/truncated');
    expect(codeOf(Buffer.alloc(0))).toBe('archive/truncated');
  });

  it('is not written with foreign names, a wrong order or too large a file', () => {
    const refused = expect.objectContaining({ code: 'archive/not-writable' });
    expectWrite({ name: 'x', bytes: Buffer.alloc(1) }).toThrow(refused);
    expectWrite(...files.toReversed()).toThrow(refused);
    expectWrite({ name: shareNames.readme, bytes: Buffer.alloc(65_537) }).toThrow(refused);
  });

  it('holds the media of 256 clips in the order of their numbers, and no 257th', () => {
    const empty = (name: string): ArchiveFile => ({ name, bytes: new Uint8Array() });
    const kinds = ['video', 'audio'] as const;
    const media = kinds.flatMap((kind) => Array.from({ length: 256 }, (_, i) => empty(mediaNameOf(kind, i + 1))));
    const all = [...Object.values(shareNames).map(empty), ...media];
    expect(readArchive(writeArchive(all)).map(({ name }) => name)).toEqual(all.map(({ name }) => name));
    expect(media.slice(98, 101).map(({ name }) => name)).toEqual(['40-video-99.mp4', '40-video-100.mp4', '40-video-101.mp4']); // biome-ignore format: three names
    const refused = expect.objectContaining({ code: 'archive/not-writable' });
    expectWrite(empty(mediaNameOf('video', 100)), empty(mediaNameOf('video', 99))).toThrow(refused);
    expectWrite(empty(mediaNameOf('video', 256)), empty(mediaNameOf('video', 257))).toThrow(refused);
    expectWrite(empty('40-video-0100.mp4')).toThrow(refused);
  });

  it('survives any damage: it is read as written or refused', () => {
    const archive = Buffer.from(writeArchive(files));
    fc.assert(
      fc.property(fc.nat(8000), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        archive[at] = (archive[at] ?? 0) ^ flip;
        const code = codeOf(archive);
        archive[at] = (archive[at] ?? 0) ^ flip;
        expect(code === 'read' || code.startsWith('archive/')).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('padding', () => {
  it('costs at most 12 %, never shrinks, and keeps few different sizes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 33 }), (bytes) => {
        const padded = paddedBytes(bytes);
        expect(padded).toBeGreaterThanOrEqual(Math.max(bytes, 1 << 20));
        expect(padded).toBeLessThanOrEqual(Math.max(1 << 20, bytes * 1.12));
        expect(padded % 512).toBe(0);
        expect(paddedBytes(padded)).toBe(padded);
      }),
    );
    expect(paddedBytes(2 ** 20 + 1)).toBe(2 ** 20 + 2 ** 15);
  });
});
