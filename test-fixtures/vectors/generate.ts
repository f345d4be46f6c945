import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeBech32 } from '../../agent/protocol/bech32.ts';
import { fromHex, toHex } from '../../agent/protocol/bytes.ts';
import { canonicalBytes } from '../../agent/protocol/canonical.ts';
import type { DocumentKind, Documents } from '../../agent/protocol/documents.ts';
import { payloadTypeOf, preAuthEncoding } from '../../agent/protocol/envelope.ts';
import { keyIdOf, recipientKeyId, type SigningKey, sign } from '../../agent/protocol/keys.ts';
import { topicOf } from '../../agent/protocol/topics.ts';
import {
  sampleAgency,
  sampleDispatch,
  sampleDocuments,
  sampleEnvelope,
  sampleGrant,
  sampleKeys,
  sampleManifest,
  sampleNowS,
  sampleRequest,
  sampleRoot,
  sampleSigners,
} from './samples.ts';

/**
 * Writes the vectors `<kind>.json`: envelopes with the verdict that every implementation must reach. The signatures of
 * Ed25519 are deterministic, so the files are too. Run this file to write them; its test compares.
 */
export interface Vector {
  readonly name: string;
  /** Text of the envelope, UTF-8. */
  readonly envelope: string;
  /** Topic under which a request was received, if that is looked at. */
  readonly topic?: string;
  /** `accepted`, or the code of the refusal. */
  readonly expect: string;
}

export interface VectorFile {
  readonly about: string;
  readonly now_s: number;
  readonly context: Readonly<Record<string, unknown>>;
  readonly vectors: readonly Vector[];
}

export const vectorKinds = ['request', 'agency', 'manifest', 'grant', 'dispatch'] as const;
export type VectorKind = (typeof vectorKinds)[number];

const { officer, approver, outcome, stranger, root1, clip } = sampleKeys;

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

/** An envelope over any payload bytes, signed under any type: what only an attacker or a broken program writes. */
function wild(kind: DocumentKind, payload: Uint8Array, keys: readonly SigningKey[], signedAs = kind): string {
  const message = preAuthEncoding(payloadTypeOf(signedAs), payload);
  return JSON.stringify({
    payload: Buffer.from(payload).toString('base64'),
    payloadType: payloadTypeOf(kind),
    signatures: keys.map((key) => ({
      keyid: keyIdOf(key.publicKey),
      sig: Buffer.from(sign(key, message)).toString('base64'),
    })),
  });
}

function edited(kind: DocumentKind, edit: (envelope: Record<string, unknown>) => void): string {
  const envelope = JSON.parse(textOf(sampleEnvelope(kind))) as Record<string, unknown>;
  edit(envelope);
  return JSON.stringify(envelope);
}

/** What is wrong with an envelope or a payload whatever the kind. */
function commonVectors(kind: VectorKind): Vector[] {
  const keys = sampleSigners[kind];
  const payload = textOf(canonicalBytes(sampleDocuments[kind]));
  const other: DocumentKind = kind === 'grant' ? 'manifest' : 'grant';
  const signed = (text: string | Uint8Array): string => wild(kind, Buffer.from(text), keys);
  return [
    { name: 'good', envelope: textOf(sampleEnvelope(kind)), expect: 'accepted' },
    {
      name: 'good, key ids left out',
      envelope: signed(payload).replaceAll(/"keyid":"[0-9a-f]*",/g, ''),
      expect: 'accepted',
    },
    { name: 'no signature', envelope: wild(kind, Buffer.from(payload), []), expect: 'envelope/not-enough-signers' },
    {
      name: 'signed by a stranger',
      envelope: wild(
        kind,
        Buffer.from(payload),
        keys.map(() => stranger),
      ),
      expect: 'envelope/not-enough-signers',
    },
    {
      name: 'signed under another type',
      envelope: wild(kind, Buffer.from(payload), keys, other),
      expect: 'envelope/not-enough-signers',
    },
    { name: 'another type', envelope: wild(other, Buffer.from(payload), keys), expect: 'envelope/wrong-type' },
    { name: 'truncated envelope', envelope: textOf(sampleEnvelope(kind)).slice(0, -2), expect: 'envelope/not-json' },
    { name: 'unknown key in the envelope', envelope: edited(kind, (e) => (e['x'] = 1)), expect: 'envelope/malformed' },
    {
      name: 'white space in base64',
      envelope: edited(kind, (e) => (e['payload'] = ' e30=')),
      expect: 'envelope/not-base64',
    },
    {
      name: 'nine signatures',
      envelope: edited(kind, (e) => (e['signatures'] = Array.from({ length: 9 }, () => ({ sig: '' })))),
      expect: 'envelope/too-many-signatures',
    },
    { name: 'payload not UTF-8', envelope: signed(Uint8Array.of(0x22, 0xff, 0x22)), expect: 'payload/not-utf8' },
    { name: 'payload too deep', envelope: signed(`${'['.repeat(9)}${']'.repeat(9)}`), expect: 'payload/too-deep' },
    { name: 'payload not JSON', envelope: signed(payload.slice(0, -1)), expect: 'payload/not-json' },
    { name: 'payload with white space', envelope: signed(`${payload} `), expect: 'payload/not-canonical' },
    {
      name: 'payload with a duplicate key',
      envelope: signed(payload.replace('{', '{"a":1,"a":1,')),
      expect: 'payload/not-canonical',
    },
    { name: 'payload with 1.0', envelope: signed(payload.replace('{', '{"a":1.0,')), expect: 'payload/not-canonical' },
    { name: 'payload with a fraction', envelope: signed('{"a":0.5}'), expect: 'payload/not-an-integer' },
    { name: 'payload with 2^53', envelope: signed('{"a":9007199254740992}'), expect: 'payload/not-an-integer' },
    { name: 'payload with __proto__', envelope: signed('{"__proto__":{}}'), expect: 'payload/proto-key' },
    {
      name: 'payload with an unknown key',
      envelope: wild(kind, canonicalBytes({ ...sampleDocuments[kind], zzz: 1 }), keys),
      expect: 'payload/schema',
    },
  ];
}

