import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  sampleEnvelope,
  sampleGrant,
  sampleKeys,
  sampleManifest,
  sampleNowMs,
  sampleRequest,
  sampleRoot,
} from '../../test-fixtures/vectors/samples.ts';
import {
  alterations,
  goodParts,
  jsonBytes,
  manifestOf,
  noise,
  type Parts,
  pack,
  recordClip,
} from '../../test-fixtures/vectors/share-parts.ts';
import { AgentError } from '../base/errors.ts';
import { sha256Hex } from './bytes.ts';
import type { GrantDocument } from './documents.ts';
import { peekDocument } from './envelope.ts';
import type { ShareVerdict } from './share-verdict.ts';
import { type ShareFile, verifyShare } from './share-verify.ts';

const clip = recordClip('clip', 9, 4);
const requestEnvelope = sampleEnvelope('request');

/** The share with some parts changed before the grant is signed. */
function verified(change: (parts: Parts) => void): ShareVerdict {
  const parts = goodParts();
  change(parts);
  return verifyShare({ files: pack(parts) });
}

/** The share with one file changed after the grant was signed. */
function damaged(name: string, change: (bytes: Uint8Array) => Uint8Array): ShareVerdict {
  return verifyShare({
    files: pack(goodParts()).map((file) => (file.name === name ? { name, bytes: change(file.bytes) } : file)),
  });
}

const signers = { agency: sampleEnvelope('agency'), roots: [sampleRoot], atMs: sampleNowMs };

describe('a good share', () => {
  it('is proved file by file, with time and origin kept apart', () => {
    const verdict = verifyShare({
      files: pack(goodParts()),
      request: requestEnvelope,
      signers,
      receivedAtMs: sampleNowMs,
    });
    expect(verdict.problems).toEqual([]);
    expect(verdict).toMatchObject({
      requestMatches: true,
      requestSignature: 'valid',
      grantSignature: 'valid',
      shareId: sampleGrant.share_id,
      lineage: 'not-disclosed',
      time: { clock: 'synchronised', withinClips: true, receivedAtMs: sampleNowMs, claimed: sampleGrant.granted },
    });
    expect(verdict.media).toEqual([
      {
        name: '40-video.mp4',
        kind: 'original',
        sha256Ok: true,
        unaltered: 'unaltered',
        fragmentsProved: 5,
        fragmentsTotal: 5,
      },
      {
        name: '41-audio.mp4',
        kind: 'original',
        sha256Ok: true,
        unaltered: 'unaltered',
        fragmentsProved: 3,
        fragmentsTotal: 3,
      },
    ]);
    expect(verdict.plainWords).toContain('Cannot be known: whether the signer was an honest camera.');
    expect(verdict.plainWords.some((words) => words.includes('NOT PROVED'))).toBe(false);
  });

  it('says when the clock was not synchronised, or the claimed time is not the clips’', () => {
    const unsynchronised = verified((parts) => {
      const manifest = manifestOf(clip, { clock: 'unsynchronised' });
      parts.manifests = [manifest];
      for (const proof of parts.proofs) proof.manifest_hash = peekDocument('manifest', manifest).hash;
    });
    expect(unsynchronised.problems).toEqual([]);
    expect(unsynchronised.time.clock).toBe('unsynchronised');
    const elsewhen = verified((parts) => {
      parts.grant = { granted: { from: sampleManifest.t0 - 1, to: sampleManifest.t1 } };
    });
    expect(elsewhen.time.withinClips).toBe(false);
  });

  it('never calls a derived file unaltered', () => {
    const verdict = verified((parts) => {
      const bytes = noise('redacted', 500);
      parts.media = { '40-video.mp4': bytes };
      parts.grant = {
        media: [{ name: '40-video.mp4', kind: 'derived', bytes: bytes.length, sha256: sha256Hex(bytes) }],
      };
    });
    expect(verdict.problems).toEqual([]);
    expect(verdict.media[0]).toMatchObject({ unaltered: 'derived', fragmentsProved: 0 });
  });

  it('counts the recorded pieces of a derived file, each once, and still calls it derived', () => {
    const derive = (repeat: boolean) =>
      verified((parts) => {
        const [head, body] = [noise('filled', 70), parts.media['40-video.mp4'] ?? new Uint8Array()];
        const bytes = Buffer.concat([head, body]);
        const proof = parts.proofs[0];
        const moved = (proof?.fragments ?? []).slice(1).map((f) => ({ ...f, offset: f.offset + head.length }));
        parts.proofs = proof === undefined ? [] : [{ ...proof, fragments: repeat ? [...moved, ...moved] : moved }];
        parts.media = { '40-video.mp4': bytes };
        const medium = {
          name: '40-video.mp4',
          kind: 'derived',
          bytes: bytes.length,
          sha256: sha256Hex(bytes),
        } as const;
        parts.grant = { media: [medium] };
      });
    for (const verdict of [derive(false), derive(true)]) {
      expect(verdict.problems).toEqual([]);
      expect(verdict.media[0]).toMatchObject({ unaltered: 'derived', fragmentsProved: 4 });
      expect(verdict.plainWords.join(' ')).toContain('not proved, but for 4 pieces that are as recorded');
    }
  });
});

describe('a share whose media differ from what was recorded', () => {
  it.each(alterations)('%s', (_name, change) => {
    const verdict = verified(change);
    expect(verdict.media[0]?.unaltered).toBe('altered');
    expect(verdict.problems).toContain('media-altered');
    expect(verdict.plainWords.some((words) => words.startsWith('NOT PROVED: 40-video.mp4'))).toBe(true);
  });
});

