import { type CheckedAgency, openAgency } from '../../agent/protocol/agency-check.ts';
import type { AgencyDocument } from '../../agent/protocol/documents.ts';
import { signEnvelope } from '../../agent/protocol/envelope.ts';
import type { SigningKey } from '../../agent/protocol/keys.ts';
import type { PublicKeyFile, RecipientFile } from './key-files.ts';
import { pinnedRootOf, type RootFile } from './root.ts';

/** An agency's document: who may sign for it, where shares go, and to which key; two of the root's keys vouch for it. */
export interface AgencyDraft {
  readonly id: string;
  readonly name: string;
  readonly kind?: 'agency' | 'group';
  readonly status?: AgencyDocument['status'];
  readonly regions: readonly string[];
  /** Rises with every document of this agency. */
  readonly version?: number;
  readonly validDays?: number;
  readonly officers: readonly PublicKeyFile[];
  readonly approvers: readonly PublicKeyFile[];
  readonly outcomes?: readonly PublicKeyFile[];
  readonly recipient: RecipientFile;
  /** When this recipient took over, Unix seconds; a new one is usable on devices 72 hours later. */
  readonly recipientSince?: number;
  readonly endpoint: string;
  readonly keyStorage?: string;
  readonly mfa?: boolean;
  readonly auditUrl?: string;
  readonly policyUrl?: string;
}

const dayS = 86_400;

/** Signs with the given root keys and opens the result as a device would, so that what is refused there fails here. */
export function makeAgency(options: {
  readonly draft: AgencyDraft;
  readonly rootKeys: readonly SigningKey[];
  readonly root: RootFile;
  readonly nowMs: number;
}): { readonly envelope: Uint8Array } & CheckedAgency {
  const { draft } = options;
  const nowS = Math.floor(options.nowMs / 1000);
  const expiresAt = nowS + (draft.validDays ?? 365) * dayS;
  const keys = [...draft.officers, ...draft.approvers, ...(draft.outcomes ?? [])].map(({ kid, x, role }) => ({
    kid,
    x,
    role: role as 'officer' | 'approver' | 'outcome',
    from: nowS - dayS,
    to: expiresAt,
  }));
  const document: AgencyDocument = {
    agency: draft.id,
    name: draft.name,
    kind: draft.kind ?? 'agency',
    regions: draft.regions,
    status: draft.status ?? 'active',
    version: draft.version ?? 1,
    expires_at: expiresAt,
    keys,
    recipient: { kid: draft.recipient.kid, age: draft.recipient.age, since: draft.recipientSince ?? nowS },
    upload: { https: draft.endpoint },
    attest: {
      key_storage: draft.keyStorage ?? '',
      mfa: draft.mfa ?? false,
      audit_url: draft.auditUrl ?? '',
      policy_url: draft.policyUrl ?? '',
    },
  };
  const envelope = signEnvelope('agency', document, options.rootKeys);
  return { envelope, ...openAgency(envelope, [pinnedRootOf(options.root)]) };
}
