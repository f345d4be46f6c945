import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkAgency, type PinnedRoot } from '../../agent/protocol/agency-check.ts';
import { fromHex } from '../../agent/protocol/bytes.ts';
import { checkDispatch } from '../../agent/protocol/dispatch.ts';
import { openGrant, openManifest } from '../../agent/protocol/receipt-check.ts';
import { checkRequest } from '../../agent/protocol/request-check.ts';
import { type Vector, type VectorKind, vectorKinds } from './common.ts';
import { buildVectors, type VectorFile, vectorPath, vectorText } from './generate.ts';

/** Reads the committed files as another implementation would: only what they say is used. */
function check(kind: VectorKind, file: VectorFile, vector: Vector): void {
  const envelope = Buffer.from(vector.envelope);
  const nowMs = file.now_s * 1000;
  const roots = rootsOf(file);
  if (kind === 'request') {
    const agency = Buffer.from(String(file.context['agency_envelope']));
    checkRequest({
      request: envelope,
      agency,
      roots,
      nowMs,
      ...(vector.topic === undefined ? {} : { topic: vector.topic }),
    });
  } else if (kind === 'agency') checkAgency({ agency: envelope, roots, nowMs });
  else if (kind === 'manifest') openManifest(envelope);
  else if (kind === 'grant') openGrant(envelope);
  else checkDispatch(envelope, fromHex(String(file.context['owner_root'])));
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

describe.each(vectorKinds)('the vectors of %s', (kind) => {
  const text = readFileSync(vectorPath(kind), 'utf8');
  const file = JSON.parse(text) as VectorFile;

  it('are what the generator writes', () => {
    expect(vectorText(buildVectors(kind))).toBe(text);
  });

  it.each(file.vectors.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
    expect(codeOf(() => check(kind, file, vector))).toBe(vector.expect);
  });
});
