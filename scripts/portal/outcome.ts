import { randomBytes } from 'node:crypto';
import { AgentError } from '../../agent/base/errors.ts';
import { sha256Hex } from '../../agent/protocol/bytes.ts';
import { canonicalBytes } from '../../agent/protocol/canonical.ts';
import { type OutcomeDocument, parseDocument } from '../../agent/protocol/documents.ts';
import { signEnvelope } from '../../agent/protocol/envelope.ts';
import { deletedCounts } from '../../agent/protocol/follow-up-check.ts';
import type { SigningKey } from '../../agent/protocol/keys.ts';

/**
 * The agency's account of what a request led to. Counts are buckets and the deletions are filled up with random hashes, so
 * that an owner finds the own share among them and nobody learns how many there were.
 */
export type Bucket = OutcomeDocument['shares'];
export const outcomeUses = ['arrest', 'charge', 'exculpatory', 'vehicle_id', 'no_value', 'other'] as const;
export type OutcomeUse = (typeof outcomeUses)[number];

export interface OutcomeDraft {
  readonly agency: string;
  readonly requestHash: string;
  readonly status: OutcomeDocument['status'];
  readonly use: readonly OutcomeUse[];
  readonly shareCount: number;
  readonly deletedShareIds: readonly string[];
  readonly disclosures: readonly string[];
}

export function bucketOf(count: number): Bucket {
  if (count === 0) return '0';
  if (count <= 4) return '1-4';
  return count <= 9 ? '5-9' : '10+';
}

/** By which an owner recognises the own share in `deleted`. */
export function deletionOf(shareId: string): string {
  return sha256Hex(Buffer.from(shareId, 'ascii'));
}

export function makeOutcome(
  draft: OutcomeDraft,
  seq: number,
  key: SigningKey,
): { readonly envelope: Uint8Array; readonly document: OutcomeDocument; readonly hash: string } {
  const shares = bucketOf(draft.shareCount);
  const room = deletedCounts[shares];
  const deleted = draft.deletedShareIds.map(deletionOf);
  if (deleted.length > room || deleted.length > draft.shareCount) {
    const why = `${deleted.length} deletions do not fit; at most ${Math.min(room, draft.shareCount)} of this request do`;
    throw new AgentError('usage', 'portal/too-many-deletions', `Cannot write the outcome: ${why}`);
  }
  while (deleted.length < room) deleted.push(randomBytes(32).toString('hex'));
  const document = parseDocument('outcome', {
    agency: draft.agency,
    request_hash: draft.requestHash,
    seq,
    status: draft.status,
    use: draft.use,
    shares,
    // Sorted, so that the real ones don't stand first.
    deleted: deleted.toSorted(),
    retained: bucketOf(draft.shareCount - draft.deletedShareIds.length),
    disclosures: draft.disclosures,
  });
  const envelope = signEnvelope('outcome', document, [key]);
  return { envelope, document, hash: sha256Hex(canonicalBytes(document)) };
}
