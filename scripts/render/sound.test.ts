import { expect, test } from 'vitest';
import { makeWav } from './sound.ts';

test('sounds are where the plan puts them, and the same for the same seed', () => {
  const wav = makeWav([{ atMs: 500, sound: 'bell' }], 2000, 7);
  expect(wav.length).toBe(44 + 2 * 32_000);
  const loud = (fromMs: number): number => {
    let peak = 0;
    for (let i = 0; i < 1600; i++) peak = Math.max(peak, Math.abs(wav.readInt16LE(44 + 2 * (fromMs * 16 + i))));
    return peak;
  };
  expect(loud(520)).toBeGreaterThan(20 * loud(200));
  expect(makeWav([{ atMs: 500, sound: 'bell' }], 2000, 7).equals(wav)).toBe(true);
});
