import { createHash } from 'node:crypto';
import { sha256Hex, toHex } from '../../agent/protocol/bytes.ts';
import { canonicalBytes } from '../../agent/protocol/canonical.ts';
import type {
  AgencyDocument,
  DispatchDocument,
  Documents,
  GrantDocument,
  ManifestDocument,
  RequestDocument,
} from '../../agent/protocol/documents.ts';
import { signEnvelope } from '../../agent/protocol/envelope.ts';
import { keyIdOf, recipientKeyId, type SigningKey, signingKeyFromSeed } from '../../agent/protocol/keys.ts';

/** One good document of every kind and the keys that sign it, all from a fixed seed, for vectors and tests. */

/** 2026-11-21 12:00:00 UTC: the moment at which the samples are looked at. */
export const sampleNowS = 1_795_262_400;
export const sampleNowMs = sampleNowS * 1000;
const dayS = 86_400;

export function sampleKey(name: string): SigningKey {
  return signingKeyFromSeed(new Uint8Array(createHash('sha256').update(`latchkey sample ${name}`).digest()));
}

function id(name: string): string {
  return sha256Hex(Buffer.from(name)).slice(0, 32);
}

export const sampleKeys = {
  root1: sampleKey('root 1'),
  root2: sampleKey('root 2'),
  root3: sampleKey('root 3'),
  officer: sampleKey('officer'),
  approver: sampleKey('approver'),
  outcome: sampleKey('outcome'),
  clip: sampleKey('clip'),
  month: sampleKey('month'),
  owner: sampleKey('owner for one request'),
  ownerRoot: sampleKey('owner root'),
  stranger: sampleKey('stranger'),
} as const;

export const sampleRecipient = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

export const sampleRoot = {
  keys: [sampleKeys.root1.publicKey, sampleKeys.root2.publicKey, sampleKeys.root3.publicKey],
  threshold: 2,
} as const;

function listed(key: SigningKey, role: AgencyDocument['keys'][number]['role']): AgencyDocument['keys'][number] {
  return {
    kid: keyIdOf(key.publicKey),
    x: toHex(key.publicKey),
    role,
    from: sampleNowS - 30 * dayS,
    to: sampleNowS + 300 * dayS,
  };
}

export const sampleAgency: AgencyDocument = {
  agency: 'maple-police',
  name: 'Maple Police Department',
  kind: 'agency',
  regions: ['US-CA'],
  status: 'active',
  version: 1,
  expires_at: sampleNowS + 300 * dayS,
  keys: [
    listed(sampleKeys.officer, 'officer'),
    listed(sampleKeys.approver, 'approver'),
    listed(sampleKeys.outcome, 'outcome'),
  ],
  recipient: { kid: recipientKeyId(sampleRecipient), age: sampleRecipient, since: sampleNowS - 10 * dayS },
  upload: { https: 'https://evidence.maple.example/shares/' },
  attest: {
    key_storage: 'hardware tokens',
    mfa: true,
    audit_url: 'https://maple.example/audit',
    policy_url: '',
  },
};

export const sampleRequest: RequestDocument = {
  agency: sampleAgency.agency,
  area: { circle: { lat_e6: 38_580_000, lon_e6: -121_490_000, radius_m: 300 } },
  case: {
    number: '26-104233',
    incident: 'burglary',
    opened_on: '2026-11-20',
    statement: 'A bicycle was taken from a porch in the evening. One person, on foot.',
  },
  contact: { name: 'Ana Ortiz', badge: '4411', phone: '+1 916 555 0134' },
  issued_at: sampleNowS - 3600,
  expires_at: sampleNowS + 7 * dayS,
  legal: { basis: 'voluntary', authority: 'Detective bureau, supervisor approved' },
  media: { audio: false },
  prev: null,
  seq: 1,
  recipient_kid: sampleAgency.recipient.kid,
  region: 'US-CA',
  request_id: id('request'),
  terms: { biometric_id: false, delete_by_days: 90, outcome_due_days: 60, third_party: 'court_only' },
  window: { from: sampleNowS - 20 * 3600, to: sampleNowS - 18 * 3600 },
};

export const sampleManifest: ManifestDocument = {
  clip_id: id('clip'),
  key: toHex(sampleKeys.clip.publicKey),
  root: sha256Hex(Buffer.from('tree')),
  size: 31,
  tracks: [{ id: 1, kind: 'video', codec: 'avc1.64001f', leaves: 31 }],
  t0: sampleRequest.window.from + 600,
  t1: sampleRequest.window.from + 631,
  clock: 'synchronised',
};

