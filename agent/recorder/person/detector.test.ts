// The person stage: its life and refusals with a tiny model, its finds with real models on real streams.
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { porchStream, porchTruth, readSmallFrames } from '../../../test-fixtures/small-frames.ts';
import { tinyModel } from '../../../test-fixtures/tiny-model.ts';
import type { Box, SmallFrame } from '../stages.ts';
import { PersonDetector } from './detector.ts';
import { embeddedModel, ownModel, type PersonModel } from './model.ts';
import { overlapRatio } from './nms.ts';

const widthPx = 320;
const heightPx = 180;

/** Black, with one white patch that the tiny model takes for a person. */
function picture(patch?: Box): SmallFrame {
  const yuv = new Uint8Array((widthPx * heightPx * 3) / 2)
    .fill(16, 0, widthPx * heightPx)
    .fill(128, widthPx * heightPx);
  if (patch !== undefined) {
    for (let y = patch.y; y < patch.y + patch.h; y++)
      yuv.fill(235, y * widthPx + patch.x, y * widthPx + patch.x + patch.w);
  }
  return { runId: 'run', timeMs: 0, widthPx, heightPx, yuv };
}

describe('with the tiny model', () => {
  it('answers in pixels of the frame, for the whole of it and for regions', async () => {
    await using detector = await PersonDetector.open({ model: tinyModel() });
    expect(detector.inputPx).toBe(64);
    expect(await detector.detect(picture(), [])).toEqual([]);
    // The whole frame is seen at a fifth: a cell of the coarsest grid is 160 pixels wide.
    const patch = { x: 160, y: 0, w: 160, h: 160 };
    const [whole, ...others] = await detector.detect(picture(patch), []);
    expect(whole).toEqual({ box: patch, score: expect.closeTo(0.95, 2), label: 'person' });
    // Its smaller cells are people of their own before it: one crop cuts nobody in two.
    expect(others.every(({ box, score }) => box.w < 160 && score < 0.95)).toBe(true);
    // A small region is seen larger than it is: the crop of 48 pixels lies around its middle, and its cells are of 24.
    const small = { x: 176, y: 96, w: 24, h: 24 };
    const found = await detector.detect(picture(small), [{ x: 196, y: 116, w: 8, h: 8 }]);
    expect(found[0]).toEqual({ box: small, score: expect.closeTo(0.94, 2), label: 'person' });
  });

  it('joins what two regions found', async () => {
    await using detector = await PersonDetector.open({ model: tinyModel() });
    const frame = picture({ x: 176, y: 96, w: 24, h: 24 });
    for (let y = 8; y < 40; y++) frame.yuv.fill(235, y * widthPx + 8, y * widthPx + 40);
    const regions = [{ x: 196, y: 116, w: 8, h: 8 }, { x: 20, y: 20, w: 8, h: 8 }]; // biome-ignore format: two boxes
    const found = await detector.detect(frame, regions);
    expect(found.length).toBeGreaterThanOrEqual(2);
    expect(found.some((d) => overlapRatio(d.box, { x: 176, y: 96, w: 24, h: 24 }) > 0.9)).toBe(true);
    expect(found.some((d) => d.box.x < 64)).toBe(true);
  });

  it('gives the same answer twice from its reused tensors', async () => {
    await using detector = await PersonDetector.open({ model: tinyModel() });
    const patch = { x: 160, y: 0, w: 160, h: 160 };
    const first = await detector.detect(picture(patch), []);
    expect(await detector.detect(picture(), [])).toEqual([]);
    expect(await detector.detect(picture(patch), [])).toEqual(first);
  });

  it('refuses a second look at once, and any after closing', async () => {
    const detector = await PersonDetector.open({ model: tinyModel() });
    const first = detector.detect(picture(), []);
    await expect(detector.detect(picture(), [])).rejects.toMatchObject({ code: 'person/busy' });
    await first;
    await expect(detector.detect({ ...picture(), heightPx: 182 }, [])).rejects.toMatchObject({
      code: 'base/bad-picture',
    });
    expect(await detector.detect(picture(), [])).toEqual([]);
    await detector.close();
    await detector.close();
    await expect(detector.detect(picture(), [])).rejects.toMatchObject({ code: 'person/closed', kind: 'bug' });
  });
});

