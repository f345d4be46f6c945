import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutate, numbersFrom } from '../../test-fixtures/vectors/mutate.ts';
import {
  sampleDocuments,
  sampleEnvelope,
  sampleGrant,
  sampleKeys,
  sampleRecipient,
  sampleSigners,
} from '../../test-fixtures/vectors/samples.ts';
import { AgentError } from '../base/errors.ts';
import { canonicalBytes } from './canonical.ts';
import { documentKinds, parseDocument } from './documents.ts';
import {
  cosignEnvelope,
  maxEnvelopeBytes,
  openEnvelope,
  payloadTypeOf,
  peekDocument,
  preAuthEncoding,
  type SignerRule,
  signEnvelope,
} from './envelope.ts';
import { keyIdOf, sign } from './keys.ts';
import { maxGrantBytes } from './share-names.ts';

const { officer, approver, stranger } = sampleKeys;
const twoRoles: SignerRule[] = [
  { role: 'officer', threshold: 1, keys: [officer.publicKey] },
  { role: 'approver', threshold: 1, keys: [approver.publicKey] },
];

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'opened';
  } catch (thrown) {
    if (!(thrown instanceof AgentError)) throw thrown;
    return thrown.code;
  }
}

function rewritten(edit: (envelope: Record<string, unknown>) => void): Uint8Array {
  const envelope = JSON.parse(Buffer.from(sampleEnvelope('request')).toString()) as Record<string, unknown>;
  edit(envelope);
  return Buffer.from(JSON.stringify(envelope));
}

const open = (bytes: Uint8Array, rules = twoRoles): string => codeOf(() => openEnvelope('request', bytes, rules));

