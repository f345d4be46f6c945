import {
  createPrivateKey,
  createPublicKey,
  sign as edSign,
  verify as edVerify,
  hkdfSync,
  randomBytes,
} from 'node:crypto';
import { decodeBech32 } from './bech32.ts';
import { fromHex, sha256, toHex } from './bytes.ts';
import { encodingProblem, isLowOrderMontgomery, pointProblem } from './curve.ts';
import { refusal } from './refuse.ts';

/** Ed25519 signing keys (RFC 8032) as raw bytes, key ids, and which foreign keys may be enrolled at all. */
export interface SigningKey {
  /** 32 bytes; the private half. */
  readonly seed: Uint8Array;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

const pkcs8Prefix = fromHex('302e020100300506032b657004220420');
const spkiPrefix = fromHex('302a300506032b6570032100');

export function generateSigningKey(random: (bytes: number) => Uint8Array = randomBytes): SigningKey {
  return signingKeyFromSeed(new Uint8Array(random(32)));
}

export function signingKeyFromSeed(seed: Uint8Array): SigningKey {
  if (seed.length !== 32) throw refusal('keys/bad-length', 'Cannot use the signing key: a seed has 32 bytes');
  const spki = createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' });
  return { seed: new Uint8Array(seed), publicKey: new Uint8Array(spki.subarray(spkiPrefix.length)) };
}

function privateKeyOf(seed: Uint8Array): ReturnType<typeof createPrivateKey> {
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
}

export function sign(key: SigningKey, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(edSign(null, bytes, privateKeyOf(key.seed)));
}

/** False for anything wrong, malformed keys and signatures and keys that can't be enrolled included. */
export function verify(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64 || encodingProblem(publicKey) !== undefined) return false;
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' });
  return edVerify(null, bytes, key, signature);
}

/** First 16 hex digits of SHA-256 of the raw public key: a hint, never proof. */
export function keyIdOf(publicKey: Uint8Array): string {
  return toHex(sha256(publicKey).subarray(0, 8));
}

function decodeAgeRecipient(recipient: string): Uint8Array {
  // 62 characters: "age1", 52 for 256 bits, 6 of checksum. Only the lower-case spelling names a key.
  const raw =
    recipient.length === 62 && recipient === recipient.toLowerCase() ? decodeBech32('age', recipient) : undefined;
  if (raw?.length !== 32) throw refusal('keys/recipient-malformed', 'Cannot use the recipient: not an age1 X25519 key');
  return raw;
}

/** Key id of an age recipient: that of its raw X25519 public key. */
export function recipientKeyId(recipient: string): string {
  return keyIdOf(decodeAgeRecipient(recipient));
}

/** Under a key of small order anybody can forge signatures that OpenSSL 3.0 accepts, so none is ever enrolled. */
export function requireEnrolableSigningKey(publicKey: Uint8Array): void {
  const problem = pointProblem(publicKey);
  if (problem !== undefined) throw refusal(`keys/${problem}`, `Cannot enrol the signing key: ${problem}`);
}

/** Accepts an `age1…` X25519 recipient whose shared secret can't be guessed; anything else is refused. */
export function requireEnrolableRecipient(recipient: string): void {
  if (isLowOrderMontgomery(decodeAgeRecipient(recipient))) {
    throw refusal('keys/recipient-low-order', 'Cannot enrol the recipient: its key has a small order');
  }
}

/**
 * The owner's signing key for one request: two agencies (or two requests) see keys that nothing links.
 * HKDF-SHA-256, no salt, info = "latchkey/receipt/v1" ‖ agency ‖ request hash (32 bytes, so the join is unambiguous).
 */
export function deriveRequestKey(ownerSeed: Uint8Array, agency: string, requestHash: string): SigningKey {
  const info = Buffer.concat([Buffer.from(`latchkey/receipt/v1${agency}`, 'utf8'), fromHex(requestHash)]);
  return signingKeyFromSeed(new Uint8Array(hkdfSync('sha256', ownerSeed, new Uint8Array(0), info, 32)));
}
