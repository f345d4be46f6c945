/** Makes the keys of a new device. Nothing here can be preset: a recipient that exists before the owner does is refused. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import { ensurePrivateDir, writeFileDurable } from '../base/files.ts';
import { generateIdentity } from '../protocol/age-file.ts';
import { generateSigningKey } from '../protocol/keys.ts';
import { ownerRootPath, placePath, recipientsPath, rootsPath, vaultFilePath } from './paths.ts';
import { writeVaultFile } from './vault-file.ts';

export interface EnrolmentOptions {
  readonly dataDir: string;
  readonly passphrase: string;
  readonly clock: Clock;
  readonly place: { readonly latE6: number; readonly lonE6: number };
  readonly regions: readonly string[];
  readonly log2Work?: number;
}

export interface Enrolment {
  readonly ownerRecipient: string;
  /** Goes on paper and nowhere else: it is not written to the device. */
  readonly recoveryIdentity: string;
  readonly recoveryRecipient: string;
  readonly ownerRootPublicKeyHex: string;
}

/**
 * Writes `keys/`, `owner/place.json`, `owner/roots.json` and, last, `owner/vault.age`: as long as that is missing the
 * device counts as not enrolled and enrolment may be repeated. Throws `vault/already-enrolled`.
 */
export async function createKeys(options: EnrolmentOptions): Promise<Enrolment> {
  const { dataDir, place, regions } = options;
  if (existsSync(vaultFilePath(dataDir))) {
    throw new AgentError(
      'refused',
      'vault/already-enrolled',
      'Cannot make keys: this data directory already has an owner',
    );
  }
  for (const room of ['keys', 'owner', 'cameras', 'spool', 'run']) ensurePrivateDir(join(dataDir, room));
  const owner = generateIdentity();
  const recovery = generateIdentity();
  const root = generateSigningKey();
  const ownerRootPublicKeyHex = Buffer.from(root.publicKey).toString('hex');
  const json = (value: unknown): string => `${JSON.stringify(value)}\n`;
  writeFileDurable(recipientsPath(dataDir), json({ owner: owner.recipient, recovery: recovery.recipient }));
  writeFileDurable(ownerRootPath(dataDir), `${ownerRootPublicKeyHex}\n`);
  writeFileDurable(placePath(dataDir), json(place));
  writeFileDurable(rootsPath(dataDir), json([]));
  await writeVaultFile(
    dataDir,
    {
      version: 1,
      createdAtMs: Math.round(options.clock.wallMs()),
      ownerIdentity: owner.identity,
      ownerRootSeedHex: Buffer.from(root.seed).toString('hex'),
      place,
      regions: [...regions],
      roots: [],
    },
    options.passphrase,
    options.log2Work,
  );
  return {
    ownerRecipient: owner.recipient,
    recoveryIdentity: recovery.identity,
    recoveryRecipient: recovery.recipient,
    ownerRootPublicKeyHex,
  };
}
