/**
 * New keys for an old house: the owner's own (`rotateKeys`, with the passphrase) or all but the paper's (`recoverKeys`, with the
 * paper key, when the passphrase is forgotten). Stored clips get new headers and keep their bodies. Nothing else may run.
 *
 * An interrupted change stands in `vault.age`, which then opens for nothing but its completion. Afterwards the old key opens
 * nothing on this device; copies made before (a backup, a stolen card) it still opens, because the file keys are the same.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import { readFileLimited, removeDurable, writeFileDurable } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import {
  generateIdentity,
  type OwnerIdentity,
  parseIdentity,
  recipientOf,
  rewrapHeader,
} from '../protocol/age-file.ts';
import { generateSigningKey } from '../protocol/keys.ts';
import { openNote, sealNote } from '../protocol/sealed-note.ts';
import { openClipsDatabase } from '../store/clips-open.ts';
import { type Rewrap, type RewrapCounts, rewrapClips } from '../store/clips-rewrap.ts';
import { LedgerDb } from '../store/ledger-db.ts';
import { parsePlace, readRecipients } from './enrolled-files.ts';
import {
  camerasPath,
  clipIndexPath,
  ownerRootPath,
  placePath,
  recipientsPath,
  rootsPath,
  viewingPath,
} from './paths.ts';
import { readUnfinishedVaultFile, unfinishedChange, writeVaultFile } from './vault-file.ts';

export interface KeyChangeOptions {
  readonly dataDir: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Headers looked at so far. */
  readonly onProgress?: (doneCount: number) => void;
  readonly log2Work?: number;
}

export interface KeyChange extends RewrapCounts {
  readonly ownerRecipient: string;
  readonly recoveryRecipient: string;
  /** Paired browsers and terminals: each has to pair again. */
  readonly revokedPairingCount: number;
  /** An earlier change was interrupted and has now been completed; a new paper key asked for this time was not used. */
  readonly resumed: boolean;
}

/**
 * A new owner identity and, if asked for, another paper key. Throws `vault/keys-unfinished` after an interrupted recovery,
 * which only the paper key completes, and `vault/clips-set-aside`.
 */
export async function rotateKeys(
  options: KeyChangeOptions & { readonly passphrase: string; readonly newRecoveryRecipient?: string },
): Promise<KeyChange> {
  const { dataDir, passphrase, log2Work } = options;
  const secrets = await readUnfinishedVaultFile(dataDir, passphrase);
  const { keyChange: begun, ...settled } = secrets;
  if (begun?.kind === 'recover') throw unfinishedChange('recover');
  requireNothingAside(options, /\.(damaged|salvaged)-\d+$/);
  const recovery = options.newRecoveryRecipient ?? readRecipients(dataDir).recovery;
  const change = begun ?? {
    kind: 'rotate' as const,
    ownerIdentity: generateIdentity().identity,
    recoveryRecipient: recovery,
  };
  if (begun === undefined) await writeVaultFile(dataDir, { ...settled, keyChange: change }, passphrase, log2Work);
  const [old, fresh] = [parseIdentity(secrets.ownerIdentity), parseIdentity(change.ownerIdentity)];
  const recipients = { owner: fresh.recipient, recovery: change.recoveryRecipient };
  // From here on every new clip is sealed to the new keys.
  writeFileDurable(recipientsPath(dataDir), `${JSON.stringify(recipients)}\n`);
  const revokedPairingCount = forgetPairings(dataDir);
  const counts = rewrapAll(options, rewrapFrom(old, [recipients.owner, recipients.recovery], fresh));
  resealNotes(dataDir, old, fresh);
  const formerIdentities = [...secrets.formerIdentities, secrets.ownerIdentity].slice(-maxFormer);
  const done = { ...settled, ownerIdentity: change.ownerIdentity, formerIdentities };
  await writeVaultFile(dataDir, done, passphrase, log2Work);
  return {
    ...counts,
    revokedPairingCount,
    ownerRecipient: recipients.owner,
    recoveryRecipient: recipients.recovery,
    resumed: begun !== undefined,
  };
}

/**
 * A new owner and a new passphrase for who has the paper key. What only the lost keys could do is lost: pinned roots, sealed
 * notes and ledger entries, and the signature under shares and demands that are on their way. May be repeated after an
 * interruption. Throws `vault/wrong-paper-key`, `vault/clips-set-aside`.
 */
export async function recoverKeys(
  options: KeyChangeOptions & {
    readonly paper: OwnerIdentity;
    readonly passphrase: string;
    readonly regions: readonly string[];
  },
): Promise<KeyChange & { readonly ownerRootPublicKeyHex: string }> {
  const { dataDir, paper, passphrase, log2Work, clock } = options;
  const recipients = { owner: '', recovery: readRecipients(dataDir).recovery };
  if (paper.recipient !== recipients.recovery) {
    throw new AgentError(
      'refused',
      'vault/wrong-paper-key',
      'Cannot recover: this is not the paper key of this device',
    );
  }
  requireNothingAside(options, /\.damaged-\d+$/);
  const owner = generateIdentity();
  recipients.owner = owner.recipient;
  const root = generateSigningKey();
  const ownerRootPublicKeyHex = Buffer.from(root.publicKey).toString('hex');
  const secrets = {
    version: 1 as const,
    createdAtMs: Math.round(clock.wallMs()),
    ownerIdentity: owner.identity,
    ownerRootSeedHex: Buffer.from(root.seed).toString('hex'),
    place: parsePlace(readFileLimited(placePath(dataDir), 4096)),
    regions: [...options.regions],
    roots: [],
  };
  const begun = { kind: 'recover', ownerIdentity: owner.identity, recoveryRecipient: recipients.recovery } as const;
  await writeVaultFile(dataDir, { ...secrets, keyChange: begun }, passphrase, log2Work);
  writeFileDurable(recipientsPath(dataDir), `${JSON.stringify(recipients)}\n`);
  writeFileDurable(ownerRootPath(dataDir), `${ownerRootPublicKeyHex}\n`);
  writeFileDurable(rootsPath(dataDir), '[]\n');
  const revokedPairingCount = forgetPairings(dataDir);
  const counts = rewrapAll(options, rewrapFrom(paper, [recipients.owner, recipients.recovery]));
  await writeVaultFile(dataDir, secrets, passphrase, log2Work);
  return {
    ...counts,
    revokedPairingCount,
    ownerRecipient: recipients.owner,
    recoveryRecipient: recipients.recovery,
    resumed: false,
    ownerRootPublicKeyHex,
  };
}

