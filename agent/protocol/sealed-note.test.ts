import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateIdentity, parseIdentity } from './age-file.ts';
import { noteBytes, openNote, sealNote } from './sealed-note.ts';

const owner = generateIdentity();
const identity = parseIdentity(owner.identity);

describe('sealed notes', () => {
  it('have one size and come back as they were', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const sealed = sealNote(owner.recipient, text);
        expect(sealed).toHaveLength(noteBytes);
        expect(openNote(sealed, identity)).toBe(Buffer.from(text, 'utf8').toString('utf8'));
      }),
      { numRuns: 50 },
    );
    expect(sealNote(owner.recipient, 'x'.repeat(4000), 4096)).toHaveLength(4096);
    expect(() => sealNote(owner.recipient, 'x'.repeat(207))).toThrow(RangeError);
  });

  it('never look alike for the same text', () => {
    const a = sealNote(owner.recipient, 'declined');
    const b = sealNote(owner.recipient, 'declined');
    expect(Buffer.compare(Buffer.from(a), Buffer.from(b))).not.toBe(0);
  });

  it('refuse another owner, any flipped byte and any cut', () => {
    const sealed = sealNote(owner.recipient, 'declined');
    expect(() => openNote(sealed, parseIdentity(generateIdentity().identity))).toThrow(/damaged/);
    for (let at = 0; at < sealed.length; at += 7) {
      const bad = Uint8Array.from(sealed);
      bad[at] = (bad[at] ?? 0) ^ 1;
      expect(() => openNote(bad, identity)).toThrow(expect.objectContaining({ code: 'note/damaged' }));
    }
    for (const size of [0, 16, 47, 255]) expect(() => openNote(sealed.subarray(0, size), identity)).toThrow(/damaged/);
  });
});
