import { z } from 'zod';
import { AgentError } from '../base/errors.ts';
import { sha256Hex, toHex } from './bytes.ts';
import { canonicalBytes, checkText, maxPayloadBytes, parseDocumentBytes } from './canonical.ts';
import { type DocumentKind, type Documents, parseDocument } from './documents.ts';
import { keyIdOf, type SigningKey, sign, verify } from './keys.ts';
import { defect, refusal } from './refuse.ts';
import { maxGrantBytes } from './share-names.ts';

/**
 * DSSE v1.0.2 envelopes. A signature covers the type and the raw payload, so that a document of one kind can't pass for
 * another; the payload is parsed only after enough distinct keys have signed exactly those bytes.
 */
/** Of all kinds but the grant. */
export const maxEnvelopeBytes = 48 * 1024;
const maxSignatures = 8;

/** One demand on the signers. A key listed under two roles is refused, so that nobody can fill both. */
export interface SignerRule {
  readonly role: string;
  readonly threshold: number;
  readonly keys: readonly Uint8Array[];
}

export interface Opened<K extends DocumentKind> {
  readonly document: Documents[K];
  readonly payload: Uint8Array;
  /** SHA-256 of the payload, hex: the name by which other documents refer to this one. */
  readonly hash: string;
  /** Key ids of the valid signers by role. */
  readonly signerKeyIds: Readonly<Record<string, readonly string[]>>;
}

const envelopeSchema = z.strictObject({
  payload: z.string(),
  payloadType: z.string().max(200),
  signatures: z.array(z.strictObject({ keyid: z.string().max(64).optional(), sig: z.string().max(100) })),
});

interface Envelope {
  readonly payload: Uint8Array;
  readonly payloadType: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: Uint8Array }[];
}

function maxEnvelopeBytesOf(kind: DocumentKind): number {
  return kind === 'grant' ? maxGrantBytes.envelope : maxEnvelopeBytes;
}

export function payloadTypeOf(kind: DocumentKind): string {
  return `application/vnd.latchkey.${kind}.v1+json`;
}

/** Pre-authentication encoding: what is signed. Lengths make the join of type and payload unambiguous. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = Buffer.from(payloadType, 'utf8');
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]);
}

/** Checks the document against its schema and signs its canonical bytes with every key. */
export function signEnvelope<K extends DocumentKind>(
  kind: K,
  document: Documents[K],
  keys: readonly SigningKey[],
): Uint8Array {
  parseDocument(kind, document);
  checkText(document);
  return writeEnvelope(kind, canonicalBytes(document), [], keys);
}

/** Adds signatures to an envelope, keeping its payload byte for byte. The document is checked, earlier signatures not. */
export function cosignEnvelope(kind: DocumentKind, bytes: Uint8Array, keys: readonly SigningKey[]): Uint8Array {
  peekDocument(kind, bytes);
  const envelope = parseEnvelope(kind, bytes);
  return writeEnvelope(kind, envelope.payload, envelope.signatures, keys);
}

function writeEnvelope(
  kind: DocumentKind,
  payload: Uint8Array,
  earlier: Envelope['signatures'],
  keys: readonly SigningKey[],
): Uint8Array {
  const message = preAuthEncoding(payloadTypeOf(kind), payload);
  const added = keys.map((key) => ({ keyid: keyIdOf(key.publicKey), sig: sign(key, message) }));
  const signatures = [...earlier, ...added].map(({ keyid, sig }) => ({ keyid, sig: toBase64(sig) }));
  const bytes = canonicalBytes({ payload: toBase64(payload), payloadType: payloadTypeOf(kind), signatures });
  if (bytes.length > maxEnvelopeBytesOf(kind) || signatures.length > maxSignatures) {
    throw defect('envelope/not-writable', `Cannot write the ${kind}: the envelope would be too large to be read`);
  }
  return bytes;
}

/**
 * Opens an envelope whose signers satisfy every rule: size → JSON → base64 → distinct signers → exact type → payload.
 * Refusals: `envelope/…` before the payload, `payload/…` within it.
 */
export function openEnvelope<K extends DocumentKind>(
  kind: K,
  bytes: Uint8Array,
  rules: readonly SignerRule[],
): Opened<K> {
  requireDisjointRoles(rules);
  const envelope = parseEnvelope(kind, bytes);
  const signerKeyIds = requireSigners(envelope, rules);
  requireType(kind, envelope);
  return { ...readPayload(kind, envelope.payload), signerKeyIds };
}

/**
 * The document inside an envelope WITHOUT checking who signed it: for choosing the keys to check against, and for showing
 * what was refused. Never act on it.
 */