const maxFormer = 32;

/** The viewing keys never were on this device, so the new identity can't be wrapped for them. */
function forgetPairings(dataDir: string): number {
  const folder = viewingPath(dataDir);
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  for (const name of names) removeDurable(join(folder, name));
  // Only the old key opens it; the next unlock makes a new one.
  removeDurable(clipIndexPath(dataDir));
  return names.length;
}

function rewrapFrom(old: OwnerIdentity, recipients: readonly string[], fresh?: OwnerIdentity): Rewrap {
  return (header) => {
    const opened = rewrapped(header, old, recipients);
    if (opened !== undefined) return opened;
    return fresh !== undefined && rewrapped(header, fresh, recipients) !== undefined ? 'kept' : 'foreign';
  };
}

function rewrapped(header: Uint8Array, identity: OwnerIdentity, recipients: readonly string[]): Uint8Array | undefined {
  try {
    return rewrapHeader(header, identity, recipients);
  } catch (thrown) {
    if (thrown instanceof AgentError && ['age/wrong-key', 'age/damaged', 'age/truncated'].includes(thrown.code)) {
      return undefined;
    }
    throw thrown;
  }
}

function rewrapAll(options: KeyChangeOptions, rewrap: Rewrap): RewrapCounts {
  const { log, clock, onProgress = () => {} } = options;
  const sum = { rewrappedCount: 0, keptCount: 0, foreignCount: 0 };
  for (const { path } of databasesIn(options)) {
    const before = sum.rewrappedCount + sum.keptCount + sum.foreignCount;
    const counts = rewrapClips({ path, log, wallMs: clock.wallMs() }, rewrap, (done) => onProgress(before + done));
    sum.rewrappedCount += counts.rewrappedCount;
    sum.keptCount += counts.keptCount;
    sum.foreignCount += counts.foreignCount;
  }
  return sum;
}

function databasesIn({ dataDir }: KeyChangeOptions): { readonly folder: string; readonly path: string }[] {
  const root = camerasPath(dataDir);
  return (existsSync(root) ? readdirSync(root).toSorted() : [])
    .map((camera) => ({ folder: join(root, camera), path: join(root, camera, 'clips.db') }))
    .filter(({ path }) => existsSync(path));
}

/**
 * Clips in a database that was set aside would keep their old keys, and no new key would open them once they are repaired.
 * Every database is opened first: a damaged one is found now, and not when half of the keys are new.
 */
function requireNothingAside(options: KeyChangeOptions, pattern: RegExp): void {
  const { log, clock } = options;
  for (const { path } of databasesIn(options)) openClipsDatabase({ path, log, wallMs: clock.wallMs() }).close();
  const root = camerasPath(options.dataDir);
  for (const camera of existsSync(root) ? readdirSync(root).toSorted() : []) {
    const aside = readdirSync(join(root, camera)).find((name) => pattern.test(name));
    if (aside === undefined) continue;
    const how = aside.includes('.damaged-')
      ? 'was set aside as damaged, and its clips would keep the old keys. Run "latchkey check --repair" first'
      : 'still opens with the old keys, as far as it can be read. Delete it first';
    throw new AgentError('refused', 'vault/clips-set-aside', `Cannot change the keys: ${camera}/${aside} ${how}`);
  }
}

/** What was decided about waiting requests must be readable by the new key; entries of the ledger are chained and stay. */
function resealNotes(dataDir: string, old: OwnerIdentity, fresh: OwnerIdentity): void {
  const path = join(dataDir, 'ledger.db');
  if (!existsSync(path)) return;
  const ledger = new LedgerDb(path);
  try {
    const resealed = new Map<string, Uint8Array>();
    for (const { request_hash: hash, note } of ledger.requests()) {
      const text = [old, fresh].map((identity) => noteText(note, identity)).find((each) => each !== undefined);
      if (text !== undefined) resealed.set(hash, sealNote(fresh.recipient, text, note.length));
    }
    ledger.replaceNotes(resealed);
  } finally {
    ledger.close();
  }
}

function noteText(note: Uint8Array, identity: OwnerIdentity): string | undefined {
  try {
    return openNote(note, identity);
  } catch {
    return undefined;
  }
}

/** The paper recipient that goes with a new paper key. */
export function newPaperKey(): { readonly identity: string; readonly recipient: string } {
  const { identity } = generateIdentity();
  return { identity, recipient: recipientOf(identity) };
}
