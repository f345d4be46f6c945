/**
 * What clips prove that an owner handed out without being asked: the files of a share without request and grant. That the
 * pieces are as the camera signed them can be shown; who was meant to have them, and on which terms, nobody said.
 */
import { sha256Hex } from './bytes.ts';
import type { ManifestDocument } from './documents.ts';
import { openManifest } from './receipt-check.ts';
import { refusal } from './refuse.ts';
import { isMediaName, shareNames } from './share-names.ts';
import type { MediaVerdict } from './share-verdict.ts';
import {
  fileOf,
  filesByName,
  manifestsSchema,
  mediaVerdict,
  parseJson,
  proofsSchema,
  type ShareFile,
} from './share-verify.ts';

export type RecordProblem = 'manifest-signature' | 'media-missing' | 'media-extra' | 'media-altered';

export interface RecordVerdict {
  readonly media: readonly MediaVerdict[];
  readonly time: {
    /** As signed with the clips, Unix seconds. */
    readonly claimed: { readonly from: number; readonly to: number };
    readonly clock: 'synchronised' | 'unsynchronised';
  };
  readonly problems: readonly RecordProblem[];
  readonly plainWords: readonly string[];
}

/** Neither a request nor a grant stands in it. */
export function isRecord(files: readonly ShareFile[]): boolean {
  return !files.some(({ name }) => name === shareNames.request || name === shareNames.grant);
}

/** Throws what a share that can't be read throws. */
export function verifyRecord(given: readonly ShareFile[]): RecordVerdict {
  const files = filesByName(given);
  const problems = new Set<RecordProblem>();
  const manifests = new Map<string, ManifestDocument>();
  for (const envelope of parseJson(manifestsSchema, fileOf(files, shareNames.manifests), shareNames.manifests)
    .manifests) {
    try {
      const opened = openManifest(Buffer.from(JSON.stringify(envelope) ?? ''));
      manifests.set(opened.hash, opened.document);
    } catch {
      problems.add('manifest-signature');
    }
  }
  const proofs = parseJson(proofsSchema, fileOf(files, shareNames.proofs), shareNames.proofs).media;
  const media = proofs.map(({ name }) => {
    const bytes = files.get(name);
    const itself = {
      name,
      kind: 'original',
      bytes: bytes?.length ?? 0,
      sha256: sha256Hex(bytes ?? new Uint8Array()),
    } as const;
    const verdict = mediaVerdict(itself, bytes, proofs, manifests);
    if (bytes === undefined) problems.add('media-missing');
    else if (verdict.unaltered === 'altered') problems.add('media-altered');
    return verdict;
  });
  const proved = new Set(media.map(({ name }) => name));
  if (given.some(({ name }) => isMediaName(name) && !proved.has(name))) problems.add('media-extra');
  if (media.length === 0) throw refusal('share/missing-file', 'Cannot verify the clips: there are none');
  const signed = [...manifests.values()];
  const time = {
    claimed: { from: Math.min(...signed.map(({ t0 }) => t0)), to: Math.max(...signed.map(({ t1 }) => t1)) },
    clock:
      signed.length > 0 && signed.every(({ clock }) => clock === 'synchronised') ? 'synchronised' : 'unsynchronised',
  } as const;
  const verdict = { media, time, problems: [...problems] };
  return { ...verdict, plainWords: wordsOf(verdict) };
}

const problemWords: Readonly<Record<RecordProblem, string>> = {
  'manifest-signature': "NOT PROVED: a clip's record is not validly signed.",
  'media-missing': 'NOT PROVED: a file that has proofs is missing.',
  'media-extra': 'NOT PROVED: there is a video or audio file without proofs.',
  'media-altered': 'NOT PROVED: a file differs from what was recorded.',
};

function wordsOf({ media, time, problems }: Omit<RecordVerdict, 'plainWords'>): string[] {
  const utc = (s: number): string => `${new Date(s * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  const words = problems.map((problem) => problemWords[problem]);
  for (const { name, unaltered, fragmentsProved, fragmentsTotal } of media) {
    const count = `${fragmentsProved} of ${fragmentsTotal} pieces`;
    const proved = `Proved: ${name} is unaltered since its camera signed it (${count}).`;
    words.push(unaltered === 'unaltered' ? proved : `NOT PROVED: ${name} (${count} are as recorded).`);
  }
  if (Number.isFinite(time.claimed.from)) {
    const kept = time.clock === 'synchronised' ? 'which was synchronised' : 'which was NOT synchronised';
    words.push(
      `Claimed: its clips were recorded between ${utc(time.claimed.from)} and ${utc(time.claimed.to)} by the device's clock, ${kept}.`,
    );
  }
  return [
    ...words,
    'Not in it: a request or a receipt. The owner handed it out unasked, and it says nothing of terms.',
    'Cannot be known: whether the signer was an honest camera.',
  ];
}
