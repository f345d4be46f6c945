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
import { type CheckedAgency, checkAgency, openAgency, rootIdOf } from '../protocol/agency-check.ts';
import { fromHex } from '../protocol/bytes.ts';
import type { AgencyDocument } from '../protocol/documents.ts';
import { lacksSigners, openEnvelope, peekDocument } from '../protocol/envelope.ts';
import { areaContains } from '../protocol/geometry.ts';
import { recipientDelayS, recipientNewsS } from '../protocol/limits.ts';
import { checkRevocation } from '../protocol/receipt-check.ts';
import { type CheckedRequest, checkRequest } from '../protocol/request-check.ts';
import { parseTopic, type Topic } from '../protocol/topics.ts';
import type { LedgerDb } from '../store/ledger-db.ts';
import type { AgencyRow } from '../store/ledger-rows.ts';
import { sealDecision } from './decisions.ts';
import type { House } from './house.ts';

const dayS = 24 * 3600;
const promptsPerDayCount = 5;
const requestsPerCaseCount = 2;
const maxSpoolFileBytes = 80 * 1024;
/** A hostile message may cost a second of signature checks; between turns, locking and withdrawing must get through. */
const messagesPerTurnCount = 8;

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
  /** Wall time as the system has it. */
  readonly wallMs: () => number;
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

  /** Takes a few spooled messages, oldest first, and returns how many are left. A file goes only after what it said is durable. */
  takeInbox(): number {
    const names = readdirSync(this.#inbox).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
    const turn = names.toSorted().slice(0, messagesPerTurnCount);
    for (const name of turn) {
      const path = join(this.#inbox, name);
      try {
        const spooled = parseSpooled(readFileLimited(path, maxSpoolFileBytes));
        if (spooled === undefined) this.#verdict('inbox/malformed');
        else this.take(spooled.topic, Buffer.from(spooled.envelope, 'base64'));
      } catch (thrown) {
        const error = asAgentError(thrown);
        if (error.retryable) throw error;
        this.#options.log.error('inbox-message-dropped', error);
      }
      removeDurable(path);
    }
    return names.length - turn.length;
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
    const { db } = this.#options;
    const { agency, agencyHash, rootId } = this.#openAgency(envelope);
    const fresh = db.putAgency({
      agency: agency.agency,
      version: agency.version,
      envelope,
      docHash: agencyHash,
      rootId,
      recipientSeenS: this.#recipientSeenS(agency),
    });
    if (fresh) this.#verdict('agency-updated');
    this.retryWaiting(agency.agency);
    return agency.agency;
  }

  /** Every root may vouch for agencies of its own, none for those of another: their keys and recipient would change hands. */
  #openAgency(envelope: Uint8Array): CheckedAgency {
    const { db, house } = this.#options;
    const checked = openAgency(envelope, house.roots);
    const firstRootId = db.agency(checked.agency.agency)?.root_id ?? null;
    if (firstRootId === null || firstRootId === checked.rootId) return checked;
    try {
      return openAgency(
        envelope,
        house.roots.filter((root) => rootIdOf(root) === firstRootId),
      );
    } catch (thrown) {
      if (!lacksRoot(thrown)) throw thrown;
      throw refused('agency/other-root', 'another root vouched for this agency first');
    }
  }

  /** What the document says of its recipient's age is a claim: the delay counts from when the change was seen here. */
  #recipientSeenS(agency: AgencyDocument): number | null {
    const row = this.#options.db.agency(agency.agency);
    if (row === undefined || row.version >= agency.version) return null;
    const { unverified: known } = peekDocument('agency', row.envelope);
    if (known.recipient.age === agency.recipient.age) return row.recipient_seen_s;
    if (!this.#options.clockTrusted())
      throw refused('agency/held-for-clock', 'its recipient changed, and when is unknown');
    return Math.floor(this.#options.nowMs() / 1000);
  }

  #takeAgency(topic: Extract<Topic, { type: 'ag' }>, topicText: string, envelope: Uint8Array): void {
    try {
      const { agency } = openAgency(envelope, this.#options.house.roots);
      if (agency.agency !== topic.agency)
        throw refused('agency/topic-mismatch', 'it was published under another agency');
      this.importAgency(envelope);
    } catch (thrown) {
      // The broker sends a document once; the root that vouches for it may be pinned later, or the time known.
      const held = thrown instanceof AgentError && thrown.code === 'agency/held-for-clock';
      if (!held && !lacksRoot(thrown)) throw thrown;
      this.#wait(topic, topicText, envelope, thrown.code, held);
    }
  }

  /** Requests that came before their agency was known, enabled, or the clock trusted. */
  retryWaiting(agency: string): void {
    const row = this.#options.db.agency(agency);
    if (row === undefined || row.enabled === 0 || !this.#options.clockTrusted()) return;
    this.#retake(agency);
  }

  /** After a root was pinned: documents that it vouches for may have come before it. */
  retryAll(): void {
    this.#retake();
  }

  #retake(agency?: string): void {
    const { db } = this.#options;
    for (const { envelope_hash: hash, topic, envelope } of db.waiting(agency)) {
      db.dropWaiting(hash);
      this.take(topic, envelope);
    }
  }

  #wait(
    topic: Extract<Topic, { type: 'rq' | 'ag' }>,
    text: string,
    envelope: Uint8Array,
    code: string,
    signed: boolean,
  ): void {
    const receivedAtS = Math.floor(this.#options.nowMs() / 1000);
    this.#options.db.putWaiting({ agency: topic.agency, topic: text, envelope, receivedAtS, signed });
    this.#verdict(code);
  }

  /** Of an agency that is known, only what it signed is kept for later, whenever that is. */
  #waitSigned(
    topic: Extract<Topic, { type: 'rq' }>,
    text: string,
    envelope: Uint8Array,
    row: AgencyRow,
    code: string,
  ): void {
    requireSigners(envelope, openAgency(row.envelope, this.#options.house.roots).agency, []);
    this.#wait(topic, text, envelope, code, true);
  }

  #takeRequest(topic: Extract<Topic, { type: 'rq' }>, topicText: string, envelope: Uint8Array): void {
    const { db, house, nowMs } = this.#options;
    const row = db.agency(topic.agency);
    if (row === undefined) return this.#wait(topic, topicText, envelope, 'request/unknown-agency', false);
    if (row.suspended === 1) throw refused('request/agency-suspended', 'the agency contradicted itself');
    if (row.enabled === 0) return this.#waitSigned(topic, topicText, envelope, row, 'request/agency-not-enabled');
    // Without a believable clock neither expiry nor the window can be judged.
    if (!this.#options.clockTrusted()) {
      return this.#waitSigned(topic, topicText, envelope, row, 'request/held-for-clock');
    }
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
    this.#applyPolicy(checked, envelope, row);
  }

  #applyPolicy(checked: CheckedRequest, envelope: Uint8Array, row: AgencyRow): void {
    const { db, house, nowMs, wallMs } = this.#options;
    const { request, requestHash } = checked;
    const nowS = Math.floor(nowMs() / 1000);
    const dropAfterS = request.expires_at + dayS;
    const seenForS = row.recipient_seen_s === null ? Number.POSITIVE_INFINITY : nowS - row.recipient_seen_s;
    if (seenForS < recipientDelayS)
      throw refused('request/recipient-too-new', 'the recipient changed less than 72 hours ago');
    // Before the look for a replay: two requests under one number and one id contradict each other just as well.
    const other = db.claimSequence(request.agency, request.seq, requestHash, envelope, dropAfterS);
    if (other !== undefined) {
      db.suspendAgency(request.agency, other, envelope, nowS);
      throw refused('request/equivocation', 'the agency signed two requests under one number');
    }
    if (db.replayed(requestHash, request.agency, request.request_id))
      throw refused('request/replayed', 'it came before');
    // Never beyond the clock: requests dated a little ahead, one on top of the other, would end every cooling-off.
    db.raiseClockFloor(Math.min(request.issued_at, Math.floor(wallMs() / 1000)));
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
    if (document.kind === 'key') return this.#revokeSignedBy(agencyId);
    const request = db.request(document.target);
    if (request !== undefined && request.agency === agencyId) this.#options.onRevoked(request.request_hash);
  }

  /** A key that was given up may have been stolen before: what it signed and is still open goes with it. */
  #revokeSignedBy(agencyId: string): void {
    const { db } = this.#options;
    const revokedKeyIds = db.revoked(agencyId, 'key');
    for (const row of db.requests()) {
      if (row.agency !== agencyId) continue;
      try {
        requireSigners(row.envelope, peekDocument('agency', row.agency_envelope).unverified, revokedKeyIds);
      } catch (thrown) {
        if (!lacksSigners(thrown)) throw thrown;
        this.#options.onRevoked(row.request_hash);
      }
    }
  }
}

/** Signed by an officer and an approver that are not revoked, whatever the time is. Throws `envelope/…`. */
function requireSigners(envelope: Uint8Array, agency: AgencyDocument, revokedKeyIds: readonly string[]): void {
  const rule = (role: 'officer' | 'approver') => ({
    role,
    threshold: 1,
    keys: agency.keys.filter((k) => k.role === role && !revokedKeyIds.includes(k.kid)).map(({ x }) => fromHex(x)),
  });
  openEnvelope('request', envelope, [rule('officer'), rule('approver')]);
}

function parseSpooled(bytes: Buffer | undefined): z.infer<typeof spooledSchema> | undefined {
  try {
    return spooledSchema.parse(JSON.parse(bytes?.toString('utf8') ?? ''));
  } catch {
    return undefined;
  }
}

function lacksRoot(thrown: unknown): thrown is AgentError {
  return thrown instanceof AgentError && (thrown.code === 'agency/no-root' || lacksSigners(thrown));
}

function refused(code: string, why: string): AgentError {
  return new AgentError('refused', code, `Cannot accept the message: ${why}`);
}