/** A signed variation of the sample. */
function changed<K extends VectorKind>(
  kind: K,
  name: string,
  changes: Partial<Documents[K]>,
  expect: string,
  signers: readonly SigningKey[] = sampleSigners[kind],
): Vector {
  return { name, envelope: textOf(sampleEnvelope(kind, changes, signers)), expect };
}

/** A variation that this project's own writer would refuse to sign. */
function forced(kind: VectorKind, name: string, changes: Readonly<Record<string, unknown>>, expect: string): Vector {
  const payload = canonicalBytes({ ...sampleDocuments[kind], ...changes });
  return { name, envelope: wild(kind, payload, sampleSigners[kind]), expect };
}

function requestVectors(): Vector[] {
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
    forced('request', 'a statement of 1001', { case: { ...about, statement: 'a'.repeat(1001) } }, 'payload/schema'),
    forced(
      'request',
      'a window in milliseconds',
      { window: { from: window.from * 1000, to: window.to * 1000 } },
      'payload/schema',
    ),
  ];
}

function agencyVectors(): Vector[] {
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
    forced('agency', 'an upper-case name', { agency: 'Maple' }, 'payload/schema'),
    forced('agency', 'a hidden character in the name', { name: 'Maple\u200b Police' }, 'payload/forbidden-character'),
  ];
}

function manifestVectors(): Vector[] {
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

function grantVectors(): Vector[] {
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
  ];
}

function dispatchVectors(): Vector[] {
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

const roots = [{ threshold: sampleRoot.threshold, keys: sampleRoot.keys.map(toHex) }];
const kinds: Readonly<Record<VectorKind, { about: string; context: VectorFile['context']; own: () => Vector[] }>> = {
  request: {
    about: 'Accepted by the rules for requests: agency document, two signatures, caps at their defaults.',
    context: { roots, agency_envelope: textOf(sampleEnvelope('agency')) },
    own: requestVectors,
  },
  agency: {
    about: 'Signed by two of the three keys of a pinned root, sound, active and not expired.',
    context: { roots },
    own: agencyVectors,
  },
  manifest: { about: 'Signed by the clip key that it names.', context: {}, own: manifestVectors },
  grant: { about: 'Signed by the per-request owner key that it names.', context: {}, own: grantVectors },
  dispatch: {
    about: 'Signed by the owner root.',
    context: { owner_root: toHex(sampleKeys.ownerRoot.publicKey) },
    own: dispatchVectors,
  },
};

export function buildVectors(kind: VectorKind): VectorFile {
  const { about, context, own } = kinds[kind];
  return { about, now_s: sampleNowS, context, vectors: [...commonVectors(kind), ...own()] };
}

export function vectorPath(kind: VectorKind): string {
  return join(import.meta.dirname, `${kind}.json`);
}

export function vectorText(file: VectorFile): string {
  return `${JSON.stringify(file, undefined, 1)}\n`;
}

if (import.meta.main) for (const kind of vectorKinds) writeFileSync(vectorPath(kind), vectorText(buildVectors(kind)));
