import { badStream } from './box-splitter.ts';
import { BoxView } from './box-view.ts';
import { readTrack, type StreamTrack } from './init-reader.ts';

/**
 * Sound is a second output of process A, with fragments of its own, so that video can be kept, shared and proved without
 * it. What a camera sends is known only by trying: it is copied if a browser can play it, else encoded, else left out.
 */
export type SoundPlan = 'none' | 'copy' | 'encode';

const fragmentUs = 500_000;
/** The video's track has the id 1: with another one both can stand in one file, byte for byte. */
const trackId = 2;

/** ffmpeg's arguments for the output on descriptor 3; `input` is the input that has the sound. */
export function soundOutput(plan: SoundPlan, timeOffsetS: number): string[] {
  if (plan === 'none') return [];
  const codec = plan === 'copy' ? ['-c:a', 'copy'] : ['-c:a', 'aac', '-b:a', '48k', '-ac', '1'];
  return [
    ['-map', '0:a:0', '-vn', '-sn', '-dn', ...codec, '-map_metadata', '-1', '-fflags', '+bitexact'],
    ['-avoid_negative_ts', 'disabled', '-output_ts_offset', String(timeOffsetS)],
    ['-movflags', '+empty_moov+default_base_moof+frag_discont', '-frag_duration', String(fragmentUs)],
    ['-flush_packets', '1', '-f', 'mp4', 'pipe:3'],
  ].flat();
}

export interface SoundInit extends StreamTrack {
  readonly bytes: Uint8Array;
  /** RFC 6381; undefined for what browsers can't play. */
  readonly codec: string | undefined;
}

/** Reads ftyp + moov of the sound and gives its track the id that is ours in the copy that is returned. */
export function readSoundInit(received: Uint8Array): SoundInit {
  const bytes = received.slice();
  const moov = BoxView.of(bytes).child('moov');
  const tkhd = moov.child('trak').child('tkhd');
  tkhd.skip(tkhd.versionAndFlags().version === 1 ? 16 : 8);
  writeTrackId(bytes, tkhd);
  writeTrackId(bytes, moov.child('mvex').child('trex').skip(4));
  const { track, stsd } = readTrack(bytes);
  const [entry] = [...stsd.boxes()];
  if (entry === undefined) throw badStream('its sound has no sample entry');
  return { bytes, ...track, codec: soundCodec(entry.type, entry.view) };
}

/** The same for a fragment, in place: ffmpeg's option for it leaves half of the ids as they were. */
export function renumberSound(fragment: Uint8Array, mdatOffset: number): void {
  const traf = BoxView.of(fragment, 0, mdatOffset).child('moof').child('traf');
  writeTrackId(fragment, traf.child('tfhd').skip(4));
}

function writeTrackId(bytes: Uint8Array, view: BoxView): void {
  const atByte = view.atByte;
  view.skip(4);
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).writeUInt32BE(trackId, atByte);
}

function soundCodec(type: string, entry: BoxView): string | undefined {
  if (type === 'Opus') return 'opus';
  if (type !== 'mp4a') return undefined;
  // AudioSampleEntry, ISO/IEC 14496-12, 12.2.3: 28 bytes before its boxes.
  const esds = entry.skip(28).child('esds');
  esds.versionAndFlags();
  const es = descriptor(esds, 3).skip(2);
  const flags = es.u8();
  if (flags & 0x80) es.skip(2);
  if (flags & 0x40) es.skip(es.u8());
  if (flags & 0x20) es.skip(2);
  const config = descriptor(es, 4);
  if (config.u8() !== 0x40) return undefined;
  const first = descriptor(config.skip(12), 5).u8();
  const objectType = first >>> 3;
  return objectType === 0 || objectType === 31 ? undefined : `mp4a.40.${objectType}`;
}

/** A descriptor of ISO/IEC 14496-1, 8.3.3: tag, size in groups of seven bits, payload. */
function descriptor(view: BoxView, tag: number): BoxView {
  if (view.u8() !== tag) throw badStream('the description of its sound is malformed');
  for (let count = 0; count < 4; count++) if ((view.u8() & 0x80) === 0) break;
  return view;
}
