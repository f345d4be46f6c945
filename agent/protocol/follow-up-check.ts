import { type CheckedAgency, signerRule } from './agency-check.ts';
import { fromHex } from './bytes.ts';
import type { OutcomeDocument } from './documents.ts';
import { type Opened, openEnvelope } from './envelope.ts';
import { openGrant } from './receipt-check.ts';
import { refusal } from './refuse.ts';
import { isTopicIn } from './topics.ts';

/** What follows a share: the agency's account of what became of it, and the owner's demand that it be deleted. */

type Bucket = OutcomeDocument['shares'];
const buckets: readonly Bucket[] = ['0', '1-4', '5-9', '10+'];

/** How many hashes `deleted` holds: the bucket's bound, so that a list padded with random values tells no more than it. */
export const deletedCounts: Readonly<Record<Bucket, number>> = { '0': 0, '1-4': 4, '5-9': 9, '10+': 64 };

export function checkOutcome(params: {
  readonly outcome: Uint8Array;
  readonly agency: CheckedAgency;
  readonly nowMs: number;
  readonly revokedKeyIds?: readonly string[];
  /** Where it was received; its parts must equal the payload's. */
  readonly topic?: string;
}): Opened<'outcome'> {
  const { agency } = params.agency;
  const opened = openEnvelope('outcome', params.outcome, [
    signerRule(agency, 'outcome', params.nowMs, params.revokedKeyIds),
  ]);
  const { document: outcome } = opened;
  const refused = (what: string, why: string): Error => refusal(`outcome/${what}`, `Cannot use the outcome: ${why}`);
  if (outcome.agency !== agency.agency) throw refused('agency-mismatch', 'it names another agency than its signer');
  const { agency: by, seq } = outcome;
  const belongs = (region: string) => ({ type: 'oc', region, agency: by, seq }) as const;
  if (params.topic !== undefined && !isTopicIn(params.topic, agency.regions, belongs)) {
    throw refused('topic-mismatch', 'it was published under a topic that is not its own');
  }
  if (outcome.deleted.length !== deletedCounts[outcome.shares]) {
    throw refused('deleted-count', 'its deletions are not padded to the bound of its shares');
  }
  if (isRepeating(outcome.deleted)) throw refused('deleted-twice', 'one deletion is listed twice');
  if (isRepeating(outcome.use)) throw refused('use-twice', 'one use is listed twice');
  if (buckets.indexOf(outcome.retained) > buckets.indexOf(outcome.shares)) {
    throw refused('retained', 'more is retained than was shared');
  }
  return opened;
}

/** A demand signed by the per-request owner key of the grant that it is about. */
export function checkDemand(params: { readonly demand: Uint8Array; readonly grant: Uint8Array }): Opened<'demand'> {
  const grant = openGrant(params.grant);
  const keys = [fromHex(grant.document.owner_key)];
  const opened = openEnvelope('demand', params.demand, [{ role: 'owner', threshold: 1, keys }]);
  if (opened.document.grant_hash !== grant.hash) {
    throw refusal('demand/other-grant', 'Cannot use the demand: it is about another grant');
  }
  if (opened.document.share_id !== grant.document.share_id) {
    throw refusal('demand/other-share', 'Cannot use the demand: it names another share than its grant');
  }
  return opened;
}

function isRepeating(values: readonly string[]): boolean {
  return new Set(values).size !== values.length;
}
