/**
 * A clip's two tracks as one fragmented MP4 (ISO/IEC 14496-12) for watching and exporting: one head that names both, then
 * the fragments of both in the order of their times, each byte for byte as it was recorded.
 */
import { AgentError } from '../base/errors.ts';
import type { FragmentEntry } from './content.ts';
import { initOf } from './content.ts';

export interface Track {
  /** As in the manifest. */
  readonly track: number;
  /** Initialisation segment and fragments. */
  readonly bytes: Uint8Array;
}

interface Box {
  readonly type: string;
  readonly bytes: Uint8Array;
}

function boxesOf(bytes: Uint8Array): Box[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Box[] = [];
  for (let at = 0; at < view.length; ) {
    const size = view.length - at < 8 ? 0 : view.readUInt32BE(at);
    if (size < 8 || at + size > view.length) throw damaged();
    found.push({ type: view.toString('latin1', at + 4, at + 8), bytes: view.subarray(at, at + size) });
    at += size;
  }
  return found;
}

const childrenOf = (box: Box): Box[] => boxesOf(box.bytes.subarray(8));

function only(boxes: readonly Box[], type: string): Box {
  const found = boxes.filter((box) => box.type === type);
  if (found.length !== 1 || found[0] === undefined) throw damaged();
  return found[0];
}

function joinBox(type: string, children: readonly Uint8Array[]): Buffer {
  const size = children.reduce((sum, child) => sum + child.length, 8);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(size, 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...children]);
}

function damaged(): AgentError {
  return new AgentError('corrupt', 'vault/bad-movie', 'Cannot join picture and sound: their boxes are damaged');
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
