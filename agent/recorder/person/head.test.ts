// Which kind of model is known by which shapes, and that each reads the arrays that belong to it.
import { describe, expect, it } from 'vitest';
import { type HeadQuestion, planHead } from './head.ts';

const yolox: HeadQuestion = { inputPx: 416, outputs: [[1, 3549, 85]] };
const nanodet: HeadQuestion = {
  inputPx: 320,
  outputs: [[1600, 80], [400, 80], [100, 80], [1600, 32], [400, 32], [100, 32]],
}; // biome-ignore format: shapes
const fastestdet: HeadQuestion = { inputPx: 352, outputs: [[1, 85, 22, 22]] };

describe('planHead', () => {
  it.each([
    ['yolox', yolox],
    ['yolox', { inputPx: 256, outputs: [[1, 1344, 6]] }],
    ['yolox', { inputPx: 256, strides: [8], outputs: [[1, 1024, 6]] }],
    ['nanodet', nanodet],
    ['nanodet', { ...nanodet, outputs: nanodet.outputs.map((shape) => [1, ...shape]) }],
    // One class, and distances of 16 bins.
    ['nanodet', { inputPx: 64, outputs: [[64, 1], [64, 64], [16, 1], [16, 64], [4, 1], [4, 64]] }],
    ['fastestdet', fastestdet],
    ['fastestdet', { inputPx: 352, outputs: [[1, 6, 11, 11]] }],
  ] as readonly (readonly [string, HeadQuestion])[])('knows %s %j', (decoder, question) => {
    expect(planHead(question)?.decoder).toBe(decoder);
  }); // biome-ignore format: one case a line

  it.each([
    ['no output', { ...yolox, outputs: [] }],
    ['a batch of two', { ...yolox, outputs: [[2, 3549, 85]] }],
    ['rows of another size', { ...yolox, inputPx: 320 }],
    ['no class', { ...yolox, outputs: [[1, 3549, 5]] }],
    ['sides left open', { ...yolox, outputs: [[1, 0, 85]] }],
    ['another kind than was asked for', { ...yolox, decoder: 'fastestdet' }],
    ['a level too few', { ...nanodet, outputs: nanodet.outputs.slice(0, 4) }],
    ['a level twice', { ...nanodet, outputs: [...nanodet.outputs.slice(0, 5), [400, 32]] }],
    ['tables of three widths', { ...nanodet, outputs: [...nanodet.outputs.slice(0, 5), [100, 36]] }],
    ['distances that are no distributions', { ...nanodet, outputs: nanodet.outputs.map(([r = 0, c]) => [r, c === 32 ? 33 : 80]) }],
    ['a grid that is not square', { ...fastestdet, outputs: [[1, 85, 22, 11]] }],
    ['planes without a class', { ...fastestdet, outputs: [[1, 5, 22, 22]] }],
    ['one number', { ...fastestdet, outputs: [[1]] }],
  ] as readonly (readonly [string, HeadQuestion])[])('knows nothing of %s', (_, question) => {
    expect(planHead(question)).toBeUndefined();
  }); // biome-ignore format: one case a line

  it('reads each table of a NanoDet by its size, whatever the order', () => {
    const outputs = [[4, 16], [64, 2], [64, 16], [16, 2], [16, 16], [4, 2]]; // biome-ignore format: shapes
    expect(planHead({ inputPx: 64, outputs })).toBeUndefined();
    const scoresFirst = [[64, 2], [4, 16], [64, 16], [16, 2], [16, 16], [4, 2]]; // biome-ignore format: shapes
    const head = planHead({ inputPx: 64, outputs: scoresFirst });
    const values = scoresFirst.map(([rows = 0, columns = 0]) => new Float32Array(rows * columns));
    values[5]?.fill(0.9, 0, 1);
    // All four bins alike: one and a half strides each way.
    expect(head?.decode(values, 0.5)).toEqual([{ x: -32, y: -32, w: 96, h: 96, score: expect.closeTo(0.9) }]);
  });
});
