import { encodeBech32 } from '../../agent/protocol/bech32.ts';
import { fromHex, toHex } from '../../agent/protocol/bytes.ts';
import type { Documents } from '../../agent/protocol/documents.ts';
import { keyIdOf, recipientKeyId } from '../../agent/protocol/keys.ts';
import { topicOf } from '../../agent/protocol/topics.ts';
import { changed, forced, textOf, type Vector } from './common.ts';
import { grantSizes } from './grant-sizes.ts';
import {
  sampleAgency,
  sampleDispatch,
  sampleEnvelope,
  sampleGrant,
  sampleKeys,
  sampleManifest,
  sampleNowS,
  sampleRequest,
} from './samples.ts';

/** The vectors of each kind's own rules, caps at ±1 among them. */
const { officer, approver, outcome, stranger, root1, clip, month } = sampleKeys;

const dates: readonly (readonly [string, string])[] = [
  ['2024-02-29', 'accepted'],
  ['2026-02-29', 'payload/schema'],
  ['2026-13-01', 'payload/schema'],
  ['2026-1-1', 'payload/schema'],
];

export function requestVectors(): Vector[] {
  const { issued_at: issued, window, case: about, terms, request_id: requestId } = sampleRequest;
  const asked = (from: number, to: number): Partial<Documents['request']> => ({ window: { from, to } });
  const square = (side: number): Partial<Documents['request']> => ({
    area: {
      polygon: {
        pts_e6: [
          [0, 0],
          [0, side],
          [side, side],
          [side, 0],
        ],
      },
    },
  });
  const good = textOf(sampleEnvelope('request'));
  const topic = topicOf({ type: 'rq', region: 'US-CA', agency: sampleRequest.agency, requestId });
  const dayS = 86_400;
  return [
    { name: 'under its own topic', envelope: good, topic, expect: 'accepted' },
    {
      name: 'under another topic',
      envelope: good,
      topic: topic.replace('maple', 'pine'),
      expect: 'request/topic-mismatch',
    },
    { name: 'an envelope of 48 KiB', envelope: good.padEnd(49_152), expect: 'accepted' },
    { name: 'an envelope of 48 KiB and a byte', envelope: good.padEnd(49_153), expect: 'envelope/too-large' },
    forced('request', 'a payload over 32 KiB', { x: 'x'.repeat(32_768) }, 'payload/too-large'),
    changed('request', 'officer alone', {}, 'envelope/not-enough-signers', [officer]),
    changed('request', 'officer twice', {}, 'envelope/not-enough-signers', [officer, officer]),
    changed('request', 'approver and outcome key', {}, 'envelope/not-enough-signers', [approver, outcome]),
    changed('request', 'issued 300 s ahead', { issued_at: sampleNowS + 300 }, 'accepted'),
    changed('request', 'issued 301 s ahead', { issued_at: sampleNowS + 301 }, 'request/issued-in-future'),
    changed('request', 'expired', { expires_at: sampleNowS }, 'request/expired'),
    changed('request', 'open for 14 days', { expires_at: issued + 14 * dayS }, 'accepted'),
    changed(
      'request',
      'open for 14 days and a second',
      { expires_at: issued + 14 * dayS + 1 },
      'request/lifetime-too-long',
    ),
    changed('request', 'window up to the issue', asked(issued - 900, issued), 'accepted'),
    changed('request', 'window past the issue', asked(issued - 900, issued + 1), 'request/window-in-future'),
    changed('request', 'window of 899 s', asked(issued - 899, issued), 'request/window-too-short'),
    changed('request', 'window of 4 h and a second', asked(issued - 14_401, issued), 'request/window-too-long'),
    changed(
      'request',
      '30 days and a second back',
      asked(issued - 30 * dayS - 1, issued - 30 * dayS + 900),
      'request/too-old',
    ),
    changed('request', 'an area of .064 km²', square(2275), 'request/area-too-small'),
    changed('request', 'an area of .066 km²', square(2310), 'accepted'),
    changed('request', 'an area of .499 km²', square(6353), 'accepted'),
    changed('request', 'an area of .502 km²', square(6371), 'request/area-too-large'),
    forced(
      'request',
      'a strip',
      {
        area: {
          polygon: {
            pts_e6: [
              [0, 0],
              [0, 40_000],
              [600, 40_000],
              [600, 0],
            ],
          },
        },
      },
      'request/area-too-thin',
    ),
    forced(
      'request',
      'a bow tie',
      {
        area: {
          polygon: {
            pts_e6: [
              [0, 0],
              [4000, 4000],
              [0, 4000],
              [4000, 0],
            ],
          },
        },
      },
      'request/area-not-simple',
    ),
    forced(
      'request',
      'two points',
      {
        area: {
          polygon: {
            pts_e6: [
              [0, 0],
              [4000, 4000],
            ],
          },
        },
      },
      'payload/schema',
    ),
    changed('request', 'another basis', { legal: { basis: 'emergency', authority: 'none' } }, 'request/basis'),
    changed('request', 'biometric use', { terms: { ...terms, biometric_id: true } }, 'request/terms'),
    changed('request', 'kept for 366 days', { terms: { ...terms, delete_by_days: 366 } }, 'request/terms'),
    changed('request', 'another recipient', { recipient_kid: '0123456789abcdef' }, 'request/recipient-unknown'),
    changed('request', 'another agency', { agency: 'pine-police' }, 'request/agency-mismatch'),
    changed('request', 'a foreign region', { region: 'US-NV' }, 'request/region'),
    forced(
      'request',
      'a bidi override in the statement',
      { case: { ...about, statement: 'a\u202eb' } },
      'payload/forbidden-character',
    ),
    forced(
      'request',
      'a newline in the statement',
      { case: { ...about, statement: 'a\nb' } },
      'payload/forbidden-character',
    ),
    forced('request', 'a decomposed letter', { case: { ...about, statement: 'e\u0301' } }, 'payload/not-nfc'),
    ...dates.map(([opened_on, expect]) =>
      forced('request', `opened on ${opened_on}`, { case: { ...about, opened_on } }, expect),
    ),
    forced(
      'request',
      'a statement of 1000 code points, 2000 in UTF-16',
      { case: { ...about, statement: '😀'.repeat(1000) } },
      'accepted',
    ),
    forced(
      'request',
      'a statement of 1001 code points',
      { case: { ...about, statement: '😀'.repeat(1001) } },
      'payload/schema',
    ),
    forced('request', 'a number as text', { seq: '1' }, 'payload/schema'),
    forced('request', 'a boolean as number', { seq: true }, 'payload/schema'),
    forced(
      'request',
      'a circle and a polygon',
      { area: { circle: { lat_e6: 0, lon_e6: 0, radius_m: 200 }, polygon: { pts_e6: [] } } },
      'payload/schema',
    ),
    forced(
      'request',
      'an area on the antimeridian',
      { area: { circle: { lat_e6: 0, lon_e6: 180_000_000, radius_m: 200 } } },
      'accepted',
    ),
    forced(
      'request',
      'a circle of 20001 m',
      { area: { circle: { lat_e6: 0, lon_e6: 0, radius_m: 20_001 } } },
      'payload/schema',
    ),
    forced('request', 'a statement of 1001', { case: { ...about, statement: 'a'.repeat(1001) } }, 'payload/schema'),
    forced(
      'request',
      'a window in milliseconds',
      { window: { from: window.from * 1000, to: window.to * 1000 } },
      'payload/schema',
    ),
  ];
}

