import { describe, expect, it } from 'vitest';
import { sampleDocuments, sampleEnvelope, sampleNowMs, sampleRoot } from '../../test-fixtures/vectors/samples.ts';
import { sha256Hex } from './bytes.ts';
import { type CheckedPage, checkDirectoryPage, joinDirectory, requireNewerPage } from './directory-check.ts';
import type { DirectoryDocument } from './documents.ts';

const sample = sampleDocuments.directory;

function page(changes: Partial<DirectoryDocument> = {}): CheckedPage {
  return checkDirectoryPage({ page: sampleEnvelope('directory', changes), roots: [sampleRoot], nowMs: sampleNowMs });
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'accepted';
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? String(thrown);
  }
}

/** Agencies with the longest names there are. */
function entriesFrom(first: number, count: number): DirectoryDocument['entries'] {
  return Array.from({ length: count }, (_, i) => {
    const agency = `${String(first + i).padStart(4, '0')}-${'x'.repeat(35)}`;
    return { agency, doc_hash: sha256Hex(Buffer.from(agency)) };
  });
}

const pages = 8;
const whole = Array.from({ length: pages }, (_, i) =>
  page({ page: i + 1, pages, entries: entriesFrom(i * 200, i === 7 ? 100 : 200) }),
);

describe('a directory', () => {
  it('holds 1,500 agencies in eight pages, in whatever order they come', () => {
    const directory = joinDirectory(whole.toReversed());
    expect(directory).toMatchObject({ region: 'US-CA', version: 3 });
    expect(directory.documents.size).toBe(1500);
    const [entry] = entriesFrom(1234, 1);
    expect(directory.documents.get(entry?.agency ?? '')).toBe(entry?.doc_hash);
  });

  it('is whole, of one version, and sorted over its pages', () => {
    expect(codeOf(() => joinDirectory([]))).toBe('directory/incomplete');
    expect(codeOf(() => joinDirectory(whole.slice(1)))).toBe('directory/incomplete');
    expect(codeOf(() => joinDirectory([...whole.slice(0, 7), ...whole.slice(0, 1)]))).toBe('directory/incomplete');
    const other = page({ page: 8, pages, version: 4, entries: [] });
    expect(codeOf(() => joinDirectory([...whole.slice(0, 7), other]))).toBe('directory/mixed');
    const early = page({ page: 8, pages, entries: entriesFrom(3, 1) });
    expect(codeOf(() => joinDirectory([...whole.slice(0, 7), early]))).toBe('directory/not-sorted');
  });

  it('only rises in version, and a second page under one version is evidence', () => {
    const known = page({ version: 3 });
    expect(codeOf(() => requireNewerPage(known, page({ version: 4, entries: [] })))).toBe('accepted');
    expect(codeOf(() => requireNewerPage(known, page({ version: 3 })))).toBe('accepted');
    expect(codeOf(() => requireNewerPage(known, page({ version: 2 })))).toBe('directory/older');
    expect(codeOf(() => requireNewerPage(known, page({ entries: [] })))).toBe('directory/equivocation');
  });

  it('needs a pinned root', () => {
    const check = () => checkDirectoryPage({ page: sampleEnvelope('directory'), roots: [], nowMs: sampleNowMs });
    expect(codeOf(check)).toBe('directory/no-root');
    expect(page().page).toEqual(sample);
  });
});
