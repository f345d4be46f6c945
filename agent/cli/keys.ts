/** `latchkey keys rotate`: another key for the owner and, if wanted, for the paper. */
import type { Command } from 'commander';
import { withDataLock } from './data-lock.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { writeRecoveryFile } from './init-install.ts';
import { type CliIo, note, say, sayJson } from './io.ts';
import { changeOptions, sayChange } from './key-change.ts';
import { obtainPassphrase, type PassphraseOption } from './passphrase-entry.ts';
import { example } from './program-line.ts';

interface RotateOption extends ConfigOption, PassphraseOption {
  readonly newPaperOut?: string;
  readonly json?: boolean;
}

async function rotate(option: RotateOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  const passphrase = await obtainPassphrase(option, io);
  const { newPaperKey, rotateKeys } = await import('../vault/key-change.ts');
  const paper = option.newPaperOut === undefined ? undefined : newPaperKey();
  const change = await withDataLock(config.dataDir, async () => {
    // On paper before anything is sealed to it.
    if (paper !== undefined) writeRecoveryFile(option.newPaperOut ?? '', paper.identity);
    const newRecoveryRecipient = paper?.recipient;
    return await rotateKeys({
      ...changeOptions(config, io),
      passphrase,
      ...(newRecoveryRecipient === undefined ? {} : { newRecoveryRecipient }),
    });
  });
  if (option.json === true) return sayJson(io, change);
  sayChange(change, config, io);
  if (paper === undefined) return;
  if (change.recoveryRecipient !== paper.recipient) {
    note(
      io,
      `An interrupted change was completed first; the key in ${option.newPaperOut} was not used: run this again.`,
    );
    return;
  }
  say(io, `The new paper key is in ${option.newPaperOut}: print it, delete the file, and destroy the old paper.`);
}

export function register(program: Command, io: CliIo): void {
  const keys = program.command('keys').description('change the keys that open the clips');
  withConfigOption(keys.command('rotate'))
    .description(
      "give the owner a new key and re-wrap every stored clip's; asks for the passphrase; nothing may be running",
    )
    .option('--new-paper-out <file>', 'make a new paper key too, into a new file')
    .option('--passphrase-file <file>', 'read the passphrase from a file')
    .option('--json', 'print the result as JSON, without secrets')
    .addHelpText('after', example('latchkey keys rotate', 'latchkey keys rotate --new-paper-out paper-key.txt'))
    .action((option: RotateOption) => rotate(option, io));
}
