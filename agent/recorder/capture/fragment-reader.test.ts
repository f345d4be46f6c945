import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { AgentError } from '../../base/errors.ts';
import { findFfmpeg } from '../../base/ffmpeg.ts';
import { copyCommand } from './arguments.ts';
import { BoxSplitter, badStream } from './box-splitter.ts';
import { type FragmentInfo, FragmentReader } from './fragment-reader.ts';
import { readInit, type StreamInit } from './init-reader.ts';

const porch = fileURLToPath(new URL('../../../test-fixtures/streams/porch-day.mp4', import.meta.url));
let stream: Buffer;

beforeAll(() => {
  const { args } = copyCommand({ kind: 'file', path: porch, pace: 'fast', loop: false });
  stream = spawnSync(findFfmpeg(), args, { maxBuffer: 1 << 26 }).stdout;
});

interface Read {
  readonly init: StreamInit;
  readonly infos: readonly FragmentInfo[];
}

function readAll(bytes: Uint8Array): Read {
  const infos: FragmentInfo[] = [];
  let init: StreamInit | undefined;
  let reader: FragmentReader | undefined;
  const splitter = new BoxSplitter({
    onInit: (received) => {
      init = readInit(received);
      reader = new FragmentReader(init);
    },
    onFragment: (fragment, mdatOffset) => {
      if (reader !== undefined) infos.push(reader.read(fragment, mdatOffset));
    },
  });
  splitter.push(bytes);
  if (init === undefined) throw badStream('it ends before its initialisation');
  return { init, infos };
}

describe('initialisation and fragments', () => {
  test('the times of a real stream', () => {
    const { init, infos } = readAll(stream);
    expect(init).toMatchObject({ codec: 'avc1.4d4016', widthPx: 640, heightPx: 360, timescale: 10_240 });
    expect(infos[0]).toEqual({ startMs: 10_000, durationMs: 200, keyframe: true, sampleCount: 2 });
    expect(infos.at(-1)).toEqual({ startMs: 29_800, durationMs: 200, keyframe: false, sampleCount: 2 });
    expect(infos.reduce((sum, { sampleCount }) => sum + sampleCount, 0)).toBe(200);
  });

  test('any damage is either harmless or a bad stream, never another failure', () => {
    const head = stream.subarray(0, 60_000);
    // The initialisation and the indices and first bytes of about three fragments.
    const end = 23_000;
    const damage = fc.array(fc.tuple(fc.nat(end), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(damage, (changes) => {
        const bytes = Buffer.from(head);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          readAll(bytes);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(AgentError);
          expect((thrown as AgentError).code).toBe('capture/bad-stream');
        }
      }),
      { numRuns: 2000 },
    );
  });

  /** Reads a copy of the stream with one field of the first fragment's index changed. */
  function withChange(from: string, offset: number, change: (bytes: Buffer, at: number) => void): () => Read {
    const bytes = Buffer.from(stream);
    const at = bytes.indexOf(from, bytes.indexOf('moof'), 'latin1') + 4 + offset;
    change(bytes, at);
    return () => readAll(bytes);
  }

  test('a decoding time before zero is negative, not enormous', () => {
    const read = withChange('tfdt', 4, (bytes, at) => bytes.writeBigInt64BE(-10_240n, at));
    expect(read().infos[0]?.startMs).toBe(-1000);
  });

  test.each<[string, string, number, (bytes: Buffer, at: number) => void]>([
    ['a time beyond what numbers hold', 'tfdt', 4, (bytes, at) => bytes.writeBigInt64BE(2n ** 62n, at)],
    ['another track', 'tfhd', 4, (bytes, at) => bytes.writeUInt32BE(9, at)],
    ['no sample', 'trun', 4, (bytes, at) => bytes.writeUInt32BE(0, at)],
    ['a billion samples', 'trun', 4, (bytes, at) => bytes.writeUInt32BE(1e9, at)],
    ['more samples than it lists', 'trun', 4, (bytes, at) => bytes.writeUInt32BE(400, at)],
    ['no times', 'tfdt', -4, (bytes, at) => bytes.write('free', at)],
  ])('%s is a bad stream', (_, name, offset, change) => {
    expect(withChange(name, offset, change)).toThrowError(expect.objectContaining({ code: 'capture/bad-stream' }));
  });

  test('a keyframe inside a fragment is a bad stream', () => {
    // First-sample flags present and sync; defaults made sync as well.
    const bytes = Buffer.from(stream);
    const tfhd = bytes.indexOf('tfhd', bytes.indexOf('moof'), 'latin1') + 4;
    const flags = bytes.readUInt32BE(tfhd) & 0xffffff;
    const at =
      tfhd + 8 + (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0) + (flags & 0x8 ? 4 : 0) + (flags & 0x10 ? 4 : 0);
    expect(flags & 0x20).not.toBe(0);
    bytes.writeUInt32BE(0x02000000, at);
    const trunFlags = bytes.readUInt32BE(bytes.indexOf('trun', tfhd, 'latin1') + 4) & 0xffffff;
    expect(trunFlags & 0x400).toBe(0);
    expect(() => readAll(bytes)).toThrow(/keyframe stands inside/);
  });
});
