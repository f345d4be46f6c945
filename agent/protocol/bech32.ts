/** Bech32 (BIP 173) without its length limit, as age writes its keys. Mixed case and bad checksums are refused. */

const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const;
const checksumLength = 6;

function polymod(values: readonly number[]): number {
  let check = 1;
  for (const value of values) {
    const top = check >>> 25;
    check = ((check & 0x1ffffff) << 5) ^ value;
    generators.forEach((generator, bit) => {
      if ((top >>> bit) & 1) check ^= generator;
    });
  }
  return check;
}

function expandPrefix(prefix: string): number[] {
  const codes = Array.from(prefix, (letter) => letter.charCodeAt(0));
  return [...codes.map((code) => code >>> 5), 0, ...codes.map((code) => code & 31)];
}

export function encodeBech32(prefix: string, bytes: Uint8Array): string {
  const words: number[] = [];
  let held = 0;
  let heldBits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    heldBits += 8;
    while (heldBits >= 5) {
      heldBits -= 5;
      words.push((held >>> heldBits) & 31);
    }
    held &= (1 << heldBits) - 1;
  }
  if (heldBits > 0) words.push((held << (5 - heldBits)) & 31);
  const check = polymod([...expandPrefix(prefix), ...words, 0, 0, 0, 0, 0, 0]) ^ 1;
  for (let i = 0; i < checksumLength; i += 1) words.push((check >>> (5 * (checksumLength - 1 - i))) & 31);
  return `${prefix}1${words.map((word) => alphabet.charAt(word)).join('')}`;
}

/** The bytes under `prefix` (lower case), or undefined when the text is not exactly that. */
export function decodeBech32(prefix: string, text: string): Uint8Array | undefined {
  const lower = text.toLowerCase();
  if (text !== lower && text !== text.toUpperCase()) return undefined;
  if (!lower.startsWith(`${prefix}1`)) return undefined;
  const words = Array.from(lower.slice(prefix.length + 1), (letter) => alphabet.indexOf(letter));
  if (words.includes(-1) || words.length < checksumLength) return undefined;
  if (polymod([...expandPrefix(prefix), ...words]) !== 1) return undefined;
  const bytes: number[] = [];
  let held = 0;
  let heldBits = 0;
  for (const word of words.slice(0, -checksumLength)) {
    held = (held << 5) | word;
    heldBits += 5;
    if (heldBits >= 8) {
      heldBits -= 8;
      bytes.push((held >>> heldBits) & 255);
      held &= (1 << heldBits) - 1;
    }
  }
  // Padding is shorter than a word and zero, so that one key has one spelling.
  return heldBits < 5 && held === 0 ? Uint8Array.from(bytes) : undefined;
}
