import { hkdfSync } from 'node:crypto';
import { fromHex } from './bytes.ts';
import type { ManifestDocument } from './documents.ts';
import { type Opened, openEnvelope, peekDocument, signEnvelope } from './envelope.ts';
import { requireEnrolableSigningKey, type SigningKey, signingKeyFromSeed } from './keys.ts';
import { refusal } from './refuse.ts';

/**
 * Lineage: a month key signs the keys of clips, and so says that they come from one owner's device. It links shares, so it
 * is made only when the owner asks for it; the month key is derived where the owner's seed is, and written nowhere.
 */
export type Lineage = 'not-disclosed' | 'same-device' | 'broken';

/** UTC month as the document names it. */
export function monthOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 7);
}

/** HKDF-SHA-256, no salt, info = "latchkey/lineage/v1" ‖ month. Two months see keys that nothing links. */
export function deriveMonthKey(ownerSeed: Uint8Array, month: string): SigningKey {
  const info = Buffer.from(`latchkey/lineage/v1${month}`, 'utf8');
  return signingKeyFromSeed(new Uint8Array(hkdfSync('sha256', ownerSeed, new Uint8Array(0), info, 32)));
}

export function signLineage(clipKey: string, month: string, monthKey: SigningKey): Uint8Array {
  const document = { clip_key: clipKey, month, month_key: Buffer.from(monthKey.publicKey).toString('hex') };
  return signEnvelope('lineage', document, [monthKey]);
}

/** A lineage signed by the month key that it names. */
export function openLineage(envelope: Uint8Array): Opened<'lineage'> {
  const { unverified } = peekDocument('lineage', envelope);
  const key = fromHex(unverified.month_key);
  requireEnrolableSigningKey(key);
  requireEnrolableSigningKey(fromHex(unverified.clip_key));
  const opened = openEnvelope('lineage', envelope, [{ role: 'month', threshold: 1, keys: [key] }]);
  if (opened.document.clip_key === opened.document.month_key) {
    throw refusal('lineage/same-key', 'Cannot use the lineage: a key vouches for itself');
  }
  return opened;
}

/**
 * Whether the clips of one share are said to come from one device: each clip's key is vouched for once, by one month key,
 * for the month in which the request's window begins.
 */
export function judgeLineage(
  envelopes: readonly Uint8Array[],
  manifests: readonly ManifestDocument[],
  windowFromS: number,
): { readonly lineage: Lineage; readonly monthKey: string | null } {
  if (envelopes.length === 0) return { lineage: 'not-disclosed', monthKey: null };
  try {
    const documents = envelopes.map((envelope) => openLineage(envelope).document);
    const monthKey = documents[0]?.month_key ?? '';
    const whole = documents.every((each) => each.month_key === monthKey && each.month === monthOf(windowFromS));
    const vouched = documents.map((each) => each.clip_key).toSorted();
    const recorded = [...new Set(manifests.map(({ key }) => key))].toSorted();
    if (whole && vouched.join() === recorded.join()) return { lineage: 'same-device', monthKey };
  } catch {
    // One that can't be opened breaks the chain like one that is missing.
  }
  return { lineage: 'broken', monthKey: null };
}
