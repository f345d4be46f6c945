/**
 * Certificates that a house makes for itself: a name-constrained authority and the leaves under it (ECDSA P-256). The
 * constraint (RFC 5280, 4.2.1.10, critical) is what makes it harmless to trust the authority on a phone: stolen, it
 * can vouch for this house's names and private addresses, and for nobody's bank.
 */
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { isIP } from 'node:net';
import { bitString, bool, der, integer, objectId, octetString, sequence, time, utf8String } from './der.ts';
import { AgentError } from './errors.ts';

const dayMs = 86_400_000;
const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'));

/** Addresses that only mean something inside a house: RFC 1918, link-local, unique local, loopback. */
export const houseIpRanges: readonly string[] = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '127.0.0.0/8',
  'fc00::/7',
  'fe80::/10',
  '::1/128',
];

export interface CertificateAndKey {
  readonly certificatePem: string;
  /** PKCS #8, unencrypted: the caller keeps it in a private folder. */
  readonly keyPem: string;
}

/**
 * Makes a self-signed authority for exactly these DNS names (and what lies below them) and these CIDR ranges. An empty
 * list permits no name of that kind at all.
 */
export async function makeAuthority(options: {
  readonly name: string;
  readonly permittedDnsNames: readonly string[];
  readonly permittedIpRanges: readonly string[];
  readonly validDays: number;
  readonly nowMs?: number;
}): Promise<CertificateAndKey> {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = commonName(options.name);
  return certificate({
    subject,
    issuer: subject,
    publicKey: keys.publicKey,
    privateKey: keys.privateKey,
    signingKey: keys.privateKey,
    nowMs: options.nowMs ?? Date.now(),
    validDays: options.validDays,
    extensions: [
      extension('2.5.29.19', true, sequence(bool(true), integer(Buffer.of(0)))),
      extension('2.5.29.15', true, bitString(Buffer.of(0b0000_0100), 2)),
      extension('2.5.29.30', true, nameConstraints(options.permittedDnsNames, options.permittedIpRanges)),
      extension('2.5.29.14', false, octetString(keyIdentifier(keys.publicKey))),
    ],
  });
}

/**
 * Issues a TLS server certificate. Names outside the authority's constraint are issued too and refused by every
 * verifier; a caller that may be asked for other names makes a new authority.
 */
export async function issueLeaf(options: {
  readonly authority: CertificateAndKey;
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  readonly validDays: number;
  readonly nowMs?: number;
}): Promise<CertificateAndKey> {
  const authority = parse(options.authority.certificatePem);
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const names = [
    ...options.names.map((name) => der(0x82, Buffer.from(name, 'ascii'))),
    ...options.addresses.map((address) => der(0x87, addressBytes(address))),
  ];
  return certificate({
    // Not a host name: verifiers that still read the common name must find nothing to compare there.
    subject: commonName('Latchkey device'),
    issuer: commonName(authority.toLegacyObject().subject.CN?.toString() ?? ''),
    publicKey: keys.publicKey,
    privateKey: keys.privateKey,
    signingKey: createPrivateKey(options.authority.keyPem),
    nowMs: options.nowMs ?? Date.now(),
    validDays: options.validDays,
    extensions: [
      extension('2.5.29.19', true, sequence()),
      extension('2.5.29.15', true, bitString(Buffer.of(0b1000_0000), 7)),
      extension('2.5.29.37', false, sequence(objectId('1.3.6.1.5.5.7.3.1'))),
      extension('2.5.29.17', false, sequence(...names)),
      extension('2.5.29.14', false, octetString(keyIdentifier(keys.publicKey))),
      extension('2.5.29.35', false, sequence(der(0x80, keyIdentifier(authority.publicKey)))),
    ],
  });
}

/** SHA-256 over the certificate's DER, upper-case hex with colons, as browsers and `openssl x509` show it. */
export function certificateFingerprint(certificatePem: string): string {
  return parse(certificatePem).fingerprint256;
}

