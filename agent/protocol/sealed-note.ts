/**
 * Notes of one fixed size, sealed to the owner's recipient, so that neither length nor content tells a decision from none.
 * An age file has no room for this in 256 bytes; the construction is the same: an ephemeral X25519 share, HKDF-SHA-256 over
 * the shared secret (salt: share ‖ recipient), ChaCha20-Poly1305 under a key used once (zero nonce).
 * Layout: share 32 ‖ ciphertext of (length u16 ‖ text ‖ zeros) ‖ tag 16.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { AgentError } from '../base/errors.ts';
import { type OwnerIdentity, parseRecipient } from './age-file.ts';

export const noteBytes = 256;
const spkiPrefix = Buffer.from('302a300506032b656e032100', 'hex');
const label = 'latchkey/note/v1';
const zeroNonce = Buffer.alloc(12);

function noteKey(privateKey: KeyObject, peer: Uint8Array, share: Uint8Array, recipient: Uint8Array): Buffer {
  const publicKey = createPublicKey({ key: Buffer.concat([spkiPrefix, peer]), format: 'der', type: 'spki' });
  const shared = diffieHellman({ privateKey, publicKey });
  return Buffer.from(hkdfSync('sha256', shared, Buffer.concat([share, recipient]), label, 32));
}

/** Seals `text` into exactly `sizeBytes`; throws RangeError when it doesn't fit, which is a caller's bug. */
export function sealNote(recipient: string, text: string, sizeBytes = noteBytes): Uint8Array {
  const peer = parseRecipient(recipient);
  const ephemeral = generateKeyPairSync('x25519');
  const share = ephemeral.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const plain = Buffer.alloc(sizeBytes - 48);
  const content = Buffer.from(text, 'utf8');
  if (content.length > plain.length - 2) throw new RangeError(`a note of ${sizeBytes} bytes can't hold this text`);
  plain.writeUInt16BE(content.length, 0);
  content.copy(plain, 2);
  const key = noteKey(ephemeral.privateKey, peer, share, peer);
  const cipher = createCipheriv('chacha20-poly1305', key, zeroNonce, { authTagLength: 16 });
  return Buffer.concat([share, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Throws `note/damaged` for anything that isn't a note sealed to this identity. */
export function openNote(sealed: Uint8Array, identity: OwnerIdentity): string {
  try {
    const share = sealed.subarray(0, 32);
    const key = noteKey(identity.privateKey, share, share, identity.publicKey);
    const decipher = createDecipheriv('chacha20-poly1305', key, zeroNonce, { authTagLength: 16 });
    decipher.setAuthTag(sealed.subarray(-16));
    const plain = Buffer.concat([decipher.update(sealed.subarray(32, -16)), decipher.final()]);
    return plain.toString('utf8', 2, 2 + plain.readUInt16BE(0));
  } catch (cause) {
    throw new AgentError('corrupt', 'note/damaged', 'A sealed note is damaged or belongs to another owner', { cause });
  }
}
