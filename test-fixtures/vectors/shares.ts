import { sha256Hex, toHex } from '../../agent/protocol/bytes.ts';
import { peekDocument } from '../../agent/protocol/envelope.ts';
import { readArchive, writeArchive } from '../../agent/protocol/share-archive.ts';
import {
  type ShareFile,
  type ShareProblem,
  type ShareVerdict,
  verifyShare,
} from '../../agent/protocol/share-verify.ts';
import { asRuns, type Runs, writtenOut } from './runs.ts';
import {
  sampleEnvelope,
  sampleGrant,
  sampleKeys,
  sampleManifest,
  sampleNowMs,
  sampleRequest,
  sampleRoot,
} from './samples.ts';
import { alterations, goodParts, jsonBytes, manifestOf, noise, type Parts, pack, recordClip } from './share-parts.ts';

/** Whole shares as vectors: what a verifier must say about each archive. */
export interface ShareVector {
  readonly name: string;
  /** The archive without the zero bytes at its end, and how long it is with them. */
  readonly archive_base64: Runs;
  readonly archive_bytes: number;
  /** The agency's own copy of the request, if it compares. */
  readonly request?: string;
  /** `holds`, `fails` (then `problems` says why), or the code with which the archive is refused. */
  readonly expect: string;
  /** Sorted. */
  readonly problems: readonly ShareProblem[];
  readonly media: Readonly<Record<string, string>>;
  readonly lineage: string;
}

type Outcome = Pick<ShareVector, 'expect' | 'problems' | 'media' | 'lineage'>;

/** What this implementation says. The vectors hold what was meant; their test compares the two. */
export function outcomeOf(archive: Uint8Array, request?: string): Outcome {
  let verdict: ShareVerdict;
  try {
    verdict = verifyShare({
      files: readArchive(archive),
      signers: { agency: sampleEnvelope('agency'), roots: [sampleRoot], atMs: sampleNowMs },
      ...(request === undefined ? {} : { request: Buffer.from(request) }),
    });
  } catch (thrown) {
    return {
      expect: (thrown as { code?: string }).code ?? String(thrown),
      problems: [],
      media: {},
      lineage: 'not-disclosed',
    };
  }
  return {
    expect: verdict.problems.length === 0 ? 'holds' : 'fails',
    problems: verdict.problems.toSorted(),
    media: Object.fromEntries(verdict.media.map(({ name, unaltered }) => [name, unaltered])),
    lineage: verdict.lineage,
  };
}

export function archiveOf(share: ShareVector): Uint8Array {
  const archive = Buffer.alloc(share.archive_bytes);
  Buffer.from(writtenOut(share.archive_base64), 'base64').copy(archive);
  return archive;
}

const video = '40-video.mp4';
const audio = '41-audio.mp4';
const untouched = { [video]: 'unaltered', [audio]: 'unaltered' };
const altered = { [video]: 'altered', [audio]: 'unaltered' };
const distrusted = { [video]: 'altered', [audio]: 'altered' };

export function vector(name: string, archive: Uint8Array, meant: Outcome, request?: string): ShareVector {
  let end = archive.length;
  while (end > 0 && archive[end - 1] === 0) end--;
  const base64 = asRuns(Buffer.from(archive.subarray(0, end)).toString('base64'));
  return {
    name,
    archive_base64: base64,
    archive_bytes: archive.length,
    ...(request === undefined ? {} : { request }),
    ...meant,
  };
}

export function made(name: string, change: (parts: Parts) => unknown, meant: Outcome): ShareVector {
  const parts = goodParts();
  change(parts);
  return vector(name, writeArchive(pack(parts)), meant);
}

export function damaged(
  name: string,
  file: string,
  change: (bytes: Uint8Array) => Uint8Array,
  meant: Outcome,
): ShareVector {
  const files = pack(goodParts()).map((f) => (f.name === file ? { name: f.name, bytes: change(f.bytes) } : f));
  return vector(name, writeArchive(files), meant);
}

export const holds = (media: Outcome['media'] = untouched, lineage = 'not-disclosed'): Outcome => ({
  expect: 'holds',
  problems: [],
  media,
  lineage,
});
export const fails = (problems: readonly ShareProblem[], media: Outcome['media'] = untouched): Outcome => ({
  expect: 'fails',
  problems,
  media,
  lineage: 'not-disclosed',
});
export const refused = (code: string): Outcome => ({ expect: code, problems: [], media: {}, lineage: 'not-disclosed' });

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
}

