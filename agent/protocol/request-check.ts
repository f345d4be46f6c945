import { type CheckedAgency, checkAgency, type PinnedRoot, signerRule } from './agency-check.ts';
import type { AgencyDocument, RequestDocument, Terms } from './documents.ts';
import { openEnvelope } from './envelope.ts';
import { areaKm2, areaProblem, compactness } from './geometry.ts';
import { defaultLimits, type Limits, recipientDelayS, recipientNewsS } from './limits.ts';
import { refusal } from './refuse.ts';
import { topicOf } from './topics.ts';
import { hasAssemblyWording } from './wording.ts';

/** The whole acceptance of a request on the device, from raw bytes. Owner and vault each call it for themselves. */
export interface RequestCheck {
  /** The request's envelope as received. */
  readonly request: Uint8Array;
  /** The pinned agency document's envelope; undefined when the device knows no such agency. */
  readonly agency: Uint8Array | undefined;
  readonly roots: readonly PinnedRoot[];
  readonly nowMs: number;
  /** From `tightenLimits`. */
  readonly limits?: Limits;
  /** Where the request was received; its parts must equal the payload's. */
  readonly topic?: string;
  /** Whether the owner has enabled the agency. Left out: not looked at. */
  readonly enabled?: boolean;
  readonly revokedKeyIds?: readonly string[];
  readonly revokedRequestIds?: readonly string[];
}

export type RequestWarning = 'assembly-wording' | 'recipient-changed';

/** A request whose terms and basis have been found acceptable. */
export type AcceptedRequest = Omit<RequestDocument, 'terms' | 'legal'> & {
  readonly terms: Terms;
  readonly legal: { readonly basis: 'voluntary'; readonly authority: string };
};

export interface CheckedRequest extends CheckedAgency {
  readonly request: AcceptedRequest;
  readonly requestHash: string;
  readonly signers: { readonly officerKeyId: string; readonly approverKeyId: string };
  /** Shown to the owner, never decided by the software. */
  readonly warnings: readonly RequestWarning[];
}

/** Returns the request if every rule is met; otherwise throws the refusal of the first rule broken, in a fixed order. */
export function checkRequest(check: RequestCheck): CheckedRequest {
  if (check.agency === undefined) throw refused('unknown-agency', 'the agency is not known here');
  const checkedAgency = checkAgency({ agency: check.agency, roots: check.roots, nowMs: check.nowMs });
  const { agency } = checkedAgency;
  if (agency.kind !== 'agency') throw refused('not-an-agency', 'a group may only issue notices');
  if (check.enabled === false) throw refused('agency-not-enabled', 'the owner has not enabled the agency');
  const opened = openEnvelope('request', check.request, [
    signerRule(agency, 'officer', check.nowMs, check.revokedKeyIds),
    signerRule(agency, 'approver', check.nowMs, check.revokedKeyIds),
  ]);
  const request = opened.document;
  if (request.agency !== agency.agency) throw refused('agency-mismatch', 'it names another agency than its signers');
  if (check.topic !== undefined) requireTopic(request, check.topic);
  if (!agency.regions.includes(request.region)) throw refused('region', 'the agency has no say in that region');
  if (check.revokedRequestIds?.includes(request.request_id)) throw refused('revoked', 'the agency has revoked it');
  const limits = check.limits ?? defaultLimits;
  requireTimes(request, limits, check.nowMs / 1000);
  requireArea(request, limits);
  requireBasisAndTerms(request, limits);
  requireRecipient(request, agency, check.nowMs / 1000);
  return {
    ...checkedAgency,
    request: request as AcceptedRequest,
    requestHash: opened.hash,
    signers: {
      officerKeyId: opened.signerKeyIds['officer']?.[0] ?? '',
      approverKeyId: opened.signerKeyIds['approver']?.[0] ?? '',
    },
    warnings: warningsOf(request, agency, check.nowMs / 1000),
  };
}

function requireTopic(request: RequestDocument, topic: string): void {
  const { region, agency, request_id: requestId } = request;
  if (topicOf({ type: 'rq', region, agency, requestId }) !== topic) {
    throw refused('topic-mismatch', 'it was published under a topic that is not its own');
  }
}

function requireTimes(request: RequestDocument, limits: Limits, nowS: number): void {
  const { issued_at: issuedAt, expires_at: expiresAt, window } = request;
  if (issuedAt > nowS + limits.maxAheadS) throw refused('issued-in-future', 'it was issued in the future');
  if (expiresAt <= nowS || expiresAt <= issuedAt) throw refused('expired', 'it has expired');
  if (expiresAt - issuedAt > limits.maxLifetimeS) throw refused('lifetime-too-long', 'it stays open too long');
  // Never a live tap: nothing after the signing can be asked for.
  if (window.to > issuedAt) throw refused('window-in-future', 'its window ends after it was issued');
  const lengthS = window.to - window.from;
  if (lengthS < limits.minWindowS) throw refused('window-too-short', 'its window is too short');
  if (lengthS > limits.maxWindowS) throw refused('window-too-long', 'its window is too long');
  if (issuedAt - window.from > limits.maxReachBackS) throw refused('too-old', 'its window lies too far back');
}

function requireArea({ area }: RequestDocument, limits: Limits): void {
  const problem = areaProblem(area);
  if (problem !== undefined) throw refused(`area-${problem}`, `its area is unusable (${problem})`);
  const km2 = areaKm2(area);
  if (km2 < limits.minAreaKm2) throw refused('area-too-small', 'its area could single out a house');
  if (km2 > limits.maxAreaKm2) throw refused('area-too-large', 'its area is too large');
  if (compactness(area) < limits.minCompactness) throw refused('area-too-thin', 'its area is too thin');
}

function requireBasisAndTerms({ legal, terms }: RequestDocument, limits: Limits): void {
  if (legal.basis !== 'voluntary') throw refused('basis', 'it claims another basis than the voluntary one');
  const acceptable =
    !terms.biometric_id &&
    (terms.third_party === 'none' || terms.third_party === 'court_only') &&
    terms.delete_by_days <= limits.maxDeleteByDays &&
    terms.outcome_due_days <= limits.maxOutcomeDueDays;
  if (!acceptable) throw refused('terms', 'its terms are weaker than what is required');
}

/**
 * The recipient must be the pinned document's, and if it replaced an earlier one (version above 1) at least 72 h old.
 * A first version replaced nothing: making everybody wait would protect no one.
 */
function requireRecipient(request: RequestDocument, agency: AgencyDocument, nowS: number): void {
  if (request.recipient_kid !== agency.recipient.kid) {
    throw refused('recipient-unknown', 'it names another recipient than the agency document');
  }
  if (agency.version > 1 && nowS - agency.recipient.since < recipientDelayS) {
    throw refused('recipient-too-new', 'the recipient of the agency changed less than 72 hours ago');
  }
}

function warningsOf(request: RequestDocument, agency: AgencyDocument, nowS: number): RequestWarning[] {
  const warnings: RequestWarning[] = [];
  if (hasAssemblyWording([request.case.incident, request.case.statement, request.legal.authority])) {
    warnings.push('assembly-wording');
  }
  if (agency.version > 1 && nowS - agency.recipient.since < recipientNewsS) warnings.push('recipient-changed');
  return warnings;
}

function refused(what: string, why: string): Error {
  return refusal(`request/${what}`, `Cannot accept the request: ${why}`);
}
