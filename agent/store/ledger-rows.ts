/** Rows of `ledger.db` as the owner program sees them; what each column means stands in the schema files. */
export type StoredState =
  | 'PENDING'
  | 'COOLING'
  | 'BODY_UP'
  | 'RELEASE'
  | 'SHARED'
  | 'WITHDRAWN'
  | 'REVOKED'
  | 'EXPIRED'
  | 'FAILED';

export interface RequestRow {
  readonly request_hash: string;
  readonly request_id: string;
  readonly agency: string;
  readonly case_number: string;
  readonly envelope: Buffer;
  readonly agency_envelope: Buffer;
  readonly state: StoredState;
  readonly note: Buffer;
  readonly warnings: string;
  readonly accepted_at_s: number;
  readonly issued_at_s: number;
  readonly expires_at_s: number;
  readonly window_from_s: number;
  readonly window_to_s: number;
}

export interface AgencyRow {
  readonly agency: string;
  readonly version: number;
  readonly envelope: Buffer;
  readonly doc_hash: string;
  readonly enabled: 0 | 1;
  readonly suspended: 0 | 1;
  readonly root_id: string | null;
  readonly recipient_seen_s: number | null;
}

export interface ShareRow {
  readonly share_id: string;
  readonly request_hash: string;
  readonly body_bytes: number;
  readonly release_not_before_ms: number;
  readonly deadline_ms: number;
  readonly grant_hash: string;
}

export interface WaitingRow {
  readonly envelope_hash: string;
  readonly agency: string;
  readonly topic: string;
  readonly envelope: Buffer;
  readonly received_at_s: number;
  readonly signed: 0 | 1;
}
