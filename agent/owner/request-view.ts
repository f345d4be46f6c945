/** A stored request as the owner sees it. Pure: what is stored was verified when it was accepted and has not left since. */
import { signerRule } from '../protocol/agency-check.ts';
import type { AgencyDocument } from '../protocol/documents.ts';
import { openEnvelope, peekDocument } from '../protocol/envelope.ts';
import { areasOverlap } from '../protocol/geometry.ts';
import { sameCase } from '../store/ledger-published.ts';
import type { DemandRow, RequestRow, ShareRow } from '../store/ledger-rows.ts';
import { aftermathOf } from './aftermath.ts';
import type { Place } from './house.ts';
import type { RequestDetail, RequestState, RequestSummary, ShareSummary } from './service.ts';

/** Requests of one agency and case whose areas touch: whoever asks twice about a place is shown doing so. */
export function relatedTo(row: RequestRow, rows: readonly RequestRow[]): readonly string[] {
  const { area } = peekDocument('request', row.envelope).unverified;
  return rows
    .filter(
      (other) =>
        other.request_hash !== row.request_hash &&
        other.agency === row.agency &&
        sameCase(other.case_number) === sameCase(row.case_number) &&
        areasOverlap(area, peekDocument('request', other.envelope).unverified.area),
    )
    .map((other) => other.request_id);
}

export function summariseRequest(row: RequestRow, state: RequestState, related: readonly string[]): RequestSummary {
  const { unverified: request } = peekDocument('request', row.envelope);
  const { unverified: agency } = peekDocument('agency', row.agency_envelope);
  return {
    requestId: row.request_id,
    state,
    agencyName: agency.name,
    caseNumber: request.case.number,
    incident: request.case.incident,
    windowFromMs: row.window_from_s * 1000,
    windowToMs: row.window_to_s * 1000,
    issuedAtMs: row.issued_at_s * 1000,
    expiresAtMs: row.expires_at_s * 1000,
    warnings: JSON.parse(row.warnings) as string[],
    related,
  };
}

export function describeRequest(
  row: RequestRow,
  state: RequestState,
  place: Place,
  share: ShareSummary | undefined,
  related: readonly string[],
): RequestDetail {
  const { unverified: request } = peekDocument('request', row.envelope);
  const { unverified: agency } = peekDocument('agency', row.agency_envelope);
  const { area, terms } = request;
  return {
    ...summariseRequest(row, state, related),
    statement: request.case.statement,
    legalAuthority: request.legal.authority,
    contact: request.contact,
    area:
      'circle' in area
        ? { kind: 'circle', latE6: area.circle.lat_e6, lonE6: area.circle.lon_e6, radiusM: area.circle.radius_m }
        : { kind: 'polygon', pointsE6: area.polygon.pts_e6 },
    placeE6: place,
    terms: {
      deleteByDays: terms.delete_by_days,
      outcomeDueDays: terms.outcome_due_days,
      thirdParty: terms.third_party === 'court_only' ? 'court_only' : 'none',
      biometricId: false,
    },
    asksForSound: request.media.audio,
    signers: signersOf(row, agency),
    ...(share === undefined ? {} : { share }),
  };
}

/** Who signed, verified again: the key ids that stand beside the signatures are hints, and whoever carries them can change them. */
function signersOf(row: RequestRow, agency: AgencyDocument): RequestDetail['signers'] {
  const atMs = row.accepted_at_s * 1000;
  const rules = (['officer', 'approver'] as const).map((role) => signerRule(agency, role, atMs));
  const { officer, approver } = openEnvelope('request', row.envelope, rules).signerKeyIds;
  return { officerKeyId: officer?.[0] ?? '', approverKeyId: approver?.[0] ?? '' };
}

export function summariseShare(
  state: RequestRow['state'],
  share: ShareRow,
  demands: readonly DemandRow[],
  nowS: number,
): ShareSummary {
  const after = aftermathOf(share, demands, nowS);
  const ended = state === 'REVOKED' || state === 'EXPIRED' || state === 'PENDING';
  return {
    shareId: share.share_id,
    state: ended ? 'FAILED' : state,
    bytes: share.body_bytes,
    releaseNotBeforeMs: share.release_not_before_ms,
    deadlineMs: share.deadline_ms,
    ...(share.second_approver === null || share.confirmed_at_s !== null ? {} : { waitsFor: share.second_approver }),
    ...(after === undefined ? {} : { after }),
  };
}
