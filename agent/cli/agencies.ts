/** `latchkey agencies`: which agencies may ask at all. A fresh device trusts no root and no agency, and none can be preset. */
import type { Command } from 'commander';
import { z } from 'zod';
import { AgentError } from '../base/errors.ts';
import { readTextFile } from '../config/text-file.ts';
import type { AgencySummary, RootDescription } from '../owner/service.ts';
import { fromHex } from '../protocol/bytes.ts';
import { fingerprint, fingerprintMatches } from '../protocol/words.ts';
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

const maxRootBytes = 8192;
/** An envelope has at most 48 KiB. */
const maxEnvelopeBytes = 48 * 1024;

const rootSchema = z.strictObject({
  latchkey_root: z.literal(1),
  name: z.string().min(1).max(120),
  threshold: z.literal(2),
  keys: z.array(z.string().regex(/^[0-9a-f]{64}$/)).length(3),
});

function readNamedFile(path: string, maxBytes: number, what: string): string {
  const file = readTextFile(path, maxBytes);
  if ('problem' in file)
    throw new AgentError('usage', 'agencies/unreadable', `Cannot read the ${what} ${path}: ${file.why}`);
  return file.text;
}

function readRoot(path: string): RootDescription {
  const text = readNamedFile(path, maxRootBytes, 'root');
  let parsed: ReturnType<typeof rootSchema.safeParse> | undefined;
  try {
    parsed = rootSchema.safeParse(JSON.parse(text));
  } catch {
    parsed = undefined;
  }
  if (parsed?.success !== true || new Set(parsed.data.keys).size !== parsed.data.keys.length) {
    const shape = '{"latchkey_root": 1, "name", "threshold": 2, "keys": [three different keys in hex]}';
    throw new AgentError('usage', 'agencies/not-a-root', `Cannot add the root ${path}: expected ${shape}`);
  }
  return { name: parsed.data.name, threshold: parsed.data.threshold, keysHex: parsed.data.keys };
}

/** The owner reads the fingerprint from a second source (paper, a town-hall page) and types it: a click would prove nothing. */
async function confirmFingerprint(root: RootDescription, option: AddRootOption, prompter: Prompter): Promise<void> {
  const keys = root.keysHex.map((hex) => fromHex(hex));
  const typed = option.fingerprint ?? (await prompter.ask('Type the fingerprint that you got from that second source'));
  if (fingerprintMatches(typed, keys)) return;
  const message = 'Cannot add the root: what was typed is not its fingerprint. Nothing was changed';
  throw new AgentError('refused', 'agencies/wrong-fingerprint', message);
}

async function addRoot(path: string, option: AddRootOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  const root = readRoot(path);
  using prompter = new Prompter(io);
  note(io, `Root "${clean(root.name)}": ${root.threshold} of its ${root.keysHex.length} keys vouch for agencies.`);
  note(io, `Fingerprint: ${fingerprint(root.keysHex.map((hex) => fromHex(hex)))}`);
  note(io, 'Compare it with what you got on paper or from another place than this file.');
  await confirmFingerprint(root, option, prompter);
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
