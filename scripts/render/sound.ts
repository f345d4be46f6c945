/** A sound track from nothing: steps, knocks, a bell and the noise of the street, as 16-bit mono samples in a WAV file. */

import type { Sound, SoundPlan } from './plan.ts';
import { fork } from './random.ts';

const RATE = 16_000;

/** Each sound: its length, and its wave at a time since its start. */
const waves: Readonly<Record<Sound, { readonly sec: number; readonly wave: (t: number, noise: number) => number }>> = {
  step: {
    sec: 0.12,
    wave: (t, noise) => 0.28 * noise * Math.exp(-t * 45) + 0.2 * Math.sin(2 * Math.PI * 95 * t) * Math.exp(-t * 38),
  },
  knock: {
    sec: 0.2,
    wave: (t, noise) =>
      (0.6 * Math.sin(2 * Math.PI * 210 * t) + 0.25 * Math.sin(2 * Math.PI * 480 * t) + 0.2 * noise) *
      Math.exp(-t * 32),
  },
  bell: {
    sec: 1.6,
    wave: (t) => {
      const tone = t < 0.6 ? 659.3 : 523.3;
      const since = t < 0.6 ? t : t - 0.6;
      return (
        0.32 *
        (Math.sin(2 * Math.PI * tone * since) + 0.4 * Math.sin(2 * Math.PI * 2.01 * tone * since)) *
        Math.exp(-since * 3.2)
      );
    },
  },
  wind: { sec: 3, wave: (t, noise) => 0.03 * noise * Math.sin((Math.PI * t) / 3) },
};

export function makeWav(sounds: readonly SoundPlan[], durationMs: number, seed: number): Buffer {
  const count = Math.round((durationMs / 1000) * RATE);
  const mix = new Float64Array(count);
  const random = fork(seed, 'sound');
  let hum = 0;
  for (let i = 0; i < count; i++) {
    hum += (random() - 0.5 - hum) * 0.06;
    mix[i] = 0.03 * hum + 0.0015 * (random() - 0.5);
  }
  for (const { atMs, sound } of sounds) {
    const { sec, wave } = waves[sound];
    const start = Math.round((atMs / 1000) * RATE);
    for (let i = 0; i < sec * RATE && start + i < count; i++)
      mix[start + i] = (mix[start + i] ?? 0) + wave(i / RATE, 2 * random() - 1);
  }
  const data = Buffer.alloc(count * 2);
  for (const [i, value] of mix.entries()) data.writeInt16LE(Math.round(32_000 * Math.tanh(value)), i * 2);
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8);
  for (const [at, value, bytes] of [
    [16, 16, 4],
    [20, 1, 2],
    [22, 1, 2],
    [24, RATE, 4],
    [28, RATE * 2, 4],
    [32, 2, 2],
    [34, 16, 2],
  ] as const)
    header.writeUIntLE(value, at, bytes);
  header.write('data', 36);
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}
