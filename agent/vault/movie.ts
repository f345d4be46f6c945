/**
 * A clip's two tracks as one fragmented MP4 (ISO/IEC 14496-12) for watching and exporting: one head that names both, then
 * the fragments of both in the order of their times, each byte for byte as it was recorded.
 */
import { boxesOf, childrenOf, damaged, joinBox, only } from './boxes.ts';
import type { FragmentEntry } from './content.ts';
import { initOf } from './content.ts';

export interface Track {
  /** As in the manifest. */
  readonly track: number;
  /** Initialisation segment and fragments. */
  readonly bytes: Uint8Array;
}

/** The track ids differ already: the recorder sees to that. Throws `vault/bad-movie`. */
function joinInits(video: Uint8Array, sound: Uint8Array): Buffer {
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

/** `fragments` as in the closing metadata; whatever it names must be there. */
export function joinTracks(fragments: readonly FragmentEntry[], video: Track, sound: Track): Buffer {
  const tracks = new Map([video, sound].map((track) => [track.track, track.bytes]));
  const take = (entry: FragmentEntry | undefined): Uint8Array => {
    const bytes = entry && tracks.get(entry.track)?.subarray(entry.offset, entry.offset + entry.bytes);
    if (bytes === undefined || bytes.length !== entry?.bytes) throw damaged();
    return bytes;
  };
  const media = fragments
    .filter((entry) => entry.duration_ms > 0 && tracks.has(entry.track))
    .toSorted((a, b) => a.start_ms - b.start_ms || a.track - b.track);
  const inits = joinInits(take(initOf(fragments, video.track)), take(initOf(fragments, sound.track)));
  return Buffer.concat([inits, ...media.map(take)]);
}