export function peekDocument<K extends DocumentKind>(
  kind: K,
  bytes: Uint8Array,
): { readonly unverified: Documents[K]; readonly hash: string } {
  const envelope = parseEnvelope(kind, bytes);
  requireType(kind, envelope);
  const { document, hash } = readPayload(kind, envelope.payload);
  return { unverified: document, hash };
}

function readPayload<K extends DocumentKind>(kind: K, payload: Uint8Array): Omit<Opened<K>, 'signerKeyIds'> {
  const document = parseDocumentBytes(
    payload,
    (value) => parseDocument(kind, value),
    kind === 'grant' ? maxGrantBytes.payload : maxPayloadBytes,
  );
  return { document, payload, hash: sha256Hex(payload) };
}

function requireType(kind: DocumentKind, envelope: Envelope): void {
  if (envelope.payloadType !== payloadTypeOf(kind)) {
    throw refusal('envelope/wrong-type', `Cannot open the envelope: it does not hold a ${kind}`);
  }
}

function requireDisjointRoles(rules: readonly SignerRule[]): void {
  const seen = new Map<string, SignerRule>();
  for (const rule of rules) {
    if (rule.threshold < 1) throw defect('envelope/no-threshold', 'Cannot open the envelope: a rule demands no signer');
    for (const key of rule.keys) {
      const hex = toHex(key);
      if ((seen.get(hex) ?? rule) !== rule) {
        throw refusal('envelope/key-in-two-roles', 'Cannot open the envelope: one key is listed under two roles');
      }
      seen.set(hex, rule);
    }
  }
  if (rules.length === 0) throw defect('envelope/no-threshold', 'Cannot open the envelope: no rule demands a signer');
}

function requireSigners(envelope: Envelope, rules: readonly SignerRule[]): Record<string, readonly string[]> {
  const message = preAuthEncoding(envelope.payloadType, envelope.payload);
  const signers: Record<string, readonly string[]> = {};
  for (const rule of rules) {
    const distinct = new Map(rule.keys.map((key) => [toHex(key), key]));
    const valid = [...distinct.values()].filter((key) => hasSigned(key, message, envelope));
    if (valid.length < rule.threshold) {
      throw refusal(
        'envelope/not-enough-signers',
        `Cannot open the envelope: ${valid.length} of ${rule.threshold} needed ${rule.role} keys have signed it`,
        { role: rule.role, signers: valid.length, needed: rule.threshold },
      );
    }
    signers[rule.role] = valid.map(keyIdOf);
  }
  return signers;
}

/** The key id is only a hint: signatures that carry it are tried first, then all others. */
function hasSigned(key: Uint8Array, message: Uint8Array, envelope: Envelope): boolean {
  const hint = keyIdOf(key);
  const hinted = envelope.signatures.filter((s) => s.keyid === hint);
  const others = envelope.signatures.filter((s) => s.keyid !== hint);
  return [...hinted, ...others].some(({ sig }) => verify(key, message, sig));
}

/** `kind`: the one that is expected; what it is in truth is known only later. */
function parseEnvelope(kind: DocumentKind, bytes: Uint8Array): Envelope {
  const maxBytes = maxEnvelopeBytesOf(kind);
  if (bytes.length > maxBytes) {
    throw refusal('envelope/too-large', `Cannot open the envelope: over ${maxBytes} bytes`);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw refusal('envelope/not-json', 'Cannot open the envelope: not JSON in UTF-8');
  }
  const parsed = envelopeSchema.safeParse(value);
  if (!parsed.success) throw refusal('envelope/malformed', 'Cannot open the envelope: not a DSSE envelope');
  const { payload, payloadType, signatures } = parsed.data;
  if (signatures.length > maxSignatures) {
    throw refusal('envelope/too-many-signatures', `Cannot open the envelope: over ${maxSignatures} signatures`);
  }
  return {
    payload: fromBase64(payload),
    payloadType,
    signatures: signatures.map(({ keyid, sig }) => ({ keyid: keyid ?? '', sig: fromBase64(sig) })),
  };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Standard or URL-safe base64 with padding, as DSSE demands of a verifier, in its only exact spelling. */
function fromBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  const exact = bytes.toString('base64');
  if (text !== exact && text !== exact.replaceAll('+', '-').replaceAll('/', '_')) {
    throw refusal('envelope/not-base64', 'Cannot open the envelope: not exact base64');
  }
  return new Uint8Array(bytes);
}

/** True for a refusal that says only that these rules are not met: another root's rules may still be. */
export function lacksSigners(thrown: unknown): boolean {
  return thrown instanceof AgentError && thrown.code === 'envelope/not-enough-signers';
}
