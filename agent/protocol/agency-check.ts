import { fromHex, sha256Hex, toHex } from './bytes.ts';
import type { AgencyDocument } from './documents.ts';
import { lacksSigners, type Opened, openEnvelope, type SignerRule } from './envelope.ts';
import { keyIdOf, recipientKeyId, requireEnrolableRecipient, requireEnrolableSigningKey } from './keys.ts';
import { refusal } from './refuse.ts';

/** Whether an agency's document is vouched for by a pinned root, sound in itself, and in force. */
export interface PinnedRoot {
  /** Raw Ed25519 public keys. */
  readonly keys: readonly Uint8Array[];
  readonly threshold: number;
}

export interface CheckedAgency {
  readonly agency: AgencyDocument;
  readonly agencyHash: string;
  /** `rootIdOf` the root that vouches for it. */
  readonly rootId: string;
}

/** Names a root by its keys, whatever their order. */
export function rootIdOf({ keys }: PinnedRoot): string {
  return sha256Hex(Buffer.from(keys.map(toHex).toSorted().join(' ')));
}

export type AgencyRole = AgencyDocument['keys'][number]['role'];

/**
 * Opens an agency document signed by enough keys of one pinned root and checks its keys; expiry and status are not looked
 * at, so that a suspension can be stored like any other version.
 */
export function openAgency(envelope: Uint8Array, roots: readonly PinnedRoot[]): CheckedAgency {
  const { opened, root } = openUnderAnyRoot('agency', envelope, roots);
  const { document: agency, hash } = opened;
  const seen = new Set<string>();
  for (const { x, kid } of agency.keys) {
    const publicKey = fromHex(x);
    requireEnrolableSigningKey(publicKey);
    if (kid !== keyIdOf(publicKey)) {
      throw refusal('agency/key-id', 'Cannot use the agency document: a key id is not that of its key');
    }
    if (seen.has(x)) {
      throw refusal('agency/key-twice', 'Cannot use the agency document: one key is listed twice');
    }
    seen.add(x);
  }
  requireEnrolableRecipient(agency.recipient.age);
  if (agency.recipient.kid !== recipientKeyId(agency.recipient.age)) {
    throw refusal('agency/recipient-key-id', 'Cannot use the agency document: the recipient has another key id');
  }
  return { agency, agencyHash: hash, rootId: rootIdOf(root) };
}

/** `openAgency`, and the document is active and not expired. */
export function checkAgency(params: {
  readonly agency: Uint8Array;
  readonly roots: readonly PinnedRoot[];
  readonly nowMs: number;
}): CheckedAgency {
  const checked = openAgency(params.agency, params.roots);
  if (checked.agency.expires_at * 1000 <= params.nowMs) {
    throw refusal('agency/expired', 'Cannot use the agency document: it has expired');
  }
  if (checked.agency.status !== 'active') {
    throw refusal('agency/not-active', `Cannot use the agency document: the agency is ${checked.agency.status}`);
  }
  return checked;
}

/** Opens what enough keys of one pinned root have signed. */
export function openUnderAnyRoot<K extends 'agency' | 'directory'>(
  kind: K,
  envelope: Uint8Array,
  roots: readonly PinnedRoot[],
): { readonly opened: Opened<K>; readonly root: PinnedRoot } {
  let lacking: unknown = refusal(`${kind}/no-root`, `Cannot use the ${kind} document: no root is pinned`);
  for (const root of roots) {
    const { keys, threshold } = root;
    try {
      return { opened: openEnvelope(kind, envelope, [{ role: 'root', threshold, keys }]), root };
    } catch (thrown) {
      if (!lacksSigners(thrown)) throw thrown;
      lacking = thrown;
    }
  }
  throw lacking;
}

/** A rule for one signer of `role`, from the keys that are in force now and not revoked. */
export function signerRule(
  agency: AgencyDocument,
  role: AgencyRole,
  nowMs: number,
  revokedKeyIds: readonly string[] = [],
): SignerRule {
  const keys = agency.keys.filter(
    (key) => key.role === role && key.from * 1000 <= nowMs && nowMs < key.to * 1000 && !revokedKeyIds.includes(key.kid),
  );
  return { role, threshold: 1, keys: keys.map(({ x }) => fromHex(x)) };
}
