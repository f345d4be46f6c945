import { AgentError } from '../../agent/base/errors.ts';
import { toHex } from '../../agent/protocol/bytes.ts';
import type { RequestDocument } from '../../agent/protocol/documents.ts';
import { maxEnvelopeBytes, peekDocument, signEnvelope } from '../../agent/protocol/envelope.ts';
import { generateSigningKey, keyIdOf, type SigningKey } from '../../agent/protocol/keys.ts';
import { checkRequest, type RequestWarning } from '../../agent/protocol/request-check.ts';
import { filesIn, type Office, type OfficeFolder, readOfficeFile, writeOfficeFile } from './office.ts';
import { type Published, publishRequest, publishRevocation } from './publish.ts';
import { cosignRequest, type RequestDraft, requestHashOf, signRequest, writeRequest } from './request.ts';
import { makeRevocation } from './revoke.ts';
import { takePlace } from './sequence.ts';

/** The requests of an office and what its desks do with them. Each step leaves a file, which is what the next one reads. */
const stages = ['drafts', 'half-signed', 'signed', 'published', 'revoked'] as const satisfies readonly OfficeFolder[];

export type RequestState = 'draft' | 'half-signed' | 'signed' | 'published' | 'expired' | 'revoked';

export interface OfficeRequest {
  readonly requestId: string;
  readonly state: RequestState;
  readonly document: RequestDocument;
  readonly hash: string;
}

const states: Readonly<Record<(typeof stages)[number], RequestState>> = {
  drafts: 'draft',
  'half-signed': 'half-signed',
  signed: 'signed',
  published: 'published',
  revoked: 'revoked',
};
const requestIdPattern = /^[0-9a-f]{32}$/;

const envelopes = ['drafts', 'half-signed', 'signed'] as const;

/** Newest first. */
export function listRequests(office: Office, nowMs: number): OfficeRequest[] {
  return filesIn(office, 'drafts')
    .flatMap((id) => readRequest(office, id, nowMs) ?? [])
    .toSorted((a, b) => b.document.seq - a.document.seq);
}

export function readRequest(office: Office, requestId: string, nowMs: number): OfficeRequest | undefined {
  if (!requestIdPattern.test(requestId)) return undefined;
  const stage = stages.findLast((folder) => readOfficeFile(office, folder, requestId) !== undefined);
  // What is shown is what the next signature would be over, not an earlier file of the same name.
  const newest = envelopes.findLast((folder) => readOfficeFile(office, folder, requestId) !== undefined);
  const envelope = newest === undefined ? undefined : readOfficeFile(office, newest, requestId);
  if (stage === undefined || envelope === undefined) return undefined;
  const { unverified: document, hash } = peekDocument('request', envelope);
  if (document.request_id !== requestId) return undefined;
  const state = states[stage];
  const isOver = state !== 'revoked' && document.expires_at * 1000 <= nowMs;
  return { requestId, state: isOver ? 'expired' : state, document, hash };
}

export type DraftFields = Omit<RequestDraft, 'agency' | 'seq' | 'prev' | 'nowMs'>;

/** Writes a draft; one that devices would refuse is not written, under their code, and takes no number. */
export function draftRequest(office: Office, fields: DraftFields, nowMs: number): OfficeRequest {
  const draft = { ...fields, agency: office.agency, nowMs };
  checkDraft(office, writeRequest(draft), nowMs);
  const { document, hash } = takePlace(office.sequencePath, (place) => {
    const numbered = writeRequest({ ...draft, ...place });
    return { document: numbered, hash: requestHashOf(numbered) };
  });
  // An envelope that nobody signed: drafts are kept in the form that the desks sign.
  writeOfficeFile(office, 'drafts', document.request_id, signEnvelope('request', document, []));
  return { requestId: document.request_id, state: 'draft', document, hash };
}

