/**
 * A paired browser or terminal keeps a random viewing key; the device keeps the owner identity wrapped under it and never
 * the key. Stealing one without the other opens nothing.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AgentError } from '../base/errors.ts';

const pairingLifeMs = 90 * 24 * 3600 * 1000;

const recordSchema = z.strictObject({
  pairingId: z.string().regex(/^[0-9a-f]{16}$/),
  name: z.string().min(1).max(80),
  createdAtMs: z.number().int(),
  expiresAtMs: z.number().int(),
  nonce: z.string(),
  wrapped: z.string(),
});

/** What the device stores of a pairing. */
export type PairingRecord = Readonly<z.infer<typeof recordSchema>>;

export interface Pairing {
  readonly record: PairingRecord;
  /** base64url of 32 bytes; shown once. */
  readonly viewingKey: string;
}

export function parsePairingRecord(value: unknown): PairingRecord {
  const parsed = recordSchema.safeParse(value);
  if (!parsed.success)
    throw new AgentError('corrupt', 'vault/bad-pairing', 'The stored pairing is damaged: pair again');
  return parsed.data;
}

export function wrapIdentity(identity: string, name: string, nowMs: number): Pairing {
  const key = randomBytes(32);
  const nonce = randomBytes(12);
  const pairingId = randomBytes(8).toString('hex');
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  cipher.setAAD(Buffer.from(pairingId), { plaintextLength: Buffer.byteLength(identity) });
  const sealed = Buffer.concat([cipher.update(identity, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return {
    viewingKey: key.toString('base64url'),
    record: {
      pairingId,
      name,
      createdAtMs: nowMs,
      expiresAtMs: nowMs + pairingLifeMs,
      nonce: nonce.toString('base64'),
      wrapped: sealed.toString('base64'),
    },
  };
}

/** Throws `vault/pairing-expired` or `vault/wrong-viewing-key`. */
export function unwrapIdentity(record: PairingRecord, viewingKey: string, nowMs: number): string {
  if (nowMs >= record.expiresAtMs) {
    throw new AgentError(
      'refused',
      'vault/pairing-expired',
      'Cannot unlock: this pairing is over 90 days old. Pair again',
    );
  }
  const wrong = (cause?: unknown): AgentError =>
    new AgentError('refused', 'vault/wrong-viewing-key', 'Cannot unlock: this is not the key of that pairing', {
      cause,
    });
  const key = Buffer.from(viewingKey, 'base64url');
  const sealed = Buffer.from(record.wrapped, 'base64');
  if (key.length !== 32 || sealed.length < 17) throw wrong();
  try {
    const decipher = createDecipheriv('chacha20-poly1305', key, Buffer.from(record.nonce, 'base64'), {
      authTagLength: 16,
    });
    decipher.setAAD(Buffer.from(record.pairingId), { plaintextLength: sealed.length - 16 });
    decipher.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw wrong(cause);
  }
}
