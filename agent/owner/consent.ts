/**
 * `OwnerService`: review, preview, approve, decline, withdraw. Owner writes every state; the vault decides nothing and
 * owner can't sign. A decline, a review and a running seal live in memory alone.
 */
import { randomInt } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import { openAgency } from '../protocol/agency-check.ts';
import { sealNote } from '../protocol/sealed-note.ts';
import type { LedgerDb } from '../store/ledger-db.ts';
import type { AgencyRow, RequestRow } from '../store/ledger-rows.ts';
import type { ApprovalReport, ListedClip, PreviewReport, VaultClient } from '../vault/client.ts';
import type { Decisions } from './decisions.ts';
import type { House } from './house.ts';
import type { Intake } from './intake.ts';
import { nextState, type RequestEvent } from './machine.ts';
import { describeRequest, summariseRequest, summariseShare } from './request-view.ts';
import type {
  AgencySummary,
  ClipSummary,
  Health,
  LockState,
  OwnerService,
  Preview,
  RequestDetail,
  RequestState,
  RequestSummary,
  RootDescription,
  Selection,
  ShareSummary,
} from './service.ts';
import type { VaultHost } from './vault-host.ts';

const slotMs = 10 * 60 * 1000;
/** Time that an upload is given before the deadline, at the least. */
const marginMs = 30 * 60 * 1000;
const sessionEntryBytes = 4096;

export interface ConsentOptions {
  readonly config: Config;
  readonly db: LedgerDb;
  readonly house: House;
  readonly intake: Intake;
  readonly decisions: Decisions;
  readonly vaults: VaultHost;
  readonly clock: Clock;
  readonly nowMs: () => number;
  readonly clockTrusted: () => boolean;
  readonly health: () => Promise<Omit<Health, 'lock' | 'pendingCount'>>;
  readonly onChange: (requestId: string, state: RequestState) => void;
  /** Files of a share that was begun and is in no ledger must go at once, not at the next start. */
  readonly discardUnknown: () => void;
  /** What was dropped for want of this root should be read again at the next refresh. */
  readonly onRootPinned: () => void;
}

type Transient = 'REVIEWING' | 'SEALING';

export class Consent implements OwnerService {
  readonly #o: ConsentOptions;
  readonly #transient = new Map<string, Transient>();
  readonly #previews = new Map<string, string>();
  #restored = false;

  constructor(options: ConsentOptions) {
    this.#o = options;
  }

  // Locking

