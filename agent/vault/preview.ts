/**
 * A preview is the share before it is sealed: every byte that would be sent, and the grant that would be signed. The vault
 * keeps it, hands out copies, and signs nothing else.
 */
import { createHash, randomBytes } from 'node:crypto';
import { AgentError } from '../base/errors.ts';
import { canonicalBytes } from '../protocol/canonical.ts';
import type { ClosingMetadata } from '../protocol/clip-metadata.ts';
import type { GrantDocument } from '../protocol/documents.ts';
import { peekDocument } from '../protocol/envelope.ts';
import { deriveRequestKey, type SigningKey } from '../protocol/keys.ts';
import { deriveMonthKey, monthOf, signLineage } from '../protocol/lineage.ts';
import type { CheckedRequest } from '../protocol/request-check.ts';
import { maxClips, mediaNameOf } from '../protocol/share-names.ts';
import type { ClipStream } from './clip-stream.ts';
import {
  chooseFragments,
  type FragmentProof,
  initOf,
  proveFragments,
  type Span,
  soundTrack,
  videoTrack,
} from './content.ts';
import type { ClipLibrary } from './library.ts';
import { type Content, streamedContent } from './media-content.ts';
import { redactedMedium, redactionsOf } from './redacted-medium.ts';
import type { KeptRedaction } from './redactions.ts';

/** So much of what was made anew is held in memory at once; what stands as recorded is read when it is wanted. */
export const maxHeldBytes = 512 * 1024 * 1024;
/** With its padding no portal takes more. A share of more is refused before it is built. */
const maxMediaBytes = 3.5 * 1024 ** 3;

export interface Selection extends Span {
  readonly clipId: string;
  /** Made in this session for this clip and these times: sent in the place of the recording. */
  readonly redactionId?: string | undefined;
}

export interface Medium extends Span {
  readonly name: string;
  readonly clipId: string;
  /** `derived`: not all of it stands as it was recorded. */
  readonly kind: 'original' | 'derived';
  readonly content: Content;
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
  /** Undefined unless the owner wants to prove that the clips come from one device. */
  readonly lineage: readonly unknown[] | undefined;
  readonly proofs: readonly unknown[];
}

interface Piece {
  readonly media: readonly Medium[];
  readonly redactions: GrantDocument['redactions'];
  readonly manifest: unknown;
  readonly manifestHash: string;
  readonly proofs: readonly unknown[];
}

export interface Cut {
  readonly medium: Medium;
  /** Of the recorded fragments in it, each at its place. */
  readonly proofs: readonly FragmentProof[];
}

function sha256Of(content: Content): string {
  const hash = createHash('sha256');
  for (const part of content.parts()) hash.update(part);
  return hash.digest('hex');
}

/** The part of one track that lies in the span; undefined when no whole fragment does. */
export function cutTrack(
  clip: ClipStream,
  { fragments }: ClosingMetadata,
  track: number,
  span: Span,
  named: { clipId: string; name: string },
): Cut | undefined {
  const chosen = chooseFragments(fragments, track, span);
  const init = initOf(fragments, track);
  const [first, last] = [chosen[0], chosen.at(-1)];
  if (init === undefined || first === undefined || last === undefined) return undefined;
  const parts = [init, ...chosen];
  const content = streamedContent(parts.map((f) => ({ clip, track, from: f.offset, to: f.offset + f.bytes })));
  const sha256 = sha256Of(content);
  const times = { fromMs: first.start_ms, toMs: last.start_ms + last.duration_ms };
  return {
    medium: { ...named, kind: 'original', content, sha256, ...times },
    proofs: proveFragments(fragments, parts),
  };
}

function buildPiece(
  clip: ClipStream,
  selection: Selection,
  window: Span,
  options: { n: number; keepSound: boolean; redaction: KeptRedaction | undefined },
): Piece {
  const { closing } = clip;
  if (closing === undefined) {
    throw new AgentError(
      'refused',
      'share/clip-cut',
      'Cannot share this clip: a power loss cut it before it was signed, so nothing can be proved about it',
    );
  }
  const { clipId } = selection;
  const span = { fromMs: Math.max(selection.fromMs, window.fromMs), toMs: Math.min(selection.toMs, window.toMs) };
  const named = { clipId, name: mediaNameOf('video', options.n) };
  const recorded = cutTrack(clip, closing, videoTrack, span, named);
  const { redaction } = options;
  const video = redaction && recorded ? redactedMedium(redaction, recorded, closing.fragments) : recorded;
  if (video === undefined) {
    throw new AgentError(
      'usage',
      'share/nothing-selected',
      'Cannot prepare the share: no whole group of pictures lies inside the chosen times and the window of the request',
    );
  }
  // No longer than the pictures: what is heard outside them was not seen by the owner either.
  const { fromMs, toMs } = video.medium;
  const sound = options.keepSound
    ? cutTrack(clip, closing, soundTrack, { fromMs, toMs }, { clipId, name: mediaNameOf('audio', options.n) })
    : undefined;
  const cuts = sound === undefined ? [video] : [video, sound];
  const dropped = clip.length(soundTrack) > 0 && sound === undefined;
  const manifestBytes = Buffer.from(closing.manifest, 'base64');
  const manifestHash = peekDocument('manifest', manifestBytes).hash;
  return {
    media: cuts.map(({ medium }) => medium),
    redactions: [
      ...cuts.map(({ medium: { name } }) => ({ name, kind: 'trim' as const })),
      ...(redaction === undefined ? [] : redactionsOf(video.medium, redaction.choice)),
      ...(dropped ? [{ name: video.medium.name, kind: 'audio_dropped' as const }] : []),
    ],
    manifest: JSON.parse(manifestBytes.toString('utf8')),
    manifestHash,
    proofs: cuts.map(({ medium: { name }, proofs: fragments }) => ({ name, manifest_hash: manifestHash, fragments })),
  };
}

