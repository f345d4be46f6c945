import { z } from 'zod';
import { checkAgency, type PinnedRoot, signerRule } from './agency-check.ts';
import { fromHex, sha256, sha256Hex } from './bytes.ts';
import type { GrantDocument, ManifestDocument, RequestDocument } from './documents.ts';
import { type Opened, openEnvelope, peekDocument } from './envelope.ts';
import { hex32, hex64 } from './fields.ts';
import { judgeLineage } from './lineage.ts';
import { leafHash, verifyInclusion } from './merkle.ts';
import { openGrant, openManifest } from './receipt-check.ts';
import { refusal } from './refuse.ts';
import { isMediaName, maxBytesOf, maxClips, maxMedia, mediaName, shareNames } from './share-names.ts';
import type { MediaVerdict, ShareProblem, ShareVerdict } from './share-verdict.ts';
import { plainWordsOf } from './share-words.ts';

export type { MediaVerdict, ShareProblem, ShareVerdict } from './share-verdict.ts';

/**
 * What a share proves, in verdicts that are kept apart: it answers that request; the owner granted it; each media file is
 * unaltered since the clip was signed; and what is only claimed. A share that can't be read at all throws; one that can be
 * read but doesn't hold gets verdicts and a list of problems.
 */
export interface ShareFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface ShareToVerify {
  readonly files: readonly ShareFile[];
  /** The agency's own copy of the request's envelope. */
  readonly request?: Uint8Array;
  /** To check who signed the request; `atMs` is the moment the keys must be in force. */
  readonly signers?: { readonly agency: Uint8Array; readonly roots: readonly PinnedRoot[]; readonly atMs: number };
  readonly receivedAtMs?: number;
}

export const manifestsSchema = z.strictObject({
  manifests: z.array(z.unknown()).max(maxClips),
  lineage: z.array(z.unknown()).max(maxClips).optional(),
});
const fragmentSchema = z.strictObject({
  index: z.int().min(0).max(1_000_000),
  track: z.int().min(1).max(255),
  salt: hex32,
  offset: z.int().min(0),
  bytes: z.int().min(1),
  path: z.array(hex64).max(30),
});
export const proofsSchema = z.strictObject({
  media: z
    .array(z.strictObject({ name: mediaName, manifest_hash: hex64, fragments: z.array(fragmentSchema).max(20_000) }))
    .max(maxMedia),
});
type Proof = z.infer<typeof proofsSchema>['media'][number];

export function verifyShare(share: ShareToVerify): ShareVerdict {
  const files = filesByName(share.files);
  const problems = new Set<ShareProblem>();
  const requestBytes = fileOf(files, shareNames.request);
  const request = peekDocument('request', requestBytes);
  const requestSignature = requestSignatureOf(requestBytes, share);
  if (requestSignature === 'invalid') problems.add('request-signature');

  const grantEnvelope = fileOf(files, shareNames.grant);
  const grant = peekDocument('grant', grantEnvelope);
  const grantSignature = isValid(() => openGrant(grantEnvelope)) ? 'valid' : 'invalid';
  if (grantSignature === 'invalid') problems.add('grant-signature');
  const requestMatches =
    grant.unverified.request_hash === request.hash &&
    (share.request === undefined || peekDocument('request', share.request).hash === request.hash);
  if (!requestMatches) problems.add('request-differs');
  if (!fits(grant.unverified, request.unverified)) problems.add('grant-beyond-request');

  const listed = parseJson(manifestsSchema, fileOf(files, shareNames.manifests), shareNames.manifests);
  const manifests = manifestsOf(listed.manifests, grant.unverified, problems);
  const proofs = parseJson(proofsSchema, fileOf(files, shareNames.proofs), shareNames.proofs).media;
  const media = grant.unverified.media.map((granted) => {
    const verdict = mediaVerdict(granted, files.get(granted.name), proofs, manifests);
    if (!files.has(granted.name)) problems.add('media-missing');
    else if (!verdict.sha256Ok || verdict.unaltered === 'altered') problems.add('media-altered');
    // Under a grant that the owner didn't sign, nothing says that this is what was shared.
    return grantSignature === 'valid' ? verdict : { ...verdict, unaltered: 'altered' as const };
  });
  const grantedNames = new Set(media.map(({ name }) => name));
  if (share.files.some(({ name }) => isMediaName(name) && !grantedNames.has(name))) problems.add('media-extra');

  const verdict = {
    requestMatches,
    requestSignature,
    grantSignature,
    grantHash: grant.hash,
    shareId: grant.unverified.share_id,
    terms: grant.unverified.terms,
    media,
    ...judgeLineage((listed.lineage ?? []).map(bytesOf), [...manifests.values()], request.unverified.window.from),
    time: timeOf(grant.unverified, [...manifests.values()], share.receivedAtMs),
    problems: [...problems],
  } as const;
  return { ...verdict, plainWords: plainWordsOf(verdict) };
}

