/**
 * A clip's two tracks as one fragmented MP4 (ISO/IEC 14496-12) for watching and exporting: one head that names both, then
 * the fragments of both in the order of their times, each byte for byte as it was recorded.
 */
import { boxesOf, childrenOf, damaged, joinBox, only } from './boxes.ts';
import type { ClipStream } from './clip-stream.ts';
import { type FragmentEntry, initOf, soundTrack, videoTrack } from './content.ts';
import { type Content, type Stretch, streamedContent } from './media-content.ts';

/** The track ids differ already: the recorder sees to that. Throws `vault/bad-movie`. */
export function joinInits(video: Uint8Array, sound: Uint8Array): Buffer {
  const [videoBoxes, soundBoxes] = [boxesOf(video), boxesOf(sound)];
  const [videoMoov, soundMoov] = [only(videoBoxes, 'moov'), only(soundBoxes, 'moov')].map(childrenOf);
  if (videoMoov === undefined || soundMoov === undefined) throw damaged();
  const defaults = [videoMoov, soundMoov].map((moov) => only(childrenOf(only(moov, 'mvex')), 'trex').bytes);
  const moov = joinBox('moov', [
    only(videoMoov, 'mvhd').bytes,
    only(videoMoov, 'trak').bytes,
    only(soundMoov, 'trak').bytes,
    joinBox('mvex', defaults),
  ]);
  return Buffer.concat([only(videoBoxes, 'ftyp').bytes, moov]);
}

const stretchOf = (clip: ClipStream, { track, offset, bytes }: FragmentEntry): Stretch => ({
  clip,
  track,
  from: offset,
  to: offset + bytes,
});

/** What a player takes: both tracks in one file, or the video alone where there is no more or the clip was cut. */
export function movieOf(clip: ClipStream): Content {
  const fragments = clip.closing?.fragments ?? [];
  const inits = [initOf(fragments, videoTrack), initOf(fragments, soundTrack)];
  const [video, sound] = inits;
  if (video === undefined || sound === undefined) {
    return streamedContent([{ clip, track: videoTrack, from: 0, to: clip.length(videoTrack) }]);
  }
  const read = ({ track, offset, bytes }: FragmentEntry): Uint8Array => clip.read(track, offset, offset + bytes);
  const media = fragments
    .filter(({ track, duration_ms }) => duration_ms > 0 && (track === videoTrack || track === soundTrack))
    .toSorted((a, b) => a.start_ms - b.start_ms || a.track - b.track);
  return streamedContent([
    { bytes: joinInits(read(video), read(sound)) },
    ...media.map((entry) => stretchOf(clip, entry)),
  ]);
}
