/** `latchkey pair`: gives this terminal a viewing key, so that looking back takes no passphrase. */
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, say, sayJson } from './io.ts';
import { withOwner } from './owner-client.ts';
import { writePairing } from './pairing-file.ts';
import { obtainPassphrase, type PassphraseOption } from './passphrase-entry.ts';
import { example } from './program-line.ts';
import { localTime } from './terminal-text.ts';

interface PairOption extends ConfigOption, PassphraseOption {
  readonly name?: string;
  readonly json?: boolean;
}

async function pair(option: PairOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  const name = option.name ?? `terminal on ${hostname()}`;
  const pairing = await withOwner(config, async (owner) =>
    owner.call('pair', { passphrase: await obtainPassphrase(option, io), name }),
  );
  const path = writePairing(io, pairing);
  const { pairingId, expiresAtMs } = pairing;
  if (option.json === true) return sayJson(io, { pairingId, expiresAtMs, file: path });
  say(io, `Paired as "${name}" until ${localTime(expiresAtMs)}.`);
  say(io, `The viewing key is in ${path}; whoever can read that file can look at clips. "latchkey unlock" uses it.`);
}

export function register(program: Command, io: CliIo): void {
  withConfigOption(program.command('pair'))
    .description('pair this terminal for viewing; asks for the passphrase')
    .option('--name <name>', 'what the pairing is called in the list')
    .option('--passphrase-file <file>', 'read the passphrase from a file')
    .option('--json', 'print the result as JSON, without the key')
    .addHelpText('after', example('latchkey pair --name "laptop in the hall"'))
    .action((option: PairOption) => pair(option, io));
}
