import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { damaged, deriveKey, truncated } from './age-header.ts';

/**
 * The payload of an age file: a nonce of 16 bytes, then chunks of 64 KiB under ChaCha20-Poly1305. The IV is an 11-byte
 * counter and a flag that marks the last chunk, so that no chunk can be moved, dropped or appended.
 */

const nonceBytes = 16;
const chunkBytes = 64 * 1024;
const tagBytes = 16;
const sealedChunkBytes = chunkBytes + tagBytes;

function chunkIv(counter: number, last: boolean): Uint8Array {
  const iv = Buffer.alloc(12);
  iv.writeUIntBE(counter, 5, 6);
  iv[11] = last ? 1 : 0;
  return iv;
}

/** Encrypts a payload piece by piece. The nonce leads the first piece that comes out. */
export class ChunkSealer {
  readonly #key: KeyObject;
  readonly #nonce = randomBytes(nonceBytes);
  #counter = 0;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #started = false;
  #ended = false;

  constructor(fileKey: Uint8Array) {
    this.#key = deriveKey(fileKey, this.#nonce, 'payload');
  }

  update(bytes: Uint8Array): Uint8Array {
    if (this.#ended) throw new RangeError('a sealed payload takes no more bytes');
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    // A full chunk is held back until more follows: readers refuse an empty last chunk.
    if (this.#pendingBytes <= chunkBytes) return this.#start([]);
    const plain = Buffer.concat(this.#pending, this.#pendingBytes);
    const sealed: Uint8Array[] = [];
    let at = 0;
    for (; plain.length - at > chunkBytes; at += chunkBytes) {
      this.#sealChunk(plain.subarray(at, at + chunkBytes), false, sealed);
    }
    this.#pending = [plain.subarray(at)];
    this.#pendingBytes = plain.length - at;
    return this.#start(sealed);
  }

  final(): Uint8Array {
    if (this.#ended) throw new RangeError('a sealed payload takes no more bytes');
    this.#ended = true;
    const sealed: Uint8Array[] = [];
    this.#sealChunk(Buffer.concat(this.#pending, this.#pendingBytes), true, sealed);
    return this.#start(sealed);
  }

  #start(sealed: readonly Uint8Array[]): Uint8Array {
    const parts = this.#started ? sealed : [this.#nonce, ...sealed];
    this.#started = true;
    return Buffer.concat(parts);
  }

  #sealChunk(plain: Uint8Array, last: boolean, out: Uint8Array[]): void {
    const cipher = createCipheriv('chacha20-poly1305', this.#key, chunkIv(this.#counter, last), {
      authTagLength: tagBytes,
    });
    this.#counter += 1;
    out.push(cipher.update(plain), cipher.final(), cipher.getAuthTag());
  }
}

/** The whole payload at once, without a copy more than needed: a recorder does this all day. */
export function sealChunks(fileKey: Uint8Array, plain: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  const key = deriveKey(fileKey, nonce, 'payload');
  const chunkCount = Math.max(1, Math.ceil(plain.length / chunkBytes));
  const body = Buffer.allocUnsafeSlow(nonceBytes + plain.length + chunkCount * tagBytes);
  body.set(nonce);
  let to = nonceBytes;
  for (let counter = 0; counter < chunkCount; counter += 1) {
    const iv = chunkIv(counter, counter === chunkCount - 1);
    const cipher = createCipheriv('chacha20-poly1305', key, iv, { authTagLength: tagBytes });
    const sealed = cipher.update(plain.subarray(counter * chunkBytes, (counter + 1) * chunkBytes));
    cipher.final();
    body.set(sealed, to);
    body.set(cipher.getAuthTag(), to + sealed.length);
    to += sealed.length + tagBytes;
  }
  return body;
}

function openChunk(key: KeyObject, counter: number, last: boolean, sealed: Uint8Array): Uint8Array | undefined {
  const end = sealed.length - tagBytes;
  const decipher = createDecipheriv('chacha20-poly1305', key, chunkIv(counter, last), { authTagLength: tagBytes });
  decipher.setAuthTag(sealed.subarray(end));
  const plain = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}

/**
 * Decrypts a whole payload. `age/truncated` when it provably ends too early; a cut inside the last chunk looks the same as
 * damage to it and is `age/damaged`.
 */
export function openChunks(fileKey: Uint8Array, body: Uint8Array): Uint8Array {
  if (body.length < nonceBytes + tagBytes) throw truncated('its payload is cut short');
  const key = deriveKey(fileKey, body.subarray(0, nonceBytes), 'payload');
  const plain: Uint8Array[] = [];
  let counter = 0;
  for (let at = nonceBytes; ; at += sealedChunkBytes, counter += 1) {
    const sealed = body.subarray(at, at + sealedChunkBytes);
    if (sealed.length < tagBytes) throw truncated('its payload is cut short');
    const last = at + sealed.length === body.length;
    const chunk = openChunk(key, counter, last, sealed);
    if (chunk === undefined) {
      if (last && openChunk(key, counter, false, sealed) !== undefined) throw truncated('its payload is cut short');
      throw damaged('a part of its payload was altered or cut');
    }
    if (last && chunk.length === 0 && counter > 0) throw damaged('its last chunk is empty');
    plain.push(chunk);
    if (last) return plain.length === 1 ? chunk : Buffer.concat(plain);
  }
}
