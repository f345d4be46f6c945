import { AgentError } from '../../base/errors.ts';

/**
 * Splits a fragmented MP4 byte stream (ISO/IEC 14496-12), as it comes, into the initialisation segment (ftyp + moov) and
 * fragments (moof + mdat). The sizes in it come from a child that read a stranger's video: each is checked before use.
 */
export interface BoxSink {
  onInit(bytes: Uint8Array): void;
  /** `mdatOffset`: where the mdat box starts in `bytes`. */
  onFragment(bytes: Uint8Array, mdatOffset: number): void;
}

export interface BoxLimits {
  readonly initBytes: number;
  readonly moofBytes: number;
  readonly mdatBytes: number;
}

const defaultLimits: BoxLimits = { initBytes: 1 << 20, moofBytes: 1 << 20, mdatBytes: 32 << 20 };
const ignoredBytes = 1 << 20;
const ignored = new Set(['styp', 'sidx', 'prft', 'emsg', 'free', 'skip', 'mfra']);

interface BoxHeader {
  readonly type: string;
  readonly sizeBytes: number;
}

export class BoxSplitter {
  readonly #sink: BoxSink;
  readonly #limits: BoxLimits;
  #chunks: Buffer[] = [];
  #bufferedBytes = 0;
  #header: BoxHeader | undefined;
  /** Bytes at the head of the buffer that are the ftyp or moof waiting for its partner. */
  #firstBytes = 0;
  #firstType = '';
  #initSeen = false;

  constructor(sink: BoxSink, limits: BoxLimits = defaultLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /** Bytes of an unfinished box: what a cut-off stream has lost. */
  get pendingBytes(): number {
    return this.#bufferedBytes;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#bufferedBytes += chunk.byteLength;
    for (;;) {
      this.#header ??= this.#readHeader();
      if (this.#header === undefined || this.#bufferedBytes < this.#firstBytes + this.#header.sizeBytes) return;
      const header = this.#header;
      this.#header = undefined;
      this.#finishBox(header);
    }
  }

  #finishBox({ type, sizeBytes }: BoxHeader): void {
    if (ignored.has(type)) {
      this.#take(sizeBytes);
    } else if (type === 'ftyp' || type === 'moof') {
      this.#firstType = type;
      this.#firstBytes = sizeBytes;
    } else {
      const mdatOffset = this.#firstBytes;
      this.#firstType = '';
      this.#firstBytes = 0;
      const bytes = this.#take(mdatOffset + sizeBytes);
      if (type === 'mdat') return this.#sink.onFragment(bytes, mdatOffset);
      this.#initSeen = true;
      this.#sink.onInit(bytes);
    }
  }

  #readHeader(): BoxHeader | undefined {
    const start = this.#firstBytes;
    if (this.#bufferedBytes < start + 8) return undefined;
    const head = this.#peek(start, 16);
    const type = head.toString('latin1', 4, 8);
    let sizeBytes = head.readUInt32BE(0);
    if (sizeBytes === 1) {
      if (head.length < 16) return undefined;
      sizeBytes = Number(head.readBigUInt64BE(8));
      if (sizeBytes < 16) throw badStream('a box is shorter than its own header');
    } else if (sizeBytes < 8) {
      throw badStream('a box is shorter than its own header');
    }
    this.#checkOrder(type);
    if (sizeBytes > this.#limitOf(type)) throw badStream('a box is larger than allowed');
    return { type, sizeBytes };
  }

  #checkOrder(type: string): void {
    const wanted = this.#firstType === 'ftyp' ? 'moov' : this.#firstType === 'moof' ? 'mdat' : undefined;
    const known =
      wanted === undefined
        ? this.#initSeen
          ? type === 'moof' || ignored.has(type)
          : type === 'ftyp'
        : type === wanted;
    if (!known) throw badStream('its boxes are not those of a fragmented MP4');
  }

  #limitOf(type: string): number {
    if (type === 'mdat') return this.#limits.mdatBytes;
    if (type === 'moof') return this.#limits.moofBytes;
    return type === 'ftyp' || type === 'moov' ? this.#limits.initBytes : ignoredBytes;
  }

  #peek(from: number, countBytes: number): Buffer {
    const parts: Buffer[] = [];
    let skip = from;
    let want = countBytes;
    for (const chunk of this.#chunks) {
      if (want === 0) break;
      if (skip >= chunk.length) {
        skip -= chunk.length;
        continue;
      }
      const part = chunk.subarray(skip, skip + want);
      skip = 0;
      want -= part.length;
      parts.push(part);
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** Copies into memory of its own: a view would keep a whole pipe chunk alive for a small fragment. */
  #take(countBytes: number): Buffer {
    const out = Buffer.allocUnsafeSlow(countBytes);
    let at = 0;
    while (at < countBytes) {
      const chunk = this.#chunks[0] as Buffer;
      const used = chunk.copy(out, at, 0, Math.min(chunk.length, countBytes - at));
      at += used;
      if (used === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(used);
    }
    this.#bufferedBytes -= countBytes;
    return out;
  }
}

export function badStream(why: string): AgentError {
  return new AgentError('corrupt', 'capture/bad-stream', `Cannot read the video: ${why}`);
}
