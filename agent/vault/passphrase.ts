/**
 * The passphrase of six generated words: 6 × log2(7776) = 77.5 bits, so that guessing is hopeless even for who holds the
 * vault file. The words are made by rule, not taken from a list: consonant, vowel, consonant, vowel, and a last consonant
 * that is a check letter over the other four. All have five letters and any two differ in at least two of them, so one
 * wrong letter never gives another word and can be pointed out.
 */
import { randomInt } from 'node:crypto';

const consonants = 'bcdfghjklmnprstvwz';
const vowels = 'aeiou';
const wordLetters = 5;
export const wordCount = 7776;
export const passphraseWords = 6;

// Letters that no word may hold, because people would read something rude in them.
const unwanted = [
  'bic', 'bum', 'coc', 'cok', 'cum', 'dic', 'dik', 'fag', 'fuc', 'fuk', 'fut', 'jap', 'jiz', 'kok', 'kum', 'naz', 'nig', 'pak', 'pis',
  'pub', 'rap', 'sex', 'tit', 'vag', 'wog', 'boner', 'penis', 'semen',
] as const; // biome-ignore format: a list

function makeWords(): readonly string[] {
  const made: string[] = [];
  for (const a of consonants) {
    for (const b of vowels) {
      for (const c of consonants) {
        for (const d of vowels) {
          const sum = consonants.indexOf(a) + vowels.indexOf(b) + consonants.indexOf(c) + vowels.indexOf(d);
          const check = consonants[(3 * consonants.length - sum) % consonants.length];
          const word = `${a}${b}${c}${d}${check}`;
          if (!unwanted.some((letters) => word.includes(letters))) made.push(word);
        }
      }
    }
  }
  // A few more are left than are needed.
  return made.slice(0, wordCount);
}

let cached: { readonly list: readonly string[]; readonly set: ReadonlySet<string> } | undefined;

function words(): { readonly list: readonly string[]; readonly set: ReadonlySet<string> } {
  if (cached === undefined) {
    const list = makeWords();
    cached = { list, set: new Set(list) };
  }
  return cached;
}

export function passphraseWordList(): readonly string[] {
  return words().list;
}

/** Six words joined by hyphens. `random` returns an integer in [0, bound). */
export function generatePassphrase(random: (bound: number) => number = randomInt): string {
  return Array.from({ length: passphraseWords }, () => words().list[random(wordCount)]).join('-');
}

/** What is handed to the key derivation: case, spaces and hyphens as typed don't matter, missing ones between words neither. */
export function normalisePassphrase(typed: string): string {
  const parts = typed.normalize('NFKC').toLowerCase().split(/[\s\p{Pd}_.,]+/u).filter((part) => part !== ''); // biome-ignore format: one step a call
  const joined = parts.join('');
  if (/^[a-z]+$/.test(joined) && joined.length === passphraseWords * wordLetters) {
    return (joined.match(/.{5}/g) ?? []).join('-');
  }
  return parts.join('-');
}

/** Why this can't be a generated passphrase, in words for its owner; undefined if it can. */
export function passphraseProblem(typed: string): string | undefined {
  const parts = normalisePassphrase(typed).split('-');
  if (parts.length !== passphraseWords) return `it has ${parts[0] === '' ? 0 : parts.length} words instead of six`;
  const wrong = parts.flatMap((part, i) => (words().set.has(part) ? [] : [i + 1]));
  if (wrong.length === 0) return undefined;
  return wrong.length === 1 ? `word ${wrong[0]} is misspelt` : `words ${wrong.join(', ')} are misspelt`;
}