describe('a share changed after it was granted', () => {
  it('any flip of a media byte is caught', () => {
    const files = pack(goodParts());
    const media = files.filter(({ name }) => name.endsWith('.mp4'));
    fc.assert(
      fc.property(fc.constantFrom(...media), fc.nat(10_000), fc.integer({ min: 1, max: 255 }), (file, at, flip) => {
        const bytes = Uint8Array.from(file.bytes);
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ flip;
        const verdict = verifyShare({ files: files.map((f) => (f === file ? { name: f.name, bytes } : f)) });
        expect(verdict.problems).toEqual(['media-altered']);
        expect(verdict.media.find(({ name }) => name === file.name)?.sha256Ok).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  it('any flip in the JSON files is refused, a problem, or without meaning', () => {
    const files = pack(goodParts());
    const good = verifyShare({ files, signers });
    const documents = files.filter(({ name }) => name.endsWith('.json'));
    fc.assert(
      fc.property(fc.constantFrom(...documents), fc.nat(20_000), fc.integer({ min: 1, max: 255 }), (file, at, flip) => {
        const bytes = Uint8Array.from(file.bytes);
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ flip;
        try {
          const verdict = verifyShare({ files: files.map((f) => (f === file ? { name: f.name, bytes } : f)), signers });
          // Only the key id hint of a signature may differ without a problem, which changes nothing that is said.
          if (verdict.problems.length === 0) expect(verdict).toEqual(good);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(AgentError);
          expect((thrown as AgentError).kind).toBe('refused');
        }
      }),
      { numRuns: 400 },
    );
  });

  it('names each other problem', () => {
    const swapped = (changes: Partial<GrantDocument>): ShareVerdict => verified((parts) => (parts.grant = changes));
    const { stranger } = sampleKeys;
    const rename = (files: ShareFile[], from: string, to: string): ShareFile[] =>
      files.map((f) => (f.name === from ? { name: to, bytes: f.bytes } : f));

    expect(verifyShare({ files: pack(goodParts()), request: sampleEnvelope('request', { seq: 9 }) }).problems).toEqual([
      'request-differs',
    ]);
    expect(damaged('10-request.json', () => sampleEnvelope('request', { seq: 9 })).problems).toEqual([
      'request-differs',
    ]);
    expect(swapped({ request_hash: '0'.repeat(64) }).problems).toEqual(['request-differs']);

    const oneSigner = sampleEnvelope('request', {}, [sampleKeys.officer]);
    const parts = { ...goodParts(), request: oneSigner };
    expect(verifyShare({ files: pack(parts), signers }).problems).toEqual(['request-signature']);

    const grant = peekDocument('grant', pack(goodParts())[2]?.bytes ?? new Uint8Array()).unverified;
    const forged = damaged('20-grant.json', () => sampleEnvelope('grant', grant, [stranger]));
    expect(forged.problems).toEqual(['grant-signature']);
    expect(forged.media.every(({ unaltered }) => unaltered === 'altered')).toBe(true);

    const beyond = 'grant-beyond-request';
    expect(swapped({ granted: { from: sampleRequest.window.from - 1, to: sampleGrant.granted.to } }).problems).toEqual([
      beyond,
    ]);
    expect(swapped({ granted: { from: sampleGrant.granted.from, to: sampleRequest.window.to + 1 } }).problems).toEqual([
      beyond,
    ]);
    expect(swapped({ terms: { ...sampleGrant.terms, delete_by_days: 91 } }).problems).toEqual([beyond]);
    expect(swapped({ recipient_kid: '0123456789abcdef' }).problems).toEqual([beyond]);
    expect(swapped({ agency: 'oak-police' }).problems).toEqual([beyond]);

    const strange = sampleEnvelope('manifest', {}, [stranger]);
    expect(verified((p) => (p.manifests = [strange])).problems).toEqual(
      expect.arrayContaining(['manifest-signature', 'manifest-missing']),
    );
    const other = JSON.parse(Buffer.from(manifestOf(recordClip('other', 5))).toString());
    expect(
      damaged('30-manifest.json', (bytes) =>
        jsonBytes({ manifests: [...JSON.parse(Buffer.from(bytes).toString()).manifests, other] }),
      ).problems,
    ).toEqual(['manifest-extra']);
    expect(damaged('30-manifest.json', () => jsonBytes({ manifests: [] })).problems).toContain('manifest-missing');

    const files = pack(goodParts());
    expect(verifyShare({ files: files.filter(({ name }) => name !== '41-audio.mp4') }).problems).toEqual([
      'media-missing',
    ]);
    expect(verifyShare({ files: [...files, { name: '41-audio-02.mp4', bytes: Buffer.from('x') }] }).problems).toEqual([
      'media-extra',
    ]);
    expect(verifyShare({ files: rename(files, '41-audio.mp4', '41-audio-02.mp4') }).problems).toEqual([
      'media-missing',
      'media-extra',
    ]);
  });

  it('is refused when it can’t be read at all', () => {
    const files = pack(goodParts());
    const codeOf = (list: readonly ShareFile[]): unknown => {
      try {
        verifyShare({ files: list });
        return 'verified';
      } catch (thrown) {
        return (thrown as { code?: unknown }).code;
      }
    };
    expect(codeOf(files.filter(({ name }) => name !== '20-grant.json'))).toBe('share/missing-file');
    expect(codeOf([...files, ...files.slice(-1)])).toBe('share/unexpected-file');
    expect(codeOf([...files, { name: 'run.sh', bytes: new Uint8Array() }])).toBe('share/unexpected-file');
    expect(codeOf(files.map((f) => (f.name === '31-proofs.json' ? { ...f, bytes: Buffer.from('{') } : f)))).toBe(
      'share/malformed-file',
    );
    expect(codeOf(files.map((f) => (f.name === '20-grant.json' ? { ...f, bytes: requestEnvelope } : f)))).toBe(
      'envelope/wrong-type',
    );
  });
});