export const sampleGrant: GrantDocument = {
  request_hash: sha256Hex(Buffer.from('request')),
  agency: sampleAgency.agency,
  granted: { from: sampleManifest.t0, to: sampleManifest.t1 },
  manifest_hashes: [sha256Hex(Buffer.from('manifest'))],
  media: [{ name: '40-video.mp4', kind: 'original', bytes: 1000, sha256: sha256Hex(Buffer.from('video')) }],
  redactions: [{ name: '40-video.mp4', kind: 'trim' }],
  terms: { biometric_id: false, delete_by_days: 90, outcome_due_days: 60, third_party: 'none' },
  recipient_kid: sampleAgency.recipient.kid,
  share_id: id('share'),
  owner_key: toHex(sampleKeys.owner.publicKey),
};

export const sampleDispatch: DispatchDocument = {
  grant_hash: sha256Hex(Buffer.from('grant')),
  share_id: sampleGrant.share_id,
  request_id: sampleRequest.request_id,
  body: { bytes: 1_048_576, sha256: sha256Hex(Buffer.from('body')) },
  header: { bytes: 200, sha256: sha256Hex(Buffer.from('header')) },
  endpoint: sampleAgency.upload.https,
  release_not_before: sampleNowS + 3600,
  deadline: sampleRequest.expires_at + 2 * dayS,
};

export const sampleDocuments: Documents = {
  request: sampleRequest,
  agency: sampleAgency,
  manifest: sampleManifest,
  lineage: { clip_key: sampleManifest.key, month: '2026-11', month_key: toHex(sampleKeys.month.publicKey) },
  grant: sampleGrant,
  dispatch: sampleDispatch,
  directory: {
    region: 'US-CA',
    version: 3,
    issued_at: sampleNowS - dayS,
    expires_at: sampleNowS + 30 * dayS,
    page: 1,
    pages: 1,
    entries: [{ agency: sampleAgency.agency, doc_hash: sha256Hex(Buffer.from('agency')) }],
    root_keys: sampleRoot.keys.map(toHex),
  },
  revocation: {
    agency: sampleAgency.agency,
    kind: 'request',
    target: sampleRequest.request_id,
    seq: 2,
    prev: sha256Hex(Buffer.from('first')),
    reason: 'The case is closed.',
  },
  notice: {
    agency: sampleAgency.agency,
    region: 'US-CA',
    area: sampleRequest.area,
    seq: 1,
    headline: 'Parcels taken from porches on 5th Street',
    text: 'Three reports since Monday, all between two and four in the afternoon.',
    issued_at: sampleNowS - dayS,
    expires_at: sampleNowS + 6 * dayS,
  },
  outcome: {
    agency: sampleAgency.agency,
    request_hash: sha256Hex(Buffer.from('request')),
    seq: 1,
    status: 'closed',
    use: ['vehicle_id'],
    shares: '1-4',
    deleted: [1, 2, 3, 4].map((n) => sha256Hex(Buffer.from(`deleted ${n}`))),
    retained: '0',
    disclosures: ['county court'],
  },
  demand: {
    grant_hash: sha256Hex(canonicalBytes(sampleGrant)),
    share_id: sampleGrant.share_id,
    ground: 'retention_due',
  },
};

const { root1, root2, officer, approver, outcome, clip, month, owner, ownerRoot } = sampleKeys;

/** Who signs a document of each kind. */
export const sampleSigners: Readonly<Record<keyof Documents, readonly SigningKey[]>> = {
  request: [officer, approver],
  agency: [root1, root2],
  directory: [root1, root2],
  revocation: [officer],
  notice: [officer],
  outcome: [outcome],
  manifest: [clip],
  lineage: [month],
  grant: [owner],
  dispatch: [ownerRoot],
  demand: [owner],
};

/** A signed sample, with some fields replaced. */
export function sampleEnvelope<K extends keyof Documents>(
  kind: K,
  changes: Partial<Documents[K]> = {},
  signers: readonly SigningKey[] = sampleSigners[kind],
): Uint8Array {
  return signEnvelope(kind, { ...sampleDocuments[kind], ...changes }, signers);
}
