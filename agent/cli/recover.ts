/** `latchkey recover`: the passphrase is forgotten, the paper key is at hand. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import { readFileLimited, removeDurable } from '../base/files.ts';
import { generatePassphrase } from '../vault/passphrase.ts';
import { vaultFilePath } from '../vault/paths.ts';
import { withDataLock } from './data-lock.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { writeSecret } from './init-install.ts';
import { type CliIo, note, say, sayJson } from './io.ts';
import { changeOptions, sayChange } from './key-change.ts';
import { readPaperKey } from './paper-key.ts';
import { example } from './program-line.ts';

const maxVaultBytes = 1 << 20;

interface RecoverOption extends ConfigOption {
  readonly paperKey: string;
  readonly passphraseOut?: string;
  readonly json?: boolean;
}

async function recover(option: RecoverOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  const paper = readPaperKey(option.paperKey, 'recover');
  const passphrase = generatePassphrase();
  const { passphraseOut } = option;
  if (passphraseOut !== undefined && existsSync(passphraseOut)) {
    const message = `Cannot write the new passphrase: ${passphraseOut} exists already`;
    throw new AgentError('usage', 'recover/passphrase-exists', message);
  }
  const { recoverKeys } = await import('../vault/key-change.ts');
  const change = await withDataLock(config.dataDir, async () => {
    // On its way to the owner before anything hangs on it: a passphrase that nobody could write down opens nothing.
    if (passphraseOut !== undefined) writeSecret(passphraseOut, `${passphrase}\n`);
    const before = readFileLimited(vaultFilePath(config.dataDir), maxVaultBytes);
    try {
      return await recoverKeys({ ...changeOptions(config, io), paper, passphrase, regions: config.regions });
    } catch (thrown) {
      const unchanged =
        readFileLimited(vaultFilePath(config.dataDir), maxVaultBytes)?.equals(before ?? Buffer.of()) === true;
      if (passphraseOut !== undefined && unchanged) removeDurable(passphraseOut);
      throw thrown;
    }
  });
  if (passphraseOut === undefined) {
    for (const line of [
      '',
      'NEW PASSPHRASE, shown once. Write it down:',
      '',
      `    ${passphrase.replaceAll('-', ' ')}`,
      '',
    ])
      note(io, line);
  }
  if (option.json === true) return sayJson(io, change);
  sayChange(change, config, io);
  say(io, '  Agencies have to be vouched for anew: pin their root with "latchkey agencies add-root".');
  say(
    io,
    '  Entries of the ledger until today, and what you declined but is still open, only the lost key could read.',
  );
  say(io, '  Shares and deletion demands on their way were signed with it too and will not leave.');
  say(
    io,
    '  Your paper key is still good. It has been used: "latchkey keys rotate --new-paper-out FILE" makes a new one.',
  );
}

export function register(program: Command, io: CliIo): void {
  withConfigOption(program.command('recover'))
    .description('enrol anew with the paper key after a forgotten passphrase; clips stay; nothing may be running')
    .requiredOption('--paper-key <file>', 'a file with the key from your paper')
    .option('--passphrase-out <file>', 'write the new passphrase into a new file instead of showing it')
    .option('--json', 'print the result as JSON, without secrets')
    .addHelpText('after', example('latchkey recover --paper-key /media/stick/paper-key.txt'))
    .action((option: RecoverOption) => recover(option, io));
}
