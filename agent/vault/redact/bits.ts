/** Bits of an H.264 unit (ITU-T H.264, 7.2, 7.4.1 and 9.1): read, written, and freed of the bytes that keep start codes out. Pure. */
import { damaged } from '../boxes.ts';

/** Without emulation prevention bytes. */
export function unescapeUnit(unit: Uint8Array): Buffer {
  const out = Buffer.alloc(unit.length);
  let [length, zeros] = [0, 0];
  for (const byte of unit) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[length++] = byte;
  }
  return out.subarray(0, length);
}

export function escapeUnit(bytes: Uint8Array): Buffer {
  const out = Buffer.alloc(Math.ceil(bytes.length * 1.5) + 1);
  let [length, zeros] = [0, 0];
  for (const byte of bytes) {
    if (zeros >= 2 && byte <= 3) {
      out[length++] = 3;
      zeros = 0;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[length++] = byte;
  }
  return out.subarray(0, length);
}

/** Throws `vault/bad-movie` at the end. */
export class BitReader {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  bits(count: number): number {
    if (this.at + count > this.#bytes.length * 8) throw damaged();
    let value = 0;
    for (let i = 0; i < count; i++, this.at++)
      value = value * 2 + (((this.#bytes[this.at >> 3] ?? 0) >> (7 - (this.at & 7))) & 1);
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** Exp-Golomb, without sign. Whether it stands for one with a sign does not matter to who only passes over it. */
  code(): number {
    let zeros = 0;
    while (!this.flag()) if (++zeros > 31) throw damaged();
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  codes(count: number): void {
    for (let i = 0; i < count; i++) this.code();
  }
}

export class BitWriter {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(capacityBytes: number) {
    this.#bytes = Buffer.alloc(capacityBytes);
  }

  /** At most 24 bits. */
  put(value: number, count: number): void {
    for (let left = count; left > 0; ) {
      const room = 8 - (this.#at & 7);
      const taken = Math.min(room, left);
      const piece = (value >> (left - taken)) & ((1 << taken) - 1);
      const index = this.#at >> 3;
      this.#bytes[index] = (this.#bytes[index] ?? 0) | (piece << (room - taken));
      this.#at += taken;
      left -= taken;
    }
  }

  /** Below 255. */
  putCode(value: number): void {
    const length = 32 - Math.clz32(value + 1);
    this.put(value + 1, 2 * length - 1);
  }

  copy(bytes: Uint8Array, from: number, to: number): void {
    const reader = new BitReader(bytes, from);
    while (reader.at < to) {
      const count = Math.min(to - reader.at, reader.at % 8 === 0 ? 8 : 8 - (reader.at % 8));
      this.put(reader.at % 8 === 0 && count === 8 ? this.#next(bytes, reader) : reader.bits(count), count);
    }
  }

  #next(bytes: Uint8Array, reader: BitReader): number {
    const value = bytes[reader.at >> 3] ?? 0;
    reader.at += 8;
    return value;
  }

  /** Fills the last byte up with this bit. */
  align(bit: 0 | 1): void {
    while (this.#at % 8 !== 0) this.put(bit, 1);
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, Math.ceil(this.#at / 8));
  }
}
