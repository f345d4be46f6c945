/**
 * What the vault does, without its process. It trusts nobody: the owner program hands it raw envelopes and it verifies them
 * again against the roots in `vault.age`; recipient and endpoint come from the verified agency document alone; it signs
 * only a preview that it built itself, and one share for a request in its life.
 */
import { timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import { removeDurable } from '../base/files.ts';
import { parseIdentity } from '../protocol/age-file.ts';
import { openAgency, type PinnedRoot } from '../protocol/agency-check.ts';
import { fromHex } from '../protocol/bytes.ts';
import type { AgencyDocument } from '../protocol/documents.ts';
import { peekDocument } from '../protocol/envelope.ts';
import { areaContains } from '../protocol/geometry.ts';
import { deriveRequestKey, signingKeyFromSeed } from '../protocol/keys.ts';
import { type CheckedRequest, checkRequest } from '../protocol/request-check.ts';
import { openNote } from '../protocol/sealed-note.ts';
import { utcDay } from '../store/clips-rows.ts';
import { writeApproved } from './approved.ts';
import type { Span } from './content.ts';
import { demandLifeS, type SignedDemand, writeDemand } from './demand.ts';
import { type Floors, joinFloors, raiseFloor, raiseFloors, requireFloor } from './floors.ts';
import { ClipLibrary, type ListedClip } from './library.ts';
import type { Content } from './media-content.ts';
import { movieOf } from './movie.ts';
import { type OwnPreviewReport, OwnShares } from './own-share.ts';
import { type BuiltPreview, buildPreview, type Selection } from './preview.ts';
import { noSuchMedium, PreviewShelf } from './preview-shelf.ts';
import type { RedactionChoice } from './redact/choice.ts';
import type { ClipAnalysisReport } from './redact/report.ts';
import { Redactions, type RedactionTools } from './redactions.ts';
import type { ApprovalReport, PreviewReport } from './reports.ts';
import { requireRoom } from './share.ts';
import { shareBytesOf } from './share-files.ts';
import { maxRoots, parseRoot, type RootPin, readVaultFile, type VaultSecrets, writeVaultFile } from './vault-file.ts';
import { type Pairing, parsePairingRecord, unwrapIdentity, wrapIdentity } from './viewing.ts';

/** Shares are accepted until two days after the request expires. */
const graceS = 48 * 3600;

export interface SessionOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  /** scrypt work when the vault file is rewritten; tests pass less. */
  readonly log2Work?: number;
  /** Tests pass their own. */
  readonly redaction?: RedactionTools;
}

