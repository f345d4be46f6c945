import { describe, expect, it } from 'vitest';
import {
  generatePassphrase,
  normalisePassphrase,
  passphraseProblem,
  passphraseWordList,
  wordCount,
} from './passphrase.ts';

describe('the words', () => {
  const list = passphraseWordList();

  it('are 7776, of five letters, and never differ in one letter only', () => {
    expect(list.length).toBe(wordCount);
    expect(new Set(list).size).toBe(wordCount);
    // Equal lengths: an edit distance of 1 could only be one replaced letter, so no two may agree in any four places.
    for (let hole = 0; hole < 5; hole++) {
      const seen = new Set(list.map((word) => `${word.slice(0, hole)}_${word.slice(hole + 1)}`));
      expect(seen.size).toBe(wordCount);
    }
    for (const word of list)
      expect(word).toMatch(/^[bcdfghjklmnprstvwz][aeiou][bcdfghjklmnprstvwz][aeiou][bcdfghjklmnprstvwz]$/);
  });

  it('stay the same for ever: a passphrase on paper must not change its meaning', () => {
    expect([list[0], list[1], list[1000], list[7775]]).toEqual(['babab', 'babez', 'demud', 'zubav']);
  });
});

describe('a passphrase', () => {
  it('is six words chosen by the given chance', () => {
    let next = 0;
    expect(generatePassphrase((bound) => (next++ * 1000) % bound)).toBe(
      [0, 1000, 2000, 3000, 4000, 5000].map((i) => passphraseWordList()[i]).join('-'),
    );
    const generated = generatePassphrase();
    expect(passphraseProblem(generated)).toBeUndefined();
    expect(generatePassphrase()).not.toBe(generated);
  });

  it('is the same however it is typed', () => {
    const passphrase = generatePassphrase();
    const words = passphrase.split('-');
    for (const typed of [
      words.join(' '),
      words.join('  - '),
      words.join(''),
      `\t${passphrase.toUpperCase()}\n`,
      words.join('\u2013'),
    ]) {
      expect(normalisePassphrase(typed)).toBe(passphrase);
    }
    expect(normalisePassphrase('Some Other-phrase')).toBe('some-other-phrase');
  });

  it('says which word is misspelt', () => {
    const words = generatePassphrase().split('-');
    expect(passphraseProblem(words.with(2, `${words[2]?.slice(0, 4)}q`).join(' '))).toBe('word 3 is misspelt');
    expect(passphraseProblem(words.with(0, 'zz').with(5, 'yy').join(' '))).toBe('words 1, 6 are misspelt');
    expect(passphraseProblem(words.slice(1).join(' '))).toBe('it has 5 words instead of six');
    expect(passphraseProblem(' ')).toBe('it has 0 words instead of six');
  });
});
