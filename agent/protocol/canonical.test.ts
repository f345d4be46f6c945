import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalBytes, maxPayloadBytes, parseDocumentBytes } from './canonical.ts';

function codeOf(text: string | Uint8Array): string {
  try {
    parseDocumentBytes(typeof text === 'string' ? Buffer.from(text) : text, (value) => value);
    return 'read';
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? String(thrown);
  }
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('document bytes', () => {
  const cases: [string, string | Uint8Array, string][] = [
    ['an object', '{"a":1,"b":["ü",null,true]}', 'read'],
    ['the largest size', `"${'a'.repeat(maxPayloadBytes - 2)}"`, 'read'],
    ['a byte more', `"${'a'.repeat(maxPayloadBytes - 1)}"`, 'payload/too-large'],
    ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'payload/not-utf8'],
    ['an encoded surrogate', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), 'payload/not-utf8'],
    ['a byte order mark', '\ufeff{}', 'payload/not-json'],
    ['depth 8', nested(8), 'read'],
    ['depth 9', nested(9), 'payload/too-deep'],
    ['brackets inside a string', '"[[[[[[[[[[\\"[["', 'read'],
    ['nothing', '', 'payload/not-json'],
    ['two values', '{}{}', 'payload/not-json'],
    ['white space', '{ "a":1}', 'payload/not-canonical'],
    ['a final newline', '{}\n', 'payload/not-canonical'],
    ['duplicate keys', '{"a":1,"a":1}', 'payload/not-canonical'],
    ['keys out of order', '{"b":1,"a":1}', 'payload/not-canonical'],
    ['1.0', '[1.0]', 'payload/not-canonical'],
    ['-0', '[-0]', 'payload/not-canonical'],
    ['1e3', '[1e3]', 'payload/not-canonical'],
    ['an escaped letter', '"\\u0061"', 'payload/not-canonical'],
    ['a lone surrogate', '"\\ud800"', 'payload/not-canonical'],
    ['a number that rounds', '[9007199254740993]', 'payload/not-canonical'],
    ['2^53 - 1', '[9007199254740991]', 'read'],
    ['2^53', '[9007199254740992]', 'payload/not-an-integer'],
    ['a fraction', '[0.5]', 'payload/not-an-integer'],
    ['1e+21', '[1e+21]', 'payload/not-an-integer'],
    ['a key __proto__', '{"__proto__":{}}', 'payload/proto-key'],
    ['a decomposed letter', '"e\u0301"', 'payload/not-nfc'],
    ['a newline', '"a\\nb"', 'payload/forbidden-character'],
    ['a bidi override', '"\u202egnp.exe"', 'payload/forbidden-character'],
    ['an isolate in a key', '{"a\u2066":1}', 'payload/forbidden-character'],
    ['a zero width space', '"a\u200bb"', 'payload/forbidden-character'],
    ['a C1 control', '"\u0085"', 'payload/forbidden-character'],
  ];
  it.each(cases)('%s', (_name, text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  it('come back from every value of the model', () => {
    const leaf = fc.oneof(fc.constant(null), fc.boolean(), fc.maxSafeInteger(), fc.stringMatching(/^[a-z ÄÖ]*$/));
    const value = fc.oneof(leaf, fc.array(leaf), fc.dictionary(fc.stringMatching(/^[a-z]+$/), fc.array(leaf)));
    fc.assert(
      fc.property(value, (written) => {
        const bytes = canonicalBytes(written);
        const read = parseDocumentBytes(bytes, (v) => v);
        expect(Buffer.compare(canonicalBytes(read), bytes)).toBe(0);
      }),
    );
  });

  it('are never read from random bytes without being canonical', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const code = codeOf(bytes);
        expect(code === 'read' || code.startsWith('payload/')).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['a fraction', { a: 0.5 }],
    ['undefined', { a: undefined }],
    ['a date', { a: new Date(0) }],
    ['a lone surrogate', { a: '\ud800' }],
    ['too deep', { a: [[[[[[[[1]]]]]]]] }],
  ])('are not written for %s', (_name, value) => {
    expect(() => canonicalBytes(value)).toThrow(expect.objectContaining({ code: 'canonical/not-representable' }));
  });
});
