/** Public alerts and reports of outcomes: kept, counted, never answered. */
import { createHash } from 'node:crypto';
import { type CheckedAgency, checkAgency } from '../protocol/agency-check.ts';
import { checkOutcome } from '../protocol/follow-up-check.ts';
import { areaContains } from '../protocol/geometry.ts';
import { checkNotice } from '../protocol/notice-check.ts';
import type { Topic } from '../protocol/topics.ts';
import type { AgencyRow, NumberedKind } from '../store/ledger-rows.ts';
import { dayS, type IntakeDesk, refused } from './intake-parts.ts';

const noticesPerDayCount = 5;
/** Reports stay on the broker so long; afterwards nobody can send them again. */
const reportMemoryS = 400 * dayS;

type PublishedTopic = Extract<Topic, { type: 'rv' | 'oc' | 'nt' }>;

export class PublishedDesk {
  readonly #desk: IntakeDesk;

  constructor(desk: IntakeDesk) {
    this.#desk = desk;
  }

  #agency(topic: PublishedTopic, kind: 'notice' | 'outcome'): { row: AgencyRow; checked: CheckedAgency } {
    const { db, roots, nowMs } = this.#desk;
    const row = db.agency(topic.agency);
    if (row === undefined) throw refused(`${kind}/unknown-agency`, 'the agency is not known here');
    if (row.enabled === 0) throw refused(`${kind}/agency-not-enabled`, 'the owner has not enabled the agency');
    if (row.suspended === 1) throw refused(`${kind}/agency-suspended`, 'the agency contradicted itself');
    return { row, checked: checkAgency({ agency: row.envelope, roots: roots(), nowMs: nowMs() }) };
  }

  /** Two under one number suspend their agency and stay as evidence. */
  #claim(
    kind: NumberedKind,
    { agency, seq }: PublishedTopic,
    docHash: string,
    envelope: Uint8Array,
    dropAfterS: number,
  ): void {
    const { db, nowS } = this.#desk;
    const other = db.published.claimNumber({ agency, kind, seq, docHash, envelope, dropAfterS });
    if (other === undefined) return;
    db.suspendAgency(agency, other, envelope, nowS());
    const name = kind === 'nt' ? 'notice' : 'outcome';
    throw refused(`${name}/equivocation`, 'the agency signed two documents under one number');
  }

  takeNotice(topic: PublishedTopic, text: string, envelope: Uint8Array): void {
    const { db, house, nowMs, nowS, verdict, clockTrusted, wait } = this.#desk;
    if (!clockTrusted()) {
      return wait({ agency: topic.agency, topic: text, envelope, code: 'notice/held-for-clock', signed: false });
    }
    const { row, checked } = this.#agency(topic, 'notice');
    if (row.muted === 1) throw refused('notice/agency-muted', 'the owner has muted the agency');
    const revokedKeyIds = db.revoked(topic.agency, 'key');
    const { document: notice, hash } = checkNotice({
      notice: envelope,
      agency: checked,
      nowMs: nowMs(),
      revokedKeyIds,
      topic: text,
    });
    this.#claim('nt', topic, hash, envelope, notice.expires_at + dayS);
    const place = { lat_e6: house.place.latE6, lon_e6: house.place.lonE6 };
    if (notice.area !== undefined && !areaContains(notice.area, place))
      throw refused('notice/elsewhere', 'it concerns another place');
    const known = db.published.notices(nowS()).some((n) => n.agency === topic.agency && n.seq === topic.seq);
    if (known) throw refused('notice/replayed', 'it came before');
    if (db.published.noticesSince(topic.agency, nowS() - dayS) >= noticesPerDayCount)
      throw refused('notice/too-many-today', 'the agency has alerted too often today');
    db.published.putNotice({
      agency: notice.agency,
      seq: notice.seq,
      envelope,
      issued_at_s: notice.issued_at,
      expires_at_s: notice.expires_at,
    });
    verdict('notice');
  }

  /** Counted for its agency, whoever shared; of a share of this house it also says whether it was deleted. */
  takeOutcome(topic: PublishedTopic, text: string, envelope: Uint8Array): void {
    const { db, nowMs, nowS, verdict } = this.#desk;
    const { checked } = this.#agency(topic, 'outcome');
    const revokedKeyIds = db.revoked(topic.agency, 'key');
    const { document: outcome, hash } = checkOutcome({
      outcome: envelope,
      agency: checked,
      nowMs: nowMs(),
      revokedKeyIds,
      topic: text,
    });
    const dropAfterS = nowS() + reportMemoryS;
    this.#claim('oc', topic, hash, envelope, dropAfterS);
    const { agency, request_hash: requestHash, seq, status, use: uses, shares, retained } = outcome;
    const fresh = db.published.putReport({ agency, requestHash, seq, status, uses, shares, retained, dropAfterS });
    if (!fresh) throw refused('outcome/older', 'a newer report about that request is known');
    const share = db.shareOf(requestHash);
    // A share of another agency's request is not this one's to report on.
    const own = share !== undefined && db.requests().some((r) => r.request_hash === requestHash && r.agency === agency);
    if (own) {
      const deletion = createHash('sha256').update(share.share_id, 'ascii').digest('hex');
      db.noteOutcome(requestHash, status, outcome.deleted.includes(deletion) ? nowS() : null);
    }
    verdict('outcome');
  }
}
