import { createHash } from 'node:crypto';
import { sha256, sha256Hex, toHex } from '../../agent/protocol/bytes.ts';
import type { GrantDocument, ManifestDocument } from '../../agent/protocol/documents.ts';
import { peekDocument } from '../../agent/protocol/envelope.ts';
import { inclusionPath, leafHash, rootOf } from '../../agent/protocol/merkle.ts';
import type { ShareFile } from '../../agent/protocol/share-verify.ts';
import { sampleEnvelope } from './samples.ts';

/** A small share, taken apart so that tests and vectors can change one thing. Proofs are over bytes: no video is needed. */
export interface Fragment {
  readonly bytes: Uint8Array;
  readonly salt: Uint8Array;
  readonly track: number;
}

/** Bytes that depend only on the name: the "recording". */
export function noise(name: string, bytes: number): Uint8Array {
  const block = createHash('sha512').update(name).digest();
  return Uint8Array.from({ length: bytes }, (_, i) => (block[i % 64] ?? 0) ^ (i >> 6));
}

/** A clip of `videos` video leaves (the first is the initialisation) and `audios` audio leaves. */
export function recordClip(name: string, videos: number, audios = 0): Fragment[] {
  return Array.from({ length: videos + audios }, (_, i) => ({
    bytes: noise(`${name} ${i}`, 100 + ((i * 37) % 90)),
    salt: noise(`${name} salt ${i}`, 16),
    track: i < videos ? 1 : 2,
  }));
}

function leavesOf(clip: readonly Fragment[]): Uint8Array[] {
  return clip.map(({ salt, track, bytes }) => leafHash(salt, track, sha256(bytes)));
}

export function manifestOf(clip: readonly Fragment[], changes: Partial<ManifestDocument> = {}): Uint8Array {
  const videos = clip.filter(({ track }) => track === 1).length;
  return sampleEnvelope('manifest', {
    root: toHex(rootOf(leavesOf(clip))),
    size: clip.length,
    tracks: [
      { id: 1, kind: 'video', codec: 'avc1.64001f', leaves: videos },
      ...(videos < clip.length
        ? [{ id: 2, kind: 'audio', codec: 'mp4a.40.2', leaves: clip.length - videos } as const]
        : []),
    ],
    ...changes,
  });
}

export interface Proof {
  name: string;
  manifest_hash: string;
  fragments: { index: number; track: number; salt: string; offset: number; bytes: number; path: string[] }[];
}

function prove(name: string, clip: readonly Fragment[], manifestHash: string, indexes: readonly number[]): Proof {
  let offset = 0;
  const fragments = indexes.map((index) => {
    const fragment = clip[index];
    if (fragment === undefined) throw new Error('no such fragment');
    offset += fragment.bytes.length;
    return {
      index,
      track: fragment.track,
      salt: toHex(fragment.salt),
      offset: offset - fragment.bytes.length,
      bytes: fragment.bytes.length,
      path: inclusionPath(leavesOf(clip), index).map(toHex),
    };
  });
  return { name, manifest_hash: manifestHash, fragments };
}

function cut(clip: readonly Fragment[], indexes: readonly number[]): Uint8Array {
  return Buffer.concat(indexes.map((i) => clip[i]?.bytes ?? new Uint8Array()));
}

const clip = recordClip('clip', 9, 4);
const videoIndexes = [0, 3, 4, 5, 6];
const audioIndexes = [9, 11, 12];
const video = '40-video.mp4';
const audio = '41-audio.mp4';

export function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function parsed(envelope: Uint8Array): unknown {
  return JSON.parse(Buffer.from(envelope).toString());
}

export interface Parts {
  media: Record<string, Uint8Array>;
  proofs: Proof[];
  manifests: Uint8Array[];
  /** Left out of the share where it is undefined. */
  lineage?: Uint8Array[];
  grant: Partial<GrantDocument>;
  request: Uint8Array;
}

export function goodParts(): Parts {
  const manifest = manifestOf(clip);
  const { hash } = peekDocument('manifest', manifest);
  return {
    media: { [video]: cut(clip, videoIndexes), [audio]: cut(clip, audioIndexes) },
    proofs: [prove(video, clip, hash, videoIndexes), prove(audio, clip, hash, audioIndexes)],
    manifests: [manifest],
    grant: {},
    request: sampleEnvelope('request'),
  };
}

