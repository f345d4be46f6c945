import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../../agent/protocol/bytes.ts';
import { documentKinds } from '../../agent/protocol/documents.ts';
import { basicVectors } from './basics.ts';
import { commonVectors, textOf, type Vector, type VectorKind } from './common.ts';
import {
  agencyVectors,
  dispatchVectors,
  grantVectors,
  lineageVectors,
  manifestVectors,
  requestVectors,
} from './own.ts';
import { demandVectors, directoryVectors, noticeVectors, outcomeVectors, revocationVectors } from './own-published.ts';
import { sampleEnvelope, sampleKeys, sampleNowS, sampleRoot } from './samples.ts';
import { shareSizes } from './share-sizes.ts';
import { type ShareVector, shareVectors } from './shares.ts';

/**
 * Writes the vectors: `<kind>.json` holds envelopes with the verdict that every implementation must reach, `shares.json`
 * whole shares, `basics.json` the building blocks. The signatures of Ed25519 are deterministic, so the files are too. Run
 * this file to write them; its test compares.
 */
export interface VectorFile<V = Vector> {
  readonly about: string;
  readonly now_s: number;
  readonly context: Readonly<Record<string, unknown>>;
  readonly vectors: readonly V[];
}

const roots = [{ threshold: sampleRoot.threshold, keys: sampleRoot.keys.map(toHex) }];
const underAgency = { roots, agency_envelope: textOf(sampleEnvelope('agency')) };
const kinds: Readonly<Record<VectorKind, { about: string; context: VectorFile['context']; own: () => Vector[] }>> = {
  request: {
    about: 'Accepted by the rules for requests: agency document, two signatures, caps at their defaults.',
    context: underAgency,
    own: requestVectors,
  },
  agency: {
    about: 'Signed by two of the three keys of a pinned root, sound, active and not expired.',
    context: { roots },
    own: agencyVectors,
  },
  directory: {
    about: 'One page, signed by two of the three keys of a pinned root, in force and sorted.',
    context: { roots },
    own: directoryVectors,
  },
  revocation: {
    about: 'Signed by an active key of the agency, or a key by itself.',
    context: underAgency,
    own: revocationVectors,
  },
  notice: { about: 'Signed by one officer of the agency, in force.', context: underAgency, own: noticeVectors },
  outcome: { about: 'Signed by an outcome key of the agency, padded.', context: underAgency, own: outcomeVectors },
  manifest: { about: 'Signed by the clip key that it names.', context: {}, own: manifestVectors },
  lineage: { about: 'Signed by the month key that it names.', context: {}, own: lineageVectors },
  grant: { about: 'Signed by the per-request owner key that it names.', context: {}, own: grantVectors },
  dispatch: {
    about: 'Signed by the owner root.',
    context: { owner_root: toHex(sampleKeys.ownerRoot.publicKey) },
    own: dispatchVectors,
  },
  demand: {
    about: 'Signed by the per-request owner key of the grant that it is about.',
    context: { grant_envelope: textOf(sampleEnvelope('grant')) },
    own: demandVectors,
  },
};

export function buildVectors(kind: VectorKind): VectorFile {
  const { about, context, own } = kinds[kind];
  return { about, now_s: sampleNowS, context, vectors: [...commonVectors(kind), ...own()] };
}

export function buildShares(): VectorFile<ShareVector> {
  const about = 'Archives as decrypted. The keys of the request are looked at as of now_s.';
  return { about, now_s: sampleNowS, context: underAgency, vectors: [...shareVectors(), ...shareSizes()] };
}

export function vectorPath(name: VectorKind | 'shares' | 'basics'): string {
  return join(import.meta.dirname, `${name}.json`);
}

export function vectorText(file: unknown): string {
  return `${JSON.stringify(file, undefined, 1)}\n`;
}

if (import.meta.main) {
  for (const kind of documentKinds) writeFileSync(vectorPath(kind), vectorText(buildVectors(kind)));
  writeFileSync(vectorPath('shares'), vectorText(buildShares()));
  writeFileSync(vectorPath('basics'), vectorText(basicVectors()));
}
