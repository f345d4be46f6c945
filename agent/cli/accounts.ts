/** `latchkey accounts`: who may log in to the web page, and as what. A log-in opens no clip and decides nothing by itself. */
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, note, say, sayJson } from './io.ts';
import { choosePassword, type Secret } from './new-secret.ts';
import { type AccountAnswer, type OwnerClient, withOwner } from './owner-client.ts';
import { readSecretFile } from './passphrase-entry.ts';
import { example } from './program-line.ts';
import { Prompter } from './prompter.ts';
import { clean, table } from './terminal-text.ts';

interface JsonOption extends ConfigOption {
  readonly json?: boolean;
}

interface PasswordOption extends JsonOption {
  readonly passwordFile?: string;
}

interface AddOption extends PasswordOption {
  readonly viewer?: boolean;
}

interface ChangeOption extends PasswordOption {
  readonly presentPasswordFile?: string;
}

const roleText = {
  owner: 'answers requests (with the passphrase), keeps and deletes clips',
  viewer: 'reads, and looks back once paired; changes nothing',
};

async function list(option: JsonOption, io: CliIo): Promise<void> {
  const { accounts } = await withOwner(openConfig(option, io), (owner) => owner.listAccounts());
  if (option.json === true) return sayJson(io, accounts);
  for (const line of table(accounts.map(({ name, role }) => [clean(name), role, roleText[role]]))) say(io, line);
}

/** A generated one is shown once, unless it went into a file. */
function tell({ name }: AccountAnswer, secret: Secret, option: PasswordOption, io: CliIo): void {
  if (secret.generated && option.passwordFile === undefined) {
    for (const line of ['', `Log-in for the web page: ${clean(name)}, password ${secret.value}`, '']) note(io, line);
  }
}

/** Before a password is asked for, or a made one written into a file. What is decided is decided by the owner program. */
async function isThere(owner: OwnerClient, name: string): Promise<boolean> {
  const { accounts } = await owner.listAccounts();
  return accounts.some((account) => account.name === name.trim().toLowerCase());
}

async function add(name: string, option: AddOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  using prompter = new Prompter(io);
  await withOwner(config, async (owner) => {
    if (await isThere(owner, name)) {
      throw new AgentError('usage', 'login/account-exists', 'Cannot create the account: this name is taken');
    }
    const secret = await choosePassword(option, io, prompter);
    const role = option.viewer === true ? 'viewer' : 'owner';
    const account = await owner.addAccount({ name, password: secret.value, role });
    tell(account, secret, option, io);
    if (option.json === true) return sayJson(io, account);
    say(io, `Added ${clean(account.name)}, ${role}: ${roleText[role]}.`);
  });
}

async function change(name: string, option: ChangeOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  using prompter = new Prompter(io);
  const file = option.presentPasswordFile;
  await withOwner(config, async (owner) => {
    if (!(await isThere(owner, name))) {
      throw new AgentError('usage', 'login/no-such-account', 'Cannot find the log-in: there is none of that name');
    }
    const present = file === undefined ? {} : { present: readSecretFile(file, 'present password') };
    const secret = await choosePassword(option, io, prompter);
    const account = await owner.setAccountPassword({ name, password: secret.value, ...present });
    tell(account, secret, option, io);
    if (option.json === true) return sayJson(io, account);
    say(io, `Changed. Whoever was logged in as ${clean(account.name)} is logged out.`);
  });
}

async function remove(name: string, option: JsonOption, io: CliIo): Promise<void> {
  const account = await withOwner(openConfig(option, io), (owner) => owner.removeAccount({ name }));
  if (option.json === true) return sayJson(io, account);
  say(io, `Removed ${clean(account.name)}, and logged out. A browser that is paired stays so: "latchkey pair --list".`);
}

export function register(program: Command, io: CliIo): void {
  const accounts = program.command('accounts').description('who may log in to the web page');
  const make = (usage: string, description: string, ...lines: readonly string[]): Command =>
    withConfigOption(accounts.command(usage).description(description))
      .option('--json', 'print as JSON, without the password')
      .addHelpText('after', example(...lines));
  make('list', 'list the log-ins', 'latchkey accounts list').action((option: JsonOption) => list(option, io));
  make('add <name>', 'add a log-in', 'latchkey accounts add grandma', 'latchkey accounts add guest --viewer')
    .option('--viewer', 'may only read and look back')
    .option('--password-file <file>', 'read the password, or write a generated one into a new file')
    .action((name: string, option: AddOption) => add(name, option, io));
  make('password <name>', 'give a log-in a new password', 'latchkey accounts password owner')
    .option('--password-file <file>', 'read the new password, or write a generated one into a new file')
    .option('--present-password-file <file>', 'its present one: needed only for the second approver')
    .action((name: string, option: ChangeOption) => change(name, option, io));
  make('remove <name>', 'remove a log-in', 'latchkey accounts remove guest').action(
    (name: string, option: JsonOption) => remove(name, option, io),
  );
}
