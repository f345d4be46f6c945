import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AgentError } from '../../agent/base/errors.ts';
import { ensurePrivateDir, readFileLimited, writeFileDurable } from '../../agent/base/files.ts';
import { generateIdentity } from '../../agent/protocol/age-file.ts';
import { fromHex, toHex } from '../../agent/protocol/bytes.ts';
import {
  generateSigningKey,
  keyIdOf,
  recipientKeyId,
  type SigningKey,
  signingKeyFromSeed,
} from '../../agent/protocol/keys.ts';

/**
 * The keys of an agency and of a root as files: `<role>.key.json` (0600) holds the secret, `<role>.pub.json` what others
 * need. An officer's and an approver's key never lie in one folder, because two signatures from one place are one.
 */
export const signingRoles = ['root', 'officer', 'approver', 'outcome'] as const;
export type SigningRole = (typeof signingRoles)[number];

export interface PublicKeyFile {
  readonly role: SigningRole;
  /** Raw Ed25519 public key, hex. */
  readonly x: string;
  readonly kid: string;
}

export interface RecipientFile {
  readonly role: 'recipient';
  /** `age1…` */
  readonly age: string;
  readonly kid: string;
}

const hex64 = z.string().regex(/^[0-9a-f]{64}$/);
const kid = z.string().regex(/^[0-9a-f]{16}$/);
const secretSchema = z.strictObject({ latchkey_key: z.literal(1), role: z.enum(signingRoles), seed: hex64 });
const publicSchema = z.strictObject({ role: z.enum(signingRoles), x: hex64, kid });
const recipientSchema = z.strictObject({ role: z.literal('recipient'), age: z.string(), kid });

/** Makes a signing key in `dir`; refuses to replace one, and to put officer and approver together. */
export function makeSigningKey(role: SigningRole, dir: string): PublicKeyFile {
  ensurePrivateDir(dir);
  if (role === 'officer' || role === 'approver') requireApart(dir, role);
  const path = join(dir, `${role}.key.json`);
  requireAbsent(path);
  const key = generateSigningKey();
  writeFileDurable(path, `${JSON.stringify({ latchkey_key: 1, role, seed: toHex(key.seed) })}\n`);
  return writePublic(dir, role, key);
}

function writePublic(dir: string, role: SigningRole, key: SigningKey): PublicKeyFile {
  const file: PublicKeyFile = { role, x: toHex(key.publicKey), kid: keyIdOf(key.publicKey) };
  writeFileDurable(join(dir, `${role}.pub.json`), `${JSON.stringify(file)}\n`, 0o644);
  return file;
}

/** Makes the key that shares are sealed to: `recipient.identity` works with stock `age` as well. */
export function makeRecipient(dir: string): RecipientFile {
  ensurePrivateDir(dir);
  const path = join(dir, 'recipient.identity');
  requireAbsent(path);
  const { identity, recipient } = generateIdentity();
  writeFileDurable(path, `# public key: ${recipient}\n${identity}\n`);
  const file: RecipientFile = { role: 'recipient', age: recipient, kid: recipientKeyId(recipient) };
  writeFileDurable(join(dir, 'recipient.pub.json'), `${JSON.stringify(file)}\n`, 0o644);
  return file;
}

/** The secret key of `role` in `dir`. */
export function readSigningKey(role: SigningRole, dir: string): SigningKey {
  if (role === 'officer' || role === 'approver') requireApart(dir, role);
  const file = parseFile(join(dir, `${role}.key.json`), secretSchema);
  if (file.role !== role) throw malformed(`${role}.key.json`);
  return signingKeyFromSeed(fromHex(file.seed));
}

export function readPublicKey(role: SigningRole, path: string): PublicKeyFile {
  const file = parseFile(path, publicSchema);
  if (file.role !== role || file.kid !== keyIdOf(fromHex(file.x))) throw malformed(path);
  return file;
}

export function readRecipient(path: string): RecipientFile {
  const file = parseFile(path, recipientSchema);
  if (file.kid !== recipientKeyId(file.age)) throw malformed(path);
  return file;
}

/** The identity line of an age identity file. */
export function readIdentity(path: string): string {
  const line = readRequired(path, 65_536)
    .toString('utf8')
    .split('\n')
    .find((text) => text.startsWith('AGE-SECRET-KEY-1'));
  if (line === undefined) throw malformed(path);
  return line.trim();
}

export function readRequired(path: string, maxBytes: number): Buffer {
  const bytes = readFileLimited(path, maxBytes);
  if (bytes === undefined)
    throw new AgentError('usage', 'portal/missing-file', `Cannot read ${path}: there is no such file`);
  return bytes;
}

export function parseFile<T>(path: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(readRequired(path, 65_536).toString('utf8')));
  } catch (thrown) {
    if (thrown instanceof AgentError) throw thrown;
    throw malformed(path);
  }
}

function malformed(path: string): AgentError {
  return new AgentError(
    'usage',
    'portal/malformed-file',
    `Cannot use ${path}: it is not the kind of file that is needed`,
  );
}

function requireAbsent(path: string): void {
  if (existsSync(path)) throw new AgentError('usage', 'portal/exists', `Cannot write ${path}: it is already there`);
}

function requireApart(dir: string, role: 'officer' | 'approver'): void {
  const other = role === 'officer' ? 'approver' : 'officer';
  if (!existsSync(join(dir, `${other}.key.json`))) return;
  throw new AgentError(
    'refused',
    'portal/keys-together',
    `Cannot use the ${role} key: the ${other}'s key lies in the same folder, so one person holds both`,
  );
}