describe('an envelope', () => {
  it('signs what DSSE says', () => {
    const encoded = preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world'));
    expect(Buffer.from(encoded).toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  it.each(documentKinds)('carries a %s there and back', (kind) => {
    const keys = sampleSigners[kind].map(({ publicKey }) => publicKey);
    const opened = openEnvelope(kind, sampleEnvelope(kind), [{ role: 'all', threshold: keys.length, keys }]);
    expect(opened.document).toEqual(sampleDocuments[kind]);
    expect(opened.signerKeyIds['all']).toEqual(keys.map(keyIdOf));
    expect(Buffer.compare(opened.payload, canonicalBytes(sampleDocuments[kind]))).toBe(0);
    const { unverified, hash } = peekDocument(kind, sampleEnvelope(kind));
    expect([unverified, hash]).toEqual([sampleDocuments[kind], opened.hash]);
  });

  it('of one kind never opens as another, signed for its own or any kind', () => {
    for (const signed of documentKinds) {
      for (const asked of documentKinds) {
        if (signed === asked) continue;
        const rule = { role: 'any', threshold: 1, keys: sampleSigners[signed].map(({ publicKey }) => publicKey) };
        expect(codeOf(() => openEnvelope(asked, sampleEnvelope(signed), [rule]))).toBe('envelope/wrong-type');
        const relabelled = JSON.parse(Buffer.from(sampleEnvelope(signed)).toString()) as { payloadType: string };
        relabelled.payloadType = payloadTypeOf(asked);
        const bytes = Buffer.from(JSON.stringify(relabelled));
        expect(codeOf(() => openEnvelope(asked, bytes, [rule]))).toBe('envelope/not-enough-signers');
        // Even a payload that its signer put under the wrong type fails the schema.
        const payload = canonicalBytes(sampleDocuments[signed]);
        const [key] = sampleSigners[signed];
        if (key === undefined) throw new Error('every kind has a signer');
        const misused = envelopeOf(asked, payload, [
          { keyid: '', sig: sign(key, preAuthEncoding(payloadTypeOf(asked), payload)) },
        ]);
        expect(codeOf(() => openEnvelope(asked, misused, [rule]))).toBe('payload/schema');
      }
    }
  });

  it('counts distinct keys in their roles', () => {
    const signedBy = (...keys: (typeof officer)[]): string => open(sampleEnvelope('request', {}, keys));
    const tooFew = 'envelope/not-enough-signers';
    expect(signedBy(officer, approver)).toBe('opened');
    expect(signedBy(approver, stranger, officer)).toBe('opened');
    expect([signedBy(), signedBy(officer), signedBy(officer, officer), signedBy(officer, stranger)]).toEqual(
      Array.from({ length: 4 }, () => tooFew),
    );
    const two = { role: 'officer', threshold: 2, keys: [officer.publicKey, officer.publicKey, stranger.publicKey] };
    expect(open(sampleEnvelope('request', {}, [officer, officer]), [two])).toBe(tooFew);
    expect(open(sampleEnvelope('request', {}, [officer, stranger]), [two])).toBe('opened');
  });

  it('is never opened by rules that one key could fill twice, or that demand nobody', () => {
    const both = [officer.publicKey, approver.publicKey];
    const rules = [
      { role: 'officer', threshold: 1, keys: both },
      { role: 'approver', threshold: 1, keys: both },
    ];
    expect(open(sampleEnvelope('request'), rules)).toBe('envelope/key-in-two-roles');
    expect(open(sampleEnvelope('request'), [])).toBe('envelope/no-threshold');
    expect(open(sampleEnvelope('request'), [{ role: 'x', threshold: 0, keys: both }])).toBe('envelope/no-threshold');
  });

  it('takes key ids as hints only, and either base64 alphabet', () => {
    type Signature = { keyid?: string; sig: string };
    expect(open(rewritten((e) => (e['signatures'] as Signature[]).forEach((s) => delete s.keyid)))).toBe('opened');
    expect(open(rewritten((e) => (e['signatures'] as Signature[]).forEach((s) => (s.keyid = 'f'.repeat(16)))))).toBe(
      'opened',
    );
    const urlSafe = rewritten((e) => (e['payload'] = String(e['payload']).replaceAll('+', '-').replaceAll('/', '_')));
    expect(open(urlSafe)).toBe('opened');
  });

  const malformed: [string, Uint8Array, string][] = [
    ['too large', Buffer.alloc(maxEnvelopeBytes + 1, 0x20), 'envelope/too-large'],
    ['not UTF-8', Buffer.from([0x22, 0xff]), 'envelope/not-json'],
    ['not JSON', Buffer.from('{'), 'envelope/not-json'],
    ['an unknown key', rewritten((e) => (e['extra'] = 1)), 'envelope/malformed'],
    ['no signatures', rewritten((e) => delete e['signatures']), 'envelope/malformed'],
    ['base64 with spaces', rewritten((e) => (e['payload'] = `${String(e['payload'])} `)), 'envelope/not-base64'],
    ['base64 with loose bits', rewritten((e) => (e['payload'] = 'QQF=')), 'envelope/not-base64'],
    ['unpadded base64', rewritten((e) => (e['payload'] = 'QQ')), 'envelope/not-base64'],
    [
      'nine signatures',
      rewritten((e) => (e['signatures'] = Array.from({ length: 9 }, () => ({ sig: 'QQ==' })))),
      'envelope/too-many-signatures',
    ],
    ['an altered payload', rewritten((e) => (e['payload'] = 'e30=')), 'envelope/not-enough-signers'],
  ];
  it.each(malformed)('is refused: %s', (_name, bytes, code) => {
    expect(open(bytes)).toBe(code);
  });

  it('may be larger where a grant is expected, which names every file of a share', () => {
    const long = (kind: 'request' | 'grant', bytes: number) => () =>
      peekDocument(kind, Buffer.from(Buffer.from(sampleEnvelope(kind)).toString().padEnd(bytes)));
    expect(codeOf(long('request', maxEnvelopeBytes))).toBe('opened');
    expect(codeOf(long('request', maxEnvelopeBytes + 1))).toBe('envelope/too-large');
    expect(codeOf(long('grant', maxGrantBytes.envelope))).toBe('opened');
    expect(codeOf(long('grant', maxGrantBytes.envelope + 1))).toBe('envelope/too-large');
    const passedOff = sampleEnvelope('grant', {
      media: Array.from({ length: 512 }, () => sampleGrant.media[0] as never),
    });
    expect(codeOf(() => peekDocument('grant', passedOff))).toBe('opened');
    expect(codeOf(() => peekDocument('request', passedOff))).toBe('envelope/too-large');
  });

  it('is parsed only after its signatures: hostile payloads get the signature’s refusal', () => {
    const payload = Buffer.from('['.repeat(30_000));
    const unsigned = envelopeOf('request', payload, []);
    expect(open(unsigned)).toBe('envelope/not-enough-signers');
    const message = preAuthEncoding(payloadTypeOf('request'), payload);
    const signed = envelopeOf(
      'request',
      payload,
      [officer, approver].map((key) => ({ keyid: '', sig: sign(key, message) })),
    );
    expect(open(signed)).toBe('payload/too-deep');
  });

  it('is co-signed without touching its payload', () => {
    const first = sampleEnvelope('request', {}, [officer]);
    expect(open(cosignEnvelope('request', first, [approver]))).toBe('opened');
    expect(codeOf(() => cosignEnvelope('agency', first, [approver]))).toBe('envelope/wrong-type');
    expect(
      codeOf(() =>
        cosignEnvelope(
          'request',
          first,
          Array.from({ length: 8 }, () => approver),
        ),
      ),
    ).toBe('envelope/not-writable');
  });

  it('is not made for a document against its schema', () => {
    const wrong = { ...sampleDocuments.demand, share_id: 'short' };
    expect(codeOf(() => signEnvelope('demand', wrong, [officer]))).toBe('payload/schema');
    const hidden = { ...sampleDocuments.revocation, reason: 'a\u202eb' };
    expect(codeOf(() => signEnvelope('revocation', hidden, [officer]))).toBe('payload/forbidden-character');
  });
});

function envelopeOf(
  kind: (typeof documentKinds)[number],
  payload: Uint8Array,
  signatures: readonly { keyid: string; sig: Uint8Array }[],
): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      payload: Buffer.from(payload).toString('base64'),
      payloadType: payloadTypeOf(kind),
      signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig: Buffer.from(sig).toString('base64') })),
    }),
  );
}

