import { expect, test } from 'vitest';
import { AgentError } from '../base/errors.ts';
import {
  type ClosingMetadata,
  encodeClipMetadata,
  type OpeningMetadata,
  parseClosingMetadata,
  parseClosingSummary,
  parseOpeningMetadata,
  parseThumbnail,
} from './clip-metadata.ts';

const opening: OpeningMetadata = {
  v: 1,
  clip_id: 'a'.repeat(32),
  camera_id: 'front-door',
  trigger: 'person',
  run_id: 'r',
  start_ms: 1_795_000_000_000,
  clock: 'synchronised',
  wall_at_zero_ms: 1_794_999_990_000,
  codec: 'avc1.64001f',
  width_px: 1920,
  height_px: 1080,
  key: 'b'.repeat(64),
};
const fragment = {
  index: 0,
  track: 1,
  offset: 0,
  bytes: 100,
  start_ms: 1_795_000_000_000,
  duration_ms: 0,
  keyframe: true,
  salt: 'c'.repeat(32),
  sha256: 'd'.repeat(64),
};
const closing: ClosingMetadata = {
  v: 1,
  end_ms: 1_795_000_010_000,
  labels: [{ kind: 'person', from_ms: 1, to_ms: 2, score: 0.5, box: { x: 0, y: 0, w: 1, h: 1 } }],
  fragments: [fragment, { ...fragment, index: 1, offset: 100, duration_ms: 200 }],
  manifest: 'e30=',
  thumbnail: '',
};

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof AgentError) return thrown.code;
    throw thrown;
  }
  return 'none';
}

test('what is written is read back', () => {
  expect(parseOpeningMetadata(encodeClipMetadata(opening))).toEqual(opening);
  expect(parseClosingMetadata(encodeClipMetadata(closing))).toEqual(closing);
});

test.each([
  ['an unknown key', { ...opening, place: 'here' }],
  ['another version', { ...opening, v: 2 }],
  ['a short id', { ...opening, clip_id: 'ab' }],
  ['an unknown trigger', { ...opening, trigger: 'face' }],
  ['a missing key', { ...opening, key: undefined }],
])('an opening with %s is refused', (_what, value) => {
  expect(codeOf(() => parseOpeningMetadata(Buffer.from(JSON.stringify(value))))).toBe('clip/bad-metadata');
});

test.each([
  ['no fragment', { ...closing, fragments: [] }],
  ['leaves out of order', { ...closing, fragments: [...closing.fragments].toReversed() }],
  ['a gap between fragments', { ...closing, fragments: [fragment, { ...fragment, index: 1, offset: 101 }] }],
  ['a fragment named twice', { ...closing, fragments: [fragment, fragment] }],
  ['track 0', { ...closing, fragments: [{ ...fragment, track: 0 }] }],
  ['a score above 1', { ...closing, labels: [{ ...closing.labels[0], score: 1.5 }] }],
  ['a manifest that is not base64', { ...closing, manifest: '{}' }],
])('a closing with %s is refused', (_what, value) => {
  expect(codeOf(() => parseClosingMetadata(Buffer.from(JSON.stringify(value))))).toBe('clip/bad-metadata');
});

test('bytes that are too many, no JSON or no UTF-8 are refused', () => {
  const padded = Buffer.concat([encodeClipMetadata(opening), Buffer.alloc(9000, 0x20)]);
  for (const bytes of [padded, Buffer.from('{'), Buffer.from([0xff, 0xfe])]) {
    expect(codeOf(() => parseOpeningMetadata(bytes))).toBe('clip/bad-metadata');
  }
});

test('a list gets the same from any number of fragments, in any order of fields, without reading them', () => {
  const thumbnail = Buffer.from('a picture').toString('base64');
  const many = Array.from({ length: 300 }, (_, index) => ({ ...fragment, index, offset: index * 100 }));
  for (const fragments of [[fragment], closing.fragments, many]) {
    const whole = { ...closing, fragments, thumbnail };
    const { v, fragments: listed, ...rest } = whole;
    for (const written of [whole, { fragments: listed, ...rest, v }, { v, ...rest, fragments: listed }]) {
      const bytes = encodeClipMetadata(written);
      const { start_ms: startMs } = fragment;
      const expected = { startMs, endMs: closing.end_ms, labels: closing.labels, hasThumbnail: true };
      expect(parseClosingSummary(bytes)).toEqual(expected);
      expect(parseThumbnail(bytes)).toBe(thumbnail);
    }
  }
  expect(parseClosingSummary(encodeClipMetadata(closing)).hasThumbnail).toBe(false);
});

test.each<[string, string]>([
  ['no object', '[]'],
  ['no fragment', JSON.stringify({ ...closing, fragments: [] })],
  ['an unknown field', JSON.stringify({ ...closing, more: 1 })],
  ['a broken middle', JSON.stringify(closing).replace('},{', '}{')],
  ['a label that is none', JSON.stringify({ ...closing, labels: [{}] })],
  ['a picture that is none', JSON.stringify({ ...closing, thumbnail: '***' })],
])('a list is not made of metadata with %s', (_, text) => {
  const bytes = Buffer.from(text);
  expect([codeOf(() => parseClosingSummary(bytes)), codeOf(() => parseThumbnail(bytes))]).toContain(
    'clip/bad-metadata',
  );
});
