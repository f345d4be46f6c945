import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkAgency, type PinnedRoot } from '../../agent/protocol/agency-check.ts';
import { fromHex } from '../../agent/protocol/bytes.ts';
import { checkDirectoryPage } from '../../agent/protocol/directory-check.ts';
import { checkDispatch } from '../../agent/protocol/dispatch.ts';
import { documentKinds } from '../../agent/protocol/documents.ts';
import { checkDemand, checkOutcome } from '../../agent/protocol/follow-up-check.ts';
import { checkNotice } from '../../agent/protocol/notice-check.ts';
import { checkRevocation, openGrant, openManifest } from '../../agent/protocol/receipt-check.ts';
import { checkRequest } from '../../agent/protocol/request-check.ts';
import { basicVectors } from './basics.ts';
import type { Vector, VectorKind } from './common.ts';
import { buildShares, buildVectors, type VectorFile, vectorPath, vectorText } from './generate.ts';
import { archiveOf, outcomeOf, type ShareVector } from './shares.ts';

/** Reads the committed files as another implementation would: only what they say is used. */
function check(kind: VectorKind, file: VectorFile, vector: Vector): void {
  const envelope = Buffer.from(vector.envelope);
  const nowMs = file.now_s * 1000;
  const roots = rootsOf(file);
  const inAgency = () => ({ agency: checkAgency({ agency: contextOf(file, 'agency'), roots, nowMs }), nowMs });
  const topic = vector.topic === undefined ? {} : { topic: vector.topic };
  const checks: Readonly<Record<VectorKind, () => unknown>> = {
    request: () => checkRequest({ request: envelope, agency: contextOf(file, 'agency'), roots, nowMs, ...topic }),
    agency: () => checkAgency({ agency: envelope, roots, nowMs }),
    directory: () => checkDirectoryPage({ page: envelope, roots, nowMs }),
    revocation: () => checkRevocation({ revocation: envelope, ...inAgency() }),
    notice: () => checkNotice({ notice: envelope, ...inAgency() }),
    outcome: () => checkOutcome({ outcome: envelope, ...inAgency() }),
    manifest: () => openManifest(envelope),
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

function codeOf(run: () => void): string {
  try {
    run();
    return 'accepted';
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? String(thrown);
  }
}

describe.each(documentKinds)('the vectors of %s', (kind) => {
  const text = readFileSync(vectorPath(kind), 'utf8');
  const file = JSON.parse(text) as VectorFile;

  it('are what the generator writes', () => {
    expect(vectorText(buildVectors(kind))).toBe(text);
  });

  it.each(file.vectors.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
    expect(codeOf(() => check(kind, file, vector))).toBe(vector.expect);
  });
});

describe('the vectors of whole shares', () => {
  const text = readFileSync(vectorPath('shares'), 'utf8');
  const file = JSON.parse(text) as VectorFile<ShareVector>;

  it('are what the generator writes', () => {
    expect(vectorText(buildShares())).toBe(text);
  });

  it.each(file.vectors.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
    const { expect: meant, problems, media } = vector;
    expect(outcomeOf(archiveOf(vector), vector.request)).toEqual({ expect: meant, problems, media });
  });
});

describe('the vectors of the building blocks', () => {
  it('are what the generator writes', () => {
    expect(vectorText(basicVectors())).toBe(readFileSync(vectorPath('basics'), 'utf8'));
  });
});

describe('the vectors', () => {
  it.each(documentKinds)('of %s are at least a dozen, good and bad', (kind) => {
    const { vectors } = buildVectors(kind);
    const good = vectors.filter((vector) => vector.expect === 'accepted').length;
    expect(vectors.length).toBeGreaterThanOrEqual(12);
    expect(Math.min(good, vectors.length - good)).toBeGreaterThanOrEqual(2);
    expect(new Set(vectors.map(({ name }) => name)).size).toBe(vectors.length);
  });
});
