import { createHash, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sampleRecipient } from '../../test-fixtures/vectors/samples.ts';
import { encodeBech32 } from './bech32.ts';
import { fromHex, toHex } from './bytes.ts';
import {
  deriveRequestKey,
  generateSigningKey,
  keyIdOf,
  recipientKeyId,
  requireEnrolableRecipient,
  requireEnrolableSigningKey,
  sign,
  signingKeyFromSeed,
  verify,
} from './keys.ts';
import { fingerprint, fingerprintMatches } from './words.ts';

const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n;
const message = Buffer.from('message');

/** Every encoding of a point of order 1, 2, 4 or 8, and the encodings with y ≥ p. */
const smallOrder = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
];
const nonCanonical = [
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

function enrolCode(run: () => void): string {
  try {
    run();
    return 'enrolled';
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? String(thrown);
  }
}

describe('signing keys', () => {
  it('agree with RFC 8032, test 1', () => {
    const key = signingKeyFromSeed(fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'));
    expect(toHex(key.publicKey)).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    const signature = sign(key, new Uint8Array(0));
    expect(toHex(signature)).toBe(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    );
    expect(verify(key.publicKey, new Uint8Array(0), signature)).toBe(true);
  });

  it('verify nothing else', () => {
    const key = generateSigningKey();
    const signature = sign(key, message);
    expect(verify(key.publicKey, Buffer.from('massage'), signature)).toBe(false);
    expect(verify(generateSigningKey().publicKey, message, signature)).toBe(false);
    expect(verify(key.publicKey, message, signature.subarray(1))).toBe(false);
    expect(verify(key.publicKey.subarray(1), message, signature)).toBe(false);
    // S + L verifies in the group but is another spelling of the signature.
    const s = BigInt(`0x${toHex(signature.slice(32).toReversed())}`) + groupOrder;
    const spelled = fromHex(s.toString(16).padStart(64, '0')).toReversed();
    expect(verify(key.publicKey, message, Buffer.concat([signature.subarray(0, 32), spelled]))).toBe(false);
  });

  it('can be made from 32 bytes only', () => {
    expect(enrolCode(() => signingKeyFromSeed(new Uint8Array(31)))).toBe('keys/bad-length');
    expect(enrolCode(() => requireEnrolableSigningKey(new Uint8Array(31)))).toBe('keys/bad-length');
    expect(enrolCode(() => requireEnrolableSigningKey(generateSigningKey().publicKey))).toBe('enrolled');
  });

  it.each(smallOrder)('of small order are refused: %s', (hex) => {
    expect(enrolCode(() => requireEnrolableSigningKey(fromHex(hex)))).toBe('keys/small-order');
  });

  it.each(nonCanonical)('in a forbidden spelling are refused: %s', (hex) => {
    expect(enrolCode(() => requireEnrolableSigningKey(fromHex(hex)))).toBe('keys/non-canonical');
  });

  it('that are no point of the curve are refused', () => {
    const y2 = `02${'00'.repeat(31)}`;
    expect(enrolCode(() => requireEnrolableSigningKey(fromHex(y2)))).toBe('keys/not-on-curve');
  });

  it('of small order verify no forgery', () => {
    // A is the neutral element, R = s·B and S = s: then S·B = R + h·A for every message. OpenSSL 3.0 says yes to this
    // (seen with 3.0.22); the OpenSSL 3.5 of the pinned Node says no. It must not depend on either.
    const scalar = createHash('sha512').update(new Uint8Array(32).fill(5)).digest().subarray(0, 32);
    scalar[0] = (scalar[0] ?? 0) & 248;
    scalar[31] = ((scalar[31] ?? 0) & 127) | 64;
    const s = BigInt(`0x${toHex(scalar.toReversed())}`) % groupOrder;
    const { publicKey } = signingKeyFromSeed(new Uint8Array(32).fill(5));
    const forgery = Buffer.concat([publicKey, fromHex(s.toString(16).padStart(64, '0')).toReversed()]);
    for (const hex of smallOrder) expect(verify(fromHex(hex), message, forgery)).toBe(false);
  });
});

describe('recipients', () => {
  const lowOrder = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ];

  it('are enrolled if they are proper', () => {
    expect(enrolCode(() => requireEnrolableRecipient(sampleRecipient))).toBe('enrolled');
    expect(recipientKeyId(sampleRecipient)).toMatch(/^[0-9a-f]{16}$/);
  });

  it.each(lowOrder)('of low order are refused, as node:crypto finds them useless: %s', (hex) => {
    expect(enrolCode(() => requireEnrolableRecipient(encodeBech32('age', fromHex(hex))))).toBe(
      'keys/recipient-low-order',
    );
    const { privateKey } = generateKeyPairSync('x25519');
    const spki = Buffer.concat([fromHex('302a300506032b656e032100'), fromHex(hex)]);
    const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    expect(() => diffieHellman({ privateKey, publicKey })).toThrow();
  });

  it.each([
    ['upper case', sampleRecipient.toUpperCase()],
    ['a wrong checksum', `${sampleRecipient.slice(0, -1)}q`],
    ['another prefix', encodeBech32('agf', new Uint8Array(32).fill(9))],
    ['too short', encodeBech32('age', new Uint8Array(31).fill(9))],
    ['an SSH key', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ'],
  ])('are refused: %s', (_name, recipient) => {
    expect(enrolCode(() => requireEnrolableRecipient(recipient))).toBe('keys/recipient-malformed');
  });
});

describe('derived keys', () => {
  it('differ by seed, agency and request, and are always the same', () => {
    const seed = new Uint8Array(32).fill(1);
    const hash = 'ab'.repeat(32);
    const keys = [
      deriveRequestKey(seed, 'maple', hash),
      deriveRequestKey(seed, 'oak', hash),
      deriveRequestKey(seed, 'maple', 'ac'.repeat(32)),
      deriveRequestKey(new Uint8Array(32).fill(2), 'maple', hash),
    ];
    expect(new Set(keys.map((key) => keyIdOf(key.publicKey))).size).toBe(4);
    expect(deriveRequestKey(seed, 'maple', hash).publicKey).toEqual(keys[0]?.publicKey);
    expect(keyIdOf(keys[0]?.publicKey ?? new Uint8Array())).toBe('3d9ca6febd53485e');
  });

  it('have a fingerprint to type back, whatever their order', () => {
    const keys = [1, 2, 3].map((n) => signingKeyFromSeed(new Uint8Array(32).fill(n)).publicKey);
    const shown = fingerprint(keys);
    expect(shown).toMatch(/^([0-9a-f]{4} ){7}[0-9a-f]{4}$/);
    expect(fingerprint(keys.toReversed())).toBe(shown);
    expect(fingerprintMatches(` ${shown.toUpperCase().replaceAll(' ', '-')} `, keys)).toBe(true);
    expect(fingerprintMatches(shown.slice(0, -1), keys)).toBe(false);
    expect(fingerprintMatches('', keys)).toBe(false);
  });
});
