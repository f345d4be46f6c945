/** Times of pictures as a stream claims them, held against the order in which a decoder puts pictures out. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { encode } from '../../../test-fixtures/cameras/captured.ts';
import { boxesOf } from '../boxes.ts';
import { type FragmentEntry, videoTrack } from '../content.ts';
import { readPictures } from './pictures.ts';

const source = join(import.meta.dirname, '../../../test-fixtures/streams/smooth-25fps.mp4');

/** Half-second groups of pictures, a fragment each, with the entries that a recorder signs for them. */
function fragmented(...encoder: string[]): { video: Buffer; entries: FragmentEntry[] } {
  const folder = mkdtempSync(join(tmpdir(), 'pictures-'));
  try {
    const path = join(folder, 'clip.mp4');
    const fragments = ['-movflags', 'frag_keyframe+empty_moov+default_base_moof'];
    encode(source, path, ['-t', '2', '-c:v', 'libx264', '-preset', 'veryfast', '-g', '12', ...encoder, ...fragments]);
    const boxes = boxesOf(readFileSync(path)).filter(({ type }) => type !== 'mfra');
    const video = Buffer.concat(boxes.map(({ bytes }) => bytes));
    const entries: FragmentEntry[] = [];
    let offset = 0;
    for (const [i, { type, bytes }] of boxes.entries()) {
      if (type === 'moof' || i === 0) {
        const ms = i === 0 ? 0 : 480;
        const salt = '0'.repeat(32);
        const place = { index: entries.length, track: videoTrack, offset, bytes: 0 };
        entries.push({ ...place, salt, sha256: '0'.repeat(64), start_ms: 0, duration_ms: ms, keyframe: ms > 0 });
      }
      const last = entries.at(-1);
      if (last !== undefined) entries[entries.length - 1] = { ...last, bytes: last.bytes + bytes.length };
      offset += bytes.length;
    }
    return { video, entries };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('numbers pictures group by group, also where pictures are shown in another order than decoded', () => {
  for (const options of [
    ['-bf', '0'],
    ['-bf', '3'],
    ['-bf', '3', '-x264-params', 'open-gop=1'],
  ]) {
    const { video, entries } = fragmented(...options);
    const { fragments, timesMs } = readPictures(video, entries);
    expect(timesMs).toHaveLength(50);
    const numbers = fragments.flatMap(({ pictures }) => pictures.toSorted((a, b) => a - b));
    expect(numbers).toEqual(timesMs.map((_, i) => i));
  }
});

it('refuses a stream that claims to show a group before the one that is decoded first: another picture would be filled', () => {
  const { video, entries } = fragmented('-bf', '0');
  const third = entries[3];
  const at = video.indexOf('tfdt', third?.offset) + 8;
  // Interlaced with the group before.
  video.writeBigUInt64BE(video.readBigUInt64BE(at) - 3_000n, at);
  expect(() => readPictures(video, entries)).toThrow(expect.objectContaining({ code: 'vault/bad-movie' }));
});
