import { z } from 'zod';
import {
  agencyId,
  ageRecipient,
  area,
  endpoint,
  hex32,
  hex64,
  keyId,
  optionalText,
  previous,
  region,
  seconds,
  sequence,
  text,
  webAddress,
} from './fields.ts';

/** Documents that agencies and roots publish; anyone may read them. Field tables stand in `README.md`. */

/**
 * `basis`, `biometric_id`, `third_party` and the day counts are wider here than what is accepted, so that the refusal can
 * name the term (`request/basis`, `request/terms`) instead of calling the document malformed.
 */
export const request = z.strictObject({
  agency: agencyId,
  area,
  case: z.strictObject({
    number: text(64),
    incident: text(64),
    opened_on: z.iso.date(),
    statement: text(1000),
  }),
  contact: z.strictObject({ name: text(100), badge: text(40), phone: text(40) }),
  issued_at: seconds,
  expires_at: seconds,
  legal: z.strictObject({ basis: text(40), authority: text(200) }),
  media: z.strictObject({ audio: z.boolean() }),
  prev: previous,
  seq: sequence,
  recipient_kid: keyId,
  region,
  request_id: hex32,
  terms: z.strictObject({
    biometric_id: z.boolean(),
    delete_by_days: z.int().min(1).max(100_000),
    outcome_due_days: z.int().min(1).max(100_000),
    third_party: text(40),
  }),
  window: z.strictObject({ from: seconds, to: seconds }),
});

export const agency = z.strictObject({
  agency: agencyId,
  name: text(100),
  kind: z.enum(['agency', 'group']),
  regions: z.array(region).min(1).max(64),
  status: z.enum(['active', 'suspended', 'retired']),
  version: sequence,
  expires_at: seconds,
  keys: z
    .array(
      z.strictObject({
        kid: keyId,
        x: hex64,
        role: z.enum(['officer', 'approver', 'outcome']),
        from: seconds,
        to: seconds,
      }),
    )
    .min(1)
    .max(64),
  recipient: z.strictObject({ kid: keyId, age: ageRecipient, since: seconds }),
  upload: z.strictObject({ https: endpoint }),
  attest: z.strictObject({
    key_storage: optionalText(100),
    mfa: z.boolean(),
    audit_url: webAddress,
    policy_url: webAddress,
  }),
});

export const directory = z.strictObject({
  region,
  version: sequence,
  issued_at: seconds,
  expires_at: seconds,
  page: z.int().min(1).max(64),
  pages: z.int().min(1).max(64),
  /** Sorted by agency over all pages. 200 entries of the longest id fit the payload limit. */
  entries: z.array(z.strictObject({ agency: agencyId, doc_hash: hex64 })).max(200),
  root_keys: z.array(hex64).min(1).max(8),
});

export const revocation = z.union([
  z.strictObject({
    agency: agencyId,
    kind: z.literal('request'),
    target: hex32,
    seq: sequence,
    prev: previous,
    reason: text(200),
  }),
  z.strictObject({
    agency: agencyId,
    kind: z.literal('key'),
    target: keyId,
    seq: sequence,
    prev: previous,
    reason: text(200),
  }),
]);

export const notice = z.strictObject({
  agency: agencyId,
  region,
  area: area.optional(),
  seq: sequence,
  headline: text(120),
  text: text(1000),
  issued_at: seconds,
  expires_at: seconds,
});

const bucket = z.enum(['0', '1-4', '5-9', '10+']);

export const outcome = z.strictObject({
  agency: agencyId,
  request_hash: hex64,
  seq: sequence,
  status: z.enum(['open', 'closed']),
  use: z.array(z.enum(['arrest', 'charge', 'exculpatory', 'vehicle_id', 'no_value', 'other'])).max(6),
  shares: bucket,
  /** SHA-256 of share ids, padded with random values to the bucket's bound. */
  deleted: z.array(hex64).max(64),
  retained: bucket,
  disclosures: z.array(text(100)).max(16),
});
