/**
 * What the owner program can do, as one interface: the control socket (command line, terminal prompt) and the web API are
 * two thin doors to it. Every method rejects with an `AgentError`. Times are Unix milliseconds.
 */
import type { ClipAnalysisReport, OwnPreviewReport } from '../vault/client.ts';

export type LockState = 'locked' | 'viewing' | 'deciding';

export type RequestState =
  | 'PENDING' | 'DECLINED' | 'REVIEWING' | 'SEALING' | 'COOLING' | 'BODY_UP' | 'RELEASE' | 'SHARED'
  | 'WITHDRAWN' | 'REVOKED' | 'EXPIRED' | 'FAILED'; // biome-ignore format: a list

export interface RequestSummary {
  readonly requestId: string;
  readonly state: RequestState;
  readonly agencyName: string;
  readonly caseNumber: string;
  readonly incident: string;
  readonly windowFromMs: number;
  readonly windowToMs: number;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** Codes such as `assembly-wording`, `recipient-changed`: shown, never decided by the software. */
  readonly warnings: readonly string[];
  /** Other requests of the same agency and case whose areas overlap: to be shown together. */
  readonly related: readonly string[];
}

export interface RequestDetail extends RequestSummary {
  readonly statement: string;
  readonly legalAuthority: string;
  readonly contact: { readonly name: string; readonly badge: string; readonly phone: string };
  readonly area:
    | { readonly kind: 'circle'; readonly latE6: number; readonly lonE6: number; readonly radiusM: number }
    | { readonly kind: 'polygon'; readonly pointsE6: readonly (readonly [number, number])[] };
  /** The device's own place, so that a page can draw it inside the area, offline. */
  readonly placeE6: { readonly latE6: number; readonly lonE6: number };
  readonly terms: {
    readonly deleteByDays: number;
    readonly outcomeDueDays: number;
    readonly thirdParty: 'none' | 'court_only';
    readonly biometricId: false;
  };
  /** Sound goes along only where it is asked for, and only if the owner keeps it. */
  readonly asksForSound: boolean;
  readonly signers: { readonly officerKeyId: string; readonly approverKeyId: string };
  readonly share?: ShareSummary;
}

export interface ClipSummary {
  readonly clipId: string;
  readonly cameraId: string;
  readonly cameraName: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly labels: readonly string[];
  readonly bytes: number;
  /** A clip cut by a power loss has no signed manifest and can't be proved unaltered. */
  readonly cut: boolean;
  /** Kept by the owner: never purged. */
  readonly pinned: boolean;
  readonly thumbnailJpegBase64?: string;
}

/** Deleted by the owner and not gone yet: it can be taken back until then. */
export interface DeletedClip {
  readonly clipId: string;
  readonly cameraId: string;
  readonly cameraName: string;
  readonly goneAtMs: number;
}

export interface PinResult {
  readonly changedCount: number;
  /** Of all pinned clips of the cameras concerned, and what these may hold in all. */
  readonly pinnedBytes: number;
  readonly quotaBytes: number;
}

/** At most 1 MiB of a file; a length of 0 asks only how long it is. */
export interface PieceRange {
  readonly offset: number;
  readonly length: number;
}

export interface MediaPiece {
  readonly bytes: Uint8Array;
  readonly totalBytes: number;
}

export type OwnPreview = OwnPreviewReport;

/** What is asked to go into a share: at most what the request's window covers. */
export interface Selection {
  readonly clipId: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Left out: as recorded. */
  readonly redact?: Redaction | undefined;
}

/** What is filled with solid black. Places are shares of the picture as it is shown, 0 to 1. */
export interface Redaction {
  /** Everybody who is found and not kept; everything that moves, people or not; or neither. */
  readonly fill: 'people' | 'moving' | 'none';
  /** Numbers of people of this clip's analysis who are not filled. */
  readonly keep?: readonly number[] | undefined;
  readonly regions?: readonly RedactedRegion[] | undefined;
  /** Also the privacy masks of the camera as configured now: older footage was recorded without them. */
  readonly masks?: boolean | undefined;
}

