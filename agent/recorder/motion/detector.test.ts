// The motion stage at its JavaScript boundary, on synthetic frames, and on the rendered porch by real ffmpeg.
import { describe, expect, it } from 'vitest';
import { porchStream, porchTruth, readSmallFrames } from '../../../test-fixtures/small-frames.ts';
import type { Box, SmallFrame } from '../stages.ts';
import { MotionDetector, type MotionOptions } from './detector.ts';

const widthPx = 160;
const heightPx = 96;
const options: MotionOptions = { widthPx, heightPx, sensitivity: 0.5, minAreaRatio: 0.002, zones: [] };

/** A textured wall with noise from a fixed generator, so that every run sees the same pictures. */
class Scene {
  #timeMs = 0;
  #state = 12345;

  frame(look: { visitor?: Box; gain?: number; runId?: string } = {}): SmallFrame {
    const { visitor, gain = 1, runId = 'run-1' } = look;
    const yuv = new Uint8Array((widthPx * heightPx * 3) / 2).fill(128);
    for (let y = 0; y < heightPx; y++) {
      for (let x = 0; x < widthPx; x++) {
        this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
        const noise = (this.#state >>> 24) % 7;
        const wall = 80 + ((Math.floor(x / 12) + Math.floor(y / 7)) % 2) * 30;
        const inside =
          visitor !== undefined &&
          x >= visitor.x &&
          x < visitor.x + visitor.w &&
          y >= visitor.y &&
          y < visitor.y + visitor.h;
        yuv[y * widthPx + x] = Math.min(235, Math.max(16, (inside ? 190 : wall) * gain + noise - 3));
      }
    }
    this.#timeMs += 200;
    return { runId, timeMs: this.#timeMs, widthPx, heightPx, yuv };
  }
}

function settled(zones: MotionOptions['zones'] = []): { detector: MotionDetector; scene: Scene } {
  const detector = new MotionDetector({ ...options, zones });
  const scene = new Scene();
  for (let i = 0; i < 15; i++) detector.detect(scene.frame());
  return { detector, scene };
}

describe('synthetic frames', () => {
  it('settles, then stays quiet under noise and slow change of light', () => {
    const detector = new MotionDetector(options);
    const scene = new Scene();
    expect(detector.detect(scene.frame())).toEqual({
      state: 'settling',
      boxes: [],
      tracks: [],
      held: [],
      foregroundRatio: 0,
    });
    for (let i = 0; i < 15; i++) detector.detect(scene.frame());
    for (let i = 0; i < 200; i++) {
      expect(detector.detect(scene.frame({ gain: 1 + i / 1000 })).state).toBe('quiet');
    }
  });

  it('reports a light switch once and sees a visitor right after it', () => {
    const { detector, scene } = settled();
    expect(detector.detect(scene.frame({ gain: 0.5 })).state).toBe('global');
    for (let i = 0; i < 20; i++) expect(detector.detect(scene.frame({ gain: 0.5 })).state).toBe('quiet');
    expect(detector.detect(scene.frame({ gain: 0.5, visitor: { x: 40, y: 20, w: 20, h: 50 } })).state).toBe('motion');
  });

  it('boxes a moving block and keeps it for a minute when it stands still', () => {
    const { detector, scene } = settled();
    const found = detector.detect(scene.frame({ visitor: { x: 30, y: 20, w: 20, h: 50 } }));
    expect(found.boxes).toHaveLength(1);
    const [box] = found.boxes;
    for (const [got, wanted] of [
      [box?.x, 30],
      [box?.y, 20],
      [box?.w, 20],
      [box?.h, 50],
    ] as const) {
      expect(Math.abs((got ?? -99) - wanted)).toBeLessThanOrEqual(2);
    }
    for (let i = 0; i < 300; i++) {
      expect(detector.detect(scene.frame({ visitor: { x: 34, y: 20, w: 20, h: 50 } })).state).toBe('motion');
    }
  });

  it('ignores what moves outside the zones', () => {
    const leftHalf = [
      [0, 0],
      [0.5, 0],
      [0.5, 1],
      [0, 1],
    ] as const;
    const { detector, scene } = settled([leftHalf]);
    expect(detector.detect(scene.frame({ visitor: { x: 100, y: 20, w: 40, h: 50 } })).state).toBe('quiet');
    expect(detector.detect(scene.frame({ visitor: { x: 20, y: 20, w: 40, h: 50 } })).state).toBe('motion');
  });

  it('follows a walker under one name', () => {
    const { detector, scene } = settled();
    const ids = new Set<number>();
    for (let i = 0; i < 20; i++) {
      const { boxes, tracks = [] } = detector.detect(scene.frame({ visitor: { x: 10 + 5 * i, y: 20, w: 20, h: 50 } }));
      expect(tracks.map(({ box }) => box)).toEqual(boxes);
      expect(tracks[0]?.ageMs).toBe(200 * i);
      for (const { id } of tracks) ids.add(id);
    }
    expect(ids.size).toBe(1);
  });

  it('holds the place of a walker who is lost, for a moment, and not through a change of light', () => {
    for (const gain of [1, 0.5]) {
      const { detector, scene } = settled();
      for (let i = 0; i < 8; i++) detector.detect(scene.frame({ visitor: { x: 10 + 5 * i, y: 20, w: 20, h: 50 } }));
      const last = detector.detect(scene.frame({ visitor: { x: 50, y: 20, w: 20, h: 50 } }));
      expect(last.held).toEqual([]);
      const wanted = gain === 1 ? [last.boxes, last.boxes, last.boxes, [], []] : [[], [], [], [], []];
      for (const held of wanted) expect(detector.detect(scene.frame({ gain })).held).toEqual(held);
    }
  });

  it('gives the mask that the boxes were made of, as a copy', () => {
    const { detector, scene } = settled();
    expect(detector.mask()?.every((pixel) => pixel === 0)).toBe(true);
    detector.detect(scene.frame({ visitor: { x: 30, y: 20, w: 20, h: 50 } }));
    const mask = detector.mask();
    expect(mask).toHaveLength(widthPx * heightPx);
    expect(mask?.reduce((sum, pixel) => sum + pixel, 0)).toBeGreaterThan(900);
    mask?.fill(7);
    expect(detector.mask()).not.toEqual(mask);
    detector.detect(scene.frame({ gain: 0.5 }));
    expect(detector.mask()).toBeNull();
    detector.reset();
    expect(detector.mask()).toBeNull();
  });

  it('never looks behind a privacy mask', () => {
    const rightHalf = [
      [0.5, 0],
      [1, 0],
      [1, 1],
      [0.5, 1],
    ] as const;
    const detector = new MotionDetector({ ...options, privacyMasks: [rightHalf] });
    const scene = new Scene();
    for (let i = 0; i < 15; i++) detector.detect(scene.frame());
    expect(detector.detect(scene.frame({ visitor: { x: 90, y: 20, w: 40, h: 50 } })).state).toBe('quiet');
    const seen = detector.detect(scene.frame({ visitor: { x: 60, y: 20, w: 40, h: 50 } }));
    expect(seen.state).toBe('motion');
    expect((seen.boxes[0]?.x ?? 0) + (seen.boxes[0]?.w ?? 0)).toBe(widthPx / 2);
  });

  it('settles again for another run and after a reset', () => {
    const { detector, scene } = settled();
    expect(detector.detect(scene.frame({ gain: 0.5, runId: 'run-2' })).state).toBe('settling');
    for (let i = 0; i < 15; i++) detector.detect(scene.frame({ gain: 0.5, runId: 'run-2' }));
    expect(detector.detect(scene.frame({ gain: 0.5, runId: 'run-2' })).state).toBe('quiet');
    detector.reset();
    expect(detector.detect(scene.frame({ runId: 'run-2' })).state).toBe('settling');
  });
});

describe('wrong arguments', () => {
  const scene = new Scene();
  const good = scene.frame();
  const detached = new Uint8Array((widthPx * heightPx * 3) / 2);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });

  const badOptions: readonly (readonly [string, unknown])[] = [
    ['a width of NaN', { widthPx: Number.NaN }],
    ['an odd width', { widthPx: 161 }],
    ['a height of 0', { heightPx: 0 }],
    ['a fractional height', { heightPx: 96.5 }],
    ['a huge width', { widthPx: 2 ** 40 }],
    ['a sensitivity of NaN', { sensitivity: Number.NaN }],
    ['a sensitivity above 1', { sensitivity: 1.5 }],
    ['a negative area', { minAreaRatio: -0.1 }],
    ['a zone of two corners', { zones: [[[0, 0], [1, 1]]] }], // biome-ignore format: one line a case
    ['a corner outside', { zones: [[[0, 0], [1, 1], [2, 0]]] }], // biome-ignore format: one line a case
    ['a corner of NaN', { zones: [[[0, 0], [1, 1], [Number.NaN, 0]]] }], // biome-ignore format: one line a case
    ['a privacy mask of two corners', { privacyMasks: [[[0, 0], [1, 1]]] }], // biome-ignore format: one line a case
    ['a corner of a privacy mask outside', { privacyMasks: [[[0, 0], [1, 1], [0, -1]]] }], // biome-ignore format: one line a case
    ['too many privacy masks', { privacyMasks: Array.from({ length: 65 }, () => [[0, 0], [1, 0], [1, 1]]) }], // biome-ignore format: one line a case
    ['too many zones', { zones: Array.from({ length: 65 }, () => [[0, 0], [1, 0], [1, 1]]) }], // biome-ignore format: one line a case
  ];
  it.each(badOptions)('%s makes no detector', (_, change) => {
    expect(() => new MotionDetector({ ...options, ...(change as object) })).toThrow(
      expect.objectContaining({ code: 'motion/bad-options', kind: 'config' }),
    );
  });

  const badFrames: readonly (readonly [string, unknown])[] = [
    ['another size', { widthPx: 162 }],
    ['too few bytes', { yuv: good.yuv.subarray(1) }],
    ['too many bytes', { yuv: new Uint8Array(good.yuv.length + 1) }],
    ['luma only', { yuv: good.yuv.subarray(0, widthPx * heightPx) }],
    ['a detached buffer', { yuv: detached }],
    ['no bytes', { yuv: undefined }],
    ['a plain array', { yuv: [...good.yuv] }],
    ['floats', { yuv: new Float32Array(good.yuv.length) }],
    ['a time of NaN', { timeMs: Number.NaN }],
    ['an infinite time', { timeMs: Number.POSITIVE_INFINITY }],
  ];
  const states: readonly (readonly [string, () => MotionDetector, string])[] = [
    ['fresh', () => new MotionDetector(options), 'motion/bad-frame'],
    ['settled', () => settled().detector, 'motion/bad-frame'],
    ['closed', () => closed(), 'motion/closed'],
  ];
  function closed(): MotionDetector {
    const detector = new MotionDetector(options);
    detector.close();
    detector.close();
    return detector;
  }
  for (const [state, make, code] of states) {
    it.each(badFrames)(`a ${state} detector refuses %s`, (_, change) => {
      using detector = make();
      expect(() => detector.detect({ ...good, ...(change as object) })).toThrow(
        expect.objectContaining({ code, kind: 'bug' }),
      );
      if (state !== 'closed') expect(detector.detect(good).state).toBeDefined();
    });
  }

  it('a closed detector neither looks, shows nor resets', () => {
    const detector = closed();
    expect(() => detector.detect(good)).toThrow(expect.objectContaining({ code: 'motion/closed' }));
    expect(() => detector.mask()).toThrow(expect.objectContaining({ code: 'motion/closed' }));
    expect(() => detector.reset()).toThrow(expect.objectContaining({ code: 'motion/closed' }));
  });
});

