import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError, asAgentError } from '../../agent/base/errors.ts';
import { readFileLimited, removeDurable } from '../../agent/base/files.ts';
import { openFile, parseIdentity } from '../../agent/protocol/age-file.ts';
import type { DemandDocument } from '../../agent/protocol/documents.ts';
import { peekDocument } from '../../agent/protocol/envelope.ts';
import { checkDemand } from '../../agent/protocol/follow-up-check.ts';
import { shareNames } from '../../agent/protocol/share-names.ts';
import { appendCustody, type HashedEntry, readCustody } from './custody.ts';
import { readRequired } from './key-files.ts';
import type { Office } from './office.ts';
import { signedRequest } from './office-requests.ts';
import { type OpenedShare, openShare, type ShareContent } from './open-share.ts';

/** What an office has received: its shares, the demands that they be deleted, and the deletions. Everything is logged. */
export interface OfficeShare {
  readonly shareId: string;
  readonly requestId: string;
  readonly receivedAtMs: number;
  readonly bodyBytes: number;
  /** When it was last opened here, and what was found. */
  readonly lastOpened: { readonly atMs: number; readonly problemCount: number } | undefined;
  /** What its owner granted, known once it was opened. */
  readonly deleteByDays: number | undefined;
  /** Where copies were put: a deletion can't reach them. */
  readonly copies: readonly string[];
  /** Why its owner demands that it be deleted, if that was verified. */
  readonly demanded: string | undefined;
  readonly deletedAtMs: number | undefined;
  readonly reported: boolean;
}

export interface Actor {
  readonly actor: string;
  readonly nowMs: number;
}

/** Newest first. Throws if the chain of custody is broken: then nothing of it can be said. */
export function listShares(office: Office): OfficeShare[] {
  const entries = readCustody(office.intakeDir);
  return entries
    .filter(({ event }) => event === 'received')
    .map((received) =>
      summarise(
        received,
        entries.filter((entry) => entry.share_id === received.share_id),
      ),
    )
    .toReversed();
}

function summarise(received: HashedEntry, entries: readonly HashedEntry[]): OfficeShare {
  const of = (event: HashedEntry['event']): HashedEntry[] => entries.filter((entry) => entry.event === event);
  const opened = of('opened').at(-1);
  return {
    shareId: received.share_id,
    requestId: received.request_id,
    receivedAtMs: received.at_ms,
    bodyBytes: Number(received.facts['body_bytes'] ?? 0),
    lastOpened:
      opened === undefined ? undefined : { atMs: opened.at_ms, problemCount: Number(opened.facts['problems'] ?? 0) },
    deleteByDays: opened === undefined ? undefined : Number(opened.facts['delete_by_days']),
    copies: of('copied-out').map(({ facts }) => String(facts['to'] ?? '')),
    demanded: of('demand-verified').map(({ facts }) => String(facts['ground'] ?? ''))[0],
    deletedAtMs: of('deleted')[0]?.at_ms,
    reported: of('reported').some(({ facts }) => facts['deleted'] === 1),
  };
}

export function findShare(office: Office, shareId: string): OfficeShare {
  const share = listShares(office).find((listed) => listed.shareId === shareId);
  if (share !== undefined) return share;
  throw new AgentError('usage', 'portal/no-such-share', 'Cannot go on: no such share was received');
}

/** Opens and verifies a share; the chain of custody says who did. */
export function openOfficeShare(
  office: Office,
  shareId: string,
  identity: string,
  by: Actor & { readonly outDir?: string | undefined },
): OpenedShare & { readonly content: readonly ShareContent[] } {
  const { requestId, deletedAtMs } = findShare(office, shareId);
  if (deletedAtMs !== undefined) {
    throw new AgentError('refused', 'portal/share-deleted', 'Cannot open the share: it has been deleted');
  }
  const opened = openShare({
    shareDir: join(office.intakeDir, 'shares', shareId),
    identity,
    request: signedRequest(office, requestId),
    signers: { agency: office.agencyEnvelope, root: office.root },
    outDir: by.outDir,
  });
  const entry = { atMs: by.nowMs, actor: by.actor, shareId, requestId };
  const { problems, terms } = opened.verdict;
  const facts = { problems: problems.length, delete_by_days: terms.delete_by_days };
  appendCustody(office.intakeDir, { ...entry, event: 'opened', facts });
  if (by.outDir !== undefined) {
    const copied = { to: by.outDir.slice(-300), files: opened.files.length };
    appendCustody(office.intakeDir, { ...entry, event: 'copied-out', facts: copied });
  }
  return opened;
}

