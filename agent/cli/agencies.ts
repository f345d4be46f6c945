/** `latchkey agencies`: which agencies may ask at all. A fresh device trusts no root and no agency, and none can be preset. */
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import type { AgencySummary } from '../owner/service.ts';
import { fingerprint, fingerprintMatches } from '../protocol/words.ts';
import { maxEnvelopeBytes, type RootFile, readNamedFile, readRootFile } from './agency-files.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, note, say, sayJson } from './io.ts';
import { withOwner } from './owner-client.ts';
import { obtainPassphrase, type PassphraseOption } from './passphrase-entry.ts';
import { example } from './program-line.ts';
import { Prompter } from './prompter.ts';
import { clean, localTime, table } from './terminal-text.ts';

interface JsonOption extends ConfigOption {
  readonly json?: boolean;
}

interface AddRootOption extends JsonOption, PassphraseOption {
  readonly fingerprint?: string;
}

/** The owner reads the fingerprint from a second source (paper, a town-hall page) and types it: a click would prove nothing. */
async function confirmFingerprint({ pinned }: RootFile, option: AddRootOption, prompter: Prompter): Promise<void> {
  const typed = option.fingerprint ?? (await prompter.ask('Type the fingerprint that you got from that second source'));
  if (fingerprintMatches(typed, pinned.keys)) return;
  const message = 'Cannot add the root: what was typed is not its fingerprint. Nothing was changed';
  throw new AgentError('refused', 'agencies/wrong-fingerprint', message);
}

async function addRoot(path: string, option: AddRootOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  const file = readRootFile(path);
  const { root, pinned } = file;
  using prompter = new Prompter(io);
  note(io, `Root "${clean(root.name)}": ${root.threshold} of its ${root.keysHex.length} keys vouch for agencies.`);
  note(io, `Fingerprint: ${fingerprint(pinned.keys)}`);
  note(io, 'Compare it with what you got on paper or from another place than this file.');
  await confirmFingerprint(file, option, prompter);
  const answer = await withOwner(config, async (owner) =>
    owner.call('addRoot', { passphrase: await obtainPassphrase(option, io, prompter), root }),
  );
  if (option.json === true) sayJson(io, answer);
  else
    say(
      io,
      `Added. ${answer.rootCount} ${answer.rootCount === 1 ? 'root is' : 'roots are'} trusted; no agency is enabled by that.`,
    );
}

function agencyRow(agency: AgencySummary): string[] {
  const { enabled, name, expiresAtMs, version } = agency;
  return [
    clean(agency.agency),
    enabled ? 'enabled' : 'disabled',
    `version ${version}`,
    `until ${localTime(expiresAtMs)}`,
    clean(name),
  ];
}

function showAgencies(agencies: readonly AgencySummary[], option: JsonOption, io: CliIo): void {
  if (option.json === true) return sayJson(io, agencies);
  if (agencies.length === 0)
    say(io, 'No agency is known. They come from the broker, or by "latchkey agencies import FILE".');
  for (const line of table(agencies.map(agencyRow))) say(io, line);
}

async function importAgency(path: string, option: JsonOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  const text = readNamedFile(path, maxEnvelopeBytes, 'agency document');
  const envelopeBase64 = Buffer.from(text, 'utf8').toString('base64');
  showAgencies([await withOwner(config, (owner) => owner.call('importAgency', { envelopeBase64 }))], option, io);
}

async function setEnabled(agency: string, enabled: boolean, option: JsonOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  showAgencies([await withOwner(config, (owner) => owner.call('setAgencyEnabled', { agency, enabled }))], option, io);
}

export function register(program: Command, io: CliIo): void {
  const agencies = program.command('agencies').description('choose which agencies may ask');
  const add = (usage: string, description: string, ...lines: readonly string[]): Command =>
    withConfigOption(agencies.command(usage).description(description))
      .option('--json', 'print as JSON')
      .addHelpText('after', example(...lines));
  add('add-root <file>', 'trust a root, whose keys vouch for agencies', 'latchkey agencies add-root county-root.json')
    .option('--fingerprint <text>', 'its fingerprint, for unattended use')
    .option('--passphrase-file <file>', 'read the passphrase from a file')
    .action((path: string, option: AddRootOption) => addRoot(path, option, io));
  add(
    'import <file>',
    'read a signed agency document from a file',
    'latchkey agencies import springfield-pd.json',
  ).action((path: string, option: JsonOption) => importAgency(path, option, io));
  add('list', 'list the agencies that a root vouches for', 'latchkey agencies list').action(
    async (option: JsonOption) =>
      showAgencies(await withOwner(openConfig(option, io), (owner) => owner.call('listAgencies')), option, io),
  );
  add('enable <agency>', 'let an agency ask', 'latchkey agencies enable springfield-pd').action(
    (agency: string, option: JsonOption) => setEnabled(agency, true, option, io),
  );
  add('disable <agency>', 'stop an agency from asking', 'latchkey agencies disable springfield-pd').action(
    (agency: string, option: JsonOption) => setEnabled(agency, false, option, io),
  );
}
