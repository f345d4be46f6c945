import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  scrypt,
} from 'node:crypto';
import { AgentError } from '../base/errors.ts';
import {
  damaged,
  deriveKey,
  encodeHeader,
  encodeStanza,
  fileKeyBytes,
  fromBase64,
  headerLength,
  parseHeader,
  type Stanza,
  unwrapKey,
  wrapKey,
} from './age-header.ts';
import { ChunkSealer, openChunks, sealChunks } from './age-stream.ts';
import { decodeBech32, encodeBech32 } from './bech32.ts';

/**
 * Sealing and opening age files (C2SP age.md) with X25519 recipients or a passphrase, over node:crypto: stock `age` opens
 * what is sealed here and the other way round. Every file has its own file key, and the header can be kept apart from the
 * body, so that a wrapped key is released or re-wrapped without touching what it opens.
 */

/** `header` is the text up to its MAC line; header followed by body is one complete age file. */
export interface SealedFile {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

/** A parsed private X25519 identity. It is a secret: never logged, never sent but to the vault. */
export interface OwnerIdentity {
  readonly recipient: string;
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

const privatePrefix = Buffer.from('302e020100300506032b656e04220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b656e032100', 'hex');
const x25519Label = 'age-encryption.org/v1/X25519';
const scryptLabel = 'age-encryption.org/v1/scrypt';
const passphraseType = 'scrypt';
/** 2^18 takes 256 MiB; a file that asks for more is refused rather than let it exhaust a small device. */
const maxWorkFactorLog2 = 18;

function publicKeyOf(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([publicPrefix, raw]), format: 'der', type: 'spki' });
}

function rawPublic(key: KeyObject): Uint8Array {
  return key.export({ format: 'der', type: 'spki' }).subarray(-32);
}

/** The raw X25519 key of an `age1…` recipient; throws `age/bad-recipient`. */
export function parseRecipient(recipient: string): Uint8Array {
  const raw = decodeBech32('age', recipient);
  if (raw?.length !== 32 || recipient !== recipient.toLowerCase()) {
    throw new AgentError('usage', 'age/bad-recipient', 'Cannot use the recipient: it is not an age X25519 recipient');
  }
  return raw;
}

/** Parses `AGE-SECRET-KEY-1…`; throws `age/bad-identity`. */
export function parseIdentity(identity: string): OwnerIdentity {
  const raw = decodeBech32('age-secret-key-', identity);
  if (raw?.length !== 32 || identity !== identity.toUpperCase()) {
    throw new AgentError('usage', 'age/bad-identity', 'Cannot use the identity: it is not an age X25519 identity');
  }
  const privateKey = createPrivateKey({ key: Buffer.concat([privatePrefix, raw]), format: 'der', type: 'pkcs8' });
  const publicKey = rawPublic(createPublicKey(privateKey));
  return { recipient: encodeBech32('age', publicKey), publicKey, privateKey };
}

export function generateIdentity(): { identity: string; recipient: string } {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const raw = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  return {
    identity: encodeBech32('age-secret-key-', raw).toUpperCase(),
    recipient: encodeBech32('age', rawPublic(publicKey)),
  };
}

export function recipientOf(identity: string): string {
  return parseIdentity(identity).recipient;
}

interface Peer {
  readonly raw: Uint8Array;
  readonly key: KeyObject;
}

const maxPeers = 16;
const peers = new Map<string, Peer>();

/** A recorder seals to the same two all its life: parsing them anew takes as long as a fifth of a megabyte takes to seal. */
function peerOf(recipient: string): Peer {
  const known = peers.get(recipient);
  if (known !== undefined) return known;
  const raw = parseRecipient(recipient);
  const peer = { raw, key: publicKeyOf(raw) };
  if (peers.size >= maxPeers) peers.clear();
  peers.set(recipient, peer);
  return peer;
}

/** Undefined when the other key is of small order, which would make the shared secret public. */
function sharedSecret(privateKey: KeyObject, publicKey: KeyObject): Uint8Array | undefined {
  try {
    return diffieHellman({ privateKey, publicKey });
  } catch {
    return undefined;
  }
}

function wrapFor(recipient: string, fileKey: Uint8Array): string {
  const peer = peerOf(recipient);
  const ephemeral = generateKeyPairSync('x25519');
  const share = rawPublic(ephemeral.publicKey);
  const shared = sharedSecret(ephemeral.privateKey, peer.key);
  if (shared === undefined) {
    throw new AgentError('usage', 'age/bad-recipient', 'Cannot use the recipient: anybody could open what it seals');
  }
  const wrappingKey = deriveKey(shared, Buffer.concat([share, peer.raw]), x25519Label);
  return encodeStanza('X25519', [share], wrapKey(wrappingKey, fileKey));
}

/** Seals a payload piece by piece; `header` is complete at once. `update` and `final` give the body in order. */
export interface Sealer {
  readonly header: Uint8Array;
  update(bytes: Uint8Array): Uint8Array;
  final(): Uint8Array;
}

function newFileKey(recipients: readonly string[]): { readonly fileKey: Uint8Array; readonly header: Uint8Array } {
  const fileKey = randomBytes(fileKeyBytes);
  return { fileKey, header: wrapFileKey(recipients, fileKey) };
}

function wrapFileKey(recipients: readonly string[], fileKey: Uint8Array): Uint8Array {
  const stanzas = [...new Set(recipients)].map((recipient) => wrapFor(recipient, fileKey));
  // A file that nobody can open, or one person fewer than asked, is worse than none.
  if (stanzas.length === 0 || stanzas.length !== recipients.length) {
    throw new AgentError('usage', 'age/bad-recipient', 'Cannot seal: recipients are missing or named twice');
  }
  return encodeHeader(fileKey, stanzas);
}