describe('the other kinds of model', () => {
  const white = picture({ x: 0, y: 0, w: widthPx, h: heightPx });

  it('NanoDet: each level at its own stride, whatever its outputs are called', async () => {
    await using detector = await PersonDetector.open({ model: tinyModel('levels.onnx'), minScore: 0.1 });
    expect(detector.decoder).toBe('nanodet');
    // A crop of the model's own size, because what no picture covers is half bright.
    const corner = [{ x: 28, y: 28, w: 8, h: 8 }];
    expect((await detector.detect(picture(), corner)).every(({ score }) => score < 0.3)).toBe(true);
    const found = await detector.detect(white, []);
    expect(found[0]).toMatchObject({ score: expect.closeTo(0.91, 1), label: 'person' });
    // At a fifth, strides of 8, 16 and 32 are 40, 80 and 160 pixels: a box inside the picture is two of them wide.
    expect(new Set(found.map(({ box }) => box.w).filter((w) => [80, 160, 320].includes(w))).size).toBeGreaterThan(1);
    // A fed mean and deviation of none makes everything bright.
    const plain = { ...tinyModel('levels.onnx'), input: { mean: [0, 0, 0], std: [1, 1, 1] } as const };
    await using misfed = await PersonDetector.open({ model: plain, minScore: 0.9 });
    expect((await misfed.detect(picture(), [])).length).toBeGreaterThan(0);
  });

  it('FastestDet: one grid of planes', async () => {
    await using detector = await PersonDetector.open({ model: tinyModel('planes.onnx'), minScore: 0.9 });
    expect(detector.decoder).toBe('fastestdet');
    expect(await detector.detect(picture(), [])).toEqual([]);
    const [best] = await detector.detect(white, []);
    // Half the input is 160 pixels; the first cell's box reaches over the corner.
    expect(best).toMatchObject({ box: { x: 0, y: 0, w: 80, h: 80 }, score: expect.closeTo(1, 1) });
  });
});

