/** What the parts of the intake share: their options, and how a message is put aside for later. */
import type { Log } from '../base/log.ts';
import type { PinnedRoot } from '../protocol/agency-check.ts';
import { fromHex } from '../protocol/bytes.ts';
import type { AgencyDocument } from '../protocol/documents.ts';
import { openEnvelope } from '../protocol/envelope.ts';
import type { Limits } from '../protocol/limits.ts';
import { refusal } from '../protocol/refuse.ts';
import type { LedgerDb } from '../store/ledger-db.ts';
import type { House } from './house.ts';

export const dayS = 24 * 3600;

export interface IntakeOptions {
  readonly dataDir: string;
  readonly db: LedgerDb;
  readonly house: House;
  readonly regions: readonly string[];
  readonly log: Log;
  /** The owner's limits, from `tightenLimits`; left out: the protocol's. */
  readonly limits?: Limits;
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

/** What a part may ask of the intake that it belongs to. */
export interface Waiting {
  /** Whose it says it is; `directory` for a page of one. */
  readonly agency: string;
  readonly topic: string;
  readonly envelope: Uint8Array;
  readonly code: string;
  /** Whether its own signers have been seen on it. */
  readonly signed: boolean;
}

export interface IntakeDesk extends IntakeOptions {
  readonly verdict: (code: string) => void;
  /** Keeps a message that can’t be judged yet. */
  readonly wait: (waiting: Waiting) => void;
  readonly roots: () => readonly PinnedRoot[];
  readonly nowS: () => number;
}

/** Signed by an officer and an approver that are not revoked, whatever the time is. Throws `envelope/…`. */
export function requireSigners(envelope: Uint8Array, agency: AgencyDocument, revokedKeyIds: readonly string[]): void {
  const rule = (role: 'officer' | 'approver') => ({
    role,
    threshold: 1,
    keys: agency.keys.filter((k) => k.role === role && !revokedKeyIds.includes(k.kid)).map(({ x }) => fromHex(x)),
  });
  openEnvelope('request', envelope, [rule('officer'), rule('approver')]);
}

export function refused(code: string, why: string): Error {
  return refusal(code, `Cannot accept the message: ${why}`);
}
