/** `latchkey unlock`: opening what was recorded, or the power to decide. */
import type { Command } from 'commander';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, say, sayJson } from './io.ts';
import { lockMeaning } from './lock.ts';
import { withOwner } from './owner-client.ts';
import { readPairing } from './pairing-file.ts';
import { obtainPassphrase, type PassphraseOption } from './passphrase-entry.ts';
import { example } from './program-line.ts';

interface UnlockOption extends ConfigOption, PassphraseOption {
  readonly deciding?: boolean;
  readonly json?: boolean;
}

async function unlock(option: UnlockOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  const deciding = option.deciding === true || option.passphraseFile !== undefined;
  const answer = await withOwner(config, async (owner) =>
    deciding
      ? owner.call('unlockDeciding', { passphrase: await obtainPassphrase(option, io) })
      : owner.call('unlockViewing', readPairing(io)),
  );
  if (option.json === true) sayJson(io, answer);
  else say(io, lockMeaning[answer.lock]);
}

export function register(program: Command, io: CliIo): void {
  withConfigOption(program.command('unlock'))
    .description("unlock viewing with this terminal's pairing, or deciding with the passphrase")
    .option('--deciding', 'ask for the passphrase and unlock the power to decide')
    .option('--passphrase-file <file>', 'read the passphrase from a file (implies --deciding)')
    .option('--json', 'print the state as JSON')
    .addHelpText('after', example('latchkey unlock', 'latchkey unlock --deciding'))
    .action((option: UnlockOption) => unlock(option, io));
}
