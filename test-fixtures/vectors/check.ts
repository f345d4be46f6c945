import { checkAgency, type PinnedRoot } from '../../agent/protocol/agency-check.ts';
import { fromHex } from '../../agent/protocol/bytes.ts';
import { checkDirectoryPage } from '../../agent/protocol/directory-check.ts';
import { checkDispatch } from '../../agent/protocol/dispatch.ts';
import { checkDemand, checkOutcome } from '../../agent/protocol/follow-up-check.ts';
import { openLineage } from '../../agent/protocol/lineage.ts';
import { checkNotice } from '../../agent/protocol/notice-check.ts';
import { checkRevocation, openGrant, openManifest } from '../../agent/protocol/receipt-check.ts';
import { checkRequest } from '../../agent/protocol/request-check.ts';
import type { Vector, VectorKind } from './common.ts';
import type { VectorFile } from './generate.ts';
import { writtenOut } from './runs.ts';

/** Judges a vector as another implementation would: only what its file says is used. Throws the refusal. */
export function checkVector(kind: VectorKind, file: VectorFile, vector: Vector): void {
  const envelope = Buffer.from(writtenOut(vector.envelope));
  const nowMs = file.now_s * 1000;
  const roots = rootsOf(file);
  const topic = vector.topic === undefined ? {} : { topic: vector.topic };
  const inAgency = () => ({
    agency: checkAgency({ agency: contextOf(file, 'agency'), roots, nowMs }),
    nowMs,
    ...topic,
  });
  const checks: Readonly<Record<VectorKind, () => unknown>> = {
    request: () => checkRequest({ request: envelope, agency: contextOf(file, 'agency'), roots, nowMs, ...topic }),
    agency: () => checkAgency({ agency: envelope, roots, nowMs }),
    directory: () => checkDirectoryPage({ page: envelope, roots, nowMs, ...topic }),
    revocation: () => checkRevocation({ revocation: envelope, ...inAgency() }),
    notice: () => checkNotice({ notice: envelope, ...inAgency() }),
    outcome: () => checkOutcome({ outcome: envelope, ...inAgency() }),
    manifest: () => openManifest(envelope),
    lineage: () => openLineage(envelope),
    grant: () => openGrant(envelope),
    dispatch: () => checkDispatch(envelope, fromHex(String(file.context['owner_root']))),
    demand: () => checkDemand({ demand: envelope, grant: contextOf(file, 'grant') }),
  };
  checks[kind]();
}

function contextOf(file: VectorFile, kind: 'agency' | 'grant'): Uint8Array {
  return Buffer.from(String(file.context[`${kind}_envelope`]));
}

function rootsOf(file: VectorFile): PinnedRoot[] {
  const roots = (file.context['roots'] ?? []) as { threshold: number; keys: string[] }[];
  return roots.map(({ threshold, keys }) => ({ threshold, keys: keys.map(fromHex) }));
}

export function codeOf(run: () => unknown): string {
  try {
    run();
    return 'accepted';
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? String(thrown);
  }
}