function good(): ShareVector[] {
  const derived = noise('redacted', 300);
  const medium = { name: video, kind: 'derived', bytes: derived.length, sha256: sha256Hex(derived) } as const;
  return [
    made('good', () => {}, holds()),
    vector('good, with the agency’s copy', writeArchive(pack(goodParts())), holds(), utf8(sampleEnvelope('request'))),
    made(
      'good, an unsynchronised clock',
      (parts) => {
        parts.manifests = [manifestOf(recordClip('clip', 9, 4), { clock: 'unsynchronised' })];
        for (const proof of parts.proofs) proof.manifest_hash = hashOf(parts.manifests[0]);
      },
      holds(),
    ),
    made(
      'good, audio left out',
      (parts) => {
        delete parts.media[audio];
        parts.proofs = parts.proofs.slice(0, 1);
      },
      holds({ [video]: 'unaltered' }),
    ),
    made(
      'good, a derived file without proofs',
      (parts) => {
        parts.media = { [video]: derived };
        parts.proofs = [];
        parts.grant = { media: [medium] };
      },
      holds({ [video]: 'derived' }),
    ),
  ];
}

function hashOf(manifest: Uint8Array | undefined): string {
  return peekDocument('manifest', manifest ?? new Uint8Array()).hash;
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

/** What a share says about the device, apart from whether it holds. */
function lineages(): ShareVector[] {
  const said = (name: string, lineage: readonly Uint8Array[], meant: string): ShareVector =>
    made(name, (parts) => (parts.lineage = [...lineage]), holds(untouched, meant));
  const vouched = sampleEnvelope('lineage');
  const { stranger } = sampleKeys;
  return [
    said('good, one device', [vouched], 'same-device'),
    said('an empty list of lineages', [], 'not-disclosed'),
    said('a lineage of another month', [sampleEnvelope('lineage', { month: '2026-10' })], 'broken'),
    said('a lineage signed by a stranger', [sampleEnvelope('lineage', {}, [stranger])], 'broken'),
    said('a lineage of another clip', [sampleEnvelope('lineage', { clip_key: toHex(stranger.publicKey) })], 'broken'),
    said('a lineage twice', [vouched, vouched], 'broken'),
    damaged(
      'a lineage that is no list',
      '30-manifest.json',
      (bytes) => Buffer.from(utf8(bytes).replace('{', '{"lineage":1,')),
      refused('share/malformed-file'),
    ),
  ];
}

/** Changed after the grant was signed, or granted wrongly. */
function dishonest(): ShareVector[] {
  const { officer, stranger } = sampleKeys;
  const granted = (name: string, grant: Parts['grant'], meant: Outcome): ShareVector =>
    made(name, (parts) => (parts.grant = grant), meant);
  const beyond = fails(['grant-beyond-request']);
  const other = sampleEnvelope('request', { seq: 9 });
  const mine = peekDocument('grant', pack(goodParts())[2]?.bytes ?? new Uint8Array()).unverified;
  const listed = (bytes: Uint8Array): unknown[] => (JSON.parse(utf8(bytes)) as { manifests: unknown[] }).manifests;
  const strange = JSON.parse(utf8(manifestOf(recordClip('other', 5)))) as unknown;
  const { window } = sampleRequest;
  return [
    damaged('a bit of the video flipped', video, (bytes) => flipped(bytes, 99), fails(['media-altered'], altered)),
    damaged('a byte of the video cut', video, (bytes) => bytes.subarray(1), fails(['media-altered'], altered)),
    damaged('another request', '10-request.json', () => other, fails(['request-differs'])),
    vector('another copy of the request', writeArchive(pack(goodParts())), fails(['request-differs']), utf8(other)),
    granted('an answer to another request', { request_hash: '0'.repeat(64) }, fails(['request-differs'])),
    made(
      'a request signed by one officer',
      (parts) => (parts.request = sampleEnvelope('request', {}, [officer])),
      fails(['request-signature']),
    ),
    damaged(
      'a grant signed by a stranger',
      '20-grant.json',
      () => sampleEnvelope('grant', mine, [stranger]),
      fails(['grant-signature'], distrusted),
    ),
    damaged(
      'a grant whose payload was changed',
      '20-grant.json',
      (bytes) => {
        const envelope = JSON.parse(utf8(bytes)) as { payload: string };
        const payload = Buffer.from(envelope.payload, 'base64')
          .toString()
          .replace('"delete_by_days":90', '"delete_by_days":89');
        return jsonBytes({ ...envelope, payload: Buffer.from(payload).toString('base64') });
      },
      fails(['grant-signature'], distrusted),
    ),
    granted('a second before the window', { granted: { from: window.from - 1, to: window.to } }, beyond),
    granted('a second after the window', { granted: { from: window.from, to: window.to + 1 } }, beyond),
    granted('a day longer kept', { terms: { ...sampleGrant.terms, delete_by_days: 91 } }, beyond),
    granted('another recipient', { recipient_kid: '0123456789abcdef' }, beyond),
    granted('another agency', { agency: 'oak-police' }, beyond),
    made(
      'a manifest signed by a stranger',
      (parts) => (parts.manifests = [sampleEnvelope('manifest', sampleManifest, [stranger])]),
      fails(['manifest-missing', 'manifest-signature', 'media-altered'], distrusted),
    ),
    damaged(
      'a manifest too many',
      '30-manifest.json',
      (bytes) => jsonBytes({ manifests: [...listed(bytes), strange] }),
      fails(['manifest-extra']),
    ),
    damaged(
      'no manifest',
      '30-manifest.json',
      () => jsonBytes({ manifests: [] }),
      fails(['manifest-missing', 'media-altered'], distrusted),
    ),
    filed(
      'a file missing',
      (files) => files.filter(({ name }) => name !== audio),
      fails(['media-missing'], { [video]: 'unaltered', [audio]: 'altered' }),
    ),
    filed(
      'a file too many',
      (files) => [...files, { name: '41-audio-02.mp4', bytes: noise('x', 9) }],
      fails(['media-extra']),
    ),
  ];
}

function filed(name: string, change: (files: ShareFile[]) => ShareFile[], meant: Outcome): ShareVector {
  return vector(name, writeArchive(change(pack(goodParts()))), meant);
}

/** Two files are enough for what is wrong with an archive as such. */
function shortArchive(): Buffer {
  return Buffer.from(writeArchive(pack(goodParts()).slice(0, 2)));
}

/** A copy with some bytes of its first header written over, the checksum made right again. */
function reheaded(name: string, at: number, text: string, code: string, fix = true): ShareVector {
  const archive = shortArchive();
  archive.write(text, at, 'latin1');
  if (fix) {
    archive.write('        ', 148, 'latin1');
    const sum = archive.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
  return vector(name, archive, refused(code));
}

function unreadable(): ShareVector[] {
  const archive = shortArchive();
  const without = (name: string): ShareVector =>
    filed(`without ${name}`, (files) => files.filter((f) => f.name !== name), refused('share/missing-file'));
  const proofs = (name: string, text: string): ShareVector =>
    damaged(name, '31-proofs.json', () => Buffer.from(text), refused('share/malformed-file'));
  return [
    without('10-request.json'),
    without('20-grant.json'),
    without('30-manifest.json'),
    without('31-proofs.json'),
    proofs('proofs that are not JSON', '{'),
    proofs('proofs with an unknown key', '{"media":[],"x":1}'),
    proofs('proofs with a path as name', '{"media":[{"name":"../x","manifest_hash":"","fragments":[]}]}'),
    damaged('a request as grant', '20-grant.json', () => sampleEnvelope('request'), refused('envelope/wrong-type')),
    damaged('a grant that is cut', '20-grant.json', (b) => b.subarray(0, -9), refused('envelope/not-json')),
    reheaded('a foreign name', 0, '../../etc/passwd', 'archive/bad-name'),
    reheaded('an owner', 107, '1', 'archive/bad-header'),
    reheaded('a link', 156, '2', 'archive/bad-header'),
    reheaded('a time', 136, '00000000001', 'archive/bad-header'),
    reheaded('a wrong checksum', 148, '7', 'archive/bad-header', false),
    reheaded('a file of 8 GiB', 124, '77777777777', 'archive/file-too-large'),
    reheaded('a file that ends too early', 124, '00000000003', 'archive/bad-padding'),
    reheaded('a byte behind the first file', 600, 'x', 'archive/bad-padding', false),
    vector('a block too long', Buffer.concat([archive, new Uint8Array(512)]), refused('archive/bad-padding')),
    vector('a block too short', archive.subarray(0, -512), refused('archive/bad-padding')),
    vector('cut', archive.subarray(0, 3000), refused('archive/truncated')),
    vector('nothing', new Uint8Array(), refused('archive/truncated')),
    filedTwice(),
  ];
}

/** The first file once more, in front: a reader that goes by name alone would take either. */
function filedTwice(): ShareVector {
  const archive = shortArchive();
  const twice = Buffer.concat([archive.subarray(0, 1024), archive.subarray(0, -1024)]);
  return vector('a file twice', twice, refused('archive/bad-order'));
}

export function shareVectors(): ShareVector[] {
  const recorded = alterations.map(([name, change]) => made(name, change, fails(['media-altered'], altered)));
  return [...good(), ...recorded, ...lineages(), ...dishonest(), ...unreadable()];
}
