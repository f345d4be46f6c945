/** Whether a stored clip still is what was recorded and signed: opened with a key, hashed, and held against its manifest. */
import { AgentError } from '../base/errors.ts';
import { type OwnerIdentity, openFile } from '../protocol/age-file.ts';
import { fromHex, sha256, toHex } from '../protocol/bytes.ts';
import {
  type ClosingMetadata,
  type OpeningMetadata,
  parseClosingMetadata,
  parseOpeningMetadata,
} from '../protocol/clip-metadata.ts';
import { leafHash, rootOf } from '../protocol/merkle.ts';
import { openManifest } from '../protocol/receipt-check.ts';
import type { ClipsReader } from '../store/clips-reader.ts';
import type { ClipRow } from '../store/clips-rows.ts';

/** `unproved`: everything opens, but a cut clip was never signed. `not-ours`: sealed to other keys. */
export type OpenedVerdict = 'unaltered' | 'unproved' | 'altered' | 'not-ours';

/** Only damage becomes a verdict; whatever else fails is thrown. */
export function checkOpened(reader: ClipsReader, clip: ClipRow, identity: OwnerIdentity): OpenedVerdict {
  try {
    return verdictOf(reader, clip, identity);
  } catch (thrown) {
    if (!(thrown instanceof AgentError)) throw thrown;
    if (thrown.code === 'age/wrong-key') return 'not-ours';
    // A signature that fails is refused, not corrupt.
    if (thrown.kind === 'corrupt' || thrown.kind === 'refused') return 'altered';
    throw thrown;
  }
}

function verdictOf(reader: ClipsReader, clip: ClipRow, identity: OwnerIdentity): OpenedVerdict {
  const sealedOpening = reader.meta(clip.seq, 'opening');
  if (sealedOpening === undefined) return 'altered';
  const opening = parseOpeningMetadata(openFile(sealedOpening, identity));
  if (opening.clip_id !== clip.clipId) return 'altered';
  const tracks = openTracks(reader, clip, identity);
  if (tracks === undefined) return 'altered';
  if (clip.state === 'cut') return 'unproved';
  const sealedClosing = reader.meta(clip.seq, 'closing');
  if (sealedClosing === undefined) return 'altered';
  const closing = parseClosingMetadata(openFile(sealedClosing, identity));
  return isAsSigned(opening, closing, tracks) ? 'unaltered' : 'altered';
}

/** Whether the plaintext of the tracks is what the clip's own key signed, all of it. Throws what `openManifest` throws. */
export function isAsSigned(
  opening: OpeningMetadata,
  closing: ClosingMetadata,
  tracks: ReadonlyMap<number, Buffer>,
): boolean {
  const { document } = openManifest(Buffer.from(closing.manifest, 'base64'));
  const signed = document.clip_id === opening.clip_id && document.key === opening.key && holds(closing, document);
  return signed && everyByteIsNamed(closing, tracks);
}

/** Plaintext of each track, hashed piece by piece as the closing metadata cuts it, needs all of it: a clip is at most a minute. */
function openTracks(reader: ClipsReader, clip: ClipRow, identity: OwnerIdentity): Map<number, Buffer> | undefined {
  const parts = new Map<number, Uint8Array[]>();
  for (const row of reader.listSegments(clip.seq)) {
    const sealed = reader.segment(row);
    if (sealed === undefined) return undefined;
    parts.set(row.track, [...(parts.get(row.track) ?? []), openFile(sealed, identity)]);
  }
  return new Map([...parts].map(([track, pieces]) => [track, Buffer.concat(pieces)]));
}

function holds(closing: ClosingMetadata, manifest: { readonly root: string; readonly size: number }): boolean {
  const leaves = closing.fragments.map((f) => leafHash(fromHex(f.salt), f.track, fromHex(f.sha256)));
  return leaves.length === manifest.size && toHex(rootOf(leaves)) === manifest.root;
}

function everyByteIsNamed(closing: ClosingMetadata, tracks: ReadonlyMap<number, Buffer>): boolean {
  const named = new Map<number, number>();
  for (const { track, offset, bytes, sha256: wanted } of closing.fragments) {
    const piece = tracks.get(track)?.subarray(offset, offset + bytes);
    if (piece === undefined || toHex(sha256(piece)) !== wanted) return false;
    named.set(track, offset + bytes);
  }
  return [...tracks].every(([track, { length }]) => named.get(track) === length);
}