const addresses: readonly (readonly [string, string, string])[] = [
  ['an address with port and path', 'https://a-1.maple.example:8443/shares/%7Ex;v=1', 'accepted'],
  ['an address without a path', 'https://maple.example', 'accepted'],
  ['an IPv4 address', 'https://192.0.2.7/shares/', 'accepted'],
  ['plain http to this machine', 'http://127.0.0.1:8080/shares/', 'accepted'],
  ['plain http to this machine, IPv6', 'http://[::1]:8080/', 'accepted'],
  ['plain http to a name that begins so', 'http://127.0.0.1.maple.example/', 'payload/schema'],
  ['an upper-case host', 'https://Maple.example/', 'payload/schema'],
  ['a host that is a number', 'https://2130706433/', 'payload/schema'],
  ['a host with an octal number', 'https://127.0.0.01/', 'payload/schema'],
  ['port 0', 'https://maple.example:0/', 'payload/schema'],
  ['port 65536', 'https://maple.example:65536/', 'payload/schema'],
  ['a query', 'https://maple.example/?a', 'payload/schema'],
  ['a backslash', 'https://maple.example\\a/', 'payload/schema'],
  ['a lone percent sign', 'https://maple.example/%zz', 'payload/schema'],
  ['an empty address', '', 'payload/schema'],
];

export function agencyVectors(): Vector[] {
  const { keys, recipient } = sampleAgency;
  const first = (change: Partial<(typeof keys)[number]>): Partial<Documents['agency']> => ({
    keys: keys.map((key, i) => (i === 0 ? { ...key, ...change } : key)),
  });
  const neutral = `01${'00'.repeat(31)}`;
  const weak = encodeBech32('age', new Uint8Array(32));
  return [
    changed('agency', 'one root key', {}, 'envelope/not-enough-signers', [root1]),
    changed('agency', 'one root key twice', {}, 'envelope/not-enough-signers', [root1, root1]),
    changed('agency', 'expired', { expires_at: sampleNowS }, 'agency/expired'),
    changed('agency', 'suspended', { status: 'suspended' }, 'agency/not-active'),
    changed('agency', 'a false key id', first({ kid: '0123456789abcdef' }), 'agency/key-id'),
    changed('agency', 'one key in two roles', first(keys[1] ?? {}), 'agency/key-twice'),
    changed(
      'agency',
      'a key of small order',
      first({ x: neutral, kid: keyIdOf(fromHex(neutral)) }),
      'keys/small-order',
    ),
    changed('agency', 'a key that is no point', first({ x: `02${'00'.repeat(31)}` }), 'keys/not-on-curve'),
    changed('agency', 'a key spelt with y ≥ p', first({ x: `ee${'ff'.repeat(30)}7f` }), 'keys/non-canonical'),
    changed(
      'agency',
      'a recipient of low order',
      { recipient: { age: weak, kid: recipientKeyId(weak), since: 0 } },
      'keys/recipient-low-order',
    ),
    changed(
      'agency',
      'a false recipient key id',
      { recipient: { ...recipient, kid: '0123456789abcdef' } },
      'agency/recipient-key-id',
    ),
    forced('agency', 'a plain http address', { upload: { https: 'http://evidence.maple.example/' } }, 'payload/schema'),
    forced(
      'agency',
      'an address with credentials',
      { upload: { https: 'https://a:b@maple.example/' } },
      'payload/schema',
    ),
    ...addresses.map(([name, https, expect]) => forced('agency', name, { upload: { https } }, expect)),
    forced('agency', 'an upper-case name', { agency: 'Maple' }, 'payload/schema'),
    forced('agency', 'a hidden character in the name', { name: 'Maple\u200b Police' }, 'payload/forbidden-character'),
  ];
}

