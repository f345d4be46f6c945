import { badStream } from './box-splitter.ts';

/** A read-only view of one box's payload. Every read is checked against its end; reading past it is a bad stream. */
export class BoxView {
  readonly #bytes: DataView;
  readonly #endByte: number;
  #atByte: number;

  constructor(bytes: DataView, startByte: number, endByte: number) {
    this.#bytes = bytes;
    this.#atByte = startByte;
    this.#endByte = endByte;
  }

  static of(bytes: Uint8Array, startByte = 0, endByte = bytes.byteLength): BoxView {
    return new BoxView(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), startByte, endByte);
  }

  get leftBytes(): number {
    return this.#endByte - this.#atByte;
  }

  skip(countBytes: number): this {
    if (countBytes > this.leftBytes) throw badStream('a box ends too early');
    this.#atByte += countBytes;
    return this;
  }

  u8(): number {
    this.skip(1);
    return this.#bytes.getUint8(this.#atByte - 1);
  }

  u16(): number {
    this.skip(2);
    return this.#bytes.getUint16(this.#atByte - 2);
  }

  u32(): number {
    this.skip(4);
    return this.#bytes.getUint32(this.#atByte - 4);
  }

  i32(): number {
    this.skip(4);
    return this.#bytes.getInt32(this.#atByte - 4);
  }

  /** Signed, because a stream's first decoding time can lie before its zero. */
  i64(): number {
    this.skip(8);
    const value = Number(this.#bytes.getBigInt64(this.#atByte - 8));
    if (!Number.isSafeInteger(value)) throw badStream('a time is out of range');
    return value;
  }

  /** Version and flags of a full box. */
  versionAndFlags(): { readonly version: number; readonly flags: number } {
    const word = this.u32();
    return { version: word >>> 24, flags: word & 0xffffff };
  }

  /** The child boxes from here to the end; the view itself stays where it is. */
  *boxes(): Generator<{ readonly type: string; readonly view: BoxView }> {
    const rest = new BoxView(this.#bytes, this.#atByte, this.#endByte);
    while (rest.leftBytes > 0) {
      const sizeBytes = rest.u32();
      const type = String.fromCharCode(rest.u8(), rest.u8(), rest.u8(), rest.u8());
      if (sizeBytes < 8) throw badStream('a box is shorter than its own header');
      const startByte = rest.atByte;
      rest.skip(sizeBytes - 8);
      yield { type, view: new BoxView(this.#bytes, startByte, rest.atByte) };
    }
  }

  /** The only child of this type. More than one is refused: which of them a player would follow is not ours to guess. */
  child(type: string): BoxView {
    const found = [...this.boxes()].filter((box) => box.type === type);
    if (found.length > 1) throw badStream(`it has more than one ${type} box`);
    if (found[0] === undefined) throw badStream(`it has no ${type} box`);
    return found[0].view;
  }

  /** Where the view stands, counted from the start of the bytes it was made of. */
  get atByte(): number {
    return this.#atByte;
  }
}