export function filesByName(files: readonly ShareFile[]): Map<string, Uint8Array> {
  const byName = new Map<string, Uint8Array>();
  for (const { name, bytes } of files) {
    const max = maxBytesOf(name);
    if (max === undefined || bytes.length > max || byName.has(name)) {
      throw refusal('share/unexpected-file', 'Cannot verify the share: a file is foreign, too large or there twice');
    }
    byName.set(name, bytes);
  }
  return byName;
}

export function fileOf(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const bytes = files.get(name);
  if (bytes === undefined) throw refusal('share/missing-file', `Cannot verify the share: ${name} is missing`);
  return bytes;
}

export function parseJson<T>(schema: z.ZodType<T>, bytes: Uint8Array, name: string): T {
  try {
    return schema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)));
  } catch {
    throw refusal('share/malformed-file', `Cannot verify the share: ${name} is not as specified`);
  }
}

function isValid(open: () => unknown): boolean {
  try {
    open();
    return true;
  } catch {
    return false;
  }
}

function requestSignatureOf(request: Uint8Array, { signers }: ShareToVerify): ShareVerdict['requestSignature'] {
  if (signers === undefined) return 'not-checked';
  const { agency } = checkAgency({ agency: signers.agency, roots: signers.roots, nowMs: signers.atMs });
  const rules = [signerRule(agency, 'officer', signers.atMs), signerRule(agency, 'approver', signers.atMs)];
  return isValid(() => openEnvelope('request', request, rules)) ? 'valid' : 'invalid';
}

/** The owner may grant less than was asked, under stricter terms, never more. */
function fits(grant: GrantDocument, request: RequestDocument): boolean {
  return (
    grant.agency === request.agency &&
    grant.recipient_kid === request.recipient_kid &&
    grant.granted.from >= request.window.from &&
    grant.granted.to <= request.window.to &&
    grant.terms.delete_by_days <= request.terms.delete_by_days &&
    grant.terms.outcome_due_days <= request.terms.outcome_due_days &&
    (grant.terms.third_party === 'none' || request.terms.third_party === 'court_only')
  );
}

function bytesOf(envelope: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(envelope) ?? '');
}

/** Manifests by hash: those validly signed and named by the grant. */
function manifestsOf(
  listed: readonly unknown[],
  grant: GrantDocument,
  problems: Set<ShareProblem>,
): Map<string, ManifestDocument> {
  const manifests = new Map<string, ManifestDocument>();
  for (const envelope of listed) {
    let opened: Opened<'manifest'>;
    try {
      opened = openManifest(bytesOf(envelope));
    } catch {
      problems.add('manifest-signature');
      continue;
    }
    if (!grant.manifest_hashes.includes(opened.hash) || manifests.has(opened.hash)) problems.add('manifest-extra');
    else manifests.set(opened.hash, opened.document);
  }
  if (manifests.size !== grant.manifest_hashes.length) problems.add('manifest-missing');
  return manifests;
}

