/** What the vault tells the owner program about what it has built or signed. */
import type { SignedDemand } from './demand.ts';

/** A part of a media file; empty at and behind its end. */
export interface MediaPiece {
  readonly bytes: Uint8Array;
  readonly totalBytes: number;
}

export interface PreviewReport {
  readonly previewId: string;
  readonly requestHash: string;
  readonly media: readonly {
    readonly name: string;
    readonly clipId: string;
    readonly kind: 'original' | 'derived';
    readonly bytes: number;
    readonly sha256: string;
    readonly fromMs: number;
    readonly toMs: number;
  }[];
  readonly recipientKeyId: string;
  readonly endpoint: string;
  readonly agencyName: string;
  readonly shareBytes: number;
  /** True: it proves that its clips come from one device, and so links this owner's shares of the month. */
  readonly lineageDisclosed: boolean;
  readonly deadlineMs: number;
}

export interface ApprovalReport {
  readonly shareId: string;
  readonly requestHash: string;
  readonly grantHash: string;
  readonly bodyBytes: number;
  readonly releaseNotBeforeMs: number;
  readonly deadlineMs: number;
  /** Signed for the day on which the agency should have deleted the share; lies in its folder. */
  readonly demand: SignedDemand;
}