describe('refusals before a model is used', () => {
  it.each([
    ['another output', tinyModel('wrong.onnx'), 'person/model-shape'],
    ['another input side', { ...tinyModel(), inputPx: 416 }, 'person/model-shape'],
    ['another kind than was said', { ...tinyModel(), decoder: 'nanodet' }, 'person/model-shape'],
    ['other strides', { ...tinyModel(), strides: [4, 8] }, 'person/model-shape'],
    ['another hash', { ...tinyModel(), sha256: 'f'.repeat(64) }, 'person/model-hash'],
    ['no file', { ...tinyModel(), path: '/nowhere/m.onnx' }, 'person/model-missing'],
  ] as readonly (readonly [string, PersonModel, string])[])('a model with %s', async (_, model, code) => {
    await expect(PersonDetector.open({ model })).rejects.toMatchObject({ code });
  });

  it('a file that is no model at all', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-model-'));
    try {
      const path = join(folder, 'm.onnx');
      writeFileSync(path, 'garbage');
      const sha256 = createHash('sha256').update('garbage').digest('hex');
      await expect(PersonDetector.open({ model: ownModel({ path, sha256 }) })).rejects.toMatchObject({
        code: 'person/model-shape',
        kind: 'refused',
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('a model that fails when it runs', async () => {
    await using detector = await PersonDetector.open({ model: tinyModel('liar.onnx') });
    const look = detector.detect(picture(), []);
    await expect(look).rejects.toMatchObject({ code: 'person/model-run', kind: 'refused' });
  });

  it('a score outside 0 to 1', async () => {
    for (const minScore of [0, 1.1, Number.NaN]) {
      await expect(PersonDetector.open({ model: tinyModel(), minScore })).rejects.toMatchObject({
        code: 'person/bad-options',
      });
    }
  });
});

/** Share of the truth's frames with a fitting box, and how many frames without anybody had one. */
/** `where`: the whole picture, or, as the recorder asks, the place of what moved. Empty pictures are looked at whole. */
async function scorePorch(
  detector: PersonDetector,
  where: 'whole' | 'moved',
): Promise<{ foundRatio: number; falseCount: number }> {
  const truth = porchTruth();
  let wanted = 0;
  let found = 0;
  let falseCount = 0;
  for await (const frame of readSmallFrames({ path: porchStream, fps: 2 })) {
    const people = truth[Math.round(frame.timeMs / 100)]?.people ?? [];
    const box = people[0]?.box;
    const moved = box === undefined || where === 'whole' ? [] : [wholePixels(box, frame)];
    const detections = await detector.detect(frame, moved);
    if (box === undefined) {
      falseCount += detections.length;
    } else if ((box[3] - box[1]) / frame.heightPx >= 0.25) {
      wanted += 1;
      const wantedBox = { x: box[0], y: box[1], w: box[2] - box[0], h: box[3] - box[1] };
      if (detections.some((d) => overlapRatio(d.box, wantedBox) > 0.5)) found += 1;
    }
  }
  return { foundRatio: found / wanted, falseCount };
}

/** A box of the truth as motion would give it: whole pixels inside the picture. */
function wholePixels([x0, y0, x1, y1]: readonly number[], frame: SmallFrame): Box {
  const [left, top] = [Math.floor(x0 ?? 0), Math.floor(y0 ?? 0)];
  return {
    x: left,
    y: top,
    w: Math.min(frame.widthPx, Math.ceil(x1 ?? 0)) - left,
    h: Math.min(frame.heightPx, Math.ceil(y1 ?? 0)) - top,
  };
}

const embedded = existsSync(join(import.meta.dirname, '..', '..', '..', 'models', 'manifest.json'));
it.skipIf(!embedded)(
  'the embedded model finds the rendered visitor and nobody else (skips without models/)',
  async () => {
    await using detector = await PersonDetector.open({ model: embeddedModel() });
    const score = await scorePorch(detector, 'moved');
    expect(score.foundRatio).toBeGreaterThanOrEqual(0.9);
    expect(score.falseCount).toBe(0);
  },
);

const dataFolder = process.env['LATCHKEY_DATA'] ?? '';
const references = [
  ['yolox', 'yolox_nano_416.onnx'],
  ['nanodet', 'nanodet_m_320.onnx'],
  ['fastestdet', 'fastestdet_352.onnx'],
] as const;
const fileOf = (name: string): string => join(dataFolder, 'models', name);
const hasReferences = dataFolder !== '' && references.every(([, name]) => existsSync(fileOf(name)));
describe.skipIf(!hasReferences)('with the reference models (skips without LATCHKEY_DATA)', () => {
  const open = (name: string): Promise<PersonDetector> => {
    const path = fileOf(name);
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
    return PersonDetector.open({ model: ownModel({ path, sha256 }) });
  };

  it.each(references)(
    '%s is known by its outputs, finds the rendered visitor and nobody else',
    async (decoder, name) => {
      await using detector = await open(name);
      expect(detector.decoder).toBe(decoder);
      const { foundRatio, falseCount } = await scorePorch(detector, 'whole');
      expect(foundRatio).toBeGreaterThanOrEqual(0.95);
      expect(falseCount).toBe(0);
    },
  );

  it('finds the people of one-by-one while they are there, and nobody in the gaps', async () => {
    await using detector = await open('yolox_nano_416.onnx');
    const truth = JSON.parse(readFileSync(join(dataFolder, 'streams', 'one-by-one.truth.json'), 'utf8')) as {
      personVisible: [number, number][];
    };
    const path = join(dataFolder, 'streams', 'one-by-one.mp4');
    let [visible, found, falseCount] = [0, 0, 0];
    for await (const frame of readSmallFrames({ path, fps: 1 })) {
      const index = frame.timeMs / 100;
      const present = truth.personVisible.some(([from, to]) => index >= from && index <= to);
      // Entering and leaving, only a part is in view for a second or two.
      const wholly = truth.personVisible.some(([from, to]) => index >= from + 20 && index <= to - 20);
      const { length } = await detector.detect(frame, []);
      if (!present) falseCount += length;
      if (!wholly) continue;
      visible += 1;
      if (length > 0) found += 1;
    }
    expect(visible).toBeGreaterThan(70);
    expect(found / visible).toBeGreaterThanOrEqual(0.9);
    expect(falseCount).toBe(0);
  });
});
