import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { type LoadPiece, mediaAnswer } from './media.ts';

const file = randomBytes(1_300_000);

/** Counts what was asked for. */
function loading(bytes: Buffer = file): { load: LoadPiece; asked: number[] } {
  const asked: number[] = [];
  const load: LoadPiece = async ({ offset, length }) => {
    asked.push(length);
    return { bytes: bytes.subarray(offset, offset + length), totalBytes: file.length };
  };
  return { load, asked };
}

test.each([
  [undefined, 200, 0, file.length],
  ['bytes=0-', 206, 0, file.length],
  ['bytes=700000-700009', 206, 700_000, 700_010],
  ['bytes=-5', 206, file.length - 5, file.length],
  ['bytes=500000-1200000', 206, 500_000, 1_200_001],
])('%s is answered with its bytes, no more than a piece in memory at once', async (range, status, from, to) => {
  const { load, asked } = loading();
  const answer = await mediaAnswer(load, range);
  expect(answer.status).toBe(status);
  expect(answer.headers['content-length']).toBe(String(to - from));
  expect((await buffer(answer.body)).equals(file.subarray(from, to))).toBe(true);
  expect(Math.max(...asked)).toBeLessThanOrEqual(512 * 1024);
  expect(asked.reduce((sum, length) => sum + length, 0)).toBe(to - from);
});

test('a refusal comes before any byte, and a file that ends too early breaks off rather than looking whole', async () => {
  const refused: LoadPiece = () => Promise.reject(new Error('locked'));
  await expect(mediaAnswer(refused, undefined)).rejects.toThrow('locked');
  const { body } = await mediaAnswer(loading(file.subarray(0, 600_000)).load, undefined);
  await expect(buffer(body)).rejects.toMatchObject({ code: 'api/media-short' });
});