/** Signs a grant over the parts as they stand: an owner (or a thief of the owner's key) who is honest about the bytes. */
export function pack(parts: Parts): ShareFile[] {
  const grant = sampleEnvelope('grant', {
    request_hash: peekDocument('request', parts.request).hash,
    manifest_hashes: parts.manifests.map((m) => peekDocument('manifest', m).hash),
    media: Object.entries(parts.media).map(([name, bytes]) => ({
      name,
      kind: 'original',
      bytes: bytes.length,
      sha256: sha256Hex(bytes),
    })),
    ...parts.grant,
  });
  return [
    { name: '00-README.txt', bytes: Buffer.from('read me') },
    { name: '10-request.json', bytes: parts.request },
    { name: '20-grant.json', bytes: grant },
    {
      name: '30-manifest.json',
      bytes: jsonBytes({
        manifests: parts.manifests.map(parsed),
        ...(parts.lineage === undefined ? {} : { lineage: parts.lineage.map(parsed) }),
      }),
    },
    { name: '31-proofs.json', bytes: jsonBytes({ media: parts.proofs }) },
    ...Object.entries(parts.media).map(([name, bytes]) => ({ name, bytes })),
  ];
}

function flipIn(parts: Parts, at: number): void {
  const bytes = Uint8Array.from(parts.media[video] ?? []);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  parts.media[video] = bytes;
}

function reprove(parts: Parts, indexes: readonly number[], from: readonly Fragment[] = clip): void {
  const hash = parts.proofs[0]?.manifest_hash ?? '';
  parts.media[video] = cut(from, indexes);
  parts.proofs = [prove(video, from, hash, indexes), ...parts.proofs.slice(1)];
}

function extend(parts: Parts): void {
  parts.media[video] = Buffer.concat([parts.media[video] ?? new Uint8Array(), Buffer.from('more')]);
}

/** Bytes appended, with the last fragment said to be that much longer. */
function stretch(parts: Parts): void {
  extend(parts);
  const last = parts.proofs[0]?.fragments.at(-1);
  if (last !== undefined) last.bytes += 4;
}

function editProof(parts: Parts, edit: (fragment: Proof['fragments'][number]) => void): void {
  const fragment = parts.proofs[0]?.fragments[2];
  if (fragment === undefined) throw new Error('no such fragment');
  edit(fragment);
}

function editManifestName(parts: Parts): void {
  if (parts.proofs[0] !== undefined) parts.proofs[0].manifest_hash = '0'.repeat(64);
}

/** Changes after which the owner signed a grant over the bytes as they are, but they are not what the camera recorded. */
export const alterations: readonly (readonly [string, (parts: Parts) => unknown])[] = [
  ['a flipped bit', (parts) => flipIn(parts, 250)],
  ['a flipped bit in the initialisation', (parts) => flipIn(parts, 3)],
  ['a fragment dropped', (parts) => reprove(parts, [0, 3, 4, 6])],
  ['the first fragments dropped with the initialisation', (parts) => reprove(parts, [3, 4, 5])],
  ['only the initialisation', (parts) => reprove(parts, [0])],
  ['two fragments swapped', (parts) => reprove(parts, [0, 3, 5, 4, 6])],
  ['a fragment repeated', (parts) => reprove(parts, [0, 3, 4, 4, 5])],
  ['an audio fragment among the video', (parts) => reprove(parts, [0, 7, 8, 9])],
  ['nothing proved', (parts) => reprove(parts, [])],
  ['bytes appended', extend],
  ['the last fragment extended', stretch],
  ['another clip’s fragments', (parts) => reprove(parts, videoIndexes, recordClip('other', 9, 4))],
  ['a track number changed', (parts) => editProof(parts, (f) => (f.track = 2))],
  ['a salt changed', (parts) => editProof(parts, (f) => (f.salt = '0'.repeat(32)))],
  ['an index changed', (parts) => editProof(parts, (f) => (f.index += 1))],
  ['a path cut', (parts) => editProof(parts, (f) => f.path.pop())],
  ['a path extended', (parts) => editProof(parts, (f) => f.path.push('0'.repeat(64)))],
  ['an offset beyond the file', (parts) => editProof(parts, (f) => (f.offset = 1e9))],
  ['proofs given twice', (parts) => parts.proofs.push(...parts.proofs.slice(0, 1))],
  ['proofs of another manifest', editManifestName],
];
