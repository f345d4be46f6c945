import { describe, expect, it } from 'vitest';
import {
  sampleAgency,
  sampleDispatch,
  sampleDocuments,
  sampleEnvelope,
  sampleGrant,
  sampleKeys,
  sampleManifest,
  sampleNowMs,
} from '../../test-fixtures/vectors/samples.ts';
import { checkDispatch } from './dispatch.ts';
import type { DispatchDocument, GrantDocument, ManifestDocument, RevocationDocument } from './documents.ts';
import type { SigningKey } from './keys.ts';
import { checkRevocation, openGrant, openManifest } from './receipt-check.ts';

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'accepted';
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? String(thrown);
  }
}

const { clip, officer, approver, outcome, owner, ownerRoot, stranger } = sampleKeys;

describe('a manifest', () => {
  const open = (changes: Partial<ManifestDocument>, key: SigningKey = clip): string =>
    codeOf(() => openManifest(sampleEnvelope('manifest', changes, [key])));
  const [track] = sampleManifest.tracks;

  it('is signed by the clip key that it names', () => {
    expect(openManifest(sampleEnvelope('manifest')).document).toEqual(sampleManifest);
    expect(open({}, stranger)).toBe('envelope/not-enough-signers');
    expect(open({ key: '0'.repeat(64) })).toBe('keys/small-order');
  });

  it('adds up', () => {
    expect(open({ size: 32 })).toBe('manifest/size');
    if (track === undefined) throw new Error('the sample has a track');
    expect(open({ tracks: [track, track], size: 62 })).toBe('manifest/track-twice');
    expect(open({ t1: sampleManifest.t0 - 1 })).toBe('manifest/times');
    expect(open({ t1: sampleManifest.t0 })).toBe('accepted');
  });
});

describe('a grant', () => {
  const open = (changes: Partial<GrantDocument>, key: SigningKey = owner): string =>
    codeOf(() => openGrant(sampleEnvelope('grant', changes, [key])));

  it('is signed by the owner key that it names', () => {
    expect(openGrant(sampleEnvelope('grant')).document).toEqual(sampleGrant);
    expect(open({}, stranger)).toBe('envelope/not-enough-signers');
    expect(open({ owner_key: '0'.repeat(64) })).toBe('keys/small-order');
  });

  it('names nothing twice and does not run backwards', () => {
    expect(open({ media: [...sampleGrant.media, ...sampleGrant.media] })).toBe('grant/media-twice');
    expect(open({ manifest_hashes: [...sampleGrant.manifest_hashes, ...sampleGrant.manifest_hashes] })).toBe(
      'grant/manifest-twice',
    );
    expect(open({ granted: { from: 2, to: 1 } })).toBe('grant/times');
  });
});

describe('a dispatch', () => {
  const check = (changes: Partial<DispatchDocument>, key: SigningKey = ownerRoot): string =>
    codeOf(() => checkDispatch(sampleEnvelope('dispatch', changes, [key]), ownerRoot.publicKey));

  it('is valid under the owner root only', () => {
    expect(checkDispatch(sampleEnvelope('dispatch'), ownerRoot.publicKey).document).toEqual(sampleDispatch);
    expect(check({}, owner)).toBe('envelope/not-enough-signers');
    expect(codeOf(() => checkDispatch(sampleEnvelope('grant', {}, [ownerRoot]), ownerRoot.publicKey))).toBe(
      'envelope/wrong-type',
    );
  });

  it('leaves time and has two real parts', () => {
    const { body, header, deadline } = sampleDispatch;
    expect(check({ release_not_before: deadline - 1 })).toBe('accepted');
    expect(check({ release_not_before: deadline })).toBe('dispatch/no-time');
    expect(check({ body: { ...body, bytes: 0 } })).toBe('dispatch/sizes');
    expect(check({ header: { ...header, bytes: 0 } })).toBe('dispatch/sizes');
    expect(check({ header: { ...header, bytes: 65_537 } })).toBe('dispatch/sizes');
  });
});

describe('a revocation', () => {
  const agency = { agency: sampleAgency, agencyHash: '', rootId: '' };
  const check = (changes: Partial<RevocationDocument>, key: SigningKey, revokedKeyIds: string[] = []): string => {
    const document = { ...sampleDocuments.revocation, ...changes } as RevocationDocument;
    const revocation = sampleEnvelope('revocation', document, [key]);
    return codeOf(() => checkRevocation({ revocation, agency, nowMs: sampleNowMs, revokedKeyIds }));
  };
  const officerKid = sampleAgency.keys[0]?.kid ?? '';

  it('of a request is signed by any active key of the agency', () => {
    expect([check({}, officer), check({}, approver), check({}, outcome)]).toEqual(['accepted', 'accepted', 'accepted']);
    expect(check({}, stranger)).toBe('envelope/not-enough-signers');
    expect(check({}, officer, [officerKid])).toBe('envelope/not-enough-signers');
    expect(check({ agency: 'oak-police' }, officer)).toBe('revocation/agency-mismatch');
  });

  it('of a key is signed by that key alone', () => {
    const revoke = { kind: 'key', target: officerKid } as const;
    expect(check(revoke, officer)).toBe('accepted');
    expect(check(revoke, officer, [officerKid])).toBe('accepted');
    expect(check(revoke, approver)).toBe('envelope/not-enough-signers');
    expect(check({ kind: 'key', target: '0123456789abcdef' }, officer)).toBe('envelope/not-enough-signers');
  });
});
