/**
 * What an owner takes out for themselves or for a person of their choice: clips as recorded with the proofs of their pieces, in
 * the files of a share, without request and grant, because nobody asked. For somebody else it is sealed to one age recipient.
 */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError, systemCode } from '../base/errors.ts';
import { ensurePrivateDir, removeDurable, syncDir } from '../base/files.ts';
import { createSealer, parseRecipient } from '../protocol/age-file.ts';
import { canonicalBytes } from '../protocol/canonical.ts';
import { peekDocument } from '../protocol/envelope.ts';
import { type ArchiveSource, archiveBytes, archiveParts, paddedBytes } from '../protocol/share-archive.ts';
import { maxClips, mediaNameOf, shareNames } from '../protocol/share-names.ts';
import { type Span, soundTrack, videoTrack } from './content.ts';
import type { ClipLibrary } from './library.ts';
import { type Content, heldContent } from './media-content.ts';
import { type Cut, cutTrack, type Medium } from './preview.ts';
import { PreviewShelf } from './preview-shelf.ts';
import { sealedBytes } from './share.ts';
import { unchanged } from './share-files.ts';

export interface OwnSelection extends Span {
  readonly clipId: string;
}

export interface OwnFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Of a medium. */
  readonly clipId?: string;
  readonly fromMs?: number;
  readonly toMs?: number;
}

export interface OwnPreviewReport {
  readonly previewId: string;
  readonly files: readonly OwnFile[];
  /** Size of the sealed file, padding included. */
  readonly sealedBytes: number;
}

interface BuiltRecord {
  readonly previewId: string;
  readonly recipient: string | undefined;
  readonly media: readonly Medium[];
  readonly papers: readonly { readonly name: string; readonly content: Content; readonly sha256: string }[];
}

const maxMediaBytes = 3.5 * 1024 ** 3;
const folderOf = (dataDir: string): string => join(dataDir, 'owner', 'own');

const readme = `The owner of a doorbell camera handed these clips out, of their own accord. Nobody's request stands behind it.

30-manifest.json  signed when each clip was recorded: the root of a tree over its fragments
31-proofs.json    shows that the fragments in the videos below stand in those trees
40-video*.mp4     the footage as it was recorded, in whole keyframe intervals; 41-audio*.mp4 its sound, if kept

"latchkey verify FOLDER" says what this proves: that the fragments are unaltered since the camera signed them. It can't
prove that the signer was an honest camera, and the time is what the device claims.
`;

interface ClipPiece {
  readonly cuts: readonly Cut[];
  readonly manifest: unknown;
  readonly hash: string;
}

