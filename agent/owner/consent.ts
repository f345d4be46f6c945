/**
 * `OwnerService` as a whole: locking and pairing here, requests, agencies and ledger by their books.
 */
import type { Clock } from '../base/clock.ts';
import type { Config } from '../config/schema.ts';
import { sealNote } from '../protocol/sealed-note.ts';
import type { LedgerDb } from '../store/ledger-db.ts';
import type { VaultClient } from '../vault/client.ts';
import type { AgencyBook } from './agency-book.ts';
import { ClipBook } from './clip-book.ts';
import type { Decisions } from './decisions.ts';
import type { House } from './house.ts';
import type { Intake } from './intake.ts';
import { entryText, ledgerHead, readEntries, sessionEntryBytes } from './ledger-book.ts';
import { RequestBook } from './request-book.ts';
import type {
  AgencySummary,
  ClipPeople,
  ClipSummary,
  DeletedClip,
  Evidence,
  Health,
  LedgerEntry,
  LedgerHead,
  LockState,
  MediaPiece,
  NoticeSummary,
  OwnerService,
  OwnPreview,
  PairingSummary,
  PieceRange,
  PinResult,
  Preview,
  RequestDetail,
  RequestState,
  RequestSummary,
  RootDescription,
  SafeguardSummary,
  ShareSummary,
} from './service.ts';
import type { VaultHost } from './vault-host.ts';

export interface ConsentOptions {
  readonly config: Config;
  readonly db: LedgerDb;
  readonly house: House;
  readonly intake: Intake;
  readonly agencies: AgencyBook;
  /** Whether somebody could confirm under this name: it takes an owner's log-in. */
  readonly canConfirm: (name: string) => boolean;
  /** As in force now, not as configured. */
  readonly safeguards: () => SafeguardSummary;
  readonly decisions: Decisions;
  /** Of a camera, over its control socket. */
  readonly askRecorder: (cameraId: string, method: string, params: unknown) => Promise<unknown>;
  readonly vaults: VaultHost;
  readonly clock: Clock;
  readonly nowMs: () => number;
  readonly clockTrusted: () => boolean;
  readonly health: () => Promise<Omit<Health, 'lock' | 'pendingCount' | 'safeguards'>>;
  readonly onChange: (requestId: string, state: RequestState) => void;
  /** Files of a share that was begun and is in no ledger must go at once, not at the next start. */
  readonly discardUnknown: () => void;
  /** What was dropped for want of this root should be read again at the next refresh. */
  readonly onRootPinned: () => void;
}

export class Consent implements OwnerService {
  readonly #o: ConsentOptions;
  readonly #requests: RequestBook;
  readonly #clips: ClipBook;
  #restored = false;

