import { type AgencyRole, type CheckedAgency, signerRule } from './agency-check.ts';
import { fromHex } from './bytes.ts';
import { type Opened, openEnvelope, peekDocument } from './envelope.ts';
import { requireEnrolableSigningKey } from './keys.ts';
import { refusal } from './refuse.ts';
import { isTopicIn } from './topics.ts';

/** Checks of the documents that follow a request: manifest, grant and revocation. */

/** A manifest signed by the clip key that it names. Who held that key can't be told: see the limits in the README. */
export function openManifest(envelope: Uint8Array): Opened<'manifest'> {
  const { unverified } = peekDocument('manifest', envelope);
  const opened = openEnvelope('manifest', envelope, [selfRule('clip', unverified.key)]);
  const { tracks, size, t0, t1 } = opened.document;
  if (tracks.reduce((sum, { leaves }) => sum + leaves, 0) !== size) {
    throw refusal('manifest/size', 'Cannot use the manifest: its tracks do not add up to the size of the tree');
  }
  if (new Set(tracks.map(({ id }) => id)).size !== tracks.length) {
    throw refusal('manifest/track-twice', 'Cannot use the manifest: two tracks have one id');
  }
  if (t1 < t0) throw refusal('manifest/times', 'Cannot use the manifest: it ends before it begins');
  return opened;
}

/** A grant signed by the per-request owner key that it names. */
export function openGrant(envelope: Uint8Array): Opened<'grant'> {
  const { unverified } = peekDocument('grant', envelope);
  const opened = openEnvelope('grant', envelope, [selfRule('owner', unverified.owner_key)]);
  const { media, manifest_hashes: manifests, granted } = opened.document;
  if (new Set(media.map(({ name }) => name)).size !== media.length) {
    throw refusal('grant/media-twice', 'Cannot use the grant: two media files have one name');
  }
  if (new Set(manifests).size !== manifests.length) {
    throw refusal('grant/manifest-twice', 'Cannot use the grant: one manifest is named twice');
  }
  if (granted.to < granted.from) throw refusal('grant/times', 'Cannot use the grant: it ends before it begins');
  return opened;
}

function selfRule(role: string, keyHex: string): { role: string; threshold: number; keys: Uint8Array[] } {
  const key = fromHex(keyHex);
  requireEnrolableSigningKey(key);
  return { role, threshold: 1, keys: [key] };
}

/**
 * The active keys of the agency may revoke a request; a key may be revoked only by itself. A key revoked earlier or out
 * of its period can still revoke itself, which harms nobody.
 */
export function checkRevocation(params: {
  readonly revocation: Uint8Array;
  readonly agency: CheckedAgency;
  readonly nowMs: number;
  readonly revokedKeyIds?: readonly string[];
  /** Where it was received; its parts must equal the payload's. */
  readonly topic?: string;
}): Opened<'revocation'> {
  const { agency } = params.agency;
  const { unverified } = peekDocument('revocation', params.revocation);
  const roles: AgencyRole[] = ['officer', 'approver', 'outcome'];
  const keys =
    unverified.kind === 'key'
      ? agency.keys.filter(({ kid }) => kid === unverified.target).map(({ x }) => fromHex(x))
      : roles.flatMap((role) => signerRule(agency, role, params.nowMs, params.revokedKeyIds).keys);
  const opened = openEnvelope('revocation', params.revocation, [{ role: 'agency', threshold: 1, keys }]);
  if (opened.document.agency !== agency.agency) {
    throw refusal('revocation/agency-mismatch', 'Cannot use the revocation: it names another agency than its signer');
  }
  const { agency: by, seq } = opened.document;
  const belongs = (region: string) => ({ type: 'rv', region, agency: by, seq }) as const;
  if (params.topic !== undefined && !isTopicIn(params.topic, agency.regions, belongs)) {
    throw refusal(
      'revocation/topic-mismatch',
      'Cannot use the revocation: it was published under a topic that is not its own',
    );
  }
  return opened;
}
