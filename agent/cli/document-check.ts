/** The verdict on a signed document of any kind but a request, offline: what `requests check` says of it. */
import { AgentError } from '../base/errors.ts';
import { type CheckedAgency, checkAgency, type PinnedRoot } from '../protocol/agency-check.ts';
import { checkDirectoryPage } from '../protocol/directory-check.ts';
import { checkDispatch } from '../protocol/dispatch.ts';
import { type DocumentKind, documentKinds } from '../protocol/documents.ts';
import { payloadTypeOf, peekDocument } from '../protocol/envelope.ts';
import { checkDemand, checkOutcome } from '../protocol/follow-up-check.ts';
import { openLineage } from '../protocol/lineage.ts';
import { checkNotice } from '../protocol/notice-check.ts';
import { checkRevocation, openGrant, openManifest } from '../protocol/receipt-check.ts';
import { parseTopic, type Topic } from '../protocol/topics.ts';

export type OtherKind = Exclude<DocumentKind, 'request'>;

/** What a kind is checked against; left out what it doesn't need. */
export interface CheckAgainst {
  readonly atMs: number;
  readonly roots: readonly PinnedRoot[];
  readonly agency?: Uint8Array;
  readonly topic?: string;
  /** For a dispatch. */
  readonly ownerRoot?: Uint8Array;
  /** For a demand. */
  readonly grant?: Uint8Array;
}

export interface DocumentVerdict {
  readonly kind: OtherKind;
  readonly state: 'ACCEPTED' | 'REJECTED';
  /** The first rule broken, or null. */
  readonly code: string | null;
  readonly message: string | null;
  readonly atMs: number;
  /** False: what was read is only what somebody wrote. True: its signatures and every rule hold. */
  readonly verified: boolean;
  /** What stands in it, whoever signed it; null if it can't even be read. */
  readonly document: unknown;
  readonly hash: string | null;
}

/** The kind that an envelope says it is; undefined for a request and for whatever can't be read at all. */
export function otherKindOf(envelope: Uint8Array): OtherKind | undefined {
  try {
    const { payloadType } = JSON.parse(Buffer.from(envelope).toString('utf8')) as { payloadType?: unknown };
    return documentKinds.find((kind): kind is OtherKind => kind !== 'request' && payloadTypeOf(kind) === payloadType);
  } catch {
    return undefined;
  }
}

/** Throws `requests/missing-option` where something that this kind is checked against was not given. */
export function checkOther(kind: OtherKind, envelope: Uint8Array, against: CheckAgainst): DocumentVerdict {
  let refusal: AgentError | undefined;
  try {
    check(kind, envelope, against);
  } catch (thrown) {
    if (!(thrown instanceof AgentError && thrown.kind === 'refused')) throw thrown;
    refusal = thrown;
  }
  const read = peek(kind, envelope);
  return {
    kind,
    state: refusal === undefined ? 'ACCEPTED' : 'REJECTED',
    code: refusal?.code ?? null,
    message: refusal?.message ?? null,
    atMs: against.atMs,
    verified: refusal === undefined,
    document: read?.unverified ?? null,
    hash: read?.hash ?? null,
  };
}

function peek(kind: OtherKind, envelope: Uint8Array) {
  try {
    return peekDocument(kind, envelope);
  } catch (thrown) {
    if (thrown instanceof AgentError && thrown.kind === 'refused') return undefined;
    throw thrown;
  }
}

function needed<T>(value: T | undefined, option: string, kind: OtherKind): T {
  if (value !== undefined) return value;
  throw new AgentError('usage', 'requests/missing-option', `Cannot check this ${kind}: give ${option} too`);
}

function check(kind: OtherKind, envelope: Uint8Array, against: CheckAgainst): void {
  const { atMs: nowMs, roots } = against;
  const topic = against.topic === undefined ? {} : { topic: against.topic };
  const inAgency = (): { agency: CheckedAgency; nowMs: number } => ({
    agency: checkAgency({ agency: needed(against.agency, '--agency', kind), roots, nowMs }),
    nowMs,
    ...topic,
  });
  const checks: Readonly<Record<OtherKind, () => unknown>> = {
    agency: () => {
      needed(roots[0], '--root', kind);
      const { agency } = checkAgency({ agency: envelope, roots, nowMs });
      if (against.topic !== undefined) requireAgencyTopic(parseTopic(against.topic), agency);
    },
    directory: () => {
      needed(roots[0], '--root', kind);
      return checkDirectoryPage({ page: envelope, roots, nowMs, ...topic });
    },
    revocation: () => checkRevocation({ revocation: envelope, ...inAgency() }),
    notice: () => checkNotice({ notice: envelope, ...inAgency() }),
    outcome: () => checkOutcome({ outcome: envelope, ...inAgency() }),
    manifest: () => openManifest(envelope),
    lineage: () => openLineage(envelope),
    grant: () => openGrant(envelope),
    dispatch: () => checkDispatch(envelope, needed(against.ownerRoot, '--owner-root', kind)),
    demand: () => checkDemand({ demand: envelope, grant: needed(against.grant, '--grant', kind) }),
  };
  checks[kind]();
}

function requireAgencyTopic(topic: Topic, agency: CheckedAgency['agency']): void {
  if (topic.type === 'ag' && topic.agency === agency.agency && agency.regions.includes(topic.region)) return;
  throw new AgentError(
    'refused',
    'agency/topic-mismatch',
    'Cannot use the agency document: it was published under another agency or region',
  );
}
