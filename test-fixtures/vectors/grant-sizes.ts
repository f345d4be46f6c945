import { mediaNameOf } from '../../agent/protocol/share-names.ts';
import { forced, textOf, type Vector, wild } from './common.ts';
import { asRuns, writtenOut } from './runs.ts';
import { sampleEnvelope, sampleGrant, sampleSigners } from './samples.ts';

/** A share holds 256 clips. The grant lists them all, and so it may be larger than other documents. */
export function grantSizes(): Vector[] {
  const { media, redactions, manifest_hashes: manifests } = sampleGrant;
  const [medium, redaction] = [media[0], redactions[0]];
  const names = (['video', 'audio'] as const).flatMap((kind) => upTo(256, (i) => mediaNameOf(kind, i + 1)));
  // One after the other with the same times, so that the file stays small.
  const filled = { name: '40-video.mp4', kind: 'person_fill' } as const;
  const most = {
    manifest_hashes: upTo(256, (i) => i.toString(16).padStart(64, '0')),
    media: names.map((name) => ({ ...medium, name, bytes: Number.MAX_SAFE_INTEGER })),
    redactions: upTo(1024, () => filled),
  };
  const named = (name: string): Readonly<Record<string, unknown>> => ({ media: [{ ...medium, name }] });
  const said = (name: string, changes: Readonly<Record<string, unknown>>, expect: string): Vector => {
    const vector = forced('grant', name, changes, expect);
    return { ...vector, envelope: asRuns(writtenOut(vector.envelope)) };
  };
  const payload = (name: string, bytes: number, expect: string): Vector => {
    const text = `"${'a'.repeat(bytes - 2)}"`;
    return { name, envelope: asRuns(wild('grant', Buffer.from(text), sampleSigners.grant)), expect };
  };
  const spaced = (name: string, bytes: number, expect: string): Vector => {
    const envelope = asRuns(textOf(sampleEnvelope('grant')).padEnd(bytes));
    return { name, envelope, expect };
  };
  return [
    said('good, all that a grant can name', most, 'accepted'),
    ...['40-video-99.mp4', '40-video-100.mp4', '41-audio-199.mp4', '41-audio-256.mp4'].map((name) =>
      said(`good, a file named ${name}`, named(name), 'accepted'),
    ),
    ...['40-video-01.mp4', '40-video-099.mp4', '40-video-257.mp4', '41-audio-300.mp4', '40-video-1000.mp4'].map(
      (name) => said(`a file named ${name}`, named(name), 'payload/schema'),
    ),
    said('257 clips', { manifest_hashes: [...most.manifest_hashes, ...manifests] }, 'payload/schema'),
    said('513 files', { media: upTo(513, () => ({ ...medium, bytes: 10_000 })) }, 'payload/schema'),
    said('1025 redactions', { redactions: upTo(1025, () => filled) }, 'payload/schema'),
    said('good, no redaction', { redactions: [] }, 'accepted'),
    said('good, a redaction twice', { redactions: [redaction, redaction] }, 'accepted'),
    payload('a payload as large as a grant may be', 163_840, 'payload/schema'),
    payload('a payload of a byte more than a grant may be', 163_841, 'payload/too-large'),
    spaced('good, an envelope as large as that of a grant may be', 245_760, 'accepted'),
    spaced('an envelope of a byte more than that of a grant may be', 245_761, 'envelope/too-large'),
  ];
}

const upTo = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
