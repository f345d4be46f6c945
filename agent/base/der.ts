/**
 * Writes DER (X.690), only the types that a certificate needs. Nothing here reads DER: what comes from outside is read
 * by node:crypto.
 */

export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts);
  const n = value.length;
  if (n >= 0x10000) throw new RangeError('a DER value of 64 KiB or more is not written here');
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), value]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
export const octetString = (value: Uint8Array): Buffer => der(0x04, value);
export const utf8String = (text: string): Buffer => der(0x0c, Buffer.from(text, 'utf8'));
export const bool = (value: boolean): Buffer => der(0x01, Buffer.from([value ? 0xff : 0]));

/** A non-negative integer given as big-endian bytes; a leading zero keeps it positive. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const value = bytes.subarray(start);
  return der(0x02, (value[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), value]) : value);
}

export function bitString(value: Uint8Array, unusedBits = 0): Buffer {
  return der(0x03, Buffer.of(unusedBits), value);
}

/** `1.2.840.10045.4.3.2` */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return der(0x06, Buffer.from(bytes));
}

/** UTCTime before 2050 and GeneralizedTime from then on, as RFC 5280 4.1.2.5 demands; whole seconds, rounded down. */
export function time(ms: number): Buffer {
  const at = new Date(ms);
  const digits = at.toISOString().replaceAll(/\.\d{3}|[-:T]/g, '');
  return at.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}