export function buildPreview(options: {
  readonly checked: CheckedRequest;
  readonly requestBytes: Uint8Array;
  readonly selection: readonly Selection[];
  readonly library: ClipLibrary;
  readonly ownerRootSeed: Uint8Array;
  readonly discloseLineage?: boolean;
  /** The owner wants the sound to go along. Without being asked for it, it never does. */
  readonly keepSound: boolean;
  /** What was made of a clip in this session. */
  readonly redaction?: ((redactionId: string) => KeptRedaction) | undefined;
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
  if (options.keepSound && !request.media.audio) {
    throw new AgentError('refused', 'share/sound-not-asked', 'Cannot share the sound: the request does not ask for it');
  }
  let totalBytes = 0;
  const pieces = options.selection.map((selection, i) => {
    const clip = library.stream(selection.clipId);
    totalBytes += clip.length(videoTrack) + (options.keepSound ? clip.length(soundTrack) : 0);
    if (totalBytes > maxMediaBytes) {
      throw new AgentError(
        'refused',
        'share/too-large',
        'Cannot prepare the share: choose fewer clips, over 3.5 GiB were chosen',
      );
    }
    const { redactionId } = selection;
    const redaction = redactionId === undefined ? undefined : options.redaction?.(redactionId);
    return buildPiece(clip, selection, window, { n: i + 1, keepSound: options.keepSound, redaction });
  });
  const requestKey = deriveRequestKey(options.ownerRootSeed, request.agency, checked.requestHash);
  // All pictures, then all sounds: the order in which they stand in the archive.
  const rows = [0, 1].map((row) => pieces.flatMap(({ media, proofs }) => ({ medium: media[row], proof: proofs[row] })));
  const sent = rows.flat().filter((piece): piece is { medium: Medium; proof: unknown } => piece.medium !== undefined);
  const media = sent.map(({ medium }) => medium);
  const grant: GrantDocument = {
    request_hash: checked.requestHash,
    agency: request.agency,
    granted: {
      from: Math.floor(Math.min(...media.map((m) => m.fromMs)) / 1000),
      to: Math.ceil(Math.max(...media.map((m) => m.toMs)) / 1000),
    },
    manifest_hashes: [...new Set(pieces.map((p) => p.manifestHash))],
    media: media.map((m) => ({ name: m.name, kind: m.kind, bytes: m.content.length, sha256: m.sha256 })),
    redactions: pieces.flatMap((p) => p.redactions),
    terms: grantedTerms(request.terms),
    recipient_kid: agency.recipient.kid,
    share_id: randomBytes(16).toString('hex'),
    owner_key: Buffer.from(requestKey.publicKey).toString('hex'),
  };
  const lineage =
    options.discloseLineage === true ? lineageOf(pieces, request.window.from, options.ownerRootSeed) : undefined;
  return {
    previewId: createHash('sha256')
      .update(canonicalBytes(grant))
      .update(JSON.stringify(lineage ?? []))
      .digest('hex'),
    checked,
    requestBytes: options.requestBytes,
    grant,
    requestKey,
    media,
    manifests: pieces.map((p) => p.manifest),
    lineage,
    proofs: sent.map(({ proof }) => proof),
  };
}

/** One month key for all clips of a share: that of the month in which the request's window begins. */
function lineageOf(pieces: readonly Piece[], windowFromS: number, ownerRootSeed: Uint8Array): readonly unknown[] {
  const month = monthOf(windowFromS);
  const monthKey = deriveMonthKey(ownerRootSeed, month);
  const keyOf = ({ manifest }: Piece): string =>
    peekDocument('manifest', Buffer.from(JSON.stringify(manifest))).unverified.key;
  return [...new Set(pieces.map(keyOf))].map((key): unknown =>
    JSON.parse(Buffer.from(signLineage(key, month, monthKey)).toString('utf8')),
  );
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