/** The device's own check, with keys made for this one time in place of those of the desks and the root. */
export function checkDraft(office: Office, document: RequestDocument, nowMs: number): readonly RequestWarning[] {
  const [officer, approver, root] = [generateSigningKey(), generateSigningKey(), generateSigningKey()];
  const nowS = Math.floor(nowMs / 1000);
  const listed = (key: SigningKey, role: 'officer' | 'approver') => {
    return { kid: keyIdOf(key.publicKey), x: toHex(key.publicKey), role, from: nowS - 1, to: nowS + 86_400 };
  };
  const keys = [listed(officer, 'officer'), listed(approver, 'approver')];
  const { warnings } = checkRequest({
    request: signEnvelope('request', document, [officer, approver]),
    agency: signEnvelope('agency', { ...office.agency, keys }, [root]),
    roots: [{ keys: [root.publicKey], threshold: 1 }],
    nowMs,
  });
  return warnings;
}

/** A request and the hash under which it was read, so that nobody signs another text than the one they saw. */
export interface SeenRequest {
  readonly requestId: string;
  readonly hash: string;
}

export function signAsOfficer(office: Office, seen: SeenRequest, key: SigningKey, nowMs: number): void {
  const { requestId } = seen;
  const { document } = requireSeen(office, seen, 'draft', nowMs);
  writeOfficeFile(office, 'half-signed', requestId, signRequest(document, key));
}

export function signAsApprover(office: Office, seen: SeenRequest, key: SigningKey, nowMs: number): void {
  const { requestId } = seen;
  requireSeen(office, seen, 'half-signed', nowMs);
  const half = readOfficeFile(office, 'half-signed', requestId) ?? new Uint8Array(0);
  const signed = cosignRequest(half, key);
  checkRequest({ request: signed, agency: office.agencyEnvelope, roots: rootsOf(office), nowMs });
  writeOfficeFile(office, 'signed', requestId, signed);
}

export async function publish(office: Office, requestId: string, nowMs: number): Promise<Published> {
  requireState(office, requestId, 'signed', nowMs);
  const request = readOfficeFile(office, 'signed', requestId) ?? new Uint8Array(0);
  const { broker, root, agencyEnvelope: agency } = office;
  const published = await publishRequest({ broker, agency, root, request, nowMs });
  writeOfficeFile(office, 'published', requestId, `${JSON.stringify({ atMs: nowMs, topics: published.topics })}\n`);
  return published;
}

export async function revoke(
  office: Office,
  requestId: string,
  revoking: { readonly reason: string; readonly key: SigningKey },
  nowMs: number,
): Promise<Published> {
  requireState(office, requestId, 'published', nowMs);
  const made = takePlace(office.sequencePath, (place) =>
    makeRevocation({ ...revoking, agency: office.agency.agency, kind: 'request', target: requestId, place }),
  );
  const { broker, root, agencyEnvelope: agency } = office;
  const published = await publishRevocation({ broker, agency, root, revocation: made.envelope, nowMs });
  writeOfficeFile(office, 'revoked', requestId, made.envelope);
  return published;
}

function rootsOf({ root }: Office): { keys: Uint8Array[]; threshold: number }[] {
  return [{ keys: root.keys.map((hex) => Buffer.from(hex, 'hex')), threshold: root.threshold }];
}

function requireState(office: Office, requestId: string, wanted: RequestState, nowMs: number): OfficeRequest {
  const request = readRequest(office, requestId, nowMs);
  if (request === undefined) {
    throw new AgentError('usage', 'portal/no-such-request', 'Cannot go on: there is no such request in this office');
  }
  if (request.state !== wanted) {
    const why = `the request is ${request.state}, and should be ${wanted}`;
    throw new AgentError('refused', 'portal/wrong-state', `Cannot go on: ${why}`);
  }
  return request;
}

function requireSeen(office: Office, seen: SeenRequest, wanted: RequestState, nowMs: number): OfficeRequest {
  const request = requireState(office, seen.requestId, wanted, nowMs);
  if (request.hash === seen.hash) return request;
  throw new AgentError('refused', 'portal/changed', 'Cannot sign: the request is not the one that was read');
}

/** The agency's own copy of a request, as it was published. */
export function signedRequest(office: Office, requestId: string): Buffer | undefined {
  const bytes = requestIdPattern.test(requestId) ? readOfficeFile(office, 'signed', requestId) : undefined;
  return bytes === undefined || bytes.length > maxEnvelopeBytes ? undefined : bytes;
}
