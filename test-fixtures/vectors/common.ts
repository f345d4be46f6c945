import { canonicalBytes } from '../../agent/protocol/canonical.ts';
import type { DocumentKind, Documents } from '../../agent/protocol/documents.ts';
import { payloadTypeOf, preAuthEncoding } from '../../agent/protocol/envelope.ts';
import { keyIdOf, type SigningKey, sign } from '../../agent/protocol/keys.ts';
import type { Runs } from './runs.ts';
import { sampleDocuments, sampleEnvelope, sampleKeys, sampleSigners } from './samples.ts';

/** How vectors are written, and the ones that every kind has: what can be wrong whatever the document says. */
export interface Vector {
  readonly name: string;
  /** Text of the envelope, UTF-8. */
  readonly envelope: Runs;
  /** Topic under which it was received, if that is looked at. */
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

/** Spellings of an envelope that mean the same, and some that nearly do. */
function spellings(kind: VectorKind): Vector[] {
  const good = textOf(sampleEnvelope(kind));
  const wrongSignatures = Array.from({ length: 6 }, () => ({ sig: Buffer.alloc(64, 7).toString('base64') }));
  type Signatures = { keyid: string; sig: string }[];
  const signaturesOf = (e: Record<string, unknown>): Signatures => e['signatures'] as Signatures;
  return [
    {
      name: 'good, white space and escapes in the envelope',
      envelope: ` ${good.replace('"payload"', '\n"\\u0070ayload" ')}\r\n`,
      expect: 'accepted',
    },
    {
      name: 'good, an empty payload named before the real one',
      envelope: good.replace('{', '{"payload":"",'),
      expect: 'accepted',
    },
    {
      name: 'good, base64 in the URL-safe alphabet',
      envelope: edited(kind, (e) => {
        const spell = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_');
        e['payload'] = spell(String(e['payload']));
        for (const signature of signaturesOf(e)) signature.sig = spell(signature.sig);
      }),
      expect: 'accepted',
    },
    {
      name: 'good, false key ids',
      envelope: edited(kind, (e) => {
        for (const signature of signaturesOf(e)) signature.keyid = 'none';
      }),
      expect: 'accepted',
    },
    {
      name: 'good, behind six wrong signatures',
      envelope: edited(kind, (e) => (e['signatures'] = [...wrongSignatures, ...signaturesOf(e)])),
      expect: 'accepted',
    },
    {
      name: 'base64 without padding',
      envelope: edited(kind, (e) => {
        for (const signature of signaturesOf(e)) signature.sig = signature.sig.replaceAll('=', '');
      }),
      expect: 'envelope/not-base64',
    },
    { name: 'a byte order mark', envelope: `\ufeff${good}`, expect: 'envelope/not-json' },
    { name: 'text behind the envelope', envelope: `${good}{}`, expect: 'envelope/not-json' },
    { name: 'NaN in the envelope', envelope: good.replace('{', '{"x":NaN,'), expect: 'envelope/not-json' },
    {
      name: 'a key id that is a number',
      envelope: good.replace(/"keyid":"[0-9a-f]*"/, '"keyid":1'),
      expect: 'envelope/malformed',
    },
  ];
}

const payloadTexts: readonly (readonly [string, string, string])[] = [
  ['payload with -0', '{"a":-0}', 'payload/not-canonical'],
  ['payload with 1e2', '{"a":1e2}', 'payload/not-canonical'],
  ['payload with 1e+21', '{"a":1e+21}', 'payload/not-an-integer'],
  ['payload with 1e-7', '{"a":1e-7}', 'payload/not-an-integer'],
  ['payload with 1e400', '{"a":1e400}', 'payload/not-canonical'],
  ['payload with 2^53 + 1', '{"a":9007199254740993}', 'payload/not-canonical'],
  ['payload with a needless escape', '{"\\u0061":1}', 'payload/not-canonical'],
  ['payload with an escaped solidus', '{"a":"\\/"}', 'payload/not-canonical'],
  ['payload with a lone surrogate', '{"a":"\\ud800"}', 'payload/not-canonical'],
  ['payload sorted by code points', '{"\ufb33":1,"\u{1f600}":1}', 'payload/not-canonical'],
  ['payload sorted by UTF-16', '{"\u{1f600}":1,"\ufb33":1}', 'payload/schema'],
  ['payload that is null', 'null', 'payload/schema'],
  ['payload that is a list', '[]', 'payload/schema'],
];

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
    ...payloadTexts.map(([name, text, expect]) => ({ name, envelope: signed(text), expect })),
    ...spellings(kind),
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