describe('the rendered porch, decoded by ffmpeg', () => {
  it('moves when the visitor does, around the visitor, and is quiet before and after', async () => {
    using detector = new MotionDetector({ ...options, widthPx: 640, heightPx: 360, minAreaRatio: 0.001 });
    const truth = porchTruth();
    let found = 0;
    let covered = 0;
    for await (const frame of readSmallFrames({ path: porchStream, fps: 5 })) {
      const index = Math.round(frame.timeMs / 100);
      const result = detector.detect(frame);
      const people = truth[index]?.people ?? [];
      if (people.length === 0) {
        expect(['settling', 'quiet']).toContain(result.state);
        continue;
      }
      // The first and last pictures show a sliver of the visitor at the edge.
      if (index < 34 || index > 168) continue;
      found += 1;
      expect(result.state).toBe('motion');
      const [left, top, right, bottom] = people[0]?.box ?? [0, 0, 0, 0];
      const [box] = result.boxes;
      if (box === undefined) continue;
      const w = Math.max(0, Math.min(right, box.x + box.w) - Math.max(left, box.x));
      const h = Math.max(0, Math.min(bottom, box.y + box.h) - Math.max(top, box.y));
      if (w * h > 0.5 * (right - left) * (bottom - top)) covered += 1;
    }
    expect(found).toBeGreaterThan(60);
    expect(covered / found).toBeGreaterThan(0.9);
  });
});
