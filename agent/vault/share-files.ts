/** What stands in the archive of a share, from its preview. Pure. */
import { createHash } from 'node:crypto';
import { AgentError } from '../base/errors.ts';
import { signEnvelope } from '../protocol/envelope.ts';
import { signingKeyFromSeed } from '../protocol/keys.ts';
import { type ArchiveSource, archiveBytes, paddedBytes } from '../protocol/share-archive.ts';
import { shareNames } from '../protocol/share-names.ts';
import type { Content } from './media-content.ts';
import type { BuiltPreview } from './preview.ts';
import { sealedBytes } from './share.ts';

/** Size of the sealed body, before anything is signed. */
export function shareBytesOf(built: BuiltPreview): number {
  return sealedBytes(paddedBytes(archiveBytes(shareFiles(built, envelopeOfSameSize(built)))));
}

/** The archive's files in their order. */
export function shareFiles(built: BuiltPreview, grantEnvelope: Uint8Array): ArchiveSource[] {
  const json = (value: unknown): Uint8Array => Buffer.from(`${JSON.stringify(value)}\n`);
  return [
    { name: shareNames.readme, bytes: Buffer.from(readme) },
    { name: shareNames.request, bytes: built.requestBytes },
    { name: shareNames.grant, bytes: grantEnvelope },
    { name: shareNames.manifests, bytes: json({ manifests: built.manifests, lineage: built.lineage }) },
    { name: shareNames.proofs, bytes: json({ media: built.proofs }) },
    ...built.media.map(({ name, content, sha256 }) => ({
      name,
      length: content.length,
      parts: () => unchanged(content, sha256),
    })),
  ];
}

/** Read again after the preview: whatever it is now, only what was previewed may go out. */
export function* unchanged(content: Content, sha256: string): Generator<Uint8Array> {
  const hash = createHash('sha256');
  for (const part of content.parts()) {
    hash.update(part);
    yield part;
  }
  if (hash.digest('hex') === sha256) return;
  const message = 'Cannot share the clip: it is not what it was when it was previewed. Look again';
  throw new AgentError('corrupt', 'vault/clip-changed', message);
}

/** Only to reckon with: as long as the signed grant, because payload and signature have the same lengths. Never leaves here. */
function envelopeOfSameSize(built: BuiltPreview): Uint8Array {
  return signEnvelope('grant', built.grant, [signingKeyFromSeed(new Uint8Array(32))]);
}

const readme = `This archive was shared by the owner of a doorbell camera, voluntarily, for one request.

10-request.json   the signed request, as the owner's device received it
20-grant.json     the owner's receipt: what was granted, for how long, on which terms
30-manifest.json  signed when each clip was recorded: the root of a tree over its fragments
31-proofs.json    shows that the fragments in the videos below stand in those trees
40-video*.mp4     the footage, trimmed to what was granted

A share proves that its fragments are unaltered since the camera signed them. It can't prove that the signer was an
honest camera, and the time is what the device claims.
`;