export function manifestVectors(): Vector[] {
  const [track] = sampleManifest.tracks;
  return [
    changed('manifest', 'naming another key', { key: toHex(stranger.publicKey) }, 'envelope/not-enough-signers'),
    changed('manifest', 'naming a key of small order', { key: '0'.repeat(64) }, 'keys/small-order'),
    changed('manifest', 'a size that does not add up', { size: 30 }, 'manifest/size'),
    changed(
      'manifest',
      'a track twice',
      { size: 62, tracks: track === undefined ? [] : [track, track] },
      'manifest/track-twice',
    ),
    changed('manifest', 'running backwards', { t1: sampleManifest.t0 - 1 }, 'manifest/times'),
    forced('manifest', 'no track', { tracks: [] }, 'payload/schema'),
    forced('manifest', 'another clock', { clock: 'trusted' }, 'payload/schema'),
  ];
}

export function lineageVectors(): Vector[] {
  const self = toHex(month.publicKey);
  return [
    changed('lineage', 'another month', { month: '2027-01' }, 'accepted'),
    changed('lineage', 'signed by a stranger too', {}, 'accepted', [stranger, month]),
    changed('lineage', 'signed by the clip key', {}, 'envelope/not-enough-signers', [clip]),
    changed('lineage', 'a key that vouches for itself', { clip_key: self }, 'lineage/same-key'),
    changed('lineage', 'a month key of small order', { month_key: `01${'0'.repeat(62)}` }, 'keys/small-order'),
    changed('lineage', 'a clip key of small order', { clip_key: `01${'0'.repeat(62)}` }, 'keys/small-order'),
    changed('lineage', 'a clip key off the curve', { clip_key: `02${'0'.repeat(62)}` }, 'keys/not-on-curve'),
    forced('lineage', 'month 13', { month: '2026-13' }, 'payload/schema'),
    forced('lineage', 'a day', { month: '2026-11-21' }, 'payload/schema'),
    forced('lineage', 'a line feed behind the month', { month: '2026-11\n' }, 'payload/schema'),
    forced('lineage', 'a clip id', { clip_id: '0'.repeat(32) }, 'payload/schema'),
  ];
}

export function grantVectors(): Vector[] {
  const { media, manifest_hashes: manifests, terms } = sampleGrant;
  return [
    changed('grant', 'signed by the clip', {}, 'envelope/not-enough-signers', [clip]),
    changed('grant', 'naming a key of small order', { owner_key: '0'.repeat(64) }, 'keys/small-order'),
    changed('grant', 'a file twice', { media: [...media, ...media] }, 'grant/media-twice'),
    changed('grant', 'a manifest twice', { manifest_hashes: [...manifests, ...manifests] }, 'grant/manifest-twice'),
    changed('grant', 'running backwards', { granted: { from: 2, to: 1 } }, 'grant/times'),
    forced('grant', 'a path as file name', { media: [{ ...media[0], name: '../40-video.mp4' }] }, 'payload/schema'),
    forced('grant', 'terms that allow biometrics', { terms: { ...terms, biometric_id: true } }, 'payload/schema'),
    forced('grant', 'no file', { media: [] }, 'payload/schema'),
    ...grantSizes(),
  ];
}

export function dispatchVectors(): Vector[] {
  const { body, header, deadline } = sampleDispatch;
  return [
    changed('dispatch', 'signed by a per-request key', {}, 'envelope/not-enough-signers', [sampleKeys.owner]),
    changed('dispatch', 'released a second before the deadline', { release_not_before: deadline - 1 }, 'accepted'),
    changed('dispatch', 'released at the deadline', { release_not_before: deadline }, 'dispatch/no-time'),
    changed('dispatch', 'an empty body', { body: { ...body, bytes: 0 } }, 'dispatch/sizes'),
    changed('dispatch', 'a huge header', { header: { ...header, bytes: 65_537 } }, 'dispatch/sizes'),
    forced('dispatch', 'an http endpoint', { endpoint: 'http://maple.example/' }, 'payload/schema'),
    forced('dispatch', 'an upper-case hash', { grant_hash: 'A'.repeat(64) }, 'payload/schema'),
  ];
}
