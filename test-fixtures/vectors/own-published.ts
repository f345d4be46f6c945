import type { Documents } from '../../agent/protocol/documents.ts';
import { signEnvelope } from '../../agent/protocol/envelope.ts';
import { keyIdOf } from '../../agent/protocol/keys.ts';
import { changed, forced, textOf, type Vector } from './common.ts';
import { sampleDocuments, sampleEnvelope, sampleGrant, sampleKeys, sampleNowS } from './samples.ts';

/** The vectors of what agencies and roots publish beside requests, and of what follows a share. */
const { officer, approver, outcome, stranger, root1, root2, root3, owner } = sampleKeys;
const dayS = 86_400;
const hex = (digit: string, length = 64): string => digit.repeat(length);

/** The same envelope under its own topic and under others. */
function underTopics(
  kind: 'directory' | 'revocation' | 'notice' | 'outcome',
  topics: { readonly own: string; readonly foreign: readonly string[] },
): Vector[] {
  const good = textOf(sampleEnvelope(kind));
  return [
    { name: 'under its own topic', envelope: good, topic: topics.own, expect: 'accepted' },
    ...topics.foreign.map((topic) => ({
      name: `under ${topic}`,
      envelope: good,
      topic,
      expect: `${kind}/topic-mismatch`,
    })),
  ];
}

export function directoryVectors(): Vector[] {
  const { directory } = sampleDocuments;
  const [entry] = directory.entries;
  const entries = (...names: readonly string[]): Partial<Documents['directory']> => ({
    entries: names.map((agency) => ({ agency, doc_hash: hex('1') })),
  });
  const many = Array.from({ length: 201 }, (_, i) => ({ ...entry, agency: `a-${1000 + i}` }));
  return [
    changed('directory', 'signed by the other two root keys', {}, 'accepted', [root2, root3]),
    changed('directory', 'one root key', {}, 'envelope/not-enough-signers', [root1]),
    changed('directory', 'no agency', { entries: [] }, 'accepted'),
    changed('directory', 'the last of 64 pages', { page: 64, pages: 64 }, 'accepted'),
    changed('directory', 'the second page of one', { page: 2 }, 'directory/page'),
    changed('directory', 'sorted', entries('alm-police', 'b-police', 'ba-police'), 'accepted'),
    changed('directory', 'not sorted', entries('b-police', 'alm-police'), 'directory/not-sorted'),
    changed('directory', 'an agency twice', entries('b-police', 'b-police'), 'directory/not-sorted'),
    changed('directory', 'the root keys in another order', { root_keys: directory.root_keys.toReversed() }, 'accepted'),
    changed('directory', 'one root key left out', { root_keys: directory.root_keys.slice(1) }, 'directory/root-keys'),
    changed(
      'directory',
      'another root',
      { root_keys: [...directory.root_keys.slice(1), hex('a')] },
      'directory/root-keys',
    ),
    changed('directory', 'issued 300 s ahead', { issued_at: sampleNowS + 300 }, 'accepted'),
    changed('directory', 'issued 301 s ahead', { issued_at: sampleNowS + 301 }, 'directory/issued-in-future'),
    changed('directory', 'expired', { expires_at: sampleNowS }, 'directory/expired'),
    ...underTopics('directory', {
      own: 'latchkey/1/US-CA/dir/1',
      foreign: ['latchkey/1/US-CA/dir/2', 'latchkey/1/US-NV/dir/1', 'latchkey/1/US-CA/nt/maple-police/1'],
    }),
    forced('directory', '201 entries', { entries: many }, 'payload/schema'),
    forced('directory', 'version 0', { version: 0 }, 'payload/schema'),
    forced('directory', 'page 65', { page: 65, pages: 65 }, 'payload/schema'),
  ];
}

export function revocationVectors(): Vector[] {
  const target = keyIdOf(officer.publicKey);
  const key = (name: string, signer: typeof officer, expect: string): Vector =>
    changed('revocation', name, { kind: 'key', target }, expect, [signer]);
  return [
    changed('revocation', 'signed by the approver', {}, 'accepted', [approver]),
    changed('revocation', 'signed by the outcome key', {}, 'accepted', [outcome]),
    changed('revocation', 'the first one', { seq: 1, prev: null }, 'accepted'),
    key('a key revoking itself', officer, 'accepted'),
    key('a key revoked by another', approver, 'envelope/not-enough-signers'),
    changed(
      'revocation',
      'a key that is not the agency’s',
      { kind: 'key', target: keyIdOf(stranger.publicKey) },
      'envelope/not-enough-signers',
      [stranger],
    ),
    changed('revocation', 'another agency', { agency: 'oak-police' }, 'revocation/agency-mismatch'),
    ...underTopics('revocation', {
      own: 'latchkey/1/US-CA/rv/maple-police/2',
      foreign: [
        'latchkey/1/US-CA/rv/maple-police/1',
        'latchkey/1/US-CA/rv/oak-police/2',
        'latchkey/1/US-NV/rv/maple-police/2',
      ],
    }),
    forced('revocation', 'a key id as request', { target }, 'payload/schema'),
    forced('revocation', 'a request id as key', { kind: 'key' }, 'payload/schema'),
    forced('revocation', 'another kind', { kind: 'agency' }, 'payload/schema'),
    forced('revocation', 'no reason', { reason: '' }, 'payload/schema'),
  ];
}

