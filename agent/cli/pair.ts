/** `latchkey pair`: gives this terminal a viewing key, so that looking back takes no passphrase; lists and ends such pairings. */
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import type { PairingSummary } from '../owner/service.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, say, sayJson } from './io.ts';
import { type OwnerClient, withOwner } from './owner-client.ts';
import { writePairing } from './pairing-file.ts';
import { obtainPassphrase, type PassphraseOption } from './passphrase-entry.ts';
import { example } from './program-line.ts';
import { clean, localTime } from './terminal-text.ts';

interface PairOption extends ConfigOption, PassphraseOption {
  readonly name?: string;
  readonly list?: boolean;
  readonly end?: string;
  readonly json?: boolean;
}

function sayPairings(pairings: readonly PairingSummary[], option: PairOption, io: CliIo): void {
  if (option.json === true) return sayJson(io, pairings);
  if (pairings.length === 0) say(io, 'Nothing is paired.');
  for (const { pairingId, name, createdAtMs, expiresAtMs } of pairings) {
    const times = `paired ${localTime(createdAtMs)}, ends ${localTime(expiresAtMs)}`;
    say(io, `${pairingId}  ${clean(name)}  ${times}`);
  }
}

/** By its id or the first digits of it. */
async function end(owner: OwnerClient, digits: string): Promise<PairingSummary> {
  const meant = (await owner.call('listPairings')).filter(({ pairingId }) => pairingId.startsWith(digits));
  const [pairing] = meant;
  if (pairing === undefined || meant.length > 1 || digits === '') {
    const message = `Cannot end a pairing: ${meant.length > 1 ? 'several begin' : 'none begins'} with "${digits}"; "latchkey pair --list" lists them`;
    throw new AgentError('usage', 'pair/which-pairing', message);
  }
  await owner.call('unpair', { pairingId: pairing.pairingId });
  return pairing;
}

async function pair(option: PairOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  if (option.list === true) {
    return sayPairings(await withOwner(config, (owner) => owner.call('listPairings')), option, io);
  }
  const { end: ended } = option;
  if (ended !== undefined) {
    const { pairingId, name } = await withOwner(config, (owner) => end(owner, ended));
    if (option.json === true) return sayJson(io, { pairingId, ended: true });
    return say(io, `"${clean(name)}" can no longer look back; what it had unlocked is locked.`);
  }
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
    .description('pair this terminal for viewing; asks for the passphrase. Or list and end what is paired')
    .option('--name <name>', 'what the pairing is called in the list')
    .option('--list', 'list the browsers and terminals that are paired')
    .option('--end <id>', 'end a pairing: a lost phone, a browser that is no longer yours')
    .option('--passphrase-file <file>', 'read the passphrase from a file')
    .option('--json', 'print the result as JSON, without the key')
    .addHelpText(
      'after',
      example('latchkey pair --name "laptop in the hall"', 'latchkey pair --list', 'latchkey pair --end 5f0e8a'),
    )
    .action((option: PairOption) => pair(option, io));
}