  constructor(options: ConsentOptions) {
    this.#o = options;
    this.#clips = new ClipBook({
      config: options.config,
      vaults: options.vaults,
      monotonicMs: () => options.clock.monotonicMs(),
      ask: options.askRecorder,
    });
    this.#requests = new RequestBook({ ...options, sealNotes: () => this.#sealNotes() });
  }

  // Locking

  async health(): Promise<Health> {
    const pendingCount = this.#o.db.requests().filter((r) => this.#requests.stateOf(r) === 'PENDING').length;
    const safeguards = this.#o.safeguards();
    return { ...(await this.#o.health()), lock: this.#o.vaults.lockState, pendingCount, safeguards };
  }

  async unlockViewing(params: { pairingId: string; viewingKey: string }): Promise<{ lock: LockState }> {
    const { pairingId, viewingKey } = params;
    const record = this.#o.vaults.readPairing(pairingId);
    const open = (vault: VaultClient) => vault.openViewing(record, viewingKey, this.#o.db.clockFloorS);
    return { lock: await this.#o.vaults.unlock('viewing', open, pairingId) };
  }

  async unlockDeciding(params: { passphrase: string }): Promise<{ lock: LockState }> {
    return {
      lock: await this.#o.vaults.unlock('deciding', (vault) =>
        vault.openDeciding(params.passphrase, this.#heardAgencies()),
      ),
    };
  }

  /** Their documents as they are known now, so that the vault takes no older one later. */
  #heardAgencies(): Uint8Array[] {
    const enabled = this.#o.db.agencies().filter((row) => row.enabled === 1);
    return enabled.slice(0, 256).map((row) => new Uint8Array(row.envelope));
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
  endSession(actions: readonly string[], lostCount = 0): void {
    this.#requests.endReviews();
    this.#clips.endSession();
    this.#sealNotes();
    const sealed = sealNote(this.#o.house.ownerRecipient, entryText(actions, lostCount), sessionEntryBytes);
    this.#o.db.appendEntry(sealed, Math.floor(this.#o.nowMs() / 1000));
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

  async listPairings(): Promise<readonly PairingSummary[]> {
    return this.#o.vaults.pairings();
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

  async listAgencies(): Promise<readonly AgencySummary[]> {
    return this.#o.agencies.list();
  }

  async importAgency(params: { envelopeBase64: string }): Promise<AgencySummary> {
    return this.#o.agencies.import(Buffer.from(params.envelopeBase64, 'base64'));
  }

  async setAgencyEnabled(params: { agency: string; enabled: boolean }): Promise<AgencySummary> {
    return this.#o.agencies.setEnabled(params.agency, params.enabled);
  }

  async setAgencyMuted(params: { agency: string; muted: boolean }): Promise<AgencySummary> {
    return this.#o.agencies.setMuted(params.agency, params.muted);
  }

  async setAgencyPerDay(params: { agency: string; perDay: number | null }): Promise<AgencySummary> {
    return this.#o.agencies.setPerDay(params.agency, params.perDay);
  }

  async showEvidence(params: { agency: string }): Promise<readonly Evidence[]> {
    return this.#o.agencies.evidence(params.agency);
  }

  async listNotices(): Promise<readonly NoticeSummary[]> {
    return this.#o.agencies.notices();
  }

  // Requests

  async listRequests(): Promise<readonly RequestSummary[]> {
    return this.#requests.list();
  }

  async showRequest(params: { requestId: string }): Promise<RequestDetail> {
    return this.#requests.show(params);
  }

  async review(params: { requestId: string }): Promise<{ request: RequestDetail; clips: readonly ClipSummary[] }> {
    return this.#requests.review(params);
  }

  async findPeople(params: { clipId: string }): Promise<ClipPeople> {
    return this.#o.vaults.require('deciding').analyseClip(params.clipId);
  }

  async cancelRedaction(): Promise<Record<string, never>> {
    this.#o.vaults.require('deciding').cancelRedaction();
    return {};
  }

  async preview(params: Parameters<OwnerService['preview']>[0]): Promise<Preview> {
    return this.#requests.preview(params);
  }

  async previewMedia(params: { previewId: string; name: string } & PieceRange): Promise<MediaPiece> {
    return this.#requests.previewMedia(params);
  }

  async approve(params: Parameters<OwnerService['approve']>[0]): Promise<ShareSummary> {
    return this.#requests.approve(params);
  }

  async confirm(params: { requestId: string; account: string }): Promise<ShareSummary> {
    return this.#requests.confirm(params);
  }

  async demandDeletion(params: Parameters<OwnerService['demandDeletion']>[0]): Promise<ShareSummary> {
    return this.#requests.demandDeletion(params);
  }

  async decline(params: { requestId: string }): Promise<{ state: RequestState }> {
    return this.#requests.decline(params);
  }

  async withdraw(params: { requestId: string }): Promise<{ state: RequestState }> {
    return this.#requests.withdraw(params);
  }

  revoke(requestHash: string): void {
    this.#requests.revoke(requestHash);
  }

  expireDue(): void {
    this.#requests.expireDue();
  }

  // Looking back

  async listClips(params: { fromMs: number; toMs: number }): Promise<readonly ClipSummary[]> {
    return this.#clips.list(params);
  }

  async clipMedia(params: { clipId: string } & PieceRange): Promise<MediaPiece> {
    return this.#clips.media(params);
  }

  async ownPreview(params: Parameters<OwnerService['ownPreview']>[0]): Promise<OwnPreview> {
    return this.#clips.ownPreview(params);
  }

  async ownMedia(params: { previewId: string; name: string } & PieceRange): Promise<MediaPiece> {
    return this.#clips.ownMedia(params);
  }

  async ownShare(params: { previewId: string; passphrase: string }): Promise<{ path: string; bytes: number }> {
    return this.#clips.ownShare(params);
  }

  async deleteClips(params: { clipIds: readonly string[] }): Promise<{ deletedCount: number; goneAtMs: number }> {
    return this.#clips.delete(params);
  }

  async undeleteClips(params: { clipIds: readonly string[] }): Promise<{ restoredCount: number }> {
    return this.#clips.undelete(params);
  }

  async listDeleted(): Promise<readonly DeletedClip[]> {
    return this.#clips.deleted();
  }

  async pinClips(params: { clipIds: readonly string[]; pinned: boolean }): Promise<PinResult> {
    return this.#clips.pin(params);
  }

  async listLedger(params: { from: number; count: number }): Promise<readonly LedgerEntry[]> {
    return readEntries(this.#o.db, this.#o.vaults.require('viewing'), params);
  }

  async ledgerHead(): Promise<LedgerHead> {
    return ledgerHead(this.#o.db);
  }
}
