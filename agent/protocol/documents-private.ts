import { z } from 'zod';
import { agencyId, count, endpoint, hex32, hex64, keyId, seconds, sizedHash, terms } from './fields.ts';
import { maxClips, maxMedia, mediaName } from './share-names.ts';

/** Documents made in the owner's house: about a clip, a share, or its upload. Field tables stand in `README.md`. */

/** Signed by the clip's own key, which exists only while the clip is recorded. */
export const manifest = z.strictObject({
  clip_id: hex32,
  /** Raw Ed25519 public key of the clip, hex. */
  key: hex64,
  root: hex64,
  /** Leaves of the tree: the sum over the tracks. */
  size: z.int().min(1).max(1_000_000),
  /** Leaves stand track by track in this order; the first leaf of a track is its initialisation segment. */
  tracks: z
    .array(
      z.strictObject({
        id: z.int().min(1).max(255),
        kind: z.enum(['video', 'audio']),
        codec: z.string().regex(/^[A-Za-z0-9.]{1,40}$/),
        leaves: z.int().min(1).max(1_000_000),
      }),
    )
    .min(1)
    .max(8),
  /** First and last moment, rounded outwards. */
  t0: seconds,
  t1: seconds,
  clock: z.enum(['synchronised', 'unsynchronised']),
});

/** Signed by the owner's key for one month: says whose device a clip's key came from. In a share only if the owner asks. */
export const lineage = z.strictObject({
  clip_key: hex64,
  /** UTC. */
  month: z.string().regex(/^[0-9]{4}-(?:0[1-9]|1[0-2])$/),
  month_key: hex64,
});

/** Of a clip: trimmed, people filled, masks filled; and its sound trimmed as well, or dropped. */
const maxRedactions = 4 * maxClips;

/** The consent receipt, signed by the owner's key for this one request. */
export const grant = z.strictObject({
  request_hash: hex64,
  agency: agencyId,
  granted: z.strictObject({ from: seconds, to: seconds }),
  manifest_hashes: z.array(hex64).min(1).max(maxClips),
  media: z
    .array(z.strictObject({ name: mediaName, kind: z.enum(['original', 'derived']), bytes: count, sha256: hex64 }))
    .min(1)
    .max(maxMedia),
  redactions: z
    .array(z.strictObject({ name: mediaName, kind: z.enum(['trim', 'mask', 'person_fill', 'audio_dropped']) }))
    .max(maxRedactions),
  terms,
  recipient_kid: keyId,
  share_id: hex32,
  owner_key: hex64,
});

/** Local permission to upload, signed by the owner root: the courier opens no socket without it. */
export const dispatch = z.strictObject({
  grant_hash: hex64,
  share_id: hex32,
  request_id: hex32,
  body: sizedHash,
  header: sizedHash,
  endpoint,
  release_not_before: seconds,
  deadline: seconds,
});

export const demand = z.strictObject({
  grant_hash: hex64,
  share_id: hex32,
  ground: z.enum(['retention_due', 'owner_request', 'terms_breach']),
});