export function createSealer(recipients: readonly string[]): Sealer {
  const { fileKey, header } = newFileKey(recipients);
  const payload = new ChunkSealer(fileKey);
  return {
    header,
    update: (bytes) => payload.update(bytes),
    final: () => payload.final(),
  };
}

/** Seals in one go. */
export function sealBytes(recipients: readonly string[], plaintext: Uint8Array): SealedFile {
  const { fileKey, header } = newFileKey(recipients);
  return { header, body: sealChunks(fileKey, plaintext) };
}

/**
 * The same file key for other recipients: the header changes, the body stays. Whoever could open the old header and kept
 * it, or the file key, still can. Throws what `openFileKey` does.
 */
export function rewrapHeader(header: Uint8Array, identity: OwnerIdentity, recipients: readonly string[]): Uint8Array {
  const fileKey = openFileKey(header, identity);
  try {
    return wrapFileKey(recipients, fileKey);
  } finally {
    fileKey.fill(0);
  }
}

export function splitFile(file: Uint8Array): SealedFile {
  const end = headerLength(file);
  return { header: file.subarray(0, end), body: file.subarray(end) };
}

function unwrapX25519(stanza: Stanza, identity: OwnerIdentity): Uint8Array | undefined {
  const [type, shareText, ...rest] = stanza.args;
  if (type !== 'X25519') return undefined;
  const share = shareText === undefined ? undefined : fromBase64(shareText);
  if (share?.length !== 32 || rest.length > 0 || stanza.body.length !== fileKeyBytes + 16) {
    throw damaged('its header has a malformed stanza');
  }
  const shared = sharedSecret(identity.privateKey, publicKeyOf(share));
  if (shared === undefined) throw damaged('its header has a malformed stanza');
  return unwrapKey(deriveKey(shared, Buffer.concat([share, identity.publicKey]), x25519Label), stanza.body);
}

/** The file key: `age/wrong-key` when no stanza is for this identity, `age/damaged` when the header was altered. */
export function openFileKey(header: Uint8Array, identity: OwnerIdentity): Uint8Array {
  const parsed = parseHeader(header);
  for (const stanza of parsed.stanzas) {
    const fileKey = unwrapX25519(stanza, identity);
    if (fileKey === undefined) continue;
    if (!parsed.authentic(fileKey)) throw damaged('its header was altered');
    return fileKey;
  }
  throw new AgentError('refused', 'age/wrong-key', 'Cannot open the age file: it is not sealed to this key');
}

export function openBody(fileKey: Uint8Array, body: Uint8Array): Uint8Array {
  return openChunks(fileKey, body);
}

export function openFile(sealed: SealedFile, identity: OwnerIdentity): Uint8Array {
  return openChunks(openFileKey(sealed.header, identity), sealed.body);
}

function stretch(passphrase: string, salt: Uint8Array, workFactorLog2: number): Promise<KeyObject> {
  const cost = 2 ** workFactorLog2;
  const options = { cost, blockSize: 8, parallelization: 1, maxmem: 128 * 8 * cost + (1 << 20) };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, Buffer.concat([Buffer.from(scryptLabel), salt]), 32, options, (error, key) => {
      if (error) reject(error);
      else resolve(createSecretKey(key));
    });
  });
}

/** One complete age file that only the passphrase opens. */
export async function sealWithPassphrase(
  passphrase: string,
  bytes: Uint8Array,
  workFactorLog2 = 15,
): Promise<Uint8Array> {
  const fileKey = randomBytes(fileKeyBytes);
  const salt = randomBytes(16);
  const wrapped = wrapKey(await stretch(passphrase, salt, workFactorLog2), fileKey);
  const stanza = encodeStanza(
    passphraseType,
    [Buffer.from(salt).toString('base64').replaceAll('=', ''), String(workFactorLog2)],
    wrapped,
  );
  const payload = new ChunkSealer(fileKey);
  return Buffer.concat([encodeHeader(fileKey, [stanza]), payload.update(bytes), payload.final()]);
}

/** Opens such a file: `vault/wrong-passphrase`, `age/damaged`, `age/truncated` or `age/work-factor`. */
export async function openWithPassphrase(passphrase: string, file: Uint8Array): Promise<Uint8Array> {
  const { header, body } = splitFile(file);
  const parsed = parseHeader(header);
  const stanza = parsed.stanzas[0];
  const [type, saltText, factorText, ...rest] = stanza?.args ?? [];
  const salt = saltText === undefined ? undefined : fromBase64(saltText);
  const wellFormed =
    parsed.stanzas.length === 1 &&
    type === passphraseType &&
    salt?.length === 16 &&
    rest.length === 0 &&
    /^[1-9][0-9]?$/.test(factorText ?? '') &&
    stanza?.body.length === fileKeyBytes + 16;
  if (!wellFormed) throw damaged('it is not sealed by one passphrase');
  const workFactorLog2 = Number(factorText);
  if (workFactorLog2 > maxWorkFactorLog2) {
    throw new AgentError('refused', 'age/work-factor', 'Cannot open the age file: it asks for too much work', {
      detail: { workFactorLog2 },
    });
  }
  const fileKey = unwrapKey(await stretch(passphrase, salt, workFactorLog2), stanza.body);
  if (fileKey === undefined) {
    throw new AgentError('refused', 'vault/wrong-passphrase', 'Cannot open the vault: wrong passphrase');
  }
  if (!parsed.authentic(fileKey)) throw damaged('its header was altered');
  return openChunks(fileKey, body);
}
