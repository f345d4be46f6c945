import type { Terms } from './documents.ts';
import type { Lineage } from './lineage.ts';

/** What verifying a share says: verdicts that are kept apart, and the problems that make one fail. */

/** `derived`: re-encoded by the owner (redacted), so nothing about its pictures is proved. */
export type Alteration = 'unaltered' | 'altered' | 'derived';

export interface MediaVerdict {
  readonly name: string;
  readonly kind: 'original' | 'derived';
  /** The file is the one that the grant names. */
  readonly sha256Ok: boolean;
  readonly unaltered: Alteration;
  readonly fragmentsProved: number;
  readonly fragmentsTotal: number;
}

export type ShareProblem =
  | 'request-differs'
  | 'request-signature'
  | 'grant-signature'
  | 'grant-beyond-request'
  | `manifest-${'signature' | 'missing' | 'extra'}`
  | `media-${'missing' | 'extra' | 'altered'}`;

export interface ShareVerdict {
  /** The request inside is the one that the grant answers (and the agency's own copy, if given). */
  readonly requestMatches: boolean;
  readonly requestSignature: 'valid' | 'invalid' | 'not-checked';
  readonly grantSignature: 'valid' | 'invalid';
  readonly grantHash: string;
  readonly shareId: string;
  readonly terms: Terms;
  readonly media: readonly MediaVerdict[];
  /** Whether its clips, and shares with the same month key, come from one device: said only if the owner asked for it. */
  readonly lineage: Lineage;
  /** Hex; null unless it is `same-device`. Equal in all shares of one owner and month that disclose it. */
  readonly monthKey: string | null;
  readonly time: {
    /** What the device claims, Unix seconds. */
    readonly claimed: { readonly from: number; readonly to: number };
    readonly clock: 'synchronised' | 'unsynchronised';
    /** The claim lies within the times that the clips were signed with. */
    readonly withinClips: boolean;
    readonly receivedAtMs: number | null;
  };
  /** Empty if everything that could be checked holds. */
  readonly problems: readonly ShareProblem[];
  readonly plainWords: readonly string[];
}
