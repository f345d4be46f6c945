import { canonicalBytes } from '../../agent/protocol/canonical.ts';
import type { DocumentKind, Documents } from '../../agent/protocol/documents.ts';
import { payloadTypeOf, preAuthEncoding } from '../../agent/protocol/envelope.ts';
import { keyIdOf, type SigningKey, sign } from '../../agent/protocol/keys.ts';
import { sampleDocuments, sampleEnvelope, sampleKeys, sampleSigners } from './samples.ts';

/** How vectors are written, and the ones that every kind has: what can be wrong whatever the document says. */
export interface Vector {
  readonly name: string;
  /** Text of the envelope, UTF-8. */
  readonly envelope: string;
  /** Topic under which a request was received, if that is looked at. */
  readonly topic?: string;
  /** `accepted`, or the code of the refusal. */
  readonly expect: string;
}

export type VectorKind = DocumentKind;

const { stranger } = sampleKeys;

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

/** An envelope over any payload bytes, signed under any type: what only an attacker or a broken program writes. */
export function wild(kind: DocumentKind, payload: Uint8Array, keys: readonly SigningKey[], signedAs = kind): string {
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
export function commonVectors(kind: VectorKind): Vector[] {
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
export function changed<K extends VectorKind>(
  kind: K,
  name: string,
  changes: Partial<Documents[K]>,
  expect: string,
  signers: readonly SigningKey[] = sampleSigners[kind],
): Vector {
  return { name, envelope: textOf(sampleEnvelope(kind, changes, signers)), expect };
}

/** A variation that this project's own writer would refuse to sign. */
export function forced(
  kind: VectorKind,
  name: string,
  changes: Readonly<Record<string, unknown>>,
  expect: string,
): Vector {
  const payload = canonicalBytes({ ...sampleDocuments[kind], ...changes });
  return { name, envelope: wild(kind, payload, sampleSigners[kind]), expect };
}
