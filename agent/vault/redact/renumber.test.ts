import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitReader, BitWriter, escapeUnit, unescapeUnit } from './bits.ts';
import { pictureId, readEncoded, sequenceId, splitUnits } from './h264-units.ts';
import { renumber } from './renumber.ts';

const source = join(import.meta.dirname, '../../../test-fixtures/streams/runs-past.mp4');

/** Ten pictures as H.264 in Annex B. */
function encoded(...args: readonly string[]) {
  const all = ['-v', 'error', '-i', source, '-an', '-t', '0.7', '-c:v', 'libx264', '-g', '8', ...args];
  const { stdout, stderr } = spawnSync('ffmpeg', [...all, '-aud', '1', '-f', 'h264', 'pipe:1'], { maxBuffer: 2 ** 28 });
  expect(stderr.toString()).toBe('');
  return readEncoded(stdout);
}

function decode({ sequenceSets, pictureSets, pictures }: ReturnType<typeof readEncoded>) {
  const units = [...sequenceSets, ...pictureSets, ...pictures.flatMap((picture) => picture.units)];
  const input = Buffer.concat(units.flatMap((unit) => [Buffer.from([0, 0, 0, 1]), unit]));
  const args = ['-v', 'warning', '-f', 'h264', '-i', 'pipe:0', '-fps_mode', 'passthrough', '-f', 'framemd5', 'pipe:1'];
  const { stdout, stderr } = spawnSync('ffmpeg', args, { input, maxBuffer: 2 ** 30 });
  return { sums: stdout.toString(), complaints: stderr.toString() };
}

describe('an encoding whose parameter sets get another number', () => {
  it.each([
    [
      'arithmetic codes and weighted prediction',
      ['-preset', 'slow', '-profile:v', 'high', '-bf', '0', '-weightp', '2'],
    ],
    ['codes of variable length', ['-profile:v', 'baseline']],
    ['several slices', ['-preset', 'veryfast', '-bf', '0', '-slices', '4']],
    ['the main profile, from the simplest of settings', ['-preset', 'superfast', '-profile:v', 'main', '-bf', '0']],
    ['no smoothing', ['-preset', 'veryfast', '-bf', '0', '-x264-params', 'no-deblock=1']],
  ] as const)('%s: decodes to the same pictures', (_, args) => {
    const before = encoded(...args);
    expect(before.sequenceSets.map(sequenceId)).toEqual([0]);
    const wanted = decode(before).sums;
    for (const id of [1, 31]) {
      const after = renumber(before, id);
      if (after === undefined) throw new Error('refused');
      expect(after.sequenceSets.map(sequenceId)).toEqual([id]);
      expect(after.pictureSets.map(pictureId)).toEqual([id]);
      expect(decode(after)).toEqual({ sums: wanted, complaints: '' });
      expect(renumber(after, 0)).toEqual({ ...before });
    }
  });

  it.each([
    ['B-slices', ['-bf', '2', '-b_strategy', '0']],
    ['fields', ['-bf', '0', '-x264-params', 'interlaced=1']],
    ['other colour formats', ['-bf', '0', '-pix_fmt', 'yuv444p']],
  ] as const)('%s are refused', (_, args) => {
    expect(renumber(encoded(...args), 1)).toBeUndefined();
  });

  it('without sets, with two of a kind, or cut short it is refused', () => {
    const good = encoded('-bf', '0');
    expect(renumber({ ...good, sequenceSets: [] }, 1)).toBeUndefined();
    expect(renumber({ ...good, pictureSets: [...good.pictureSets, ...good.pictureSets] }, 1)).toBeUndefined();
    const cut = { ...good, sequenceSets: good.sequenceSets.map((set) => set.subarray(0, 5)) };
    expect(() => renumber(cut, 1)).toThrow(expect.objectContaining({ code: 'vault/bad-movie' }));
  });
});

describe('bits', () => {
  it('come back as they were written, and a unit never holds a start code', () => {
    const codes = fc.array(fc.nat(254), { maxLength: 50 });
    fc.assert(
      fc.property(codes, (values) => {
        const writer = new BitWriter(200);
        for (const value of values) writer.putCode(value);
        writer.align(0);
        const reader = new BitReader(writer.bytes);
        expect(values.map(() => reader.code())).toEqual(values);
      }),
    );
    const zeros = fc.array(fc.constantFrom(0, 0, 0, 1, 2, 3, 4), { maxLength: 60 });
    fc.assert(
      fc.property(zeros, (values) => {
        const bytes = Buffer.from([7, ...values, 0x80]);
        const unit = escapeUnit(bytes);
        expect(unescapeUnit(unit)).toEqual(bytes);
        expect([...splitUnits(Buffer.concat([Buffer.from([0, 0, 1]), unit]))]).toEqual([unit]);
      }),
    );
  });
});
