/** One file with HTTP ranges (RFC 9110, 14), piece by piece: what a `<video>` needs to seek. One range at a time. */
import { Readable } from 'node:stream';
import { AgentError } from '../../base/errors.ts';
import type { MediaPiece, PieceRange } from '../service.ts';

export interface ByteRange {
  readonly from: number;
  /** Inclusive, as in the header. */
  readonly to: number;
}

/** Undefined means "the whole file"; a range outside it throws `api/bad-range`. Forms not understood are ignored. */
export function parseRange(header: string | undefined, totalBytes: number): ByteRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return undefined;
  const from = first === '' ? Math.max(0, totalBytes - Number(last)) : Number(first);
  const to = first === '' || last === '' ? totalBytes - 1 : Math.min(Number(last), totalBytes - 1);
  if (from >= totalBytes || (first === '' && Number(last) === 0)) {
    throw new AgentError('usage', 'api/bad-range', 'Cannot send this part of the video: it is beyond its end');
  }
  return from > to ? undefined : { from, to };
}

export interface MediaAnswer {
  readonly status: 200 | 206;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

export type LoadPiece = (range: PieceRange) => Promise<MediaPiece>;

/** What one request of a browser holds in memory. */
const pieceBytes = 512 * 1024;

/** The first piece is there before anything is answered, so that what can't be read is refused rather than cut short. */
export async function mediaAnswer(load: LoadPiece, rangeHeader: string | undefined): Promise<MediaAnswer> {
  const { totalBytes } = await load({ offset: 0, length: 0 });
  const range = parseRange(rangeHeader, totalBytes);
  const { from, to } = range ?? { from: 0, to: totalBytes - 1 };
  const lengthOf = (offset: number): number => Math.min(pieceBytes, to + 1 - offset);
  const first = await load({ offset: from, length: lengthOf(from) });
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield first.bytes;
    for (let offset = from + first.bytes.length; offset <= to; ) {
      const { bytes } = await load({ offset, length: lengthOf(offset) });
      if (bytes.length === 0)
        throw new AgentError('corrupt', 'api/media-short', 'Cannot go on: the video ends too early');
      yield bytes;
      offset += bytes.length;
    }
  }
  const headers = {
    'content-type': 'video/mp4',
    'accept-ranges': 'bytes',
    'content-length': String(to + 1 - from),
    ...(range === undefined ? {} : { 'content-range': `bytes ${from}-${to}/${totalBytes}` }),
  };
  return { status: range === undefined ? 200 : 206, headers, body: Readable.from(pieces(), { objectMode: false }) };
}
