/**
 * What the owner program can do, as one interface: the control socket (command line, terminal prompt) and the web API are
 * two thin doors to it. Every method rejects with an `AgentError`. Times are Unix milliseconds.
 */

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
  readonly thumbnailJpegBase64?: string;
}

/** What is asked to go into a share: at most what the request's window covers. */
export interface Selection {
  readonly clipId: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface PreviewMedia {
  readonly name: string;
  readonly clipId: string;
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
  readonly releaseNotBeforeMs: number;
  readonly latestArrivalMs: number;
}

export interface ShareSummary {
  readonly shareId: string;
  readonly state: 'COOLING' | 'BODY_UP' | 'RELEASE' | 'SHARED' | 'WITHDRAWN' | 'FAILED';
  readonly bytes: number;
  readonly releaseNotBeforeMs: number;
  readonly deadlineMs: number;
}

export interface Health {
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
  readonly enabled: boolean;
  readonly version: number;
  readonly expiresAtMs: number;
  readonly recipientKeyId: string;
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
  unpair(params: { pairingId: string }): Promise<Record<string, never>>;
  /** Pins a root inside the vault file; needs the passphrase because everything an agency may do hangs on it. */
  addRoot(params: { passphrase: string; root: RootDescription }): Promise<{ rootCount: number }>;
  /** Agencies known by a root-signed document (from the broker or a file); none is enabled by default. */
  listAgencies(): Promise<readonly AgencySummary[]>;
  importAgency(params: { envelopeBase64: string }): Promise<AgencySummary>;
  setAgencyEnabled(params: { agency: string; enabled: boolean }): Promise<AgencySummary>;
  listRequests(): Promise<readonly RequestSummary[]>;
  showRequest(params: { requestId: string }): Promise<RequestDetail>;
  /** Clips that meet the window; needs `deciding`. Moves PENDING → REVIEWING. */
  review(params: { requestId: string }): Promise<{ request: RequestDetail; clips: readonly ClipSummary[] }>;
  /** Builds exactly what would be sent, in the vault's memory. */
  preview(params: { requestId: string; selection: readonly Selection[] }): Promise<Preview>;
  /** The bytes of one previewed file, as they would be sent: a fragmented MP4. */
  previewMedia(params: { previewId: string; name: string }): Promise<Uint8Array>;
  approve(params: { requestId: string; previewId: string; passphrase: string }): Promise<ShareSummary>;
  decline(params: { requestId: string }): Promise<{ state: RequestState }>;
  withdraw(params: { requestId: string }): Promise<{ state: RequestState }>;
  /** Looking back: needs `viewing`. */
  listClips(params: { fromMs: number; toMs: number }): Promise<readonly ClipSummary[]>;
  clipMedia(params: { clipId: string }): Promise<Uint8Array>;
}