export function mediaVerdict(
  granted: GrantDocument['media'][number],
  bytes: Uint8Array | undefined,
  proofs: readonly Proof[],
  manifests: ReadonlyMap<string, ManifestDocument>,
): MediaVerdict {
  const { name, kind } = granted;
  const sha256Ok = bytes?.length === granted.bytes && sha256Hex(bytes) === granted.sha256;
  const proof = proofs.filter((p) => p.name === name);
  const fragments = proof[0]?.fragments ?? [];
  const base = { name, kind, sha256Ok, fragmentsTotal: fragments.length };
  const manifest = manifests.get(proof[0]?.manifest_hash ?? '');
  if (kind === 'derived') {
    // Pieces between which something was filled may still be as recorded; the file as a whole never is.
    const pieces = bytes !== undefined && manifest !== undefined && proof.length === 1 ? inOrder(fragments) : [];
    const kept = pieces.filter((piece) => isRecorded(piece, bytes as Uint8Array, manifest as ManifestDocument));
    return { ...base, unaltered: 'derived', fragmentsProved: kept.length };
  }
  if (bytes === undefined || manifest === undefined || proof.length !== 1) {
    return { ...base, unaltered: 'altered', fragmentsProved: 0 };
  }
  const proved = fragments.filter((fragment) => isRecorded(fragment, bytes, manifest)).length;
  const whole = proved === fragments.length && tiles(fragments, bytes.length) && isOneStretch(fragments, manifest);
  return { ...base, unaltered: whole && sha256Ok ? 'unaltered' : 'altered', fragmentsProved: proved };
}

type Fragment = Proof['fragments'][number];

/** Each recorded piece counts once, and only where it stands behind the one before it in the file and in the recording. */
function inOrder(fragments: readonly Fragment[]): readonly Fragment[] {
  let [end, index] = [0, -1];
  return fragments.filter((piece) => {
    if (piece.offset < end || piece.index <= index) return false;
    [end, index] = [piece.offset + piece.bytes, piece.index];
    return true;
  });
}

function isRecorded(fragment: Fragment, bytes: Uint8Array, manifest: ManifestDocument): boolean {
  const { index, track, salt, offset, path } = fragment;
  if (offset + fragment.bytes > bytes.length) return false;
  const content = sha256(bytes.subarray(offset, offset + fragment.bytes));
  const leaf = leafHash(fromHex(salt), track, content);
  return verifyInclusion(fromHex(manifest.root), manifest.size, index, leaf, path.map(fromHex));
}

/** The fragments fill the file exactly, one after another. */
function tiles(fragments: readonly Fragment[], bytes: number): boolean {
  let at = 0;
  for (const fragment of fragments) {
    if (fragment.offset !== at) return false;
    at += fragment.bytes;
  }
  return at === bytes;
}

/** The track's initialisation segment (its first leaf), then leaves of the same track without a gap. */
function isOneStretch(fragments: readonly Fragment[], manifest: ManifestDocument): boolean {
  const [init, first] = fragments;
  if (init === undefined || first === undefined) return false;
  let start = 0;
  for (const { id, leaves } of manifest.tracks) {
    if (id === init.track) {
      const inTrack = fragments.every(({ track, index }) => track === id && index < start + leaves);
      const stretch = fragments.slice(1).every(({ index }, i) => index === first.index + i);
      return init.index === start && first.index > start && inTrack && stretch;
    }
    start += leaves;
  }
  return false;
}

function timeOf(
  { granted }: GrantDocument,
  manifests: readonly ManifestDocument[],
  receivedAtMs: number | undefined,
): ShareVerdict['time'] {
  const synchronised = manifests.length > 0 && manifests.every(({ clock }) => clock === 'synchronised');
  return {
    claimed: { from: granted.from, to: granted.to },
    clock: synchronised ? 'synchronised' : 'unsynchronised',
    withinClips: manifests.some(({ t0 }) => t0 <= granted.from) && manifests.some(({ t1 }) => granted.to <= t1),
    receivedAtMs: receivedAtMs ?? null,
  };
}
