import { type DirectoryDocument, parseDocument } from '../../agent/protocol/documents.ts';
import { peekDocument, signEnvelope } from '../../agent/protocol/envelope.ts';
import type { SigningKey } from '../../agent/protocol/keys.ts';
import type { RootFile } from './root.ts';

/** A region's directory: which document of which agency the root stands behind, in signed pages. */
const entriesPerPage = 200;

export interface DirectoryDraft {
  readonly region: string;
  /** Never falls. */
  readonly version: number;
  readonly days: number;
  readonly entries: DirectoryDocument['entries'];
}

/** What a directory says of the given agency documents. */
export function directoryEntries(agencies: readonly Uint8Array[]): DirectoryDocument['entries'] {
  return agencies.map((envelope) => {
    const { unverified, hash } = peekDocument('agency', envelope);
    return { agency: unverified.agency, doc_hash: hash };
  });
}

export function makeDirectory(options: {
  readonly draft: DirectoryDraft;
  readonly root: RootFile;
  readonly rootKeys: readonly SigningKey[];
  readonly nowMs: number;
}): Uint8Array[] {
  const { draft, root } = options;
  const { region, version } = draft;
  const issuedAt = Math.floor(options.nowMs / 1000);
  const entries = draft.entries.toSorted((a, b) => (a.agency < b.agency ? -1 : 1));
  const pages = Math.max(1, Math.ceil(entries.length / entriesPerPage));
  return Array.from({ length: pages }, (_, index) => {
    const page = parseDocument('directory', {
      region,
      version,
      issued_at: issuedAt,
      expires_at: issuedAt + Math.round(draft.days * 86_400),
      page: index + 1,
      pages,
      entries: entries.slice(index * entriesPerPage, (index + 1) * entriesPerPage),
      root_keys: root.keys,
    });
    return signEnvelope('directory', page, options.rootKeys);
  });
}
