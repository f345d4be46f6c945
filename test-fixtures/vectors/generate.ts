import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../../agent/protocol/bytes.ts';
import { commonVectors, textOf, type Vector, type VectorKind, vectorKinds } from './common.ts';
import { agencyVectors, dispatchVectors, grantVectors, manifestVectors, requestVectors } from './own.ts';
import { sampleEnvelope, sampleKeys, sampleNowS, sampleRoot } from './samples.ts';

/**
 * Writes the vectors `<kind>.json`: envelopes with the verdict that every implementation must reach. The signatures of
 * Ed25519 are deterministic, so the files are too. Run this file to write them; its test compares.
 */
export interface VectorFile {
  readonly about: string;
  readonly now_s: number;
  readonly context: Readonly<Record<string, unknown>>;
  readonly vectors: readonly Vector[];
}

const roots = [{ threshold: sampleRoot.threshold, keys: sampleRoot.keys.map(toHex) }];
const kinds: Readonly<Record<VectorKind, { about: string; context: VectorFile['context']; own: () => Vector[] }>> = {
  request: {
    about: 'Accepted by the rules for requests: agency document, two signatures, caps at their defaults.',
    context: { roots, agency_envelope: textOf(sampleEnvelope('agency')) },
    own: requestVectors,
  },
  agency: {
    about: 'Signed by two of the three keys of a pinned root, sound, active and not expired.',
    context: { roots },
    own: agencyVectors,
  },
  manifest: { about: 'Signed by the clip key that it names.', context: {}, own: manifestVectors },
  grant: { about: 'Signed by the per-request owner key that it names.', context: {}, own: grantVectors },
  dispatch: {
    about: 'Signed by the owner root.',
    context: { owner_root: toHex(sampleKeys.ownerRoot.publicKey) },
    own: dispatchVectors,
  },
};

export function buildVectors(kind: VectorKind): VectorFile {
  const { about, context, own } = kinds[kind];
  return { about, now_s: sampleNowS, context, vectors: [...commonVectors(kind), ...own()] };
}

export function vectorPath(kind: VectorKind): string {
  return join(import.meta.dirname, `${kind}.json`);
}

export function vectorText(file: VectorFile): string {
  return `${JSON.stringify(file, undefined, 1)}\n`;
}

if (import.meta.main) for (const kind of vectorKinds) writeFileSync(vectorPath(kind), vectorText(buildVectors(kind)));