  async health(): Promise<Health> {
    const pendingCount = this.#o.db.requests().filter((r) => this.#stateOf(r) === 'PENDING').length;
    return { ...(await this.#o.health()), lock: this.#o.vaults.lockState, pendingCount };
  }

  async unlockViewing(params: { pairingId: string; viewingKey: string }): Promise<{ lock: LockState }> {
    const { pairingId, viewingKey } = params;
    const record = this.#o.vaults.readPairing(pairingId);
    const open = (vault: VaultClient) => vault.openViewing(record, viewingKey, this.#o.db.clockFloorS);
    return { lock: await this.#o.vaults.unlock('viewing', open, pairingId) };
  }

  async unlockDeciding(params: { passphrase: string }): Promise<{ lock: LockState }> {
    return { lock: await this.#o.vaults.unlock('deciding', (vault) => vault.openDeciding(params.passphrase)) };
  }

  async lock(): Promise<{ lock: LockState }> {
    await this.#o.vaults.lock();
    return { lock: 'locked' };
  }

  /** Called with every unlock: what was decided before a restart is known again. */
  async restoreDecisions(vault: VaultClient): Promise<void> {
    const rows = this.#o.db.requests().filter((r) => r.state === 'PENDING');
    const notes = rows.map((r) => ({ id: r.request_hash, sealed: new Uint8Array(r.note) }));
    this.#o.decisions.restore(await vault.openNotes(notes));
    this.#restored = true;
  }

  /** Called at every lock: reviews end, all notes are sealed anew, the session leaves its one entry. */
  endSession(actions: readonly string[]): void {
    this.#transient.clear();
    this.#previews.clear();
    this.#sealNotes();
    let text = JSON.stringify({ v: 1, actions });
    if (text.length > 3500) text = JSON.stringify({ v: 1, actions: actions.slice(0, 20), more: actions.length - 20 });
    const atS = Math.floor(this.#o.nowMs() / 1000);
    this.#o.db.appendEntry(sealNote(this.#o.house.ownerRecipient, text, sessionEntryBytes), atS);
  }

  /** All at once. What was never read must not be overwritten by what this program believes. */
  #sealNotes(): void {
    if (!this.#restored) return;
    const pending = this.#o.db.requests().filter((r) => r.state === 'PENDING');
    this.#o.db.replaceNotes(this.#o.decisions.seal(pending.map((r) => r.request_hash)));
  }

  async pair(params: { passphrase: string; name: string }) {
    const pairing = await this.#o.vaults.withVault((vault) => vault.pair(params.passphrase, params.name));
    this.#o.vaults.savePairing(pairing.record);
    const { pairingId, expiresAtMs } = pairing.record;
    return { pairingId, viewingKey: pairing.viewingKey, expiresAtMs };
  }

  async unpair(params: { pairingId: string }): Promise<Record<string, never>> {
    await this.#o.vaults.removePairing(params.pairingId);
    return {};
  }

  // Agencies

  async addRoot(params: { passphrase: string; root: RootDescription }): Promise<{ rootCount: number }> {
    const roots = await this.#o.vaults.withVault((vault) => vault.addRoot(params.passphrase, params.root));
    this.#o.house.setRoots(roots);
    this.#o.intake.retryAll();
    this.#o.onRootPinned();
    return { rootCount: roots.length };
  }

  #agencySummary(row: AgencyRow): AgencySummary {
    const { agency } = openAgency(row.envelope, this.#o.house.roots);
    return {
      agency: row.agency,
      name: agency.name,
      enabled: row.enabled === 1 && row.suspended === 0,
      version: row.version,
      expiresAtMs: agency.expires_at * 1000,
      recipientKeyId: agency.recipient.kid,
    };
  }

  #agencyRow(agency: string): AgencyRow {
    const row = this.#o.db.agency(agency);
    if (row === undefined)
      throw new AgentError('usage', 'owner/no-such-agency', 'Cannot find the agency: it is not known here');
    return row;
  }

  async listAgencies(): Promise<readonly AgencySummary[]> {
    return this.#o.db.agencies().map((row) => this.#agencySummary(row));
  }

  async importAgency(params: { envelopeBase64: string }): Promise<AgencySummary> {
    const agency = this.#o.intake.importAgency(Buffer.from(params.envelopeBase64, 'base64'));
    return this.#agencySummary(this.#agencyRow(agency));
  }

  async setAgencyEnabled(params: { agency: string; enabled: boolean }): Promise<AgencySummary> {
    this.#agencyRow(params.agency);
    this.#o.db.setAgencyEnabled(params.agency, params.enabled);
    this.#o.intake.retryWaiting(params.agency);
    return this.#agencySummary(this.#agencyRow(params.agency));
  }

  // Requests

  #stateOf(row: RequestRow): RequestState {
    if (row.state !== 'PENDING') return row.state;
    if (this.#o.decisions.get(row.request_hash) === 'declined') return 'DECLINED';
    return this.#transient.get(row.request_hash) ?? 'PENDING';
  }

  #row(requestId: string): RequestRow {
    const row = this.#o.db.request(requestId);
    if (row === undefined)
      throw new AgentError('usage', 'owner/no-such-request', 'Cannot find the request: it is not known here');
    return row;
  }

  /** The state after `event`, or `owner/wrong-state` where the machine knows no such step. */
  #step(row: RequestRow, event: RequestEvent): RequestState {
    const from = this.#stateOf(row);
    const to = nextState(from, event);
    if (to === undefined) {
      throw new AgentError('refused', 'owner/wrong-state', `Cannot ${event} this request: it is ${from}`, {
        detail: { state: from },
      });
    }
    return to;
  }

  #detail(row: RequestRow): RequestDetail {
    return describeRequest(row, this.#stateOf(row), this.#o.house.place, this.#shareOf(row));
  }

  #shareOf(row: RequestRow): ShareSummary | undefined {
    const share = this.#o.db.shareOf(row.request_hash);
    return share === undefined ? undefined : summariseShare(row.state, share);
  }

  async listRequests(): Promise<readonly RequestSummary[]> {
    return this.#o.db.requests().map((row) => summariseRequest(row, this.#stateOf(row)));
  }

  async showRequest(params: { requestId: string }): Promise<RequestDetail> {
    return this.#detail(this.#row(params.requestId));
  }

  #named(clips: readonly ListedClip[]): ClipSummary[] {
    const names = new Map(this.#o.config.cameras.map((c) => [c.id, c.name]));
    return clips.map((clip) => ({ ...clip, cameraName: names.get(clip.cameraId) ?? clip.cameraId }));
  }

  async review(params: { requestId: string }): Promise<{ request: RequestDetail; clips: readonly ClipSummary[] }> {
    const vault = this.#o.vaults.require('deciding');
    const row = this.#row(params.requestId);
    if (this.#stateOf(row) !== 'REVIEWING') {
      this.#step(row, 'review');
      this.#transient.set(row.request_hash, 'REVIEWING');
    }
    this.#o.vaults.note(`review ${row.request_hash}`);
    const clips = await vault.listClips(row.window_from_s * 1000, row.window_to_s * 1000);
    return { request: this.#detail(row), clips: this.#named(clips) };
  }

  async preview(params: { requestId: string; selection: readonly Selection[] }): Promise<Preview> {
    const vault = this.#o.vaults.require('deciding');
    const row = this.#row(params.requestId);
    this.#step(row, 'approve');
    const report: PreviewReport = await vault.preview({
      request: new Uint8Array(row.envelope),
      agency: this.#currentAgency(row),
      floorS: this.#o.db.clockFloorS,
      selection: [...params.selection],
    });
    this.#previews.set(report.previewId, row.request_hash);
    const { requestHash: _, deadlineMs, ...shown } = report;
    return { ...shown, releaseNotBeforeMs: this.#earliestMs(), latestArrivalMs: deadlineMs };
  }

  /** The newest pinned document: a request accepted under an older one must stand under this one too. */
  #currentAgency(row: RequestRow): Uint8Array {
    return new Uint8Array(this.#agencyRow(row.agency).envelope);
  }

  #earliestMs(): number {
    return this.#o.nowMs() + this.#o.config.coolingOffMs;
  }

  /** Cooling-off plus a random number of slots, cut to fit the deadline; nothing fits: `consent/no-time`. */
  #releaseMs(deadlineMs: number): number {
    const earliestMs = this.#earliestMs();
    if (earliestMs > deadlineMs - marginMs) {
      throw new AgentError(
        'refused',
        'consent/no-time',
        'Cannot approve: after the cooling-off nothing could arrive in time',
      );
    }
    const spreadMs = Math.min(this.#o.config.releaseSpreadMs, deadlineMs - marginMs - earliestMs);
    return Math.ceil(earliestMs + randomInt(Math.floor(spreadMs / slotMs) + 1) * slotMs);
  }

  async previewMedia(params: { previewId: string; name: string }): Promise<Uint8Array> {
    return this.#o.vaults.require('deciding').previewMedia(params.previewId, params.name);
  }

  async approve(params: { requestId: string; previewId: string; passphrase: string }): Promise<ShareSummary> {
    const vault = this.#o.vaults.require('deciding');
    const row = this.#row(params.requestId);
    if (!this.#o.clockTrusted()) {
      throw new AgentError(
        'refused',
        'consent/clock-untrusted',
        'Cannot approve: this device does not know the time yet',
      );
    }
    if (this.#previews.get(params.previewId) !== row.request_hash) {
      throw new AgentError('refused', 'consent/not-previewed', 'Cannot approve: this is not a preview of that request');
    }
    if (this.#agencyRow(row.agency).suspended === 1) {
      throw new AgentError('refused', 'consent/agency-suspended', 'Cannot approve: the agency contradicted itself');
    }
    this.#step(row, 'approve');
    const releaseNotBeforeMs = this.#releaseMs((row.expires_at_s + 48 * 3600) * 1000);
    this.#transient.set(row.request_hash, 'SEALING');
    let sealed: ApprovalReport;
    try {
      sealed = await vault.approve({
        previewId: params.previewId,
        passphrase: params.passphrase,
        agency: this.#currentAgency(row),
        floorS: this.#o.db.clockFloorS,
        releaseNotBeforeMs,
      });
      if (this.#transient.get(row.request_hash) !== 'SEALING') {
        throw new AgentError(
          'refused',
          'consent/interrupted',
          'Cannot approve: while the share was sealed it was locked, or the request was taken back',
        );
      }
      this.#o.db.beginShare({
        share_id: sealed.shareId,
        request_hash: row.request_hash,
        body_bytes: sealed.bodyBytes,
        release_not_before_ms: sealed.releaseNotBeforeMs,
        deadline_ms: sealed.deadlineMs,
        grant_hash: sealed.grantHash,
      });
    } catch (thrown) {
      if (this.#transient.get(row.request_hash) === 'SEALING') this.#transient.set(row.request_hash, 'REVIEWING');
      throw thrown;
    } finally {
      if (this.#o.db.shareOf(row.request_hash) !== undefined) this.#transient.delete(row.request_hash);
      // Another request's files may be half-made; whoever ends last clears up.
      if (![...this.#transient.values()].includes('SEALING')) this.#o.discardUnknown();
    }
    this.#previews.delete(params.previewId);
    this.#o.vaults.note(`approve ${row.request_hash} ${sealed.shareId}`);
    this.#o.onChange(row.request_id, 'COOLING');
    const share = this.#shareOf(this.#row(row.request_id));
    if (share === undefined)
      throw new AgentError('bug', 'consent/no-share', 'The share was built but is not in the ledger');
    return share;
  }

  /**
   * Needs no key: saying no must not be harder than saying nothing. It is durable from the next sealing of the notes on,
   * at once if they have been read since the start and the vault is closed; a power cut before that makes it silence.
   */
  async decline(params: { requestId: string }): Promise<{ state: RequestState }> {
    const row = this.#row(params.requestId);
    const state = this.#step(row, 'decline');
    this.#o.decisions.set(row.request_hash, 'declined');
    this.#transient.delete(row.request_hash);
    this.#o.vaults.note(`decline ${row.request_hash}`);
    if (this.#o.vaults.lockState === 'locked') this.#sealNotes();
    this.#o.onChange(row.request_id, state);
    return { state };
  }

  async withdraw(params: { requestId: string }): Promise<{ state: RequestState }> {
    const row = this.#row(params.requestId);
    const state = this.#step(row, 'withdraw');
    this.#o.db.setState(row.request_hash, 'WITHDRAWN');
    this.#o.vaults.note(`withdraw ${row.request_hash}`);
    this.#o.onChange(row.request_id, state);
    return { state };
  }

  /** The agency took the request back. Ends whatever is before RELEASE; says nothing to anybody. */
  revoke(requestHash: string): void {
    const row = this.#o.db.requests().find((r) => r.request_hash === requestHash);
    if (row === undefined || nextState(this.#stateOf(row), 'revoke') === undefined) return;
    this.#o.db.setState(requestHash, 'REVOKED');
    this.#transient.delete(requestHash);
    this.#o.decisions.forget(requestHash);
    this.#o.onChange(row.request_id, 'REVOKED');
  }

  /**
   * Requests that expired leave one sealed record each, whatever was decided; also those whose share was withdrawn or
   * failed, once nothing of it can be on its way. Only what was shared stays to be seen.
   */
  expireDue(): void {
    const nowMs = this.#o.nowMs();
    for (const row of this.#o.db.requests()) {
      if (!['PENDING', 'REVOKED', 'WITHDRAWN', 'FAILED'].includes(row.state)) continue;
      const endMs = this.#o.db.shareOf(row.request_hash)?.deadline_ms ?? row.expires_at_s * 1000;
      if (endMs > nowMs || this.#transient.get(row.request_hash) === 'SEALING') continue;
      this.#o.db.expire(row.request_hash, row.note);
      this.#transient.delete(row.request_hash);
      this.#o.decisions.forget(row.request_hash);
      this.#o.onChange(row.request_id, 'EXPIRED');
    }
  }

  // Looking back

  async listClips(params: { fromMs: number; toMs: number }): Promise<readonly ClipSummary[]> {
    return this.#named(await this.#o.vaults.require('viewing').listClips(params.fromMs, params.toMs));
  }

  async clipMedia(params: { clipId: string }): Promise<Uint8Array> {
    this.#o.vaults.note(`view ${params.clipId}`);
    return this.#o.vaults.require('viewing').clipMedia(params.clipId);
  }
}
