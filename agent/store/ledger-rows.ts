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
  readonly muted: 0 | 1;
  readonly daily_limit: number | null;
}

export interface ShareRow {
  readonly share_id: string;
  readonly request_hash: string;
  readonly body_bytes: number;
  readonly release_not_before_ms: number;
  readonly deadline_ms: number;
  readonly grant_hash: string;
  readonly cooling_left_ms: number;
  readonly second_approver: string | null;
  readonly confirmed_at_s: number | null;
  readonly shared_at_s: number | null;
  readonly delete_due_s: number | null;
  readonly outcome_due_s: number | null;
  readonly outcome: 'open' | 'closed' | null;
  readonly deleted_at_s: number | null;
}

export type NewShare = Pick<
  ShareRow,
  | 'share_id'
  | 'request_hash'
  | 'body_bytes'
  | 'release_not_before_ms'
  | 'deadline_ms'
  | 'grant_hash'
  | 'cooling_left_ms'
  | 'second_approver'
>;

export interface DemandRow {
  readonly demand_id: string;
  readonly share_id: string;
  readonly ground: 'retention_due' | 'owner_request' | 'terms_breach';
  readonly state: 'waiting' | 'sending' | 'sent' | 'failed' | 'dropped';
  readonly deadline_s: number;
}

/** Kinds of documents by their topic, each numbered by itself. */
export type NumberedKind = 'rq' | 'rv' | 'nt' | 'oc';

export interface DirectoryRow {
  readonly region: string;
  readonly root_id: string;
  readonly version: number;
  readonly expires_at_s: number;
}

export interface NoticeRow {
  readonly agency: string;
  readonly seq: number;
  readonly envelope: Buffer;
  readonly issued_at_s: number;
  readonly expires_at_s: number;
}

export interface DutyRow {
  readonly due_s: number | null;
  readonly status: 'open' | 'closed' | null;
  readonly uses: string;
  readonly shares: string | null;
  readonly retained: string | null;
}

export interface WaitingRow {
  readonly envelope_hash: string;
  readonly agency: string;
  readonly topic: string;
  readonly envelope: Buffer;
  readonly received_at_s: number;
  readonly signed: 0 | 1;
}
