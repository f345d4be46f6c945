/** Opened segments that were just read, so that seeking in a video does not open them again. Bounded, and wiped when they go. */

const maxBytes = 16 << 20;

export class SegmentCache {
  readonly #opened = new Map<string, Buffer>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(max = maxBytes) {
    this.#maxBytes = max;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Never handed on as it is: what a caller keeps must not change when its place is wiped. */
  read(key: string, from: number, to: number, open: () => Buffer): Buffer {
    const opened = this.#opened.get(key) ?? open();
    this.#opened.delete(key);
    this.#opened.set(key, opened);
    const part = Buffer.from(opened.subarray(from, to));
    this.#bytes = [...this.#opened.values()].reduce((sum, each) => sum + each.length, 0);
    for (const [oldest, bytes] of this.#opened) {
      if (this.#bytes <= this.#maxBytes) break;
      bytes.fill(0);
      this.#bytes -= bytes.length;
      this.#opened.delete(oldest);
    }
    return part;
  }

  wipe(): void {
    for (const bytes of this.#opened.values()) bytes.fill(0);
    this.#opened.clear();
    this.#bytes = 0;
  }
}
