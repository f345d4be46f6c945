/** `latchkey agencies`: which agencies may ask at all. A fresh device trusts no root and no agency, and none can be preset. */
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import type { AgencySummary } from '../owner/service.ts';
import { fingerprint, fingerprintMatches } from '../protocol/words.ts';
import { maxEnvelopeBytes, type RootFile, readNamedFile, readRootFile } from './agency-files.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, columnsOf, note, say, sayJson } from './io.ts';
import { withOwner } from './owner-client.ts';
import { obtainPassphrase, type PassphraseOption } from './passphrase-entry.ts';
import { example } from './program-line.ts';
import { Prompter } from './prompter.ts';
import { clean, labelled, localTime, table } from './terminal-text.ts';

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
  const { name, expiresAtMs, version } = agency;
  return [
    clean(agency.agency),
    standingOf(agency),
    `version ${version}`,
    `until ${localTime(expiresAtMs)}`,
    `reports ${agency.score.openCount + agency.score.closedCount} of ${agency.score.dueCount}`,
    clean(name, 60),
  ];
}

/** The worst that can be said of it first. */
function standingOf({ suspended, enabled, muted, directory, perDay }: AgencySummary): string {
  if (suspended) return 'suspended: contradicted itself';
  if (!enabled) return 'disabled';
  if (muted === 'by-owner') return 'muted';
  if (muted === 'overdue-outcomes') return 'muted: reports overdue';
  if (directory === 'agency-outdated') return 'held: a newer document was withheld';
  if (directory === 'agency-unlisted') return 'held: its root lists it no longer';
  return perDay === 5 ? 'enabled' : `enabled, ${perDay} a day`;
}

async function setMuted(agency: string, muted: boolean, option: JsonOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  showAgencies([await withOwner(config, (owner) => owner.call('setAgencyMuted', { agency, muted }))], option, io);
}

async function setPerDay(agency: string, text: string, option: JsonOption, io: CliIo): Promise<void> {
  const perDay = text === 'default' ? null : Number(text);
  if (perDay !== null && !/^[0-9]$/.test(text)) {
    throw new AgentError('usage', 'agencies/bad-limit', 'Cannot set the limit: expected 0 to 5, or "default"');
  }
  const config = openConfig(option, io);
  showAgencies([await withOwner(config, (owner) => owner.call('setAgencyPerDay', { agency, perDay }))], option, io);
}

/** As signed: whoever holds the root can see for themselves what their agency did. */
async function evidence(agency: string, option: JsonOption, io: CliIo): Promise<void> {
  const kept = await withOwner(openConfig(option, io), (owner) => owner.call('showEvidence', { agency }));
  if (option.json === true) return sayJson(io, kept);
  if (kept.length === 0) return say(io, 'None: no two documents of this agency contradict each other.');
  for (const { foundAtMs, firstBase64, secondBase64 } of kept) {
    say(io, `Found ${localTime(foundAtMs)}: two documents under one number, both validly signed.`);
    for (const text of [firstBase64, secondBase64])
      say(io, clean(Buffer.from(text, 'base64').toString('utf8'), 60_000));
  }
}

async function alerts(option: JsonOption, io: CliIo): Promise<void> {
  const notices = await withOwner(openConfig(option, io), (owner) => owner.call('listNotices'));
  if (option.json === true) return sayJson(io, notices);
  if (notices.length === 0) say(io, 'No alerts.');
  for (const { issuedAtMs, agencyName, headline, text } of notices) {
    const rows: [string, string][] = [
      [localTime(issuedAtMs), clean(agencyName, 100)],
      ['', clean(headline, 120)],
      ['', clean(text, 1000)],
    ];
    for (const line of labelled(rows, columnsOf(io.stdout))) say(io, line);
  }
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
  add('mute <agency>', 'hear nothing of an agency until "unmute"', 'latchkey agencies mute springfield-pd').action(
    (agency: string, option: JsonOption) => setMuted(agency, true, option, io),
  );
  add(
    'unmute <agency>',
    'hear it again; what came meanwhile is shown',
    'latchkey agencies unmute springfield-pd',
  ).action((agency: string, option: JsonOption) => setMuted(agency, false, option, io));
  add(
    'limit <agency> <per-day>',
    'allow it fewer prompts a day than the five of the protocol',
    'latchkey agencies limit springfield-pd 1',
  ).action((agency: string, perDay: string, option: JsonOption) => setPerDay(agency, perDay, option, io));
  add(
    'evidence <agency>',
    'print documents by which an agency contradicted itself',
    'latchkey agencies evidence springfield-pd --json',
  ).action((agency: string, option: JsonOption) => evidence(agency, option, io));
  add('alerts', 'list the public alerts of agencies and groups', 'latchkey agencies alerts').action(
    (option: JsonOption) => alerts(option, io),
  );
  add('disable <agency>', 'stop an agency from asking', 'latchkey agencies disable springfield-pd').action(
    (agency: string, option: JsonOption) => setEnabled(agency, false, option, io),
  );
}
