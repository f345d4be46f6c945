import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findFfmpeg } from '../../base/ffmpeg.ts';
import { emptyCells, gridOf } from './cells.ts';
import { type EncodeJob, encodeFilled } from './encoder.ts';
import { pictureId, readEncoded, sequenceId, splitUnits, startsAfresh, typeOf } from './h264-units.ts';
import { decodeSmall } from './small-pictures.ts';

const path = join(import.meta.dirname, '../../../test-fixtures/streams/runs-past.mp4');
const fragmented = (): Buffer =>
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-i',
    path,
    '-an',
    '-c',
    'copy',
    '-t',
    '1',
    '-movflags',
    '+frag_keyframe+empty_moov',
    '-f',
    'mp4',
    'pipe:1',
  ]);
const grid = gridOf(640, 360);

function job(pictureCount: number, more: Partial<EncodeJob> = {}): EncodeJob {
  return {
    ffmpegPath: findFfmpeg(),
    input: [fragmented()],
    cells: Array.from({ length: pictureCount }, () => emptyCells(grid).fill(1)),
    grid,
    widthPx: 640,
    heightPx: 360,
    picturesPerSecond: 15,
    fullRange: false,
    setId: 3,
    ...more,
  };
}

it('gives one picture for each and parameter sets of the wanted number', async () => {
  const encoded = await encodeFilled(job(15));
  expect(encoded.pictures).toHaveLength(15);
  expect(encoded.pictures[0]?.key).toBe(true);
  expect(encoded.sequenceSets.map(sequenceId)).toEqual([3]);
  expect(encoded.pictureSets.map(pictureId)).toEqual([3]);
});

it('refuses when a picture is lost on the way: the rest would be filled in the wrong places', async () => {
  for (const count of [14, 16, 30]) {
    await expect(encodeFilled(job(count))).rejects.toMatchObject({ code: 'redact/lost-pictures' });
  }
});

/** Programs that this one has started and that still run. */
const children = (): string[] =>
  readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
    .split(' ')
    .filter((pid) => pid !== '');

it('ends when more comes out than a share may hold, and ffmpeg with it', async () => {
  const before = children();
  await expect(encodeFilled(job(15, { maxBytes: 500 }))).rejects.toMatchObject({ code: 'redact/too-large' });
  expect(children()).toEqual(before);
});

it('leaves no ffmpeg behind where somebody stops looking at small pictures', async () => {
  const before = children();
  const small = { widthPx: 640, heightPx: 360, turns: 0 as const };
  const pictures = decodeSmall({ ...small, ffmpegPath: findFfmpeg(), input: [fragmented()] });
  await pictures.next();
  expect(children()).toHaveLength(before.length + 1);
  await pictures.return(undefined);
  expect(children()).toEqual(before);
});

it('reads units between start codes of both lengths, and leaves out what names the encoder', () => {
  const stream = Buffer.from([
    0, 0, 0, 1, 9, 16, 0, 0, 1, 6, 5, 1, 7, 0, 0, 0, 1, 0x65, 1, 0, 0, 1, 9, 16, 0, 0, 1, 0x41, 2, 0, 0,
  ]);
  expect([...splitUnits(stream)].map(typeOf)).toEqual([9, 6, 5, 9, 1]);
  expect(readEncoded(stream).pictures).toEqual([
    { key: true, units: [Buffer.from([0x65, 1])] },
    { key: false, units: [Buffer.from([0x41, 2])] },
  ]);
});

it('tells a picture that begins afresh from one that leans on others, and damage from both', () => {
  expect(startsAfresh(Buffer.from([0, 2, 6, 1, 0, 2, 0x65, 9]), 2)).toBe(true);
  expect(startsAfresh(Buffer.from([0, 2, 6, 1, 0, 2, 0x41, 9]), 2)).toBe(false);
  expect(() => startsAfresh(Buffer.from([0, 2, 6, 1]), 2)).toThrow(
    expect.objectContaining({ code: 'vault/bad-movie' }),
  );
});
