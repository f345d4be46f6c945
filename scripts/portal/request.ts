import { randomBytes } from 'node:crypto';
import { AgentError } from '../../agent/base/errors.ts';
import { sha256Hex } from '../../agent/protocol/bytes.ts';
import { canonicalBytes } from '../../agent/protocol/canonical.ts';
import { type AgencyDocument, type Area, parseDocument, type RequestDocument } from '../../agent/protocol/documents.ts';
import { cosignEnvelope, signEnvelope } from '../../agent/protocol/envelope.ts';
import type { SigningKey } from '../../agent/protocol/keys.ts';
import { type CheckedRequest, checkRequest } from '../../agent/protocol/request-check.ts';
import { topicOf } from '../../agent/protocol/topics.ts';
import { pinnedRootOf, type RootFile } from './root.ts';

/** A request for footage: written as a draft, signed by an officer, then by an approver, each at their own desk. */
export interface RequestDraft {
  readonly agency: AgencyDocument;
  readonly region: string;
  readonly area: Area;
  readonly case: RequestDocument['case'];
  readonly contact: RequestDocument['contact'];
  /** Unix seconds; the window lies wholly in the past. */
  readonly window: { readonly from: number; readonly to: number };
  /** Where the law allows asking, in words. */
  readonly authority: string;
  readonly audio?: boolean;
  readonly lifetimeDays?: number;
  readonly terms?: Partial<RequestDocument['terms']>;
  /** Rises by one with every document of the agency; a number used twice looks like forgery to devices. */
  readonly seq?: number;
  /** Hash of the document with the previous number. */
  readonly prev?: string | null;
  readonly nowMs: number;
}

export function writeRequest(draft: RequestDraft): RequestDocument {
  const nowS = Math.floor(draft.nowMs / 1000);
  const document: RequestDocument = {
    agency: draft.agency.agency,
    area: draft.area,
    case: draft.case,
    contact: draft.contact,
    issued_at: nowS,
    expires_at: nowS + Math.round((draft.lifetimeDays ?? 7) * 86_400),
    legal: { basis: 'voluntary', authority: draft.authority },
    media: { audio: draft.audio ?? false },
    prev: draft.prev ?? null,
    seq: draft.seq ?? 1,
    recipient_kid: draft.agency.recipient.kid,
    region: draft.region,
    request_id: randomBytes(16).toString('hex'),
    terms: { biometric_id: false, delete_by_days: 90, outcome_due_days: 60, third_party: 'none', ...draft.terms },
    window: draft.window,
  };
  return parseDocument('request', document);
}

/** The name by which later documents refer to this one: it is the same before and after signing. */
export function requestHashOf(request: RequestDocument): string {
  return sha256Hex(canonicalBytes(request));
}

/** The officer's signature over the draft. */
export function signRequest(request: RequestDocument, officer: SigningKey): Uint8Array {
  return signEnvelope('request', request, [officer]);
}

/** The approver's signature over exactly the bytes that the officer signed. */
export function cosignRequest(envelope: Uint8Array, approver: SigningKey): Uint8Array {
  return cosignEnvelope('request', envelope, [approver]);
}

/** What every device will check; the refusals have the devices' codes. */
export function checkSignedRequest(options: {
  readonly request: Uint8Array;
  readonly agency: Uint8Array;
  readonly root: RootFile;
  readonly nowMs: number;
}): CheckedRequest & { readonly topic: string } {
  const checked = checkRequest({
    request: options.request,
    agency: options.agency,
    roots: [pinnedRootOf(options.root)],
    nowMs: options.nowMs,
  });
  const { region, agency, request_id: requestId } = checked.request;
  return { ...checked, topic: topicOf({ type: 'rq', region, agency, requestId }) };
}

/** `LAT,LON` in degrees → micro-degrees. */
export function parsePlace(text: string): { lat_e6: number; lon_e6: number } {
  const match = /^(-?\d{1,2}(?:\.\d{1,6})?),\s?(-?\d{1,3}(?:\.\d{1,6})?)$/.exec(text);
  if (match === null) {
    throw new AgentError(
      'usage',
      'portal/bad-place',
      'Cannot read the place: write LAT,LON in degrees, as 37.7749,-122.4194',
    );
  }
  return { lat_e6: Math.round(Number(match[1]) * 1e6), lon_e6: Math.round(Number(match[2]) * 1e6) };
}

/** ISO 8601 with a zone, or Unix seconds → Unix seconds. */
export function parseMoment(text: string): number {
  if (/^\d{9,11}$/.test(text)) return Number(text);
  const zoned = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const ms = zoned ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new AgentError(
      'usage',
      'portal/bad-time',
      'Cannot read the time: write it with its zone, as 2026-11-21T18:00:00Z',
    );
  }
  return Math.floor(ms / 1000);
}
