import { expect, it } from 'vitest';
import { findId, wholeIds } from './clip-ids.ts';

const ids = ['5f0e8a'.padEnd(32, '1'), '5f0e8b'.padEnd(32, '2'), 'ab'.padEnd(32, '3')];
const known = () => Promise.resolve(ids.map((clipId) => ({ clipId })));
const code = (wanted: string) => expect.objectContaining({ code: wanted });

it('takes the first digits of an id, where only one clip begins so', async () => {
  expect(findId('ab', ids)).toBe(ids[2]);
  expect(await wholeIds(['5f0e8b', 'ab'], known)).toEqual([ids[1], ids[2]]);
  expect(() => findId('5f0e8', ids)).toThrow(code('clips/ambiguous'));
});

it('chooses nothing for what is no beginning of an id', async () => {
  for (const given of ['', 'cc', '5F0E8A', '5f0e8a%', '../5f0e8a'])
    await expect(wholeIds([given], known)).rejects.toThrow(code('clips/none-there'));
});

it('asks for no list where whole ids are given, so that what is gone is told by whoever knows', async () => {
  const gone = 'f'.repeat(32);
  expect(await wholeIds([gone], () => Promise.reject(new Error('not asked')))).toEqual([gone]);
});
