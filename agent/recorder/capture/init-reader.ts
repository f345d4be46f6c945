import { badStream } from './box-splitter.ts';
import { BoxView } from './box-view.ts';

/** What reading fragments needs to know of a stream's one track. */
export interface StreamTrack {
  /** Units a second of all times in the fragments. */
  readonly timescale: number;
  readonly trackId: number;
  readonly defaults: SampleDefaults;
}

/** What the initialisation segment says about the one video track of a stream. */
export interface StreamInit extends StreamTrack {
  readonly bytes: Uint8Array;
  /** RFC 6381. */
  readonly codec: string;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** The trex box: what a sample is when its fragment doesn't say. */
export interface SampleDefaults {
  readonly duration: number;
  readonly sizeBytes: number;
  readonly flags: number;
}

const maxSidePx = 16_384;

/**
 * Reads ftyp + moov. A `hev1` entry is renamed to `hvc1` in the copy that is returned: ffmpeg puts the complete parameter
 * sets into hvcC, which is what hvc1 promises, and Apple's players refuse hev1.
 */
export function readInit(received: Uint8Array): StreamInit {
  const bytes = received.slice();
  const { track, stsd } = readTrack(bytes);
  return { bytes, ...track, ...readSampleEntry(bytes, stsd) };
}

/** The one track of ftyp + moov, and its sample descriptions from their first entry on. */
export function readTrack(bytes: Uint8Array): { readonly track: StreamTrack; readonly stsd: BoxView } {
  const moov = BoxView.of(bytes).child('moov');
  const trak = moov.child('trak');
  const media = trak.child('mdia');
  const timescale = readTimescale(media.child('mdhd'));
  const trackId = readTrackId(trak.child('tkhd'));
  const defaults = readDefaults(moov.child('mvex').child('trex'));
  const stsd = media.child('minf').child('stbl').child('stsd');
  stsd.versionAndFlags();
  if (stsd.u32() !== 1) throw badStream('it has not exactly one sample entry');
  return { track: { timescale, trackId, defaults }, stsd };
}

function readTimescale(mdhd: BoxView): number {
  const { version } = mdhd.versionAndFlags();
  const timescale = mdhd.skip(version === 1 ? 16 : 8).u32();
  if (timescale === 0) throw badStream('its time unit is zero');
  return timescale;
}

function readTrackId(tkhd: BoxView): number {
  const { version } = tkhd.versionAndFlags();
  return tkhd.skip(version === 1 ? 16 : 8).u32();
}

function readDefaults(trex: BoxView): SampleDefaults {
  trex.skip(12);
  return { duration: trex.u32(), sizeBytes: trex.u32(), flags: trex.u32() };
}

function readSampleEntry(bytes: Uint8Array, stsd: BoxView): { widthPx: number; heightPx: number; codec: string } {
  const typeByte = stsd.atByte + 4;
  const [entry] = [...stsd.boxes()];
  if (entry === undefined) throw badStream('it has no sample entry');
  const view = entry.view;
  const widthPx = view.skip(24).u16();
  const heightPx = view.u16();
  if (widthPx === 0 || heightPx === 0 || widthPx > maxSidePx || heightPx > maxSidePx) {
    throw badStream('its picture size is out of range');
  }
  view.skip(50);
  if (entry.type === 'hev1') bytes.set(Buffer.from('hvc1', 'latin1'), typeByte);
  return { widthPx, heightPx, codec: readCodec(entry.type, view) };
}

function readCodec(entryType: string, entry: BoxView): string {
  switch (entryType) {
    case 'avc1':
      return avcCodec(entry.child('avcC'));
    case 'hvc1':
    case 'hev1':
      return hevcCodec(entry.child('hvcC'));
    case 'raw ':
    case 'I420':
      return entryType;
    default:
      throw badStream('its codec is neither H.264 nor H.265');
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(2, '0');
}

/** RFC 6381, 3.3: profile, constraints and level as they stand in avcC. */
function avcCodec(avcC: BoxView): string {
  avcC.skip(1);
  return `avc1.${hex(avcC.u8())}${hex(avcC.u8())}${hex(avcC.u8())}`;
}

/** ISO/IEC 14496-15, annex E.3: profile, compatibility bits in reverse, tier and level, constraint bytes without the empty tail. */
function hevcCodec(hvcC: BoxView): string {
  hvcC.skip(1);
  const profile = hvcC.u8();
  const space = ['', 'A', 'B', 'C'][profile >>> 6] ?? '';
  const compatibility = hvcC.u32();
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed = (reversed * 2 + ((compatibility >>> bit) & 1)) >>> 0;
  const constraints = Array.from({ length: 6 }, () => hvcC.u8());
  while (constraints.at(-1) === 0) constraints.pop();
  const tier = (profile & 0x20) === 0 ? 'L' : 'H';
  const parts = [`${space}${profile & 0x1f}`, reversed.toString(16), `${tier}${hvcC.u8()}`];
  return `hvc1.${[...parts, ...constraints.map((byte) => byte.toString(16))].join('.')}`;
}
