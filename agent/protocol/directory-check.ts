import { openUnderAnyRoot, type PinnedRoot, rootIdOf } from './agency-check.ts';
import { toHex } from './bytes.ts';
import type { DirectoryDocument } from './documents.ts';
import { defaultLimits } from './limits.ts';
import { refusal } from './refuse.ts';
import { isTopicIn } from './topics.ts';

/**
 * The directory of a region: which agency documents its root vouches for, in pages. It lets a device notice that a document
 * was withheld or replaced; it never enables an agency.
 */
export interface CheckedPage {
  readonly page: DirectoryDocument;
  readonly pageHash: string;
  readonly rootId: string;
}

export interface Directory {
  readonly region: string;
  readonly version: number;
  readonly rootId: string;
  /** Hash of each agency's document. */
  readonly documents: ReadonlyMap<string, string>;
}

/** One page, alone: signed by two keys of a pinned root whose keys it lists, in force, its entries sorted. */
export function checkDirectoryPage(params: {
  readonly page: Uint8Array;
  readonly roots: readonly PinnedRoot[];
  readonly nowMs: number;
  /** Where it was received; its parts must equal the payload's. */
  readonly topic?: string;
}): CheckedPage {
  const { opened, root } = openUnderAnyRoot('directory', params.page, params.roots);
  const page = opened.document;
  const nowS = params.nowMs / 1000;
  const listed = page.root_keys.toSorted().join(' ');
  if (listed !== root.keys.map(toHex).toSorted().join(' ')) {
    // A root is replaced only by its owner typing the fingerprint of the new one, never by a document.
    throw refused('root-keys', 'it lists other root keys than those that were pinned');
  }
  if (page.issued_at > nowS + defaultLimits.maxAheadS) throw refused('issued-in-future', 'it was issued in the future');
  if (page.expires_at <= nowS || page.expires_at <= page.issued_at) throw refused('expired', 'it has expired');
  const belongs = (region: string) => ({ type: 'dir', region, page: page.page }) as const;
  if (params.topic !== undefined && !isTopicIn(params.topic, [page.region], belongs)) {
    throw refused('topic-mismatch', 'it was published under a topic that is not its own');
  }
  if (page.page > page.pages) throw refused('page', 'its page lies behind its last one');
  requireSorted(page.entries);
  return { page, pageHash: opened.hash, rootId: rootIdOf(root) };
}

/** All pages of one version, in any order. */
export function joinDirectory(pages: readonly CheckedPage[]): Directory {
  const sorted = pages.toSorted((a, b) => a.page.page - b.page.page);
  const [first] = sorted;
  if (first === undefined) throw refused('incomplete', 'it has no page');
  const { region, version, pages: count } = first.page;
  for (const { page, rootId } of sorted) {
    if (page.region !== region || page.version !== version || page.pages !== count || rootId !== first.rootId) {
      throw refused('mixed', 'its pages are not of one directory');
    }
  }
  if (sorted.length !== count || sorted.some(({ page }, i) => page.page !== i + 1)) {
    throw refused('incomplete', 'pages are missing or there twice');
  }
  const entries = sorted.flatMap(({ page }) => page.entries);
  requireSorted(entries);
  const documents = new Map(entries.map((entry) => [entry.agency, entry.doc_hash]));
  return { region, version, rootId: first.rootId, documents };
}

/** Versions only rise: what replaces `known` has a higher one, or is the same page once more. */
export function requireNewerPage(known: CheckedPage, next: CheckedPage): void {
  if (next.page.version < known.page.version) throw refused('older', 'a newer version is known');
  const samePlace = next.page.version === known.page.version && next.page.page === known.page.page;
  if (samePlace && next.pageHash !== known.pageHash) {
    throw refused('equivocation', 'another page was signed under the same version');
  }
}

/** By code units, each agency once: the order tells nothing, and a search needs no index. */
function requireSorted(entries: DirectoryDocument['entries']): void {
  const wrong = entries.some(({ agency }, i) => i > 0 && agency <= (entries[i - 1]?.agency ?? ''));
  if (wrong) throw refused('not-sorted', 'its entries are not sorted, or an agency stands there twice');
}

function refused(what: string, why: string): Error {
  return refusal(`directory/${what}`, `Cannot use the directory: ${why}`);
}
