import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AgentError } from '../../agent/base/errors.ts';
import { ensurePrivateDir, writeFileDurable } from '../../agent/base/files.ts';
import { openFile, parseIdentity } from '../../agent/protocol/age-file.ts';
import { peekDocument } from '../../agent/protocol/envelope.ts';
import { readArchive } from '../../agent/protocol/share-archive.ts';
import { shareNames } from '../../agent/protocol/share-names.ts';
import type { ShareVerdict } from '../../agent/protocol/share-verdict.ts';
import { verifyShare } from '../../agent/protocol/share-verify.ts';
import { parseFile, readRequired } from './key-files.ts';
import { pinnedRootOf, type RootFile } from './root.ts';

/** Opens a received share with the agency's identity, verifies it, and writes its files out. */
export interface OpenShareOptions {
  /** Holds `body.age` and `header.age`, and `share.json` if the intake wrote it. */
  readonly shareDir: string;
  /** `AGE-SECRET-KEY-1…` */
  readonly identity: string;
  /** Where the files go; nothing is written without it. */
  readonly outDir?: string | undefined;
  /** The agency's own copy of the request. */
  readonly request?: Uint8Array | undefined;
  /** To check who signed the request. */
  readonly signers?: { readonly agency: Uint8Array; readonly root: RootFile } | undefined;
}

export interface ShareContent {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface OpenedShare {
  readonly verdict: ShareVerdict;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly outDir?: string;
}

const maxBodyBytes = 4 * 1024 ** 3;
const receiptSchema = z.strictObject({ shareId: z.string(), requestId: z.string(), receivedAtMs: z.int() });

/** `content` is what was in the share, whether or not it proves anything: see the verdict. */
export function openShare(options: OpenShareOptions): OpenedShare & { readonly content: readonly ShareContent[] } {
  const { shareDir, outDir, request, signers } = options;
  const header = readRequired(join(shareDir, 'header.age'), 65_536);
  const body = readRequired(join(shareDir, 'body.age'), maxBodyBytes);
  const files = readArchive(openFile({ header, body }, parseIdentity(options.identity)));
  const receiptPath = join(shareDir, 'share.json');
  const receipt = existsSync(receiptPath) ? parseFile(receiptPath, receiptSchema) : undefined;
  const verdict = verifyShare({
    files,
    ...(request === undefined ? {} : { request }),
    ...(signers === undefined ? {} : { signers: signersOf(signers, files) }),
    ...(receipt === undefined ? {} : { receivedAtMs: receipt.receivedAtMs }),
  });
  if (receipt !== undefined && receipt.shareId !== verdict.shareId) {
    throw new AgentError(
      'refused',
      'portal/other-share',
      'Cannot open the share: it is not the one that was announced',
    );
  }
  if (outDir !== undefined) {
    ensurePrivateDir(outDir);
    // The archive reader lets no name through that is not one of the protocol's, so none can lead out of the folder.
    for (const { name, bytes } of files) writeFileDurable(join(outDir, name), bytes);
  }
  return {
    verdict,
    content: files,
    files: files.map(({ name, bytes }) => ({ name, bytes: bytes.length })),
    ...(outDir === undefined ? {} : { outDir }),
  };
}

/** The signers' keys are looked at as of the moment at which the request says that it was issued. */
function signersOf(
  signers: { readonly agency: Uint8Array; readonly root: RootFile },
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): { agency: Uint8Array; roots: ReturnType<typeof pinnedRootOf>[]; atMs: number } {
  const request = files.find(({ name }) => name === shareNames.request)?.bytes ?? new Uint8Array(0);
  const { unverified } = peekDocument('request', request);
  return { agency: signers.agency, roots: [pinnedRootOf(signers.root)], atMs: unverified.issued_at * 1000 };
}
