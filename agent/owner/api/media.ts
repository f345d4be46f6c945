/** One file out of memory with HTTP ranges (RFC 9110, 14): what a `<video>` needs to seek. One range at a time. */
import { AgentError } from '../../base/errors.ts';

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
  readonly body: Buffer;
}

export function mediaAnswer(bytes: Uint8Array, rangeHeader: string | undefined): MediaAnswer {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const range = parseRange(rangeHeader, whole.length);
  const headers = { 'content-type': 'video/mp4', 'accept-ranges': 'bytes' };
  if (range === undefined) return { status: 200, headers, body: whole };
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${range.from}-${range.to}/${whole.length}` },
    body: whole.subarray(range.from, range.to + 1),
  };
}
