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
    'new Motion with privacy masks',
    (a) => new Motion(64, 32, 0.5, 0.01, new Float64Array(0), new Int32Array(0), ...(a.length < 2 ? [...a, 0] : a)),
    [Float64Array.of(0, 0, 1, 0, 1, 1), Int32Array.of(3)],
  ],
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
          const polygons = name === 'new Motion' ? i >= 4 : name.startsWith('new Motion');
          if (polygons && ArrayBuffer.isView(wrong)) continue;
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

type LooseMotion = Record<string, (...args: unknown[]) => unknown>;
const wall = (level: number): Uint8Array => Uint8Array.from({ length: 64 * 32 }, (_, i) => level + ((i >> 3) % 2) * 20);
const visited = wall(60).map((level, i) => (i % 64 > 20 && i % 64 < 40 && i > 64 * 6 && i < 64 * 26 ? 220 : level));
const result = () => new Int32Array(addon.motionResultLength);

/** A detector that has been through `frames`, two a second. */
function after(...frames: readonly Uint8Array[]): LooseMotion {
  const motion = new Motion(64, 32, 0.5, 0.01, new Float64Array(0), new Int32Array(0));
  for (const [i, frame] of frames.entries()) motion['detect']?.(frame, i * 500, result());
  return motion;
}

const settledBy = Array.from({ length: 8 }, () => wall(60));
const disposed = after(...settledBy);
disposed['close']?.();
const wasReset = after(...settledBy);
wasReset['reset']?.();

/** What each state answers to a good frame and to `mask()` before it; `closed` throws at everything. */
const states: readonly (readonly [string, () => LooseMotion, number | 'closed', boolean])[] = [
  ['fresh', () => after(), 0, false],
  ['settling', () => after(wall(60), wall(60)), 0, false],
  ['quiet', () => after(...settledBy), 1, true],
  ['in motion', () => after(...settledBy, visited), 1, true],
  ['globally changed', () => after(...settledBy, wall(150)), 3, false],
  ['reset', () => wasReset, 0, false],
  ['closed', () => disposed, 'closed', false],
];

describe.each(states)('a detector that is %s', (state, make, wanted, hasMask) => {
  it('answers every method, and wrong calls with a TypeError that changes nothing', () => {
    const motion = make();
    if (wanted === 'closed') {
      for (const call of [['detect', wall(60), 1e4, result()], ['mask'], ['reset']] as const) {
        expect(() => motion[call[0]]?.(...call.slice(1)), call[0]).toThrow(TypeError);
      }
      expect(motion['close']?.()).toBeUndefined();
      return;
    }
    const wrongCalls: readonly (readonly unknown[])[] = [
      [],
      [wall(60)],
      [wall(60).subarray(1), 1e4, result()],
      [detached, 1e4, result()],
      [wall(60), Number.NaN, result()],
      [wall(60), 1e4, new Int32Array(addon.motionResultLength - 1)],
      [wall(60), 1e4, new Int32Array(addon.motionResultLength + 1)],
      [new Float32Array(64 * 32), 1e4, result()],
      // Conversions that would call back into the detector are never made.
      [wall(60), { valueOf: () => motion['close']?.() }, result()],
      [{ get length() { return motion['close']?.(); } }, 1e4, result()], // biome-ignore format: one line a case
    ];
    for (const [i, wrong] of wrongCalls.entries())
      expect(() => motion['detect']?.(...wrong), `call ${i}`).toThrow(TypeError);
    const mask = motion['mask']?.('ignored', Symbol('s'));
    expect(mask instanceof Uint8Array).toBe(hasMask);
    if (hasMask) expect(new Set(mask as Uint8Array)).toEqual(new Set(state === 'quiet' ? [0] : [0, 1]));
    const out = result();
    motion['detect']?.(wall(60), 4500, out);
    expect(out[0]).toBe(wanted);
    expect(motion['reset']?.()).toBeUndefined();
    expect(motion['mask']?.()).toBeNull();
    motion['detect']?.(wall(60), 5000, out);
    expect(out[0]).toBe(0);
    motion['close']?.();
    expect(() => motion['mask']?.()).toThrow(TypeError);
  });
});

it('refuses methods on another object and after closing', () => {
  const motion = new Motion(64, 32, 0.5, 0.01, new Float64Array(0), new Int32Array(0));
  expect(() => motion['detect']?.call({}, yuv, 0, new Int32Array(addon.motionResultLength))).toThrow(TypeError);
  expect(() => motion['mask']?.call({})).toThrow(TypeError);
  expect(() => motion['reset']?.call(new Uint8Array(8))).toThrow(TypeError);
  motion['close']?.();
  expect(() => motion['reset']?.()).toThrow(TypeError);
  expect(() => motion['detect']?.(yuv, 0, new Int32Array(addon.motionResultLength))).toThrow(TypeError);
  motion['close']?.();
});
