import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { findFfmpeg } from '../../base/ffmpeg.ts';
import { copyCommand } from './arguments.ts';
import { BoxSplitter } from './box-splitter.ts';

const porch = fileURLToPath(new URL('../../../test-fixtures/streams/porch-day.mp4', import.meta.url));
let stream: Buffer;

beforeAll(() => {
  const { args } = copyCommand({ kind: 'file', path: porch, pace: 'fast', loop: false });
  stream = spawnSync(findFfmpeg(), args, { maxBuffer: 1 << 26 }).stdout;
});

interface Split {
  readonly inits: Uint8Array[];
  readonly fragments: { readonly bytes: Uint8Array; readonly mdatOffset: number }[];
  readonly pendingBytes: number;
}

function split(chunks: Iterable<Uint8Array>): Split {
  const inits: Uint8Array[] = [];
  const fragments: Split['fragments'] = [];
  const splitter = new BoxSplitter({
    onInit: (bytes) => inits.push(bytes),
    onFragment: (bytes, mdatOffset) => fragments.push({ bytes, mdatOffset }),
  });
  for (const chunk of chunks) splitter.push(chunk);
  return { inits, fragments, pendingBytes: splitter.pendingBytes };
}

function box(type: string, ...payload: Uint8Array[]): Buffer {
  const body = Buffer.concat(payload);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}

const ftyp = box('ftyp', Buffer.alloc(8));
const moov = box('moov', Buffer.alloc(100));
const fragment = Buffer.concat([box('moof', Buffer.alloc(20)), box('mdat', Buffer.alloc(30))]);

describe('the box splitter', () => {
  test('a real stream is the same however it arrives, and nothing of it is lost', () => {
    const whole = split([stream]);
    expect(whole.inits).toHaveLength(1);
    expect(whole.fragments).toHaveLength(100);
    expect(whole.pendingBytes).toBe(0);
    const head = stream.subarray(0, 30_000);
    const expected = split([head]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 60 }), (sizes) => {
        const chunks: Uint8Array[] = [];
        for (let at = 0, turn = 0; at < head.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          chunks.push(head.subarray(at, at + size));
          at += size;
        }
        expect(split(chunks)).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  test('a fragment keeps only its own memory', () => {
    for (const { bytes } of split([stream]).fragments) expect(bytes.buffer.byteLength).toBe(bytes.byteLength);
  });

  test('boxes that players may ignore are left out, a 64-bit size is understood', () => {
    const large = Buffer.concat([Buffer.from([0, 0, 0, 1]), Buffer.from('mdat'), Buffer.alloc(8), Buffer.alloc(5, 7)]);
    large.writeBigUInt64BE(BigInt(large.length), 8);
    const moof = box('moof', Buffer.alloc(20));
    const parts = [ftyp, moov, box('styp', Buffer.alloc(4)), fragment, box('free'), moof, large, box('mfra')];
    const result = split(Array.from(Buffer.concat(parts), (byte) => Uint8Array.of(byte)));
    expect(result.inits).toEqual([Buffer.concat([ftyp, moov])]);
    expect(result.fragments.map(({ bytes }) => bytes)).toEqual([fragment, Buffer.concat([moof, large])]);
    expect(result.pendingBytes).toBe(0);
  });

  test.each([
    ['another kind of file', Buffer.from('RIFF....AVI LIST')],
    ['a box of size 7', Buffer.concat([ftyp, Buffer.from([0, 0, 0, 7]), Buffer.from('moov')])],
    ['a box to the end of the file', Buffer.concat([ftyp, Buffer.from([0, 0, 0, 0]), Buffer.from('moov')])],
    ['a fragment before the initialisation', fragment],
    ['a second initialisation', Buffer.concat([ftyp, moov, ftyp])],
    ['two moof', Buffer.concat([ftyp, moov, box('moof'), box('moof')])],
    ['an mdat alone', Buffer.concat([ftyp, moov, box('mdat')])],
    ['a moov of 2 GiB', Buffer.concat([ftyp, Buffer.from([0x7f, 0, 0, 0]), Buffer.from('moov')])],
    ['an ignorable box of 2 GiB', Buffer.concat([ftyp, moov, Buffer.from([0x7f, 0, 0, 0]), Buffer.from('free')])],
    [
      'an mdat of 2^60 bytes',
      Buffer.concat([
        ftyp,
        moov,
        box('moof'),
        Buffer.from([0, 0, 0, 1]),
        Buffer.from('mdat'),
        Buffer.from([0x10, 0, 0, 0, 0, 0, 0, 0]),
      ]),
    ],
    [
      'a 64-bit size shorter than its header',
      Buffer.concat([ftyp, Buffer.from([0, 0, 0, 1]), Buffer.from('moov'), Buffer.from([0, 0, 0, 0, 0, 0, 0, 9])]),
    ],
  ])('%s is refused before anything is kept for it', (_, bytes) => {
    expect(() => split([bytes])).toThrowError(expect.objectContaining({ code: 'capture/bad-stream', kind: 'corrupt' }));
  });
});