describe('20,000 mutated envelopes', () => {
  const original = Buffer.from(sampleEnvelope('request'));
  const { hash } = peekDocument('request', original);

  it('are never accepted as anything else, and never end in another error', () => {
    const next = numbersFrom(0x2026_1121);
    let harmless = 0;
    for (let i = 0; i < 20_000; i++) {
      const bytes = mutate(original, next);
      try {
        // What still opens differs in key id hints or white space only: it says exactly the same.
        expect(openEnvelope('request', bytes, twoRoles).hash).toBe(hash);
        harmless++;
      } catch (thrown) {
        if (!(thrown instanceof AgentError) || thrown.kind !== 'refused') throw thrown;
      }
    }
    expect(harmless).toBeLessThan(2000);
  });

  it('and mutated payloads, signed again, are read only in canonical form', () => {
    const payload = Buffer.from(canonicalBytes(sampleDocuments.request));
    fc.assert(
      fc.property(fc.nat(payload.length - 1), fc.nat(255), fc.boolean(), (at, byte, insert) => {
        const bytes = insert
          ? Buffer.concat([payload.subarray(0, at), Buffer.of(byte), payload.subarray(at)])
          : Buffer.concat([payload.subarray(0, at), Buffer.of(byte), payload.subarray(at + 1)]);
        const message = preAuthEncoding(payloadTypeOf('request'), bytes);
        const signatures = [officer, approver].map((key) => ({ keyid: '', sig: sign(key, message) }));
        try {
          const { document } = openEnvelope('request', envelopeOf('request', bytes, signatures), twoRoles);
          expect(Buffer.compare(canonicalBytes(document), bytes)).toBe(0);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(AgentError);
          expect((thrown as AgentError).code).toMatch(/^payload\//);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('addresses in documents', () => {
  const agencyWith = (https: string): string =>
    codeOf(() => parseDocument('agency', { ...sampleDocuments.agency, upload: { https } }));
  it.each(['https://a.example/', 'https://a.example:8443/shares/', 'http://127.0.0.1:9000/', 'http://[::1]:9000/x'])(
    'may be %s',
    (https) => expect(agencyWith(https)).toBe('opened'),
  );
  it.each([
    'http://a.example/',
    'http://127.0.0.1.example/',
    'http://localhost/',
    'https://user:pass@a.example/',
    'https://a.example/?q',
    'https://a.example/#f',
    'https://a.example\\b/',
    'ftp://a.example/',
    'javascript:alert(1)',
    'https://bücher.example/',
    '',
  ])('may not be %s', (https) => expect(agencyWith(https)).toBe('payload/schema'));

  it('and recipients are age keys', () => {
    expect(sampleRecipient).toMatch(/^age1/);
    const recipient = { ...sampleDocuments.agency.recipient, age: 'ssh-ed25519 AAAA' };
    expect(codeOf(() => parseDocument('agency', { ...sampleDocuments.agency, recipient }))).toBe('payload/schema');
  });
});
