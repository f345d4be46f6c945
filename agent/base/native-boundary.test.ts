// The addon called past its TypeScript front, with every argument wrong in turn: a TypeError, never a crash.
import { describe, expect, it } from 'vitest';
import { nativeAddon } from './native.ts';

const addon = nativeAddon();
const loose = addon as unknown as Record<string, (...args: unknown[]) => unknown>;
const Motion = addon.Motion as unknown as new (...args: unknown[]) => Record<string, (...args: unknown[]) => unknown>;

const detached = new Uint8Array(64);
structuredClone(detached.buffer, { transfer: [detached.buffer] });
const strange: readonly unknown[] = [
  undefined,
  null,
  'text',
  {},
  [],
  () => 0,
  Symbol('s'),
  1n,
  true,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -1,
  0.5,
  2 ** 31,
  -(2 ** 53),
  new ArrayBuffer(64),
  new DataView(new ArrayBuffer(64)),
  new Uint8Array(0),
  new Uint16Array(8),
  new BigInt64Array(8),
  detached,
];

const yuv = new Uint8Array((64 * 32 * 3) / 2).fill(128);
const calls: readonly (readonly [string, (args: readonly unknown[]) => unknown, readonly unknown[]])[] = [
  ['letterbox', (a) => loose['letterbox']?.(...a), [yuv, 64, 32, 0, 0, 0, 64, 32, 32, new Float32Array(3072)]],
  ['yuvToRgb', (a) => loose['yuvToRgb']?.(...a), [yuv, 64, 32, 0, new Uint8Array(64 * 32 * 3)]],
  ['new Motion', (a) => new Motion(...a), [64, 32, 0.5, 0.01, Float64Array.of(0, 0, 1, 0, 1, 1), Int32Array.of(3)]],
  [
    'detect',
    (a) => new Motion(64, 32, 0.5, 0.01, new Float64Array(0), new Int32Array(0))['detect']?.(...a),
    [yuv, 5, new Int32Array(addon.motionResultLength)],
  ],
];

describe.each(calls)('%s', (name, call, good) => {
  it('takes good arguments', () => {
    expect(() => call(good)).not.toThrow();
  });

  it('answers every wrong argument with a TypeError, or takes it as a value in range', () => {
    for (const [i, wanted] of good.entries()) {
      for (const wrong of strange) {
        if (typeof wrong === typeof wanted && typeof wanted === 'number') {
          try {
            call(good.with(i, wrong));
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(TypeError);
          }
        } else {
          // No zones at all is a valid choice.
          if (name === 'new Motion' && i >= 4 && ArrayBuffer.isView(wrong)) continue;
          expect(() => call(good.with(i, wrong)), `argument ${i}`).toThrow(TypeError);
        }
      }
      expect(() => call(good.slice(0, i)), `${i} arguments`).toThrow(TypeError);
    }
  });
});

it('refuses zones whose counts and points do not fit', () => {
  const make = (points: Float64Array, counts: Int32Array): unknown => new Motion(64, 32, 0.5, 0.01, points, counts);
  expect(() => make(Float64Array.of(0, 0, 1, 0, 1, 1), Int32Array.of(4))).toThrow(TypeError);
  expect(() => make(Float64Array.of(0, 0, 1, 0, 1, 1), Int32Array.of(-1))).toThrow(TypeError);
  expect(() => make(Float64Array.of(0, 0, 1, 0, 1, 1), Int32Array.of(2 ** 31 - 1))).toThrow(TypeError);
  expect(() => make(Float64Array.of(0, 0, 1, 0, 1, Number.NaN), Int32Array.of(3))).toThrow(TypeError);
});

it('refuses methods on another object and after closing', () => {
  const motion = new Motion(64, 32, 0.5, 0.01, new Float64Array(0), new Int32Array(0));
  expect(() => motion['detect']?.call({}, yuv, 0, new Int32Array(addon.motionResultLength))).toThrow(TypeError);
  motion['close']?.();
  expect(() => motion['reset']?.()).toThrow(TypeError);
  expect(() => motion['detect']?.(yuv, 0, new Int32Array(addon.motionResultLength))).toThrow(TypeError);
  motion['close']?.();
});