/** Without times for the whole clip. */
export interface RedactedRegion {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

/** Who was found in a clip, to be filled or kept. */
export type ClipPeople = ClipAnalysisReport;

export interface PreviewMedia {
  readonly name: string;
  readonly clipId: string;
  /** `derived`: something in it was filled, so it is the owner's word and no proof. */
  readonly kind: 'original' | 'derived';
  readonly bytes: number;
  readonly sha256: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Preview {
  /** SHA-256 over everything that will be signed; approval names it. */
  readonly previewId: string;
  readonly media: readonly PreviewMedia[];
  readonly recipientKeyId: string;
  readonly endpoint: string;
  readonly agencyName: string;
  /** Size of the encrypted archive, padding included. */
  readonly shareBytes: number;
  /** True: it proves that its clips come from one device, and so links this owner's shares of the month. */
  readonly lineageDisclosed: boolean;
  readonly releaseNotBeforeMs: number;
  readonly latestArrivalMs: number;
}

export interface ShareSummary {
  readonly shareId: string;
  readonly state: 'COOLING' | 'BODY_UP' | 'RELEASE' | 'SHARED' | 'WITHDRAWN' | 'FAILED';
  readonly bytes: number;
  readonly releaseNotBeforeMs: number;
  readonly deadlineMs: number;
  /** Log-in that must still confirm it; left out where nobody must, or has. */
  readonly waitsFor?: string;
  /** Only once it has arrived. */
  readonly after?: ShareAftermath;
}

/** What was promised about a share that has arrived, and what became of it. */
export interface ShareAftermath {
  readonly sharedAtMs: number;
  readonly deleteDueMs: number;
  readonly outcomeDueMs: number;
  readonly outcome: 'due' | 'overdue' | 'open' | 'closed';
  readonly deletion: 'due' | 'demanded' | 'overdue' | 'confirmed';
  readonly demands: readonly { readonly ground: string; readonly state: string }[];
}

export type DemandGround = 'owner_request' | 'terms_breach';

/** An alert for everybody of the region; it asks for nothing and can't be answered. */
export interface NoticeSummary {
  readonly agency: string;
  readonly agencyName: string;
  readonly headline: string;
  readonly text: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** Two documents of one agency that contradict each other, as signed. */
export interface Evidence {
  readonly firstBase64: string;
  readonly secondBase64: string;
  readonly foundAtMs: number;
}

export interface LedgerEntry {
  readonly entry: number;
  readonly atMs: number;
  readonly hash: string;
  readonly readable: boolean;
  readonly actions: readonly string[];
  /** Actions of that session that found no room. */
  readonly moreCount: number;
}

export interface LedgerHead {
  readonly entryCount: number;
  /** It covers every entry: who noted an earlier one can see that the ledger was only added to. */
  readonly headHash: string;
  /** The first entry that doesn't follow from the one before. */
  readonly brokenAtEntry?: number;
}

/** What stands between an owner under pressure and a share. */
export interface SafeguardSummary {
  readonly coolingOffMs: number;
  readonly secondApprover: string | null;
  /** Weaker ones that the configuration asks for, and how long this device must still run before they count. */
  readonly coming?: { readonly coolingOffMs: number; readonly secondApprover: string | null; readonly inMs: number };
}

export interface Health {
  readonly safeguards: SafeguardSummary;
  readonly lock: LockState;
  readonly pendingCount: number;
  readonly clock: 'synchronised' | 'unsynchronised' | 'trusted';
  readonly cameras: readonly { readonly cameraId: string; readonly name: string; readonly state: string }[];
  readonly broker: 'connected' | 'unavailable' | 'not-configured';
}

/** A root: the public keys whose 2-of-3 signatures vouch for agencies. File: `{"latchkey_root": 1, "name", "threshold": 2, "keys": [hex × 3]}`. */
export interface RootDescription {
  readonly name: string;
  readonly threshold: number;
  readonly keysHex: readonly string[];
}

export interface AgencySummary {
  readonly agency: string;
  readonly name: string;
  readonly kind: 'agency' | 'group';
  readonly enabled: boolean;
  /** `overdue-outcomes`: it owes more than three reports, and is heard again when it has sent them. */
  readonly muted: 'no' | 'by-owner' | 'overdue-outcomes';
  /** It signed two documents that contradict each other. */
  readonly suspended: boolean;
  /** Prompts a day. */
  readonly perDay: number;
  readonly version: number;
  readonly expiresAtMs: number;
  readonly recipientKeyId: string;
  readonly recipientChangedAtMs?: number;
  /** What the directory of its root says about the document that is known here. */
  readonly directory: 'no-doubt' | 'agency-outdated' | 'agency-unlisted';
  readonly score: {
    readonly dueCount: number;
    readonly overdueCount: number;
    readonly openCount: number;
    readonly closedCount: number;
    readonly uses: Readonly<Record<string, number>>;
  };
}

/** A browser or terminal that was paired; its key is not here. */
export interface PairingSummary {
  readonly pairingId: string;
  readonly name: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface OwnerService {
  health(): Promise<Health>;
  /** Viewing: needs a paired client's key. Deciding: needs the passphrase. Both start the vault if it isn't running. */
  unlockViewing(params: { pairingId: string; viewingKey: string }): Promise<{ lock: LockState }>;
  unlockDeciding(params: { passphrase: string }): Promise<{ lock: LockState }>;
  lock(): Promise<{ lock: LockState }>;
  /** Gives a new client a viewing key (base64url, 32 bytes). It is shown once and never stored here. */
  pair(params: {
    passphrase: string;
    name: string;
  }): Promise<{ pairingId: string; viewingKey: string; expiresAtMs: number }>;
  /** Who may look back without the passphrase, oldest first. */
  listPairings(): Promise<readonly PairingSummary[]>;
  unpair(params: { pairingId: string }): Promise<Record<string, never>>;
  /** Pins a root inside the vault file; needs the passphrase because everything an agency may do hangs on it. */
  addRoot(params: { passphrase: string; root: RootDescription }): Promise<{ rootCount: number }>;
  /** Agencies known by a root-signed document (from the broker or a file); none is enabled by default. */
  listAgencies(): Promise<readonly AgencySummary[]>;
  importAgency(params: { envelopeBase64: string }): Promise<AgencySummary>;
  setAgencyEnabled(params: { agency: string; enabled: boolean }): Promise<AgencySummary>;
  /** Nothing that it signs is shown any more, or again. */
  setAgencyMuted(params: { agency: string; muted: boolean }): Promise<AgencySummary>;
  /** Fewer prompts a day than the protocol allows; null for its own number. */
  setAgencyPerDay(params: { agency: string; perDay: number | null }): Promise<AgencySummary>;
  showEvidence(params: { agency: string }): Promise<readonly Evidence[]>;
  listNotices(): Promise<readonly NoticeSummary[]>;
  listRequests(): Promise<readonly RequestSummary[]>;
  showRequest(params: { requestId: string }): Promise<RequestDetail>;
  /** Clips that meet the window; needs `deciding`. Moves PENDING → REVIEWING. */
  review(params: { requestId: string }): Promise<{ request: RequestDetail; clips: readonly ClipSummary[] }>;
  /** Looks for people in a clip, so that the owner can say who is kept; needs `deciding` and takes a while. */
  findPeople(params: { clipId: string }): Promise<ClipPeople>;
  /** Ends the search or redaction that runs now; whoever waits for it gets `redact/cancelled`. */
  cancelRedaction(): Promise<Record<string, never>>;
  /** Builds exactly what would be sent, in the vault's memory. Redacting takes about as long as encoding. */
  preview(params: {
    requestId: string;
    selection: readonly Selection[];
    /** Keep the sound, where the request asks for it. */
    sound?: boolean | undefined;
    /** Prove that the clips come from one device; it lets the agency link this owner's shares of the month. */
    discloseLineage?: boolean | undefined;
  }): Promise<Preview>;
  /** The bytes of one previewed file, as they would be sent: a fragmented MP4. */
  previewMedia(params: { previewId: string; name: string } & PieceRange): Promise<MediaPiece>;
  /** `account`: the log-in of who approves, where there is one; that of the second approver is refused. */
  approve(params: {
    requestId: string;
    previewId: string;
    passphrase: string;
    account?: string | undefined;
  }): Promise<ShareSummary>;
  /** The second approver's yes. `account` has logged in: whoever calls this has checked it. */
  confirm(params: { requestId: string; account: string }): Promise<ShareSummary>;
  /** Demands that a share that has arrived be deleted. */
  demandDeletion(params: { requestId: string; ground: DemandGround; passphrase: string }): Promise<ShareSummary>;
  decline(params: { requestId: string }): Promise<{ state: RequestState }>;
  withdraw(params: { requestId: string }): Promise<{ state: RequestState }>;
  /** Looking back: needs `viewing`. */
  listClips(params: { fromMs: number; toMs: number }): Promise<readonly ClipSummary[]>;
  clipMedia(params: { clipId: string } & PieceRange): Promise<MediaPiece>;
  /**
   * Clips for the owner's own use, with the proofs of their pieces; needs `viewing`. With a recipient they can then be sealed to
   * it by `ownShare`: by passphrase, in one age file on this device, never sent.
   */
  ownPreview(params: {
    selection: readonly { readonly clipId: string; readonly fromMs: number; readonly toMs: number }[];
    sound: boolean;
    recipient?: string | undefined;
  }): Promise<OwnPreview>;
  ownMedia(params: { previewId: string; name: string } & PieceRange): Promise<MediaPiece>;
  ownShare(params: { previewId: string; passphrase: string }): Promise<{ path: string; bytes: number }>;
  /** Hidden at once, gone for good after ten minutes. Needs `viewing`. */
  deleteClips(params: { clipIds: readonly string[] }): Promise<{ deletedCount: number; goneAtMs: number }>;
  undeleteClips(params: { clipIds: readonly string[] }): Promise<{ restoredCount: number }>;
  listDeleted(): Promise<readonly DeletedClip[]>;
  /** Keeps clips from being purged, or no longer. Needs `viewing`. */
  pinClips(params: { clipIds: readonly string[]; pinned: boolean }): Promise<PinResult>;
  /** Who viewed, shared, decided: needs `viewing`. */
  listLedger(params: { from: number; count: number }): Promise<readonly LedgerEntry[]>;
  /** Needs no key. */
  ledgerHead(): Promise<LedgerHead>;
}
