/**
 * From the courier's inbox to a pending request: verify, apply policy, match the place. No key is needed, nothing outside
 * is touched, and whatever the verdict, nothing leaves the house because of it.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AgentError, asAgentError } from '../base/errors.ts';
import { ensurePrivateDir, readFileLimited, removeDurable } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import { checkAgency, openAgency } from '../protocol/agency-check.ts';
import { sha256Hex } from '../protocol/bytes.ts';
import type { AgencyDocument } from '../protocol/documents.ts';
import { lacksSigners } from '../protocol/envelope.ts';
import { areaContains } from '../protocol/geometry.ts';
import { checkRevocation } from '../protocol/receipt-check.ts';
import { type CheckedRequest, checkRequest } from '../protocol/request-check.ts';
import { parseTopic, type Topic } from '../protocol/topics.ts';
import type { LedgerDb } from '../store/ledger-db.ts';
import { sealDecision } from './decisions.ts';
import type { House } from './house.ts';

const dayS = 24 * 3600;
const promptsPerDayCount = 5;
const requestsPerCaseCount = 2;
const maxSpoolFileBytes = 80 * 1024;

const spooledSchema = z.object({
  topic: z.string().max(200),
  receivedAtMs: z.number(),
  envelope: z.base64().max(66_000),
});

export interface IntakeOptions {
  readonly dataDir: string;
  readonly db: LedgerDb;
  readonly house: House;
  readonly regions: readonly string[];
  readonly log: Log;
  /** Wall time, never below the persisted floor. */
  readonly nowMs: () => number;
  readonly clockTrusted: () => boolean;
  /** A request became pending: hold the days that it may concern. */
  readonly onPending: (window: { fromMs: number; toMs: number; untilMs: number }) => void;
  readonly onRevoked: (requestHash: string) => void;
  /** Every verdict by its code; `accepted` for a request that is now pending. */
  readonly onVerdict?: (code: string) => void;
}

export class Intake {
  readonly #options: IntakeOptions;
  readonly #inbox: string;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#inbox = join(options.dataDir, 'spool', 'inbox');
    ensurePrivateDir(this.#inbox);
  }

