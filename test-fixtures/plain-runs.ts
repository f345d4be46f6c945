/** Whether a disk image holds a piece of something that should never have reached it, at whatever offset. */

/** Of the plaintext, at places divisible by this. A run of 32 bytes in common holds at least one such block whole. */
const blockBytes = 16;
const runBytes = 32;
/** Zeros, flat areas and tables of a few values are everywhere, and tell nothing. */
const leastValues = 5;
const [slotBits, filterBits] = [23, 26];

export class PlainRuns {
  readonly #plain: Buffer;
  /** Place of a block plus one, by its hash; the next slot where one is taken. */
  readonly #slots = new Uint32Array(1 << slotBits);
  /** By the first eight bytes: nearly everything ends here. */
  readonly #filter = new Uint32Array(1 << (filterBits - 5));
  #count = 0;

  constructor(plain: readonly Uint8Array[]) {
    this.#plain = Buffer.concat(plain);
    for (let at = 0; at + blockBytes <= this.#plain.length; at += blockBytes) this.#add(at);
  }

  get blockCount(): number {
    return this.#count;
  }

  #add(at: number): void {
    const block = this.#plain.subarray(at, at + blockBytes);
    if (new Set(block).size < leastValues) return;
    const bit = mix(block.readInt32LE(0), block.readInt32LE(4)) >>> (32 - filterBits);
    this.#filter[bit >>> 5] = (this.#filter[bit >>> 5] ?? 0) | (1 << (bit & 31));
    for (let slot = slotOf(block, 0); ; slot = (slot + 1) & (this.#slots.length - 1)) {
      const taken = this.#slots[slot] ?? 0;
      if (taken > 0 && this.#same(taken - 1, block, 0)) return;
      if (taken > 0) continue;
      this.#slots[slot] = at + 1;
      this.#count += 1;
      if (this.#count > this.#slots.length / 2) throw new Error('too much plaintext to look for');
      return;
    }
  }

  #same(place: number, bytes: Buffer, at: number): boolean {
    return this.#plain.compare(bytes, at, at + blockBytes, place, place + blockBytes) === 0;
  }

  /** Offsets in the image of the first few runs of at least 32 bytes that are also in the plaintext. */
  findIn(image: Buffer, most = 5): number[] {
    const found: number[] = [];
    let [first, second] = [0, 0];
    for (let end = 0; end < image.length && found.length < most; end++) {
      first = (first >>> 8) | (second << 24);
      second = (second >>> 8) | ((image[end] ?? 0) << 24);
      const bit = mix(first, second) >>> (32 - filterBits);
      if ((((this.#filter[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 0) continue;
      const run = this.#runAround(image, end - 7);
      if (run === undefined) continue;
      found.push(run.from);
      end = Math.max(end, run.to);
    }
    return found;
  }

  #runAround(image: Buffer, at: number): { from: number; to: number } | undefined {
    if (at < 0 || at + blockBytes > image.length) return undefined;
    for (let slot = slotOf(image, at); ; slot = (slot + 1) & (this.#slots.length - 1)) {
      const taken = this.#slots[slot] ?? 0;
      if (taken === 0) return undefined;
      if (!this.#same(taken - 1, image, at)) continue;
      const plain = this.#plain;
      let [from, to] = [0, blockBytes];
      while (at + from > 0 && taken - 1 + from > 0 && image[at + from - 1] === plain[taken - 2 + from]) from--;
      while (at + to < image.length && image[at + to] === plain[taken - 1 + to] && taken - 1 + to < plain.length) to++;
      return to - from >= runBytes ? { from: at + from, to: at + to } : undefined;
    }
  }
}

const mix = (first: number, second: number): number => {
  const mixed = Math.imul(first ^ Math.imul(second, 0x85ebca6b), 0x9e3779b1);
  return Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35);
};

const slotOf = (bytes: Buffer, at: number): number =>
  (mix(
    mix(bytes.readInt32LE(at), bytes.readInt32LE(at + 4)),
    mix(bytes.readInt32LE(at + 8), bytes.readInt32LE(at + 12)),
  ) >>>
    (32 - slotBits)) |
  0;
