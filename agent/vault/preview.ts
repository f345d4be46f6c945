/**
 * A preview is the share before it is sealed: every byte that would be sent, and the grant that would be signed. The vault
 * keeps it, hands out copies, and signs nothing else.
 */
import { createHash, randomBytes } from 'node:crypto';
import { AgentError } from '../base/errors.ts';
import { canonicalBytes } from '../protocol/canonical.ts';
import type { GrantDocument } from '../protocol/documents.ts';
import { peekDocument } from '../protocol/envelope.ts';
import { deriveRequestKey, type SigningKey } from '../protocol/keys.ts';
import type { CheckedRequest } from '../protocol/request-check.ts';
import { mediaNameOf } from '../protocol/share-names.ts';
import { chooseFragments, initOf, proveFragments, type Span } from './content.ts';
import type { ClipLibrary, OpenedClip } from './library.ts';

const videoTrack = 1;
/** So much is held in memory at once; a share of more is refused before it is built. */
export const maxMediaBytes = 512 * 1024 * 1024;
const maxClips = 99;

export interface Selection extends Span {
  readonly clipId: string;
}

export interface Medium extends Span {
  readonly name: string;
  readonly clipId: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

export interface BuiltPreview {
  readonly previewId: string;
  readonly checked: CheckedRequest;
  readonly requestBytes: Uint8Array;
  readonly grant: GrantDocument;
  readonly requestKey: SigningKey;
  readonly media: readonly Medium[];
  readonly manifests: readonly unknown[];
  readonly proofs: readonly unknown[];
}

interface Piece {
  readonly medium: Medium;
  readonly manifest: unknown;
  readonly manifestHash: string;
  readonly proof: unknown;
}

function buildPiece(clip: OpenedClip, selection: Selection, window: Span, n: number): Piece {
  const { closing } = clip;
  if (closing === undefined) {
    throw new AgentError(
      'refused',
      'share/clip-cut',
      'Cannot share this clip: a power loss cut it before it was signed, so nothing can be proved about it',
    );
  }
  const span = { fromMs: Math.max(selection.fromMs, window.fromMs), toMs: Math.min(selection.toMs, window.toMs) };
  const chosen = chooseFragments(closing.fragments, videoTrack, span);
  const init = initOf(closing.fragments, videoTrack);
  const [first, last] = [chosen[0], chosen.at(-1)];
  if (init === undefined || first === undefined || last === undefined) {
    throw new AgentError(
      'usage',
      'share/nothing-selected',
      'Cannot prepare the share: no whole group of pictures lies inside the chosen times and the window of the request',
    );
  }
  const parts = [init, ...chosen];
  const bytes = Buffer.concat(parts.map((f) => clip.video.subarray(f.offset, f.offset + f.bytes)));
  const manifestBytes = Buffer.from(closing.manifest, 'base64');
  const name = mediaNameOf('video', n);
  const manifestHash = peekDocument('manifest', manifestBytes).hash;
  return {
    medium: {
      name,
      clipId: selection.clipId,
      bytes,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      fromMs: first.start_ms,
      toMs: last.start_ms + last.duration_ms,
    },
    manifest: JSON.parse(manifestBytes.toString('utf8')),
    manifestHash,
    proof: { name, manifest_hash: manifestHash, fragments: proveFragments(closing.fragments, parts) },
  };
}

export function buildPreview(options: {
  readonly checked: CheckedRequest;
  readonly requestBytes: Uint8Array;
  readonly selection: readonly Selection[];
  readonly library: ClipLibrary;
  readonly ownerRootSeed: Uint8Array;
}): BuiltPreview {
  const { checked, library } = options;
  const { request, agency } = checked;
  if (options.selection.length === 0 || options.selection.length > maxClips) {
    throw new AgentError('usage', 'share/nothing-selected', `Cannot prepare the share: choose 1 to ${maxClips} clips`);
  }
  if (new Set(options.selection.map((s) => s.clipId)).size !== options.selection.length) {
    throw new AgentError('usage', 'share/clip-twice', 'Cannot prepare the share: one clip is chosen twice');
  }
  const window = { fromMs: request.window.from * 1000, toMs: request.window.to * 1000 };
  let totalBytes = 0;
  const pieces = options.selection.map((selection, i) => {
    const clip = library.open(selection.clipId);
    totalBytes += clip.video.length;
    if (totalBytes > maxMediaBytes) {
      throw new AgentError(
        'refused',
        'share/too-large',
        'Cannot prepare the share: choose fewer clips, over 512 MiB were chosen',
      );
    }
    return buildPiece(clip, selection, window, i + 1);
  });
  const requestKey = deriveRequestKey(options.ownerRootSeed, request.agency, checked.requestHash);
  const media = pieces.map((p) => p.medium);
  const grant: GrantDocument = {
    request_hash: checked.requestHash,
    agency: request.agency,
    granted: {
      from: Math.floor(Math.min(...media.map((m) => m.fromMs)) / 1000),
      to: Math.ceil(Math.max(...media.map((m) => m.toMs)) / 1000),
    },
    manifest_hashes: [...new Set(pieces.map((p) => p.manifestHash))],
    media: media.map((m) => ({ name: m.name, kind: 'original', bytes: m.bytes.length, sha256: m.sha256 })),
    redactions: media.map((m) => ({ name: m.name, kind: 'trim' })),
    terms: grantedTerms(request.terms),
    recipient_kid: agency.recipient.kid,
    share_id: randomBytes(16).toString('hex'),
    owner_key: Buffer.from(requestKey.publicKey).toString('hex'),
  };
  return {
    previewId: createHash('sha256').update(canonicalBytes(grant)).digest('hex'),
    checked,
    requestBytes: options.requestBytes,
    grant,
    requestKey,
    media,
    manifests: pieces.map((p) => p.manifest),
    proofs: pieces.map((p) => p.proof),
  };
}

/** The request's terms, narrowed to what a grant can say; an accepted request has passed these bounds. */
function grantedTerms(terms: CheckedRequest['request']['terms']): GrantDocument['terms'] {
  return {
    biometric_id: false,
    delete_by_days: terms.delete_by_days,
    outcome_due_days: terms.outcome_due_days,
    third_party: terms.third_party === 'court_only' ? 'court_only' : 'none',
  };
}