  /** Takes every spooled message, oldest first. A file goes only after what it said is durable. */
  takeInbox(): number {
    const names = readdirSync(this.#inbox).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
    for (const name of names.toSorted()) {
      const path = join(this.#inbox, name);
      try {
        const bytes = readFileLimited(path, maxSpoolFileBytes);
        if (bytes === undefined) continue;
        const spooled = spooledSchema.safeParse(JSON.parse(bytes.toString('utf8')));
        if (spooled.success) this.take(spooled.data.topic, Buffer.from(spooled.data.envelope, 'base64'));
        else this.#verdict('inbox/malformed');
      } catch (thrown) {
        const error = asAgentError(thrown);
        if (error.retryable) throw error;
        this.#options.log.error('inbox-message-dropped', error);
      }
      removeDurable(path);
    }
    return names.length;
  }

  /** One message as received. Never throws for what an outsider sent. */
  take(topicText: string, envelope: Uint8Array): void {
    try {
      const topic = parseTopic(topicText);
      if (!this.#options.regions.includes(topic.region)) throw refused('inbox/other-region', 'the region is not ours');
      if (topic.type === 'rq') this.#takeRequest(topic, topicText, envelope);
      else if (topic.type === 'ag') this.#takeAgency(topic, topicText, envelope);
      else if (topic.type === 'rv') this.#takeRevocation(topic.agency, envelope);
    } catch (thrown) {
      const error = asAgentError(thrown);
      if (error.kind !== 'refused' && error.kind !== 'corrupt' && error.kind !== 'usage') throw error;
      this.#verdict(error.code);
    }
  }

  #verdict(code: string): void {
    this.#options.log.info('verdict', { code });
    this.#options.onVerdict?.(code);
  }

  /** Keeps a newer document; requests that waited for it are looked at again. */
  importAgency(envelope: Uint8Array): string {
    const { db, house } = this.#options;
    const { agency, agencyHash } = openAgency(envelope, house.roots);
    const fresh = db.putAgency({ agency: agency.agency, version: agency.version, envelope, docHash: agencyHash });
    if (fresh) this.#verdict('agency-updated');
    this.retryWaiting(agency.agency);
    return agency.agency;
  }

  #takeAgency(topic: Extract<Topic, { type: 'ag' }>, topicText: string, envelope: Uint8Array): void {
    let agency: AgencyDocument;
    try {
      ({ agency } = openAgency(envelope, this.#options.house.roots));
    } catch (thrown) {
      // The broker sends a document once; the root that vouches for it may be pinned later.
      if (lacksRoot(thrown)) return this.#wait(topic, topicText, envelope, thrown.code);
      throw thrown;
    }
    if (agency.agency !== topic.agency) throw refused('agency/topic-mismatch', 'it was published under another agency');
    this.importAgency(envelope);
  }

  /** Requests that came before their agency was known, enabled, or the clock trusted. */
  retryWaiting(agency: string): void {
    const row = this.#options.db.agency(agency);
    if (row === undefined || row.enabled === 0 || !this.#options.clockTrusted()) return;
    for (const waiting of this.#options.db.takeWaiting(agency)) this.take(waiting.topic, waiting.envelope);
  }

  /** After a root was pinned: documents that it vouches for may have come before it. */
  retryAll(): void {
    for (const waiting of this.#options.db.takeAllWaiting()) this.take(waiting.topic, waiting.envelope);
  }

  #wait(topic: Extract<Topic, { type: 'rq' | 'ag' }>, text: string, envelope: Uint8Array, code: string): void {
    this.#options.db.putWaiting({
      envelopeHash: sha256Hex(envelope),
      agency: topic.agency,
      topic: text,
      envelope,
      receivedAtS: Math.floor(this.#options.nowMs() / 1000),
    });
    this.#verdict(code);
  }

  #takeRequest(topic: Extract<Topic, { type: 'rq' }>, topicText: string, envelope: Uint8Array): void {
    const { db, house, nowMs } = this.#options;
    const row = db.agency(topic.agency);
    if (row === undefined) return this.#wait(topic, topicText, envelope, 'request/unknown-agency');
    if (row.suspended === 1) throw refused('request/agency-suspended', 'the agency contradicted itself');
    if (row.enabled === 0) return this.#wait(topic, topicText, envelope, 'request/agency-not-enabled');
    // Without a believable clock neither expiry nor the window can be judged.
    if (!this.#options.clockTrusted()) return this.#wait(topic, topicText, envelope, 'request/held-for-clock');
    const checked = checkRequest({
      request: envelope,
      agency: row.envelope,
      roots: house.roots,
      nowMs: nowMs(),
      topic: topicText,
      enabled: true,
      revokedKeyIds: db.revoked(topic.agency, 'key'),
      revokedRequestIds: db.revoked(topic.agency, 'request'),
    });
    this.#applyPolicy(checked, envelope, row.envelope);
  }

  #applyPolicy(checked: CheckedRequest, envelope: Uint8Array, agencyEnvelope: Uint8Array): void {
    const { db, house, nowMs } = this.#options;
    const { request, requestHash } = checked;
    const nowS = Math.floor(nowMs() / 1000);
    const dropAfterS = request.expires_at + dayS;
    if (db.replayed(requestHash, request.agency, request.request_id))
      throw refused('request/replayed', 'it came before');
    const other = db.claimSequence(request.agency, request.seq, requestHash, envelope, dropAfterS);
    if (other !== undefined) {
      db.suspendAgency(request.agency, other, envelope, nowS);
      throw refused('request/equivocation', 'the agency signed two requests under one number');
    }
    db.raiseClockFloor(request.issued_at);
    const place = { lat_e6: house.place.latE6, lon_e6: house.place.lonE6 };
    const turnAway = (code: string, why: string): Error => {
      db.rememberOnly(requestHash, request.agency, request.request_id, dropAfterS);
      return refused(code, why);
    };
    if (!areaContains(request.area, place)) throw turnAway('request/elsewhere', 'it concerns another place');
    if (db.acceptedSince(request.agency, nowS - dayS) >= promptsPerDayCount) {
      throw turnAway('request/too-many-today', 'the agency has asked too often today');
    }
    if (db.acceptedForCase(request.agency, request.case.number) >= requestsPerCaseCount) {
      throw turnAway('request/too-many-for-case', 'the case has had its requests');
    }
    db.accept(
      {
        request_hash: requestHash,
        request_id: request.request_id,
        agency: request.agency,
        case_number: request.case.number,
        envelope,
        agency_envelope: agencyEnvelope,
        state: 'PENDING',
        note: sealDecision(house.ownerRecipient, 'none'),
        warnings: JSON.stringify(checked.warnings),
        accepted_at_s: nowS,
        issued_at_s: request.issued_at,
        expires_at_s: request.expires_at,
        window_from_s: request.window.from,
        window_to_s: request.window.to,
      },
      dropAfterS,
    );
    this.#options.onPending({
      fromMs: request.window.from * 1000,
      toMs: request.window.to * 1000,
      untilMs: request.expires_at * 1000,
    });
    this.#verdict('accepted');
  }

  #takeRevocation(agencyId: string, envelope: Uint8Array): void {
    const { db, house, nowMs } = this.#options;
    const row = db.agency(agencyId);
    if (row === undefined) throw refused('revocation/unknown-agency', 'the agency is not known here');
    const agency = checkAgency({ agency: row.envelope, roots: house.roots, nowMs: nowMs() });
    const { document } = checkRevocation({
      revocation: envelope,
      agency,
      nowMs: nowMs(),
      revokedKeyIds: db.revoked(agencyId, 'key'),
    });
    if (document.agency !== agencyId) throw refused('revocation/agency-mismatch', 'it names another agency');
    db.revoke(agencyId, document.kind, document.target);
    this.#verdict(`revoked-${document.kind}`);
    if (document.kind !== 'request') return;
    const request = db.request(document.target);
    if (request !== undefined && request.agency === agencyId) this.#options.onRevoked(request.request_hash);
  }
}

function lacksRoot(thrown: unknown): thrown is AgentError {
  return thrown instanceof AgentError && (thrown.code === 'agency/no-root' || lacksSigners(thrown));
}

function refused(code: string, why: string): AgentError {
  return new AgentError('refused', code, `Cannot accept the message: ${why}`);
}
