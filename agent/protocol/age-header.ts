import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { AgentError } from '../base/errors.ts';

/**
 * The text header of an age file (age-encryption.org/v1, C2SP age.md): stanzas that each wrap the file key, and a MAC
 * over them under that key.
 */

export interface Stanza {
  readonly args: readonly string[];
  readonly body: Uint8Array;
}

export const fileKeyBytes = 16;
const versionLine = 'age-encryption.org/v1';
const maxHeaderBytes = 64 * 1024;
const columns = 64;

export function damaged(why: string): AgentError {
  return new AgentError('corrupt', 'age/damaged', `Cannot open the age file: ${why}`);
}

export function truncated(why: string): AgentError {
  return new AgentError('corrupt', 'age/truncated', `Cannot open the age file: ${why}`);
}

/** Node takes three times as long with keys that it gets as bytes, and a list of clips derives tens of thousands. */
export function deriveKey(secret: Uint8Array, salt: Uint8Array, info: string): KeyObject {
  return createSecretKey(new Uint8Array(hkdfSync('sha256', createSecretKey(secret), salt, info, 32)));
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '');
}

/** Canonical unpadded base64, or undefined: one value has one spelling. */
export function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return toBase64(bytes) === text ? bytes : undefined;
}

function macOf(fileKey: Uint8Array, headerToMac: string): Buffer {
  return createHmac('sha256', deriveKey(fileKey, new Uint8Array(), 'header'))
    .update(headerToMac, 'latin1')
    .digest();
}

export function encodeStanza(type: string, args: readonly Uint8Array[] | readonly string[], body: Uint8Array): string {
  const words = args.map((arg) => (typeof arg === 'string' ? arg : toBase64(arg)));
  const text = toBase64(body);
  const lines: string[] = [];
  // The last line is shorter than the others, empty if need be: that is how a reader finds the end.
  for (let at = 0; at <= text.length; at += columns) lines.push(text.slice(at, at + columns));
  return `-> ${[type, ...words].join(' ')}\n${lines.join('\n')}\n`;
}

export function encodeHeader(fileKey: Uint8Array, stanzas: readonly string[]): Uint8Array {
  const text = `${versionLine}\n${stanzas.join('')}---`;
  return Buffer.from(`${text} ${toBase64(macOf(fileKey, text))}\n`, 'latin1');
}

/** Length of the header at the start of `file`, its last line feed included. */
export function headerLength(file: Uint8Array): number {
  const bytes = Buffer.from(file.buffer, file.byteOffset, Math.min(file.length, maxHeaderBytes));
  const start = Buffer.from(`${versionLine}\n`);
  const seen = bytes.subarray(0, start.length);
  if (!seen.equals(start.subarray(0, seen.length))) throw damaged('it does not start like one');
  const macLine = bytes.indexOf('\n---');
  const end = macLine < 0 ? -1 : bytes.indexOf('\n', macLine + 1);
  if (end >= 0) return end + 1;
  if (file.length >= maxHeaderBytes) throw damaged('its header has no end');
  throw truncated('its header is cut short');
}

export interface ParsedHeader {
  readonly stanzas: readonly Stanza[];
  /** True when the header is what the holder of this file key wrote. */
  authentic(fileKey: Uint8Array): boolean;
}

export function parseHeader(header: Uint8Array): ParsedHeader {
  if (headerLength(header) !== header.length) throw damaged('its header has bytes behind its end');
  const text = Buffer.from(header).toString('latin1');
  const lines = text.slice(0, -1).split('\n').slice(1);
  const macText = /^--- ([A-Za-z0-9+/]{43})$/.exec(lines.pop() ?? '')?.[1];
  const mac = macText === undefined ? undefined : fromBase64(macText);
  if (mac === undefined) throw damaged('its header ends wrongly');
  const stanzas: Stanza[] = [];
  for (let at = 0; at < lines.length; ) {
    const words = (lines[at] ?? '').split(' ');
    at += 1;
    if (words.shift() !== '->' || words.length === 0) throw damaged('its header has a malformed stanza');
    if (!words.every((word) => /^[\x21-\x7e]+$/.test(word))) throw damaged('its header has a malformed stanza');
    let body = '';
    for (;;) {
      const line = lines[at];
      if (line === undefined || line.length > columns) throw damaged('its header has a malformed stanza');
      at += 1;
      body += line;
      if (line.length < columns) break;
    }
    const bytes = fromBase64(body);
    if (bytes === undefined) throw damaged('its header has a malformed stanza');
    stanzas.push({ args: words, body: bytes });
  }
  if (stanzas.length === 0) throw damaged('its header names no recipient');
  const headerToMac = text.slice(0, text.lastIndexOf('---') + 3);
  return { stanzas, authentic: (fileKey) => timingSafeEqual(macOf(fileKey, headerToMac), mac) };
}

const zeroNonce = new Uint8Array(12);

/** Encrypts the file key under a key that is used only once, hence the fixed nonce of the format. */
export function wrapKey(wrappingKey: KeyObject, fileKey: Uint8Array): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', wrappingKey, zeroNonce, { authTagLength: 16 });
  return Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
}

/** The file key, or undefined when this is not the wrapping key. */
export function unwrapKey(wrappingKey: KeyObject, wrapped: Uint8Array): Uint8Array | undefined {
  const decipher = createDecipheriv('chacha20-poly1305', wrappingKey, zeroNonce, { authTagLength: 16 });
  decipher.setAuthTag(wrapped.subarray(fileKeyBytes));
  const fileKey = decipher.update(wrapped.subarray(0, fileKeyBytes));
  try {
    decipher.final();
    return fileKey;
  } catch {
    return undefined;
  }
}
