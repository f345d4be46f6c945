/** The pictures of a recorded clip: its fragments taken apart into samples, and when each picture is shown. Pure. */

import { damaged } from '../boxes.ts';
import { type FragmentEntry, initOf, videoTrack } from '../content.ts';
import { type FragmentSamples, readFragment } from './samples.ts';
import { readVideoInit, type VideoInit } from './video-init.ts';

export interface RecordedFragment {
  readonly entry: FragmentEntry;
  readonly bytes: Uint8Array;
  readonly content: FragmentSamples;
  /** Numbers of its pictures, in the order of decoding; counted in the order of showing. */
  readonly pictures: readonly number[];
}

export interface ClipPictures {
  readonly init: VideoInit;
  readonly initBytes: Uint8Array;
  readonly initEntry: FragmentEntry;
  readonly fragments: readonly RecordedFragment[];
  /** Initialisation segment, then the fragments. */
  readonly bytes: readonly Uint8Array[];
  /** In the order of showing: milliseconds from the first. */
  readonly timesMs: readonly number[];
  /** Unix milliseconds of the first. */
  readonly startMs: number;
  /** Of each picture, in units of the track, in the order of showing. */
  readonly shownAt: readonly number[];
}

/** From its first keyframe on. Throws `vault/bad-movie`. */
export function readPictures(video: Uint8Array, fragments: readonly FragmentEntry[]): ClipPictures {
  const initEntry = initOf(fragments, videoTrack);
  if (initEntry === undefined) throw damaged();
  const take = ({ offset, bytes }: FragmentEntry): Uint8Array => video.subarray(offset, offset + bytes);
  const initBytes = take(initEntry);
  const init = readVideoInit(initBytes);
  const media = fragments.filter(({ track, duration_ms }) => track === videoTrack && duration_ms > 0);
  const first = media.findIndex(({ keyframe }) => keyframe);
  const read = (first < 0 ? [] : media.slice(first)).map((entry) => {
    const bytes = take(entry);
    const content = readFragment(bytes, init.defaults);
    let decodeTime = content.decodeTime;
    const shown = content.samples.map(({ duration, shift }) => {
      decodeTime += duration;
      return decodeTime - duration + shift;
    });
    return { entry, bytes, content, shown };
  });
  const shownAt = read.flatMap(({ shown }) => shown).toSorted((a, b) => a - b);
  const numbers = new Map(shownAt.map((at, i) => [at, i]));
  const [start] = shownAt;
  // Two pictures for one moment can't be told apart.
  if (start === undefined || numbers.size !== shownAt.length) throw damaged();
  requireOrder(read);
  return {
    init,
    initBytes,
    initEntry,
    fragments: read.map(({ shown, ...fragment }) => ({
      ...fragment,
      pictures: shown.map((at) => numbers.get(at) ?? 0),
    })),
    bytes: [initBytes, ...read.map(({ bytes }) => bytes)],
    startMs: read[0]?.entry.start_ms ?? 0,
    timesMs: shownAt.map((at) => ((at - start) * 1000) / init.timescale),
    shownAt,
  };
}

/**
 * A decoder puts out all pictures before a keyframe first, whatever times a stream claims: where those say otherwise, a
 * picture's number by time is not its number by decoding, and what is found in one would be filled in another.
 */
function requireOrder(read: readonly { readonly entry: FragmentEntry; readonly shown: readonly number[] }[]): void {
  let [latest, latestBefore] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { entry, shown } of read) {
    if (entry.keyframe) latestBefore = latest;
    for (const at of shown) {
      if (at <= latestBefore) throw damaged();
      latest = Math.max(latest, at);
    }
  }
}
