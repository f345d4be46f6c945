/** A request: verified, judged by the owner's policy, matched with the place, and put before the owner. And its revocation. */
import { checkAgency, openAgency } from '../protocol/agency-check.ts';
import { lacksSigners, peekDocument } from '../protocol/envelope.ts';
import { areaContains } from '../protocol/geometry.ts';
import { recipientDelayS, recipientNewsS } from '../protocol/limits.ts';
import { checkRevocation } from '../protocol/receipt-check.ts';
import { type CheckedRequest, checkRequest } from '../protocol/request-check.ts';
import type { Topic } from '../protocol/topics.ts';
import type { AgencyRow } from '../store/ledger-rows.ts';
import { sealDecision } from './decisions.ts';
import type { AgencyDesk } from './intake-agencies.ts';
import { dayS, type IntakeDesk, refused, requireSigners } from './intake-parts.ts';
import { isMuted } from './standing.ts';

export const promptsPerDayCount = 5;
const requestsPerCaseCount = 2;
/** A report may still come, and is still owed, this long after it was due. */
const reportMemoryS = 400 * dayS;
/** Revocations have no date: their numbers are remembered as long as any request could live, and then some. */
const numberMemoryS = 60 * dayS;

type RequestTopic = Extract<Topic, { type: 'rq' }>;

export class RequestDesk {
  readonly #desk: IntakeDesk;
  readonly #agencies: AgencyDesk;

  constructor(desk: IntakeDesk, agencies: AgencyDesk) {
    this.#desk = desk;
    this.#agencies = agencies;
  }

