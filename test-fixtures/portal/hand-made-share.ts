import { randomBytes } from 'node:crypto';
import { sealBytes } from '../../agent/protocol/age-file.ts';
import { sha256, sha256Hex, toHex } from '../../agent/protocol/bytes.ts';
import type { AgencyDocument } from '../../agent/protocol/documents.ts';
import { peekDocument, signEnvelope } from '../../agent/protocol/envelope.ts';
import { generateSigningKey, type SigningKey } from '../../agent/protocol/keys.ts';
import { inclusionPath, leafHash, rootOf } from '../../agent/protocol/merkle.ts';
import { writeArchive } from '../../agent/protocol/share-archive.ts';

/**
 * A share as an owner's vault would build it, from protocol functions alone: a "clip" of random fragments, its signed
 * manifest and proofs, the receipt, sealed to the agency. For testing an agency side without a device.
 */
export interface HandMadeShare {
  readonly shareId: string;
  readonly header: Uint8Array;
  readonly body: Uint8Array;
  readonly video: Uint8Array;
  readonly grant: Uint8Array;
  /** What the owner would sign a demand with. */
  readonly ownerKey: SigningKey;
}

export function makeShare(options: {
  readonly request: Uint8Array;
  readonly agency: AgencyDocument;
  /** Changes the video after the clip was signed, as a forger would. */
  readonly alter?: (video: Buffer) => void;
}): HandMadeShare {
  const { unverified: request, hash: requestHash } = peekDocument('request', options.request);
  const clipKey = generateSigningKey();
  const ownerKey = generateSigningKey();
  const shareId = randomBytes(16).toString('hex');
  const fragments = Array.from({ length: 6 }, () => ({ bytes: randomBytes(20_000), salt: randomBytes(16) }));
  const leaves = fragments.map(({ bytes, salt }) => leafHash(salt, 1, sha256(bytes)));
  const manifest = signEnvelope(
    'manifest',
    {
      clip_id: randomBytes(16).toString('hex'),
      key: toHex(clipKey.publicKey),
      root: toHex(rootOf(leaves)),
      size: leaves.length,
      tracks: [{ id: 1, kind: 'video', codec: 'avc1.64001f', leaves: leaves.length }],
      t0: request.window.from,
      t1: request.window.from + 60,
      clock: 'synchronised',
    },
    [clipKey],
  );
  const manifestHash = peekDocument('manifest', manifest).hash;
  // The initialisation segment and three fragments in a row.
  const chosen = [0, 2, 3, 4];
  const video = Buffer.concat(chosen.map((index) => fragments[index]?.bytes ?? Buffer.alloc(0)));
  let offset = 0;
  const proved = chosen.map((index) => {
    const { bytes = Buffer.alloc(0), salt = Buffer.alloc(0) } = fragments[index] ?? {};
    offset += bytes.length;
    return {
      index,
      track: 1,
      salt: toHex(salt),
      offset: offset - bytes.length,
      bytes: bytes.length,
      path: inclusionPath(leaves, index).map(toHex),
    };
  });
  options.alter?.(video);
  const name = '40-video.mp4';
  const grant = signEnvelope(
    'grant',
    {
      request_hash: requestHash,
      agency: request.agency,
      granted: { from: request.window.from, to: request.window.from + 60 },
      manifest_hashes: [manifestHash],
      media: [{ name, kind: 'original', bytes: video.length, sha256: sha256Hex(video) }],
      redactions: [{ name, kind: 'trim' }],
      terms: { biometric_id: false, delete_by_days: 30, outcome_due_days: 30, third_party: 'none' },
      recipient_kid: request.recipient_kid,
      share_id: shareId,
      owner_key: toHex(ownerKey.publicKey),
    },
    [ownerKey],
  );
  const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
  const archive = writeArchive([
    { name: '00-README.txt', bytes: Buffer.from('A share made by hand.\n') },
    { name: '10-request.json', bytes: options.request },
    { name: '20-grant.json', bytes: grant },
    { name: '30-manifest.json', bytes: json({ manifests: [JSON.parse(Buffer.from(manifest).toString())] }) },
    { name: '31-proofs.json', bytes: json({ media: [{ name, manifest_hash: manifestHash, fragments: proved }] }) },
    { name, bytes: video },
  ]);
  return { shareId, ...sealBytes([options.agency.recipient.age], archive), video, grant, ownerKey };
}
