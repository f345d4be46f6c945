/** Clips as large as wanted, of bytes that no player reads but every check holds: for memory and speed, not for pictures. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '../agent/base/log.ts';
import { sealBytes } from '../agent/protocol/age-file.ts';
import { toHex } from '../agent/protocol/bytes.ts';
import { encodeClipMetadata } from '../agent/protocol/clip-metadata.ts';
import { signEnvelope } from '../agent/protocol/envelope.ts';
import { generateSigningKey } from '../agent/protocol/keys.ts';
import { leafHash, rootOf } from '../agent/protocol/merkle.ts';
import { ClipsDb } from '../agent/store/clips-db.ts';
import type { TestHouse } from './house.ts';

export interface LargeClips {
  readonly startMs: number;
  readonly clipCount: number;
  readonly clipMs: number;
  readonly bytesPerSecond: number;
}

const fragmentMs = 1000;
const initBytes = 1000;
const segmentBytes = 1_000_000;

/** One after the other, each of fragments of one second that all begin with a keyframe; returns their ids. */
export function addLargeClips(house: TestHouse, { startMs, clipCount, clipMs, bytesPerSecond }: LargeClips): string[] {
  const folder = join(house.dataDir, 'cameras', 'front');
  mkdirSync(folder, { recursive: true });
  using db = ClipsDb.open({ path: join(folder, 'clips.db'), log: silentLog, wallMs: startMs });
  const seal = (bytes: Uint8Array) => sealBytes(house.recipients, bytes);
  const noise = randomBytes(bytesPerSecond);
  return Array.from({ length: clipCount }, (_, n) => {
    const atMs = startMs + n * clipMs;
    const clipId = randomBytes(16).toString('hex');
    const key = generateSigningKey();
    const named = { v: 1, clip_id: clipId, camera_id: 'front', trigger: 'continuous', run_id: 'r', clock: 'synchronised', codec: 'avc1.4d401e', width_px: 1920, height_px: 1080 } as const; // biome-ignore format: metadata
    const opening = encodeClipMetadata({ ...named, start_ms: atMs, wall_at_zero_ms: atMs, key: toHex(key.publicKey) });
    const seq = db.openClip({ clipId, wallMs: atMs, opening: seal(opening) });
    const count = clipMs / fragmentMs;
    let offset = 0;
    let position = 0;
    const waiting: Uint8Array[] = [];
    const fragments = Array.from({ length: count + 1 }, (_unused, index) => {
      const bytes = index === 0 ? noise.subarray(0, initBytes) : noise;
      // As the recorder does: a segment has about a megabyte, or what there is when the clip ends.
      waiting.push(bytes);
      if (index === count || waiting.reduce((sum, part) => sum + part.length, 0) >= segmentBytes) {
        db.appendSegment(seq, { track: 1, position: position++, sealed: seal(Buffer.concat(waiting.splice(0))) });
      }
      const fragment = {
        index,
        track: 1,
        offset,
        bytes: bytes.length,
        start_ms: atMs + Math.max(0, index - 1) * fragmentMs,
        duration_ms: index === 0 ? 0 : fragmentMs,
        keyframe: true,
        salt: randomBytes(16).toString('hex'),
        sha256: createHash('sha256').update(bytes).digest('hex'),
      };
      offset += bytes.length;
      return fragment;
    });
    const leaves = fragments.map((f) => leafHash(Buffer.from(f.salt, 'hex'), 1, Buffer.from(f.sha256, 'hex')));
    const tracks = [{ id: 1, kind: 'video' as const, codec: 'avc1.4d401e', leaves: leaves.length }];
    const times = {
      t0: Math.floor(atMs / 1000),
      t1: Math.ceil((atMs + clipMs) / 1000),
      clock: 'synchronised' as const,
    };
    const keyHex = toHex(key.publicKey);
    const root = toHex(rootOf(leaves));
    const manifest = signEnvelope(
      'manifest',
      { clip_id: clipId, key: keyHex, root, size: leaves.length, tracks, ...times },
      [key],
    );
    const rest = { end_ms: atMs + clipMs, labels: [], fragments, thumbnail: '' };
    db.closeClip(seq, seal(encodeClipMetadata({ v: 1, ...rest, manifest: Buffer.from(manifest).toString('base64') })));
    return clipId;
  });
}
