/** Which recorded fragments go into a share, and their proofs. Pure. */

import { fromHex, toHex } from '../protocol/bytes.ts';
import type { ClosingMetadata } from '../protocol/clip-metadata.ts';
import { inclusionPath, leafHash } from '../protocol/merkle.ts';

/** As in every manifest. */
export const videoTrack = 1;
export const soundTrack = 2;

export type FragmentEntry = ClosingMetadata['fragments'][number];

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The whole fragments inside the span, from the first keyframe on: nothing outside what was asked and granted, at the
 * price of losing up to one GOP at its start. Without the initialisation segment. Empty when nothing fits.
 */
export function chooseFragments(
  fragments: readonly FragmentEntry[],
  track: number,
  span: Span,
): readonly FragmentEntry[] {
  const inside = fragments.filter(
    (f) =>
      f.track === track && f.duration_ms > 0 && f.start_ms >= span.fromMs && f.start_ms + f.duration_ms <= span.toMs,
  );
  const first = inside.findIndex((f) => f.keyframe);
  return first < 0 ? [] : inside.slice(first);
}

/** The initialisation segment of a track: its first leaf. */
export function initOf(fragments: readonly FragmentEntry[], track: number): FragmentEntry | undefined {
  return fragments.find((f) => f.track === track && f.duration_ms === 0);
}

export interface FragmentProof {
  readonly index: number;
  readonly track: number;
  readonly salt: string;
  readonly offset: number;
  readonly bytes: number;
  readonly path: readonly string[];
}

/** Inclusion proofs of the chosen fragments; `offset` is the place in the shared file, where they stand without gaps. */
export function proveFragments(
  all: readonly FragmentEntry[],
  chosen: readonly FragmentEntry[],
): readonly FragmentProof[] {
  const leaves = all
    .toSorted((a, b) => a.index - b.index)
    .map((f) => leafHash(fromHex(f.salt), f.track, fromHex(f.sha256)));
  let offset = 0;
  return chosen.map((f) => {
    const proof = {
      index: f.index,
      track: f.track,
      salt: f.salt,
      offset,
      bytes: f.bytes,
      path: inclusionPath(leaves, f.index).map(toHex),
    };
    offset += f.bytes;
    return proof;
  });
}
