import canonicalize from 'canonicalize';
import { bytesEqual } from './bytes.ts';
import { defect, refusal } from './refuse.ts';

/**
 * Canonical bytes: RFC 8785 JSON with integers only. A document has exactly one byte form, so its SHA-256 names it, and
 * bytes in any other form (duplicate keys, white space, `1.0`, `-0`) are refused rather than repaired.
 */
/** Of all kinds but the grant. */
export const maxPayloadBytes = 32 * 1024;
const maxDepth = 8;

/** Control and bidirectional characters, line separators, invisible marks and code points that are no characters. */
const forbiddenText = /[\p{Cc}\p{Bidi_Control}\p{Noncharacter_Code_Point}\u200b\u2028\u2029\u2060\ufeff\ufff9-\ufffb]/u;

/** The canonical bytes of a value of plain objects, arrays, strings, booleans, null and safe integers. */
export function canonicalBytes(value: unknown): Uint8Array {
  const wrong = shapeProblem(value, 1);
  if (wrong !== undefined) throw defect('canonical/not-representable', `Cannot write the document: ${wrong.message}`);
  return new Uint8Array(Buffer.from(canonicalText(value), 'utf8'));
}

/**
 * Reads the payload of a document in the order of the protocol: size, UTF-8, depth, JSON, canonical form, shape (integers
 * only, no `__proto__`), `schema`, text. `schema` turns the value into a typed one or throws.
 */
export function parseDocumentBytes<T>(bytes: Uint8Array, schema: (value: unknown) => T, maxBytes = maxPayloadBytes): T {
  if (bytes.length > maxBytes) {
    throw refusal('payload/too-large', `Cannot read the document: over ${maxBytes} bytes`, {
      bytes: bytes.length,
    });
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refusal('payload/not-utf8', 'Cannot read the document: not UTF-8');
  }
  if (depthOf(text) > maxDepth) throw refusal('payload/too-deep', `Cannot read the document: nested over ${maxDepth}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refusal('payload/not-json', 'Cannot read the document: not JSON');
  }
  if (!isCanonical(value, bytes)) {
    throw refusal('payload/not-canonical', 'Cannot read the document: not in canonical form');
  }
  const wrong = shapeProblem(value, 1);
  if (wrong !== undefined) throw refusal(wrong.code, `Cannot read the document: ${wrong.message}`);
  const document = schema(value);
  checkText(value);
  return document;
}

function canonicalText(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('no JSON form');
  return text;
}

function isCanonical(value: unknown, bytes: Uint8Array): boolean {
  try {
    return bytesEqual(Buffer.from(canonicalText(value), 'utf8'), bytes);
  } catch {
    // A lone surrogate (written as an escape) has no canonical form at all.
    return false;
  }
}

/** Deepest nesting of brackets outside strings: counted before parsing, so that the parser never recurses far. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (inString) {
      if (c === '\\') i++;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === '{' || c === '[') deepest = Math.max(deepest, ++depth);
    else if (c === '}' || c === ']') depth--;
  }
  return deepest;
}

interface Problem {
  readonly code: string;
  readonly message: string;
}

function shapeProblem(value: unknown, depth: number): Problem | undefined {
  if (value === null || typeof value === 'boolean') return undefined;
  if (typeof value === 'string') {
    return value.isWellFormed() ? undefined : { code: 'payload/not-canonical', message: 'text with a lone surrogate' };
  }
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && !Object.is(value, -0)
      ? undefined
      : { code: 'payload/not-an-integer', message: 'a number that is not an integer below 2^53' };
  }
  if (typeof value !== 'object') return { code: 'payload/schema', message: `a value of type ${typeof value}` };
  if (depth > maxDepth) return { code: 'payload/too-deep', message: `nested over ${maxDepth}` };
  if (Array.isArray(value)) {
    for (const item of value) {
      const wrong = shapeProblem(item, depth + 1);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return { code: 'payload/schema', message: 'an object that is not plain' };
  }
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') return { code: 'payload/proto-key', message: 'a key named __proto__' };
    const wrong = shapeProblem(item, depth + 1);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** Text that people will read: composed (NFC) and without characters that hide or reorder what is shown. */
export function checkText(value: unknown): void {
  if (typeof value === 'string') {
    if (value.normalize('NFC') !== value) throw refusal('payload/not-nfc', 'Cannot read the document: text not in NFC');
    if (forbiddenText.test(value)) {
      throw refusal('payload/forbidden-character', 'Cannot read the document: text with control or bidi characters');
    }
  } else if (Array.isArray(value)) {
    for (const item of value) checkText(item);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      checkText(key);
      checkText(item);
    }
  }
}
