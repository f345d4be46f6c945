/**
 * Requests as the owner answers them: review, preview, approve, confirm, decline, withdraw. Owner writes every state; the
 * vault decides nothing and owner can't sign. A decline, a review and a running seal live in memory alone.
 */
import { randomInt } from 'node:crypto';
import { AgentError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import type { LedgerDb } from '../store/ledger-db.ts';
import type { RequestRow, ShareRow } from '../store/ledger-rows.ts';
import type { ApprovalReport, ListedClip, PreviewReport } from '../vault/client.ts';
import type { AgencyBook } from './agency-book.ts';
import type { Decisions } from './decisions.ts';
import type { House } from './house.ts';
import { nextState, type RequestEvent } from './machine.ts';
import { redactSelection } from './redacting.ts';
import { releaseSlotMs } from './release-slot.ts';
import { describeRequest, relatedTo, summariseRequest, summariseShare } from './request-view.ts';
import type {
  ClipSummary,
  DemandGround,
  MediaPiece,
  PieceRange,
  Preview,
  RequestDetail,
  RequestState,
  RequestSummary,
  SafeguardSummary,
  Selection,
  ShareSummary,
} from './service.ts';
import type { VaultHost } from './vault-host.ts';

export interface RequestBookOptions {
  readonly config: Config;
  readonly db: LedgerDb;
  readonly house: House;
  readonly agencies: AgencyBook;
  /** As in force now, not as configured. */
  readonly safeguards: () => SafeguardSummary;
  readonly decisions: Decisions;
  readonly vaults: VaultHost;
  readonly nowMs: () => number;
  readonly clockTrusted: () => boolean;
  readonly onChange: (requestId: string, state: RequestState) => void;
  /** Files of a share that was begun and is in no ledger must go at once, not at the next start. */
  readonly discardUnknown: () => void;
  /** Whether somebody could confirm under this name: it takes an owner's log-in. */
  readonly canConfirm: (name: string) => boolean;
  /** All notes anew, as far as they have been read. */
  readonly sealNotes: () => void;
}

type Transient = 'REVIEWING' | 'SEALING';

export class RequestBook {
  readonly #o: RequestBookOptions;
  readonly #transient = new Map<string, Transient>();
  readonly #previews = new Map<string, string>();

  constructor(options: RequestBookOptions) {
    this.#o = options;
  }

  get #nowS(): number {
    return Math.floor(this.#o.nowMs() / 1000);
  }

  /** Reviews end with the session that they were in. */
  endReviews(): void {
    this.#transient.clear();
    this.#previews.clear();
  }

  stateOf(row: RequestRow): RequestState {
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
    const from = this.stateOf(row);
    const to = nextState(from, event);
    if (to === undefined) {
      throw new AgentError('refused', 'owner/wrong-state', `Cannot ${event} this request: it is ${from}`, {
        detail: { state: from },
      });
    }
    return to;
  }

  #detail(row: RequestRow): RequestDetail {
    const related = relatedTo(row, this.#o.db.requests());
    return describeRequest(row, this.stateOf(row), this.#o.house.place, this.#shareOf(row), related);
  }

  #shareOf(row: RequestRow): ShareSummary | undefined {
    const share = this.#o.db.shareOf(row.request_hash);
    return share === undefined ? undefined : summariseShare(row.state, share, this.#o.db.demands(), this.#nowS);
  }

  list(): readonly RequestSummary[] {
    const rows = this.#o.db.requests();
    return rows.map((row) => summariseRequest(row, this.stateOf(row), relatedTo(row, rows)));
  }

  show(params: { requestId: string }): RequestDetail {
    return this.#detail(this.#row(params.requestId));
  }

  async review(params: { requestId: string }): Promise<{ request: RequestDetail; clips: readonly ClipSummary[] }> {
    const vault = this.#o.vaults.require('deciding');
    const row = this.#row(params.requestId);
    if (this.stateOf(row) !== 'REVIEWING') {
      this.#step(row, 'review');
      this.#transient.set(row.request_hash, 'REVIEWING');
    }
    this.#o.vaults.note(`review ${row.request_hash}`);
    const clips = await vault.listClips(row.window_from_s * 1000, row.window_to_s * 1000);
    return { request: this.#detail(row), clips: withCameraNames(this.#o.config, clips) };
  }

  async preview(params: {
    requestId: string;
    selection: readonly Selection[];
    sound?: boolean | undefined;
    discloseLineage?: boolean | undefined;
  }): Promise<Preview> {
    const vault = this.#o.vaults.require('deciding');
    const row = this.#row(params.requestId);
    this.#step(row, 'approve');
    const window = { fromMs: row.window_from_s * 1000, toMs: row.window_to_s * 1000 };
    const selection = await redactSelection(vault, this.#o.config, { window, selection: params.selection });
    const report: PreviewReport = await vault.preview({
      request: new Uint8Array(row.envelope),
      agency: this.#currentAgency(row),
      floorS: this.#o.db.clockFloorS,
      selection,
      sound: params.sound === true,
      discloseLineage: params.discloseLineage === true,
    });
    this.#previews.set(report.previewId, row.request_hash);
    const { requestHash: _, deadlineMs, ...shown } = report;
    return { ...shown, releaseNotBeforeMs: this.#earliestMs(), latestArrivalMs: deadlineMs };
  }

  /** The newest pinned document: a request accepted under an older one must stand under this one too. */
  #currentAgency(row: RequestRow): Uint8Array {
    return new Uint8Array(this.#o.agencies.row(row.agency).envelope);
  }

  #earliestMs(): number {
    return this.#o.nowMs() + this.#o.safeguards().coolingOffMs;
  }

  /** After the cooling-off, in a slot that fits the deadline; nothing fits: `consent/no-time`. */
  #releaseMs(deadlineMs: number): number {
    const { releaseSpreadMs: spreadMs } = this.#o.config;
    const slot = releaseSlotMs({ earliestMs: this.#earliestMs(), deadlineMs, spreadMs, draw: randomInt });
    if (slot !== undefined) return slot;
    const message = 'Cannot approve: after the cooling-off nothing could arrive in time';
    throw new AgentError('refused', 'consent/no-time', message);
  }

  /** A share that nobody could confirm would wait in vain for its deadline. */
  #requireSecond(name: string, account: string | undefined): void {
    if (account === name) {
      const message = 'Cannot approve: who confirms a share must not be who approves it';
      throw new AgentError('refused', 'consent/same-person', message);
    }
    if (this.#o.canConfirm(name)) return;
    const message = "Cannot approve: the second approver of the configuration has no owner's log-in here";
    throw new AgentError('config', 'consent/no-second-approver', message);
  }

  async previewMedia(params: { previewId: string; name: string } & PieceRange): Promise<MediaPiece> {
    return this.#o.vaults.require('deciding').previewMedia(params);
  }

  async approve(params: {
    requestId: string;
    previewId: string;
    passphrase: string;
    account?: string | undefined;
  }): Promise<ShareSummary> {
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
    if (this.#o.agencies.row(row.agency).suspended === 1) {
      throw new AgentError('refused', 'consent/agency-suspended', 'Cannot approve: the agency contradicted itself');
    }
    const { coolingOffMs, secondApprover } = this.#o.safeguards();
    if (secondApprover !== null) this.#requireSecond(secondApprover, params.account);
    this.#step(row, 'approve');
    const releaseNotBeforeMs = this.#releaseMs((row.expires_at_s + 48 * 3600) * 1000);
    this.#transient.set(row.request_hash, 'SEALING');
    let sealed: ApprovalReport;
    let kept: ShareRow;
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
      const { demandId: demand_id, deadlineS: deadline_s } = sealed.demand;
      const share = {
        share_id: sealed.shareId,
        request_hash: row.request_hash,
        body_bytes: sealed.bodyBytes,
        release_not_before_ms: sealed.releaseNotBeforeMs,
        deadline_ms: sealed.deadlineMs,
        grant_hash: sealed.grantHash,
        cooling_left_ms: coolingOffMs,
        second_approver: secondApprover,
      };
      kept = this.#o.db.beginShare(share, { demand_id, deadline_s });
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
    return summariseShare('COOLING', kept, this.#o.db.demands(), this.#nowS);
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
    if (this.#o.vaults.lockState === 'locked') this.#o.sealNotes();
    this.#o.onChange(row.request_id, state);
    return { state };
  }

  async withdraw(params: { requestId: string }): Promise<{ state: RequestState }> {
    const row = this.#row(params.requestId);
    const state = this.#step(row, 'withdraw');
    // What is still being sealed is in no ledger yet: it is dropped when its sealing ends.
    if (state === 'PENDING') this.#transient.delete(row.request_hash);
    else this.#o.db.setState(row.request_hash, 'WITHDRAWN');
    this.#o.vaults.note(`withdraw ${row.request_hash}`);
    this.#o.onChange(row.request_id, state);
    return { state };
  }

  async confirm(params: { requestId: string; account: string }): Promise<ShareSummary> {
    const row = this.#row(params.requestId);
    const share = this.#o.db.shareOf(row.request_hash);
    if (row.state !== 'COOLING' || share === undefined) {
      throw new AgentError('refused', 'owner/wrong-state', `Cannot confirm this request: it is ${this.stateOf(row)}`, {
        detail: { state: this.stateOf(row) },
      });
    }
    if (share.second_approver !== params.account || !this.#o.canConfirm(params.account)) {
      throw new AgentError('refused', 'consent/not-second', 'Cannot confirm: another log-in must confirm this share');
    }
    this.#o.db.confirmShare(share.share_id, this.#nowS);
    this.#o.vaults.note(`confirm ${row.request_hash}`);
    this.#o.onChange(row.request_id, 'COOLING');
    return summariseShare(row.state, { ...share, confirmed_at_s: this.#nowS }, this.#o.db.demands(), this.#nowS);
  }

  async demandDeletion(params: { requestId: string; ground: DemandGround; passphrase: string }): Promise<ShareSummary> {
    const vault = this.#o.vaults.require('deciding');
    const row = this.#row(params.requestId);
    const share = this.#o.db.shareOf(row.request_hash);
    if (row.state !== 'SHARED' || share === undefined) {
      throw new AgentError('refused', 'consent/nothing-shared', 'Cannot demand a deletion: nothing was shared');
    }
    const demand = await vault.demand({
      passphrase: params.passphrase,
      request: new Uint8Array(row.envelope),
      agency: this.#currentAgency(row),
      grantHash: share.grant_hash,
      shareId: share.share_id,
      ground: params.ground,
      floorS: this.#o.db.clockFloorS,
    });
    const kept = { demand_id: demand.demandId, deadline_s: demand.deadlineS };
    this.#o.db.putDemand({ ...kept, share_id: share.share_id, ground: params.ground, state: 'sending' });
    this.#o.vaults.note(`demand ${row.request_hash} ${params.ground}`);
    return summariseShare(row.state, share, this.#o.db.demands(), this.#nowS);
  }

  /** The agency took the request back. Ends whatever is before RELEASE; says nothing to anybody. */
  revoke(requestHash: string): void {
    const row = this.#o.db.requests().find((r) => r.request_hash === requestHash);
    if (row === undefined || nextState(this.stateOf(row), 'revoke') === undefined) return;
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
}

export function withCameraNames(config: Config, clips: readonly ListedClip[]): ClipSummary[] {
  const names = new Map(config.cameras.map((c) => [c.id, c.name]));
  return clips.map((clip) => ({ ...clip, cameraName: names.get(clip.cameraId) ?? clip.cameraId }));
}
