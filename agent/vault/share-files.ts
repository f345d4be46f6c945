/** What stands in the archive of a share, from its preview. Pure. */
import { signEnvelope } from '../protocol/envelope.ts';
import { signingKeyFromSeed } from '../protocol/keys.ts';
import { archiveBytes, paddedBytes } from '../protocol/share-archive.ts';
import { shareNames } from '../protocol/share-names.ts';
import type { BuiltPreview } from './preview.ts';
import { sealedBytes } from './share.ts';

/** Size of the sealed body, before anything is signed. */
export function shareBytesOf(built: BuiltPreview): number {
  return sealedBytes(paddedBytes(archiveBytes(shareFiles(built, envelopeOfSameSize(built)))));
}

/** The archive's files in their order. */
export function shareFiles(built: BuiltPreview, grantEnvelope: Uint8Array): { name: string; bytes: Uint8Array }[] {
  const json = (value: unknown): Uint8Array => Buffer.from(`${JSON.stringify(value)}\n`);
  return [
    { name: shareNames.readme, bytes: Buffer.from(readme) },
    { name: shareNames.request, bytes: built.requestBytes },
    { name: shareNames.grant, bytes: grantEnvelope },
    { name: shareNames.manifests, bytes: json({ manifests: built.manifests, lineage: built.lineage }) },
    { name: shareNames.proofs, bytes: json({ media: built.proofs }) },
    ...built.media.map((m) => ({ name: m.name, bytes: m.bytes })),
  ];
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