export function leafExpiresAtMs(certificatePem: string): number {
  return parse(certificatePem).validToDate.getTime();
}

function parse(certificatePem: string): X509Certificate {
  try {
    return new X509Certificate(certificatePem);
  } catch (cause) {
    throw new AgentError('corrupt', 'base/bad-certificate', 'Cannot read the certificate: it is not X.509 in PEM', {
      cause,
    });
  }
}

function certificate(part: {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  readonly signingKey: KeyObject;
  readonly nowMs: number;
  readonly validDays: number;
  readonly extensions: readonly Buffer[];
}): CertificateAndKey {
  const signed = sequence(
    der(0xa0, integer(Buffer.of(2))),
    integer(randomBytes(16)),
    ecdsaWithSha256,
    part.issuer,
    // Backdated by a day, because the reader's clock may be behind ours.
    sequence(time(part.nowMs - dayMs), time(part.nowMs + part.validDays * dayMs)),
    part.subject,
    part.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...part.extensions)),
  );
  const whole = sequence(signed, ecdsaWithSha256, bitString(sign('sha256', signed, part.signingKey)));
  const lines = whole.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return {
    certificatePem: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    keyPem: part.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function commonName(name: string): Buffer {
  return sequence(der(0x31, sequence(objectId('2.5.4.3'), utf8String(name))));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(objectId(id), ...(critical ? [bool(true)] : []), octetString(value));
}

/** RFC 5280 4.2.1.2, method 1: SHA-1 of the key's bits. It only tells keys apart; nothing rests on SHA-1 here. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha1').update(spki.subarray(-65)).digest();
}

function nameConstraints(dnsNames: readonly string[], ipRanges: readonly string[]): Buffer {
  const permitted = [
    ...dnsNames.map((name) => subtree(0x82, Buffer.from(name, 'ascii'))),
    ...ipRanges.map((range) => subtree(0x87, addressAndMask(range))),
  ];
  // A kind of name that isn't mentioned would be unlimited, so an empty list is written as "everything excluded".
  const excluded = [
    ...(dnsNames.length === 0 ? [subtree(0x82, Buffer.alloc(0))] : []),
    ...(ipRanges.length === 0 ? [subtree(0x87, Buffer.alloc(8)), subtree(0x87, Buffer.alloc(32))] : []),
  ];
  return sequence(
    ...(permitted.length > 0 ? [der(0xa0, ...permitted)] : []),
    ...(excluded.length > 0 ? [der(0xa1, ...excluded)] : []),
  );
}

/** `GeneralSubtree` with only its base: a `GeneralName` of the given context tag. */
function subtree(tag: number, value: Buffer): Buffer {
  return sequence(der(tag, value));
}

/** `10.0.0.0/8` → the address and its mask, 4 + 4 or 16 + 16 bytes. */
function addressAndMask(range: string): Buffer {
  const [address = '', bits = ''] = range.split('/');
  const base = isIP(address) === 0 ? Buffer.alloc(0) : addressBytes(address);
  const prefix = Number(bits);
  if (base.length === 0 || !/^\d{1,3}$/.test(bits) || prefix > base.length * 8) {
    throw new AgentError('usage', 'base/bad-ip-range', `Cannot permit ${range}: it is not a range such as 10.0.0.0/8`);
  }
  const mask = Buffer.alloc(base.length);
  for (let i = 0; i < prefix; i++) mask[i >> 3] = (mask[i >> 3] ?? 0) | (0x80 >> (i & 7));
  return Buffer.concat([base, mask]);
}

/** 4 or 16 bytes; an IPv6 zone (`fe80::1%eth0`) is left out, because a certificate can't carry one. */
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = (address.split('%')[0] ?? '').split('::');
  const left = hexGroups(head);
  const right = hexGroups(tail);
  const words = [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Buffer.from(words.flatMap((word) => [word >> 8, word & 0xff]));
}

function hexGroups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}
