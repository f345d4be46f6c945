/** What the owner sees of agencies and decides about them. Whatever is set here only ever narrows what they may do. */
import { AgentError } from '../base/errors.ts';
import { peekDocument } from '../protocol/envelope.ts';
import type { LedgerDb } from '../store/ledger-db.ts';
import type { AgencyRow } from '../store/ledger-rows.ts';
import type { Intake } from './intake.ts';
import { promptsPerDayCount } from './intake-requests.ts';
import type { AgencySummary, Evidence, NoticeSummary } from './service.ts';
import { isOverdue, scoreOf } from './standing.ts';

export interface AgencyBookOptions {
  readonly db: LedgerDb;
  readonly intake: Intake;
  readonly regions: readonly string[];
  readonly nowMs: () => number;
  /** What was dropped because an agency was not heard should be read again at the next refresh. */
  readonly onHeardAgain: () => void;
}

export class AgencyBook {
  readonly #o: AgencyBookOptions;

  constructor(options: AgencyBookOptions) {
    this.#o = options;
  }

  /** Throws `owner/no-such-agency`. */
  row(agency: string): AgencyRow {
    const row = this.#o.db.agency(agency);
    if (row === undefined)
      throw new AgentError('usage', 'owner/no-such-agency', 'Cannot find the agency: it is not known here');
    return row;
  }

  /** What is stored was verified when it came: with 1,500 agencies nobody waits for 3,000 signatures. */
  #summary(row: AgencyRow): AgencySummary {
    const { db, regions, intake } = this.#o;
    const { unverified: agency } = peekDocument('agency', row.envelope);
    const nowS = Math.floor(this.#o.nowMs() / 1000);
    const doubts = regions.filter((r) => agency.regions.includes(r)).map((region) => intake.doubt(row, region));
    return {
      agency: row.agency,
      name: agency.name,
      kind: agency.kind,
      enabled: row.enabled === 1 && row.suspended === 0,
      muted: row.muted === 1 ? 'by-owner' : isOverdue(db, row.agency, nowS) ? 'overdue-outcomes' : 'no',
      suspended: row.suspended === 1,
      perDay: row.daily_limit ?? promptsPerDayCount,
      version: row.version,
      expiresAtMs: agency.expires_at * 1000,
      recipientKeyId: agency.recipient.kid,
      ...(row.recipient_seen_s === null ? {} : { recipientChangedAtMs: row.recipient_seen_s * 1000 }),
      directory: doubts.find((doubt) => doubt !== undefined) ?? 'no-doubt',
      score: scoreOf(db.published.duties(row.agency), nowS),
    };
  }

  list(): readonly AgencySummary[] {
    return this.#o.db.agencies().map((row) => this.#summary(row));
  }

  import(envelope: Uint8Array): AgencySummary {
    return this.#summary(this.row(this.#o.intake.importAgency(envelope)));
  }

  setEnabled(agency: string, enabled: boolean): AgencySummary {
    this.row(agency);
    this.#o.db.setAgencyEnabled(agency, enabled);
    return this.#heard(agency, enabled);
  }

  setMuted(agency: string, muted: boolean): AgencySummary {
    this.row(agency);
    this.#o.db.setAgencyMuted(agency, muted);
    return this.#heard(agency, !muted);
  }

  #heard(agency: string, again: boolean): AgencySummary {
    if (again) {
      this.#o.intake.retryWaiting(agency);
      this.#o.onHeardAgain();
    }
    return this.#summary(this.row(agency));
  }

  /** At most as many prompts a day as the protocol allows, or fewer; null for the protocol's number. */
  setPerDay(agency: string, perDay: number | null): AgencySummary {
    this.row(agency);
    if (perDay !== null && !(Number.isInteger(perDay) && perDay >= 0 && perDay <= promptsPerDayCount)) {
      throw new AgentError(
        'usage',
        'policy/limit-too-lax',
        `Cannot set the limit: 0 to ${promptsPerDayCount} prompts a day, limits can only be tightened`,
      );
    }
    this.#o.db.setDailyLimit(agency, perDay);
    return this.#summary(this.row(agency));
  }

  evidence(agency: string): readonly Evidence[] {
    this.row(agency);
    return this.#o.db.evidence(agency).map((kept) => ({
      firstBase64: kept.first.toString('base64'),
      secondBase64: kept.second.toString('base64'),
      foundAtMs: kept.found_at_s * 1000,
    }));
  }

  notices(): readonly NoticeSummary[] {
    const { db } = this.#o;
    const agencies = new Map(db.agencies().map((row) => [row.agency, row]));
    return db.published.notices(Math.floor(this.#o.nowMs() / 1000)).flatMap((kept) => {
      const row = agencies.get(kept.agency);
      if (row === undefined || row.enabled === 0 || row.suspended === 1 || row.muted === 1) return [];
      const { unverified: notice } = peekDocument('notice', kept.envelope);
      return [
        {
          agency: kept.agency,
          agencyName: peekDocument('agency', row.envelope).unverified.name,
          headline: notice.headline,
          text: notice.text,
          issuedAtMs: notice.issued_at * 1000,
          expiresAtMs: notice.expires_at * 1000,
        },
      ];
    });
  }
}