/** Undefined when no whole group of pictures lies inside the chosen times. */
function cutClip(
  library: ClipLibrary,
  { clipId, ...span }: OwnSelection,
  n: number,
  sound: boolean,
): ClipPiece | undefined {
  const clip = library.stream(clipId);
  const { closing } = clip;
  if (closing === undefined) {
    const message = 'Cannot prove this clip: a power loss cut it before it was signed. Export it by its id alone';
    throw new AgentError('refused', 'share/clip-cut', message);
  }
  const video = cutTrack(clip, closing, videoTrack, span, { clipId, name: mediaNameOf('video', n) });
  if (video === undefined) return undefined;
  const { fromMs, toMs } = video.medium;
  const named = { clipId, name: mediaNameOf('audio', n) };
  const heard = sound ? cutTrack(clip, closing, soundTrack, { fromMs, toMs }, named) : undefined;
  const bytes = Buffer.from(closing.manifest, 'base64');
  const { hash } = peekDocument('manifest', bytes);
  return { cuts: heard === undefined ? [video] : [video, heard], manifest: JSON.parse(bytes.toString('utf8')), hash };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export class OwnShares {
  readonly #dataDir: string;
  readonly #shelf = new PreviewShelf<BuiltRecord>();

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** Throws `age/bad-recipient`, `own/selection`, `share/clip-cut`, `share/nothing-selected`. */
  preview(
    library: ClipLibrary,
    params: {
      readonly selection: readonly OwnSelection[];
      readonly sound: boolean;
      readonly recipient?: string | undefined;
    },
  ): OwnPreviewReport {
    const { selection, sound, recipient } = params;
    if (recipient !== undefined) parseRecipient(recipient);
    const distinct = new Set(selection.map(({ clipId }) => clipId)).size === selection.length;
    if (selection.length === 0 || selection.length > maxClips || !distinct) {
      throw new AgentError('usage', 'own/selection', `Cannot take out the clips: choose 1 to ${maxClips}, each once`);
    }
    const pieces: ClipPiece[] = [];
    for (const each of selection) {
      const piece = cutClip(library, each, pieces.length + 1, sound);
      if (piece !== undefined) pieces.push(piece);
    }
    if (pieces.length === 0) {
      const message = 'Cannot take out the clips: no whole group of pictures lies inside the chosen times';
      throw new AgentError('usage', 'share/nothing-selected', message);
    }
    // All pictures, then all sounds: the order in which they stand in an archive.
    const media = [0, 1].flatMap((row) =>
      pieces.flatMap(({ cuts, hash }) => (cuts[row] === undefined ? [] : [{ ...cuts[row], hash }])),
    );
    if (media.reduce((sum, { medium }) => sum + medium.content.length, 0) > maxMediaBytes) {
      throw new AgentError(
        'usage',
        'own/selection',
        'Cannot take out the clips: choose fewer, over 3.5 GiB were chosen',
      );
    }
    const json = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);
    const proofs = media.map(({ medium: { name }, proofs: fragments, hash }) => ({
      name,
      manifest_hash: hash,
      fragments,
    }));
    const papers = [
      { name: shareNames.readme, bytes: Buffer.from(readme) },
      { name: shareNames.manifests, bytes: json({ manifests: pieces.map(({ manifest }) => manifest) }) },
      { name: shareNames.proofs, bytes: json({ media: proofs }) },
    ].map(({ name, bytes }) => ({ name, content: heldContent(bytes), sha256: sha256(bytes) }));
    const files = [...papers, ...media.map(({ medium }) => medium)].map(
      (file): OwnFile => ({
        name: file.name,
        bytes: file.content.length,
        sha256: file.sha256,
        ...('clipId' in file ? { clipId: file.clipId, fromMs: file.fromMs, toMs: file.toMs } : {}),
      }),
    );
    const named = files.map(({ name, bytes, sha256: hash }) => ({ name, bytes, sha256: hash }));
    const previewId = sha256(canonicalBytes({ files: named, recipient: recipient ?? null }));
    const built = { previewId, recipient, papers, media: media.map(({ medium }) => medium) };
    this.#shelf.keep(built);
    return { previewId, files, sealedBytes: sealedBytes(paddedBytes(archiveBytes(sourcesOf(built)))) };
  }

  /** Throws `vault/no-such-preview`; undefined for a name that it doesn't hold. */
  file(previewId: string, name: string): Content | undefined {
    const { papers, media } = this.#shelf.get(previewId);
    return [...papers, ...media].find((file) => file.name === name)?.content;
  }

  /**
   * Seals exactly the preview into one age file on this device, for the command line to take away; nothing is sent. The caller
   * has checked the passphrase. Throws `own/no-recipient`, `vault/no-such-clip`, `vault/disk-full`, `vault/clip-changed`.
   */
  seal(library: ClipLibrary, previewId: string): { readonly path: string; readonly bytes: number } {
    const built = this.#shelf.get(previewId);
    if (built.recipient === undefined) {
      throw new AgentError('usage', 'own/no-recipient', 'Cannot seal the clips: they were previewed for nobody else');
    }
    library.requireThere(built.media);
    const folder = folderOf(this.#dataDir);
    ensurePrivateDir(folder);
    const path = join(folder, `${previewId}.age`);
    const fd = openSync(path, 'w', 0o600);
    let bytes = 0;
    const put = (piece: Uint8Array): void => {
      for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
      bytes += piece.length;
    };
    try {
      const sealer = createSealer([built.recipient]);
      put(sealer.header);
      for (const part of archiveParts(sourcesOf(built))) put(sealer.update(part));
      put(sealer.final());
      fsyncSync(fd);
      syncDir(folder);
      this.#shelf.drop(previewId);
      return { path, bytes };
    } catch (thrown) {
      removeDurable(path);
      if (systemCode(thrown) !== 'ENOSPC') throw thrown;
      throw new AgentError('full', 'vault/disk-full', 'Cannot seal the clips: the disk is full', { cause: thrown });
    } finally {
      closeSync(fd);
    }
  }
}

function sourcesOf({ papers, media }: BuiltRecord): ArchiveSource[] {
  return [...papers, ...media].map(({ name, content, sha256: hash }) => ({
    name,
    length: content.length,
    parts: () => unchanged(content, hash),
  }));
}