export interface ReadDemand {
  /** The name under which it came, which says nothing about the share. */
  readonly demandId: string;
  readonly shareId: string | undefined;
  readonly ground: DemandDocument['ground'] | undefined;
  /** Why it is not a demand of the owner of a share, if it isn't. */
  readonly code: string | undefined;
}

/** Demands that nobody has read yet: which shares they are about can't be seen without the key. */
export function unreadDemands(office: Office): HashedEntry[] {
  const entries = readCustody(office.intakeDir);
  const read = new Set(entries.map(({ event, facts }) => (event.startsWith('demand-') ? facts['demand'] : undefined)));
  return entries.filter(({ event, share_id: id }) => event === 'demand-received' && !read.has(id));
}

/** Reads them: only the key in a share's own receipt can have signed a demand about it. The chain of custody says which. */
export function readDemands(office: Office, identity: string, by: Actor): ReadDemand[] {
  return unreadDemands(office).map(({ share_id: demandId, request_id: requestId }) => {
    const entry = { atMs: by.nowMs, actor: by.actor, requestId };
    try {
      const { shareId, ground } = verifyDemand(office, demandId, identity);
      const facts = { demand: demandId, ground };
      appendCustody(office.intakeDir, { ...entry, event: 'demand-verified', shareId, facts });
      return { demandId, shareId, ground, code: undefined };
    } catch (thrown) {
      const { code, kind } = asAgentError(thrown);
      if (kind === 'bug') throw thrown;
      const facts = { demand: demandId, code };
      appendCustody(office.intakeDir, { ...entry, event: 'demand-refused', shareId: demandId, facts });
      return { demandId, shareId: undefined, ground: undefined, code };
    }
  });
}

function verifyDemand(
  office: Office,
  demandId: string,
  identity: string,
): { shareId: string; ground: DemandDocument['ground'] } {
  const dir = join(office.intakeDir, 'demands', demandId);
  const [header, body] = ['header', 'body'].map((part) => readRequired(join(dir, `${part}.age`), 65_536));
  const demand = openFile(
    { header: header ?? new Uint8Array(0), body: body ?? new Uint8Array(0) },
    parseIdentity(identity),
  );
  const { share_id: shareId } = peekDocument('demand', demand).unverified;
  findShare(office, shareId);
  const { content } = openShare({ shareDir: join(office.intakeDir, 'shares', shareId), identity });
  const grant = content.find(({ name }) => name === shareNames.grant)?.bytes ?? new Uint8Array(0);
  return { shareId, ground: checkDemand({ demand, grant }).document.ground };
}

/**
 * Deletes a share: body, header, and what the intake still has of the uploads. Written down first, so that a deletion that
 * a power cut interrupted is found and can be finished by doing it again. Copies outside are named, not reached.
 */
export function deleteShare(
  office: Office,
  shareId: string,
  by: Actor & { readonly ground: string },
): readonly string[] {
  const share = findShare(office, shareId);
  const { requestId, copies } = share;
  if (share.deletedAtMs === undefined) {
    const facts = { ground: by.ground, copies: copies.length };
    appendCustody(office.intakeDir, { atMs: by.nowMs, actor: by.actor, event: 'deleted', shareId, requestId, facts });
  }
  removeDurable(join(office.intakeDir, 'shares', shareId));
  const incoming = join(office.intakeDir, 'incoming');
  for (const name of existsSync(incoming) ? readdirSync(incoming) : []) {
    if (!/^[0-9a-f]{32}\.json$/.test(name)) continue;
    const about = readFileLimited(join(incoming, name), 16_384)?.toString('utf8') ?? '';
    if (!about.includes(shareId)) continue;
    removeDurable(join(incoming, name.slice(0, -'.json'.length)));
    removeDurable(join(incoming, name));
  }
  return copies;
}
