/**
 * `owner/vault.age`: everything that deciding needs, as one age file under the passphrase. The roots stand in here, and not
 * only beside it, so that whoever can write the data directory can't add an agency.
 */
import { z } from 'zod';
import { AgentError } from '../base/errors.ts';
import { readFileLimited, writeFileDurable } from '../base/files.ts';
import { openWithPassphrase, sealWithPassphrase } from '../protocol/age-file.ts';
import { fromHex } from '../protocol/bytes.ts';
import { requireEnrolableSigningKey } from '../protocol/keys.ts';
import { normalisePassphrase } from './passphrase.ts';
import { vaultFilePath } from './paths.ts';

export const maxRoots = 8;
const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const microDegrees = (bound: number) => z.number().int().min(-bound).max(bound);

const rootSchema = z.strictObject({
  name: z.string().min(1).max(80),
  threshold: z.number().int().min(2).max(9),
  keysHex: z.array(hex32).min(2).max(9),
});

const identity = z.string().startsWith('AGE-SECRET-KEY-1');

const secretsSchema = z.strictObject({
  version: z.literal(1),
  createdAtMs: z.number().int(),
  /** The viewing identity: opens clips. */
  ownerIdentity: identity,
  /** The deciding seed: signs dispatches and, through per-request keys, grants. */
  ownerRootSeedHex: hex32,
  place: z.strictObject({ latE6: microDegrees(90_000_000), lonE6: microDegrees(180_000_000) }),
  regions: z.array(z.string()).min(1).max(4),
  roots: z.array(rootSchema).max(maxRoots),
  /** Newest version seen of each agency's document: an older one, validly signed, is not taken for the agency again. */
  floors: z.record(z.string().regex(/^[a-z0-9-]{3,40}$/), z.number().int().min(1)).default({}),
  /** Owner identities of before, oldest first: entries of the ledger stay sealed to them. */
  formerIdentities: z.array(identity).max(32).default([]),
  /** A change of keys that was begun and not completed: until then the vault opens for nothing else. */
  keyChange: z
    .strictObject({
      kind: z.enum(['rotate', 'recover']),
      ownerIdentity: identity,
      recoveryRecipient: z.string().max(100),
    })
    .optional(),
});

export type VaultSecrets = Readonly<z.infer<typeof secretsSchema>>;
export type RootPin = Readonly<z.infer<typeof rootSchema>>;

export function parseRoot(value: unknown): RootPin {
  const parsed = rootSchema.safeParse(value);
  if (!parsed.success || parsed.data.threshold > parsed.data.keysHex.length) {
    throw new AgentError('usage', 'vault/bad-root', 'Cannot pin the root: it is not a valid root description');
  }
  if (new Set(parsed.data.keysHex).size !== parsed.data.keysHex.length) {
    throw new AgentError('usage', 'vault/bad-root', 'Cannot pin the root: one of its keys stands in it twice');
  }
  // Anybody can sign for a key of small order, and so vouch for any agency.
  for (const key of parsed.data.keysHex) requireEnrolableSigningKey(fromHex(key));
  return parsed.data;
}

/** The passphrase counts as typed by a person: see `normalisePassphrase`. `workFactorLog2` is 15 in use; tests pass less to be quick. */
export async function writeVaultFile(
  dataDir: string,
  secrets: Omit<VaultSecrets, 'floors' | 'formerIdentities'> &
    Partial<Pick<VaultSecrets, 'floors' | 'formerIdentities'>>,
  passphrase: string,
  workFactorLog2 = 15,
): Promise<void> {
  const plaintext = new TextEncoder().encode(JSON.stringify(secretsSchema.parse(secrets)));
  writeFileDurable(
    vaultFilePath(dataDir),
    await sealWithPassphrase(normalisePassphrase(passphrase), plaintext, workFactorLog2),
  );
}

/**
 * Throws `vault/not-enrolled`, `vault/wrong-passphrase` or `age/damaged`; the three are never merged. Throws
 * `vault/keys-unfinished` while a change of keys is: what the vault holds would open only a part of the clips.
 */
export async function readVaultFile(dataDir: string, passphrase: string): Promise<VaultSecrets> {
  const secrets = await readUnfinishedVaultFile(dataDir, passphrase);
  if (secrets.keyChange !== undefined) throw unfinishedChange(secrets.keyChange.kind);
  return secrets;
}

export function unfinishedChange(kind: 'rotate' | 'recover'): AgentError {
  const command = kind === 'rotate' ? 'latchkey keys rotate' : 'latchkey recover';
  const message = `Cannot go on: a change of keys was interrupted. Run "${command}" again to complete it`;
  return new AgentError('refused', 'vault/keys-unfinished', message);
}

/** For who completes a change of keys. */
export async function readUnfinishedVaultFile(dataDir: string, passphrase: string): Promise<VaultSecrets> {
  const bytes = readFileLimited(vaultFilePath(dataDir), 1 << 20);
  if (bytes === undefined) {
    throw new AgentError(
      'config',
      'vault/not-enrolled',
      'Cannot unlock: this data directory has no vault yet. Run "latchkey init"',
    );
  }
  const opened = await openWithPassphrase(normalisePassphrase(passphrase), bytes);
  try {
    return secretsSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(opened)));
  } catch (cause) {
    throw new AgentError(
      'corrupt',
      'vault/unreadable',
      'The vault opened, but what it holds is not what this version writes',
      {
        cause,
      },
    );
  }
}