export function noticeVectors(): Vector[] {
  const { issued_at: issued, agency, region, headline, text, seq, expires_at: expires } = sampleDocuments.notice;
  const bowTie = [
    [0, 0],
    [4000, 4000],
    [0, 4000],
    [4000, 0],
  ];
  const circle = { lat_e6: 38_580_000, lon_e6: -121_490_000, radius_m: 20_000 };
  const bare = { agency, region, headline, text, seq, issued_at: issued, expires_at: expires };
  return [
    { name: 'no area', envelope: textOf(signEnvelope('notice', bare, [officer])), expect: 'accepted' },
    changed('notice', 'the largest circle', { area: { circle } }, 'accepted'),
    changed('notice', 'signed by the approver', {}, 'envelope/not-enough-signers', [approver]),
    changed('notice', 'up for 14 days', { expires_at: issued + 14 * dayS }, 'accepted'),
    changed(
      'notice',
      'up for 14 days and a second',
      { expires_at: issued + 14 * dayS + 1 },
      'notice/lifetime-too-long',
    ),
    changed('notice', 'issued 301 s ahead', { issued_at: sampleNowS + 301 }, 'notice/issued-in-future'),
    changed('notice', 'expired', { expires_at: sampleNowS }, 'notice/expired'),
    changed('notice', 'another agency', { agency: 'oak-police' }, 'notice/agency-mismatch'),
    changed('notice', 'a foreign region', { region: 'US-NV' }, 'notice/region'),
    ...underTopics('notice', {
      own: 'latchkey/1/US-CA/nt/maple-police/1',
      foreign: [
        'latchkey/1/US-CA/nt/maple-police/2',
        'latchkey/1/US-CA/oc/maple-police/1',
        'latchkey/1/US-NV/nt/maple-police/1',
      ],
    }),
    forced('notice', 'a bow tie', { area: { polygon: { pts_e6: bowTie } } }, 'notice/area-not-simple'),
    changed(
      'notice',
      'a circle at the pole',
      { area: { circle: { ...circle, lat_e6: 85_000_001 } } },
      'notice/area-near-pole',
    ),
    forced('notice', 'a headline of 121', { headline: 'a'.repeat(121) }, 'payload/schema'),
    forced('notice', 'a line break', { text: 'a\nb' }, 'payload/forbidden-character'),
    forced('notice', 'an area that is null', { area: null }, 'payload/schema'),
  ];
}

export function outcomeVectors(): Vector[] {
  const { deleted } = sampleDocuments.outcome;
  const hashes = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i + 10).padStart(64, '0'));
  return [
    changed('outcome', 'no share', { shares: '0', deleted: [], use: [], disclosures: [] }, 'accepted'),
    changed('outcome', 'five to nine', { shares: '5-9', deleted: hashes(9), retained: '1-4' }, 'accepted'),
    changed('outcome', 'ten or more', { shares: '10+', deleted: hashes(64), retained: '10+' }, 'accepted'),
    changed('outcome', 'a list that is not padded', { deleted: deleted.slice(1) }, 'outcome/deleted-count'),
    changed(
      'outcome',
      'a deletion twice',
      { deleted: [...deleted.slice(1), deleted[1] ?? ''] },
      'outcome/deleted-twice',
    ),
    changed('outcome', 'a use twice', { use: ['arrest', 'arrest'] }, 'outcome/use-twice'),
    changed('outcome', 'more retained than shared', { retained: '5-9' }, 'outcome/retained'),
    changed('outcome', 'signed by the officer', {}, 'envelope/not-enough-signers', [officer]),
    changed('outcome', 'another agency', { agency: 'oak-police' }, 'outcome/agency-mismatch'),
    ...underTopics('outcome', {
      own: 'latchkey/1/US-CA/oc/maple-police/1',
      foreign: [
        'latchkey/1/US-CA/oc/maple-police/2',
        'latchkey/1/US-CA/oc/oak-police/1',
        'latchkey/1/US-NV/oc/maple-police/1',
      ],
    }),
    forced('outcome', 'an exact count', { shares: 3 }, 'payload/schema'),
    forced('outcome', 'another use', { use: ['training'] }, 'payload/schema'),
    forced('outcome', '65 deletions', { shares: '10+', deleted: hashes(65) }, 'payload/schema'),
  ];
}

export function demandVectors(): Vector[] {
  return [
    changed('demand', 'because the owner asks', { ground: 'owner_request' }, 'accepted'),
    changed('demand', 'because the terms were broken', { ground: 'terms_breach' }, 'accepted'),
    changed('demand', 'signed by the owner root', {}, 'envelope/not-enough-signers', [sampleKeys.ownerRoot]),
    changed('demand', 'signed by the owner and a stranger', {}, 'accepted', [stranger, owner]),
    changed('demand', 'another grant', { grant_hash: hex('0') }, 'demand/other-grant'),
    changed('demand', 'another share', { share_id: hex('0', 32) }, 'demand/other-share'),
    forced('demand', 'another ground', { ground: 'regret' }, 'payload/schema'),
    forced('demand', 'a share id in upper case', { share_id: sampleGrant.share_id.toUpperCase() }, 'payload/schema'),
    forced('demand', 'a share id with a line feed', { share_id: `${sampleGrant.share_id}\n` }, 'payload/schema'),
    forced('demand', 'a reason', { reason: 'none' }, 'payload/schema'),
  ];
}