  /** Of an agency that is known, only what it signed is kept for later, whenever that is. */
  #waitSigned(topic: RequestTopic, text: string, envelope: Uint8Array, row: AgencyRow, code: string): void {
    const { wait, roots } = this.#desk;
    requireSigners(envelope, openAgency(row.envelope, roots()).agency, []);
    wait({ agency: topic.agency, topic: text, envelope, code, signed: true });
  }

  takeRequest(topic: RequestTopic, text: string, envelope: Uint8Array): void {
    const { db, roots, nowMs, nowS, clockTrusted, wait } = this.#desk;
    const row = db.agency(topic.agency);
    if (row === undefined) {
      return wait({ agency: topic.agency, topic: text, envelope, code: 'request/unknown-agency', signed: false });
    }
    if (row.suspended === 1) throw refused('request/agency-suspended', 'the agency contradicted itself');
    const later = (code: string): void => this.#waitSigned(topic, text, envelope, row, `request/${code}`);
    if (row.enabled === 0) return later('agency-not-enabled');
    // Without a believable clock neither expiry nor the window can be judged.
    if (!clockTrusted()) return later('held-for-clock');
    if (isMuted(db, row, nowS())) return later('agency-muted');
    const doubt = this.#agencies.doubt(row, topic.region);
    if (doubt !== undefined) return later(doubt);
    const checked = checkRequest({
      request: envelope,
      agency: row.envelope,
      roots: roots(),
      nowMs: nowMs(),
      ...(this.#desk.limits === undefined ? {} : { limits: this.#desk.limits }),
      topic: text,
      enabled: true,
      revokedKeyIds: db.revoked(topic.agency, 'key'),
      revokedRequestIds: db.revoked(topic.agency, 'request'),
    });
    this.#applyPolicy(checked, envelope, row);
  }

  #applyPolicy(checked: CheckedRequest, envelope: Uint8Array, row: AgencyRow): void {
    const { db, house, nowS: now, wallMs, onPending, verdict } = this.#desk;
    const { request, requestHash } = checked;
    const nowS = now();
    const dropAfterS = request.expires_at + dayS;
    const seenForS = row.recipient_seen_s === null ? Number.POSITIVE_INFINITY : nowS - row.recipient_seen_s;
    if (seenForS < recipientDelayS)
      throw refused('request/recipient-too-new', 'the recipient changed less than 72 hours ago');
    // Before the look for a replay: two requests under one number and one id contradict each other just as well.
    const other = db.published.claimNumber({
      agency: request.agency,
      kind: 'rq',
      seq: request.seq,
      docHash: requestHash,
      envelope,
      dropAfterS,
    });
    if (other !== undefined) {
      db.suspendAgency(request.agency, other, envelope, nowS);
      throw refused('request/equivocation', 'the agency signed two requests under one number');
    }
    if (db.replayed(requestHash, request.agency, request.request_id))
      throw refused('request/replayed', 'it came before');
    // Never beyond the clock: requests dated a little ahead, one on top of the other, would end every cooling-off.
    db.raiseClockFloor(Math.min(request.issued_at, Math.floor(wallMs() / 1000)));
    const dueS = request.expires_at + request.terms.outcome_due_days * dayS;
    db.published.oweReport(request.agency, requestHash, dueS, dueS + reportMemoryS);
    const place = { lat_e6: house.place.latE6, lon_e6: house.place.lonE6 };
    const turnAway = (code: string, why: string): Error => {
      db.rememberOnly(requestHash, request.agency, request.request_id, dropAfterS);
      return refused(code, why);
    };
    if (!areaContains(request.area, place)) throw turnAway('request/elsewhere', 'it concerns another place');
    if (db.published.askedSince(request.agency, nowS - dayS) >= (row.daily_limit ?? promptsPerDayCount)) {
      throw turnAway('request/too-many-today', 'the agency has asked too often today');
    }
    if (db.published.askedForCase(request.agency, request.case.number) >= requestsPerCaseCount) {
      throw turnAway('request/too-many-for-case', 'the case has had its requests');
    }
    db.accept(
      {
        request_hash: requestHash,
        request_id: request.request_id,
        agency: request.agency,
        case_number: request.case.number,
        envelope,
        agency_envelope: row.envelope,
        state: 'PENDING',
        note: sealDecision(house.ownerRecipient, 'none'),
        warnings: JSON.stringify([
          ...new Set([...checked.warnings, ...(seenForS < recipientNewsS ? ['recipient-changed'] : [])]),
        ]),
        accepted_at_s: nowS,
        issued_at_s: request.issued_at,
        expires_at_s: request.expires_at,
        window_from_s: request.window.from,
        window_to_s: request.window.to,
      },
      dropAfterS,
    );
    onPending({
      fromMs: request.window.from * 1000,
      toMs: request.window.to * 1000,
      untilMs: request.expires_at * 1000,
    });
    verdict('accepted');
  }

  takeRevocation(topic: Extract<Topic, { type: 'rv' | 'oc' | 'nt' }>, text: string, envelope: Uint8Array): void {
    const { db, roots, nowMs, nowS, verdict, onRevoked } = this.#desk;
    const agencyId = topic.agency;
    const row = db.agency(agencyId);
    if (row === undefined) throw refused('revocation/unknown-agency', 'the agency is not known here');
    const { document, hash } = checkRevocation({
      revocation: envelope,
      agency: checkAgency({ agency: row.envelope, roots: roots(), nowMs: nowMs() }),
      nowMs: nowMs(),
      revokedKeyIds: db.revoked(agencyId, 'key'),
      topic: text,
    });
    const { seq } = document;
    const claim = {
      agency: agencyId,
      kind: 'rv',
      seq,
      docHash: hash,
      envelope,
      dropAfterS: nowS() + numberMemoryS,
    } as const;
    const other = db.published.claimNumber(claim);
    // Kept as evidence, but obeyed all the same: to stop asking harms nobody.
    if (other !== undefined) db.suspendAgency(agencyId, other, envelope, nowS());
    db.revoke(agencyId, document.kind, document.target);
    verdict(`revoked-${document.kind}`);
    if (document.kind === 'key') return this.#revokeSignedBy(agencyId);
    const request = db.request(document.target);
    // What it owes it owes still: others may have shared before, and taking back must not be a way around the report.
    if (request !== undefined && request.agency === agencyId) onRevoked(request.request_hash);
  }

  /** A key that was given up may have been stolen before: what it signed and is still open goes with it. */
  #revokeSignedBy(agencyId: string): void {
    const { db, onRevoked } = this.#desk;
    const revokedKeyIds = db.revoked(agencyId, 'key');
    for (const row of db.requests()) {
      if (row.agency !== agencyId) continue;
      try {
        requireSigners(row.envelope, peekDocument('agency', row.agency_envelope).unverified, revokedKeyIds);
      } catch (thrown) {
        if (!lacksSigners(thrown)) throw thrown;
        onRevoked(row.request_hash);
      }
    }
  }
}
