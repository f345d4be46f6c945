import { describe, expect, it } from 'vitest';
import { peopleLines, withRedaction } from './redact-options.ts';

const [a, b] = [
  { clipId: 'aa', fromMs: 0, toMs: 10_000 },
  { clipId: 'bb', fromMs: 20_000, toMs: 30_000 },
];
const code = (wanted: string) => expect.objectContaining({ code: wanted });

describe('what to fill, as told on the command line', () => {
  it('is nothing unless asked for', () => {
    expect(withRedaction([a, b], {}, Number)).toEqual([a, b]);
    expect(withRedaction([a, b], { redact: 'none' }, Number)).toEqual([a, b]);
  });

  it('names people and regions of one clip or another, in per cent', () => {
    const option = {
      redact: 'people',
      keep: ['bb,2'],
      region: ['aa,10,20,30,40', 'bb,0,0,100,100,21000,22000'],
    } as const;
    expect(withRedaction([a, b], option, Number)).toEqual([
      { ...a, redact: { fill: 'people', keep: [], regions: [{ x: 0.1, y: 0.2, w: 0.3, h: 0.4 }], masks: true } },
      {
        ...b,
        redact: {
          fill: 'people',
          keep: [2],
          regions: [{ x: 0, y: 0, w: 1, h: 1, fromMs: 21_000, toMs: 22_000 }],
          masks: true,
        },
      },
    ]);
    expect(withRedaction([a], { region: ['0,0,5,5'] }, Number)[0]?.redact).toMatchObject({
      fill: 'none',
      masks: false,
    });
    // The first digits of an id will do, and a bare number is never taken for them.
    const [c, d] = [
      { ...a, clipId: '2a' },
      { ...b, clipId: '3b' },
    ];
    const short = withRedaction([c, d], { redact: 'people', keep: ['3,2'], region: ['2,1,2,3,4'] }, Number);
    expect(short.map(({ redact }) => [redact?.keep, redact?.regions?.length])).toEqual([[[], 1], [[2], 0]]); // biome-ignore format: a pair each
    expect(withRedaction([c], { redact: 'people', keep: ['2'] }, Number)[0]?.redact?.keep).toEqual([2]);
    expect(withRedaction([a], { redact: 'masks' }, Number)[0]?.redact).toMatchObject({ fill: 'none', masks: true });
  });

  it('refuses what it cannot read, each with its own code', () => {
    const told =
      (option: Parameters<typeof withRedaction>[1], of = [a]) =>
      () =>
        withRedaction(of, option, Number);
    expect(told({ redact: 'people', keep: ['1'] }, [a, b])).toThrow(code('requests/which-clip'));
    expect(told({ redact: 'people', keep: ['x'] })).toThrow(code('requests/bad-person'));
    expect(told({ redact: 'moving', keep: ['1'] })).toThrow(code('requests/keep-without-people'));
    for (const region of ['1,2,3', '1,2,0,4', '1,2,300,4', ',2,3,4', '1,2,3,4,5', '1,2,3,4,6,5'])
      expect(told({ region: [region] })).toThrow(code('requests/bad-region'));
  });
});

it('shows who was found and what to look at', () => {
  const found = { clipId: 'aa', widthPx: 640, heightPx: 360, startMs: 0, pictureCount: 10 };
  const places = [{ atMs: 0, x: 100_000, y: 200_000, w: 100_000, h: 400_000 }];
  const people = [{ id: 3, fromMs: 0, toMs: 1000, score: 0.81, places }];
  const lines = peopleLines({ ...found, people, unsure: [{ fromMs: 0, toMs: 500 }] });
  expect(lines[0]).toMatch(/^ {2}3 .*around 15 % from the left, 40 % from the top {2}\(sure: 81 %\)$/);
  expect(lines[1]).toMatch(/look yourself/);
  expect(peopleLines({ ...found, people: [], unsure: [] })).toEqual(['Nobody was found.']);
  expect(peopleLines({ ...found, noModel: 'person/model-missing', people: [], unsure: [] })[0]).toMatch(
    /cannot be used/,
  );
});