export class VaultSession {
  readonly #options: SessionOptions;
  #library: ClipLibrary | undefined;
  #ownerIdentity: string | undefined;
  #secrets: VaultSecrets | undefined;
  readonly #previews = new PreviewShelf<BuiltPreview>();
  readonly #own: OwnShares;
  readonly #approved = new Set<string>();
  readonly #redactions: Redactions;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#redactions = new Redactions(options.redaction);
    this.#own = new OwnShares(options.dataDir);
  }

  get mode(): 'locked' | 'viewing' | 'deciding' {
    if (this.#secrets !== undefined) return 'deciding';
    return this.#ownerIdentity === undefined ? 'locked' : 'viewing';
  }

  /** `agencies`: the documents that are known now, so that none of them is ever taken for an older one. */
  async openDeciding(passphrase: string, agencies: readonly Uint8Array[] = []): Promise<void> {
    const secrets = await readVaultFile(this.#options.dataDir, passphrase);
    const floors = raiseFloors(joinFloors(secrets.floors, this.#floors), agencies, pinnedBy(secrets));
    const kept = await this.#keepFloors(secrets, floors, passphrase);
    this.#openIdentity(secrets.ownerIdentity);
    this.#secrets = kept;
  }

  get #floors(): Floors {
    return this.#secrets?.floors ?? {};
  }

  /** Written only when something rose, and only where the passphrase is at hand. */
  async #keepFloors(secrets: VaultSecrets, floors: Floors, passphrase: string): Promise<VaultSecrets> {
    if (JSON.stringify(floors) === JSON.stringify(secrets.floors)) return secrets;
    const changed = { ...secrets, floors };
    await writeVaultFile(this.#options.dataDir, changed, passphrase, this.#options.log2Work);
    return changed;
  }

  /** `floorS`: time never goes below it, so that a clock set back revives no pairing. */
  openViewing(record: unknown, viewingKey: string, floorS = 0): void {
    const nowMs = Math.max(this.#options.clock.wallMs(), floorS * 1000);
    this.#openIdentity(unwrapIdentity(parsePairingRecord(record), viewingKey, nowMs));
  }

  #openIdentity(identity: string): void {
    this.#ownerIdentity = identity;
    this.#library ??= new ClipLibrary(this.#options.dataDir, parseIdentity(identity));
  }

  /** Before the process ends: what of the clips is opened is overwritten. */
  wipe(): void {
    this.#library?.wipe();
  }

  #requireDeciding(): VaultSecrets {
    if (this.#secrets === undefined) {
      throw new AgentError(
        'refused',
        'vault/not-deciding',
        'Cannot do this: unlock deciding with the passphrase first',
      );
    }
    return this.#secrets;
  }

  #requireLibrary(): ClipLibrary {
    if (this.#library === undefined) throw new AgentError('refused', 'vault/locked', 'Cannot look back: unlock first');
    return this.#library;
  }

  /** The passphrase in the same breath: whatever was unlocked before doesn't count. */
  async #confirm(passphrase: string): Promise<VaultSecrets> {
    const secrets = await readVaultFile(this.#options.dataDir, passphrase);
    const known = this.#secrets;
    if (known !== undefined && !timingSafeEqual(fromHex(known.ownerRootSeedHex), fromHex(secrets.ownerRootSeedHex))) {
      throw new AgentError(
        'corrupt',
        'vault/replaced',
        'Cannot go on: the vault file was replaced since it was unlocked',
      );
    }
    return secrets;
  }

  async pair(passphrase: string, name: string): Promise<Pairing> {
    const secrets = await this.#confirm(passphrase);
    return wrapIdentity(secrets.ownerIdentity, name, Math.round(this.#options.clock.wallMs()));
  }

  async addRoot(passphrase: string, root: unknown): Promise<readonly unknown[]> {
    const pin = parseRoot(root);
    const secrets = await this.#confirm(passphrase);
    const keys = (r: RootPin): string => r.keysHex.toSorted().join();
    const roots = [...secrets.roots.filter((r) => keys(r) !== keys(pin)), pin];
    if (roots.length > maxRoots)
      throw new AgentError('usage', 'vault/too-many-roots', `Cannot pin the root: there are ${maxRoots} already`);
    const changed = { ...secrets, roots, floors: joinFloors(secrets.floors, this.#floors) };
    await writeVaultFile(this.#options.dataDir, changed, passphrase, this.#options.log2Work);
    if (this.#secrets !== undefined) this.#secrets = changed;
    return roots;
  }

  /** What the sealed notes say; a damaged one is left out. */
  openNotes(notes: readonly { readonly id: string; readonly sealed: Uint8Array }[]): { id: string; text: string }[] {
    if (this.#ownerIdentity === undefined)
      throw new AgentError('refused', 'vault/locked', 'Cannot read notes: unlock first');
    // Entries of before a change of keys are sealed to the key of then, which only the passphrase brings back.
    const identities = [this.#ownerIdentity, ...(this.#secrets?.formerIdentities ?? [])].map(parseIdentity);
    return notes.flatMap(({ id, sealed }) => {
      for (const identity of identities) {
        try {
          return [{ id, text: openNote(sealed, identity) }];
        } catch {}
      }
      return [];
    });
  }

  /** Brings the index of past days up to date, a day with each step; nothing while locked. */
  *consolidate(): Generator<string> {
    const today = utcDay(this.#options.clock.wallMs());
    if (this.#library !== undefined) yield* this.#library.consolidate(today);
  }

  listClips(fromMs: number, toMs: number): readonly ListedClip[] {
    return this.#requireLibrary().list(fromMs, toMs);
  }

  clipMedia(clipId: string): Content {
    return movieOf(this.#requireLibrary().stream(clipId));
  }

  /** For the owner's own use: the files of a share without a request. Whatever opens clips opens these. */
  ownPreview(params: Parameters<OwnShares['preview']>[1]): OwnPreviewReport {
    return this.#own.preview(this.#requireLibrary(), params);
  }

  ownMedia(previewId: string, name: string): Content {
    this.#requireLibrary();
    const content = this.#own.file(previewId, name);
    if (content === undefined) throw noSuchMedium();
    return content;
  }

  /** For somebody else: only with the passphrase, and only what was previewed. */
  async ownShare(params: { readonly previewId: string; readonly passphrase: string }) {
    await this.#confirm(params.passphrase);
    this.#requireDeciding();
    return this.#own.seal(this.#requireLibrary(), params.previewId);
  }

  /** Looking through a clip before it is redacted. Only while deciding, like all that leads to a share. */
  analyseClip(clipId: string): Promise<ClipAnalysisReport> {
    this.#requireDeciding();
    return this.#redactions.analyse(this.#requireLibrary(), clipId);
  }

  redactClip(params: { readonly clipId: string; readonly span: Span; readonly choice: RedactionChoice }) {
    this.#requireDeciding();
    return this.#redactions.redact(this.#requireLibrary(), params);
  }

  cancelRedaction(): void {
    this.#redactions.cancel();
  }

  #check(request: Uint8Array, agency: Uint8Array, floorS: number): CheckedRequest {
    const secrets = this.#requireDeciding();
    const checked = checkRequest({
      request,
      agency,
      roots: pinnedBy(secrets),
      nowMs: Math.max(this.#options.clock.wallMs(), floorS * 1000),
    });
    this.#seeAgency(checked.agency);
    const place = { lat_e6: secrets.place.latE6, lon_e6: secrets.place.lonE6 };
    if (!secrets.regions.includes(checked.request.region) || !areaContains(checked.request.area, place)) {
      throw new AgentError(
        'refused',
        'vault/not-our-place',
        'Cannot prepare the share: the request does not cover this house',
      );
    }
    return checked;
  }

  #seeAgency(agency: AgencyDocument): void {
    const secrets = this.#requireDeciding();
    requireFloor(secrets.floors, agency);
    this.#secrets = { ...secrets, floors: raiseFloor(secrets.floors, agency) };
  }

  preview(params: {
    readonly request: Uint8Array;
    readonly agency: Uint8Array;
    readonly floorS: number;
    readonly selection: readonly Selection[];
    readonly discloseLineage?: boolean;
    readonly sound?: boolean;
  }): PreviewReport {
    const secrets = this.#requireDeciding();
    const checked = this.#check(params.request, params.agency, params.floorS);
    const built = buildPreview({
      checked,
      requestBytes: params.request,
      selection: params.selection,
      library: this.#requireLibrary(),
      keepSound: params.sound === true,
      redaction: (redactionId) => this.#redactions.get(redactionId),
      ownerRootSeed: fromHex(secrets.ownerRootSeedHex),
      discloseLineage: params.discloseLineage === true,
    });
    this.#previews.keep(built);
    return {
      previewId: built.previewId,
      requestHash: checked.requestHash,
      media: built.media.map((m) => ({
        name: m.name,
        clipId: m.clipId,
        kind: m.kind,
        bytes: m.content.length,
        sha256: m.sha256,
        fromMs: m.fromMs,
        toMs: m.toMs,
      })),
      recipientKeyId: checked.agency.recipient.kid,
      endpoint: checked.agency.upload.https,
      agencyName: checked.agency.name,
      shareBytes: shareBytesOf(built),
      lineageDisclosed: built.lineage !== undefined,
      deadlineMs: (checked.request.expires_at + graceS) * 1000,
    };
  }

  previewMedia(previewId: string, name: string): Content {
    const medium = this.#previews.get(previewId).media.find((m) => m.name === name);
    if (medium === undefined) throw noSuchMedium();
    return medium.content;
  }

  /** Seals and signs exactly the preview. Files stand synced in `folder` when this returns; `dispatch.json` is written last. */
  async approve(params: {
    readonly previewId: string;
    readonly passphrase: string;
    readonly agency: Uint8Array;
    readonly floorS: number;
    readonly releaseNotBeforeMs: number;
  }): Promise<ApprovalReport> {
    const secrets = await this.#confirm(params.passphrase);
    this.#requireDeciding();
    const built = this.#previews.get(params.previewId);
    // Time has passed since the preview: the request may have expired, the agency's document may have changed.
    const checked = this.#check(built.requestBytes, params.agency, params.floorS);
    if (checked.requestHash !== built.checked.requestHash || checked.agencyHash !== built.checked.agencyHash) {
      throw new AgentError(
        'refused',
        'vault/changed-since-preview',
        'Cannot approve: the agency changed since the preview. Look again',
      );
    }
    await this.#keepFloors(secrets, joinFloors(secrets.floors, this.#floors), params.passphrase);
    if (this.#approved.has(checked.requestHash)) {
      throw new AgentError('refused', 'vault/already-approved', 'Cannot approve: this request already has its share');
    }
    const deadlineMs = (checked.request.expires_at + graceS) * 1000;
    if (!(params.releaseNotBeforeMs < deadlineMs)) {
      throw new AgentError(
        'refused',
        'vault/too-late',
        'Cannot approve: the share could not arrive before the deadline',
      );
    }
    this.#requireLibrary().requireThere(built.media);
    requireRoom(this.#options.dataDir, shareBytesOf(built));
    this.#approved.add(checked.requestHash);
    this.#previews.drop(params.previewId);
    const folder = join(this.#options.dataDir, 'owner', 'held', built.grant.share_id);
    const ownerRoot = signingKeyFromSeed(fromHex(secrets.ownerRootSeedHex));
    try {
      return writeApproved({ folder, built, checked, ownerRoot, deadlineMs, notBeforeMs: params.releaseNotBeforeMs });
    } catch (thrown) {
      // No share exists, so the request may be approved again; the next one has another id and another file key.
      this.#approved.delete(checked.requestHash);
      removeDurable(folder);
      throw thrown;
    }
  }

  /**
   * A demand that the owner makes now. The request may be long over; its agency is checked for what decides where the demand
   * goes: vouched for by a pinned root, and not older than what was seen.
   */
  async demand(params: {
    readonly passphrase: string;
    readonly request: Uint8Array;
    readonly agency: Uint8Array;
    readonly grantHash: string;
    readonly shareId: string;
    readonly ground: 'owner_request' | 'terms_breach';
    readonly floorS: number;
  }): Promise<SignedDemand> {
    const secrets = await this.#confirm(params.passphrase);
    this.#requireDeciding();
    const { unverified: request, hash } = peekDocument('request', params.request);
    const { agency } = openAgency(params.agency, pinnedBy(secrets));
    if (agency.agency !== request.agency) {
      throw new AgentError('refused', 'vault/other-agency', 'Cannot demand: the request is of another agency');
    }
    this.#seeAgency(agency);
    const nowS = Math.floor(Math.max(this.#options.clock.wallMs(), params.floorS * 1000) / 1000);
    const seed = fromHex(secrets.ownerRootSeedHex);
    return writeDemand({
      folder: (demandId) => join(this.#options.dataDir, 'owner', 'demands', demandId),
      demand: { grant_hash: params.grantHash, share_id: params.shareId, ground: params.ground },
      requestKey: deriveRequestKey(seed, request.agency, hash),
      requestId: request.request_id,
      agency,
      ownerRoot: signingKeyFromSeed(seed),
      notBeforeS: nowS,
      deadlineS: nowS + demandLifeS,
    });
  }
}

function pinnedBy(secrets: VaultSecrets): PinnedRoot[] {
  return secrets.roots.map((r) => ({ keys: r.keysHex.map(fromHex), threshold: r.threshold }));
}
