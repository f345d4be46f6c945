/** What an agency's tus server holds: uploads by share, compared and opened. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openFile, parseIdentity } from '../../agent/protocol/age-file.ts';
import { readArchive } from '../../agent/protocol/share-archive.ts';
import { verifyShare } from '../../agent/protocol/share-verify.ts';

export interface Upload {
  readonly shareId: string;
  readonly part: string;
  readonly requestId: string;
  readonly isWhole: boolean;
  readonly bytes: Buffer;
}

interface StoredUpload {
  readonly size: number;
  readonly metadata: { readonly share_id: string; readonly part: string; readonly request_id: string };
}

export function readUploads(folder: string): Upload[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.map((name) => {
    const { size, metadata } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as StoredUpload;
    const bytes = readFileSync(join(folder, name.slice(0, -'.json'.length)));
    return {
      shareId: metadata.share_id,
      part: metadata.part,
      requestId: metadata.request_id,
      isWhole: bytes.length === size,
      bytes,
    };
  });
}

/** Two uploads of one part of one share must be one ciphertext, whole or the beginning of it. */
export function differingParts(uploads: readonly Upload[]): string[] {
  return uploads.flatMap((a, i) =>
    uploads.slice(i + 1).flatMap((b) => {
      if (a.shareId !== b.shareId || a.part !== b.part) return [];
      const common = Math.min(a.bytes.length, b.bytes.length);
      const isSame = a.bytes.subarray(0, common).equals(b.bytes.subarray(0, common));
      return isSame ? [] : [`two ciphertexts of the ${a.part} of one share`];
    }),
  );
}

/** Ids of shares that their agency can open: body and key have arrived. */
export function openShares(uploads: readonly Upload[]): string[] {
  const whole = (part: string): Set<string> =>
    new Set(
      uploads.filter((one) => one.part === part && one.isWhole && one.bytes.length > 0).map((one) => one.shareId),
    );
  const bodies = whole('body');
  return [...whole('header')].filter((id) => bodies.has(id));
}

/** What is wrong with a share that has arrived. */
export function problemsOf(
  uploads: readonly Upload[],
  shareId: string,
  identity: string,
  request: Uint8Array,
): string[] {
  const part = (name: string): Buffer =>
    uploads.find((one) => one.shareId === shareId && one.part === name && one.isWhole)?.bytes ?? Buffer.alloc(0);
  const sealed = { header: part('header'), body: part('body') };
  const verdict = verifyShare({ files: readArchive(openFile(sealed, parseIdentity(identity))), request });
  return verdict.media.length === 0 ? ['no media'] : [...verdict.problems];
}
