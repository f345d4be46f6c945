import { AgentError } from '../../agent/base/errors.ts';
import { maxEnvelopeBytes, peekDocument } from '../../agent/protocol/envelope.ts';
import { keyIdOf, type SigningKey } from '../../agent/protocol/keys.ts';
import { appendCustody } from './custody.ts';
import { makeNotice } from './notice.ts';
import { filesIn, type Office, readOfficeFile, writeOfficeFile } from './office.ts';
import { listRequests, type OfficeRequest } from './office-requests.ts';
import { type Actor, listShares, type OfficeShare } from './office-shares.ts';
import { makeOutcome, type OutcomeDraft } from './outcome.ts';
import { type Published, publishNotice, publishOutcome } from './publish.ts';
import { takePlace } from './sequence.ts';

/** What the agency owes after a request was published: an account of its use, and the deletions that it granted. */
export interface OutcomeDue {
  readonly request: OfficeRequest;
  readonly shares: readonly OfficeShare[];
  readonly dueAtMs: number;
  readonly state: 'due' | 'overdue' | 'reported' | 'report-deletions';
}

const dayMs = 86_400_000;

/** Requests that were published, the most pressing first. */
export function outcomesDue(office: Office, nowMs: number): OutcomeDue[] {
  const shares = listShares(office);
  const reported = new Set(listOutcomes(office).map(({ requestHash }) => requestHash));
  return listRequests(office, nowMs)
    .filter(({ requestId }) => readOfficeFile(office, 'published', requestId) !== undefined)
    .map((request) => {
      const { expires_at: expiresAt, terms } = request.document;
      const own = shares.filter(({ requestId }) => requestId === request.requestId);
      // Every owner of the region waits for it, also when nobody sent anything; who did send counts from then on.
      const fromMs = Math.min(expiresAt * 1000, ...own.map(({ receivedAtMs }) => receivedAtMs));
      const dueAtMs = fromMs + terms.outcome_due_days * dayMs;
      const isReported = reported.has(request.hash);
      const state = stateOf(own, isReported, dueAtMs <= nowMs);
      return { request, shares: own, dueAtMs, state };
    })
    .toSorted((a, b) => a.dueAtMs - b.dueAtMs);
}

/** By when a share is to be deleted: what was granted; until it has been opened, what was asked for. */
export function deleteByMs(share: OfficeShare, request: OfficeRequest): number {
  return share.receivedAtMs + (share.deleteByDays ?? request.document.terms.delete_by_days) * dayMs;
}

function stateOf(shares: readonly OfficeShare[], isReported: boolean, isLate: boolean): OutcomeDue['state'] {
  if (!isReported) return isLate ? 'overdue' : 'due';
  return shares.some(({ deletedAtMs, reported }) => deletedAtMs !== undefined && !reported)
    ? 'report-deletions'
    : 'reported';
}

export interface PublishedOutcome {
  readonly seq: number;
  readonly requestHash: string;
}

export function listOutcomes(office: Office): PublishedOutcome[] {
  return filesIn(office, 'outcomes').flatMap((name) => {
    const bytes = readOfficeFile(office, 'outcomes', name);
    if (bytes === undefined || bytes.length > maxEnvelopeBytes) return [];
    const { unverified } = peekDocument('outcome', bytes);
    return [{ seq: unverified.seq, requestHash: unverified.request_hash }];
  });
}

export interface OutcomeReport {
  readonly requestId: string;
  readonly status: OutcomeDraft['status'];
  readonly use: OutcomeDraft['use'];
  readonly disclosures: readonly string[];
  readonly key: SigningKey;
}

/** Publishes an outcome that counts the request's shares and lists those that were deleted. */
export async function reportOutcome(office: Office, report: OutcomeReport, by: Actor): Promise<Published> {
  const due = outcomesDue(office, by.nowMs).find(({ request }) => request.requestId === report.requestId);
  if (due === undefined) {
    throw new AgentError('usage', 'portal/no-such-request', 'Cannot report an outcome: no such request was published');
  }
  requireListed(office, 'outcome', report.key);
  const deleted = due.shares.filter(({ deletedAtMs }) => deletedAtMs !== undefined);
  const draft: OutcomeDraft = {
    agency: office.agency.agency,
    requestHash: due.request.hash,
    status: report.status,
    use: report.use,
    shareCount: due.shares.length,
    deletedShareIds: deleted.map(({ shareId }) => shareId),
    disclosures: report.disclosures,
  };
  const made = takePlace(office.sequencePath, ({ seq }) => makeOutcome(draft, seq, report.key));
  const { broker, root, agencyEnvelope: agency } = office;
  const published = await publishOutcome({ broker, agency, root, outcome: made.envelope, nowMs: by.nowMs });
  writeOfficeFile(office, 'outcomes', String(made.document.seq), made.envelope);
  for (const { shareId, requestId, deletedAtMs } of due.shares) {
    const facts = { outcome_seq: made.document.seq, deleted: deletedAtMs === undefined ? 0 : 1 };
    appendCustody(office.intakeDir, { atMs: by.nowMs, actor: by.actor, event: 'reported', shareId, requestId, facts });
  }
  return published;
}

export interface NoticeFields {
  readonly region: string;
  readonly headline: string;
  readonly text: string;
  readonly days: number;
}

/** A public alert: one officer signs, because it asks for nothing. */
export async function issueNotice(
  office: Office,
  fields: NoticeFields,
  officer: SigningKey,
  nowMs: number,
): Promise<Published> {
  requireListed(office, 'officer', officer);
  const made = takePlace(office.sequencePath, ({ seq }) =>
    makeNotice({ ...fields, agency: office.agency.agency, seq, officer, nowMs }),
  );
  const { broker, root, agencyEnvelope: agency } = office;
  const published = await publishNotice({ broker, agency, root, notice: made.envelope, nowMs });
  writeOfficeFile(office, 'notices', String(made.document.seq), made.envelope);
  return published;
}

/** Before a number is taken for a document that nobody would believe. */
function requireListed(office: Office, role: 'officer' | 'outcome', key: SigningKey): void {
  const kid = keyIdOf(key.publicKey);
  if (office.agency.keys.some((listed) => listed.kid === kid && listed.role === role)) return;
  throw new AgentError('refused', 'portal/key-not-listed', `Cannot sign: the agency lists no such ${role} key`);
}
