import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { documentKinds } from '../../agent/protocol/documents.ts';
import { basicVectors } from './basics.ts';
import { checkVector, codeOf } from './check.ts';
import { buildShares, buildVectors, type VectorFile, vectorPath, vectorText } from './generate.ts';
import { archiveOf, outcomeOf, type ShareVector } from './shares.ts';

describe.each(documentKinds)('the vectors of %s', (kind) => {
  const text = readFileSync(vectorPath(kind), 'utf8');
  const file = JSON.parse(text) as VectorFile;

  it('are what the generator writes', () => {
    expect(vectorText(buildVectors(kind))).toBe(text);
  });

  it.each(file.vectors.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
    expect(codeOf(() => checkVector(kind, file, vector))).toBe(vector.expect);
  });
});

describe('the vectors of whole shares', () => {
  const text = readFileSync(vectorPath('shares'), 'utf8');
  const file = JSON.parse(text) as VectorFile<ShareVector>;

  it('are what the generator writes', () => {
    expect(vectorText(buildShares())).toBe(text);
  });

  it.each(file.vectors.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
    const { expect: meant, problems, media, lineage } = vector;
    expect(outcomeOf(archiveOf(vector), vector.request)).toEqual({ expect: meant, problems, media, lineage });
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
