/** `latchkey init`: from nothing to an installation that has its owner's keys and nobody else's. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import { parseConfig } from '../config/loader.ts';
import { generatePassphrase, normalisePassphrase, passphraseProblem } from '../vault/passphrase.ts';
import { beginInstall, finishInstall, refuseExisting, writeRecoveryFile } from './init-install.ts';
import { type InitOption, type InitPlan, Wizard } from './init-questions.ts';
import { type CliIo, note, say, sayJson } from './io.ts';
import { choosePassword, type Secret, secretFrom } from './new-secret.ts';
import { example } from './program-line.ts';
import { Prompter } from './prompter.ts';

function choosePassphrase(option: InitOption): Secret {
  const secret = secretFrom(option.passphraseFile, 'passphrase', generatePassphrase);
  const problem = passphraseProblem(secret.value);
  if (problem === undefined) return { ...secret, value: normalisePassphrase(secret.value) };
  const message = `Cannot use that passphrase: ${problem}. Only a generated one is strong enough: name a file that does not exist yet`;
  throw new AgentError('usage', 'init/weak-passphrase', message);
}

function show(io: CliIo, ...lines: readonly string[]): void {
  for (const line of ['', ...lines, '']) note(io, line);
}

async function confirmRecovery(identity: string, option: InitOption, io: CliIo, prompter: Prompter): Promise<void> {
  if (option.recoveryOut !== undefined) {
    writeRecoveryFile(option.recoveryOut, identity);
    note(io, `The paper recovery key is in ${option.recoveryOut}: print it and delete the file.`);
  } else {
    show(
      io,
      'PAPER RECOVERY KEY, shown once. Write it down and keep it where you keep your passport:',
      '',
      `    ${identity}`,
      '',
      'With it, stock "age" opens every clip even if this device is lost. Nobody else has it.',
    );
  }
  if (option.yes === true) return;
  const last = identity.slice(-8);
  for (;;) {
    const typed = await prompter.ask('Type its last 8 characters from your paper');
    if (typed.toUpperCase() === last) return;
    if (!io.isTty) {
      throw new AgentError(
        'refused',
        'init/recovery-not-confirmed',
        'Cannot finish: those are not the last 8 characters of the recovery key',
      );
    }
    note(io, '  Those are not its last 8 characters: check what you wrote down.');
  }
}

async function install(plan: InitPlan, option: InitOption, io: CliIo, prompter: Prompter): Promise<object> {
  const passphrase = choosePassphrase(option);
  const password = await choosePassword(option, io, prompter);
  const name = option.accountName ?? 'owner';
  const [{ createKeys }, { createAccount }] = await Promise.all([
    import('../vault/enrolment.ts'),
    import('../owner/api/accounts.ts'),
  ]);
  beginInstall(plan);
  const { dataDir, place, config } = plan;
  const regions = [...config.regions];
  const keys = await createKeys({ dataDir, passphrase: passphrase.value, clock: systemClock, place, regions });
  await createAccount({ dataDir, name, password: password.value, role: 'owner' });
  if (passphrase.generated && option.passphraseFile === undefined) {
    show(
      io,
      'PASSPHRASE, shown once. It decides what is shared; write it down:',
      '',
      `    ${passphrase.value.replaceAll('-', ' ')}`,
    );
  }
  if (password.generated && option.passwordFile === undefined) {
    show(io, `Log-in for the web page: ${name}, password ${password.value}`);
  }
  await confirmRecovery(keys.recoveryIdentity, option, io, prompter);
  finishInstall(plan);
  const { ownerRecipient, recoveryRecipient, ownerRootPublicKeyHex } = keys;
  return {
    configPath: plan.configPath,
    dataDir,
    account: name,
    ownerRecipient,
    recoveryRecipient,
    ownerRootPublicKeyHex,
  };
}

async function init(option: InitOption, io: CliIo): Promise<void> {
  using prompter = new Prompter(io);
  const wizard = new Wizard(option, io, prompter);
  const places = await wizard.places();
  refuseExisting(places);
  if (option.recoveryOut !== undefined && existsSync(option.recoveryOut)) {
    throw new AgentError(
      'usage',
      'init/recovery-exists',
      `Cannot write the recovery key: ${option.recoveryOut} exists already`,
    );
  }
  const plan = await wizard.plan(places);
  // All that was answered is checked before anything is written.
  parseConfig(plan.config, dirname(plan.configPath));
  const result = await install(plan, option, io, prompter);
  for (const { source } of plan.config.cameras) {
    if (source.kind === 'file' && !existsSync(source.path)) {
      note(io, `There is no file ${source.path}: until there is, the camera records nothing.`);
    }
  }
  if (option.json === true) return sayJson(io, result);
  say(io, `Done: ${plan.configPath}`);
  say(
    io,
    `Keys were made here, today; recipients: yours and your paper. Start with: latchkey run --config ${plan.configPath}`,
  );
}

function repeated(text: string, all: readonly string[] | undefined): string[] {
  return [...(all ?? []), text];
}

export function register(program: Command, io: CliIo): void {
  program
    .command('init')
    .description('set up this device: keys, camera, place and log-in; asks, or takes flags')
    .option('--config <file>', 'configuration to write')
    .option('--data-dir <folder>', 'where keys and sealed clips live')
    .option('--camera-id <id>', 'a-z, 0-9 and hyphens')
    .option('--camera-name <name>', 'what people call it')
    .option('--camera-source <source>', 'rpicam, v4l2:/dev/video0, rtsp://ADDRESS or file:PATH')
    .option('--camera-username <name>', 'user name of an RTSP camera')
    .option('--camera-password-file <file>', 'file with its password')
    .option('--zone <corners>', 'corners x,y of a zone, "0,0.4 1,0.4 1,1 0,1"; may be repeated', repeated)
    .option(
      '--mask <corners>',
      'what is not yours, never recorded: 0%,0%,100%,25% (left, top, right, bottom) or corners "0%,0% 40%,0% 30%,100%"; may be repeated',
      repeated,
    )
    .option('--mask-picture <file>', 'write a picture of the camera with a grid and these masks, to look at')
    .option('--region <region>', 'ISO 3166-2, such as US-CA; may be repeated', repeated)
    .option('--lat <degrees>', 'latitude of the camera')
    .option('--lon <degrees>', 'longitude of the camera')
    .option('--broker-url <url>', 'where requests arrive, mqtts://…')
    .option('--broker-ca <file>', 'certificate authority of the broker')
    .option('--broker-username <name>', 'user name at the broker')
    .option('--broker-password-file <file>', 'file with its password')
    .option('--web-host <address>', 'IP address that the web page listens on')
    .option('--web-port <port>', 'its port')
    .option('--account-name <name>', 'log-in name (default: owner)')
    .option('--passphrase-file <file>', 'read the passphrase, or write a generated one into a new file')
    .option('--password-file <file>', 'the same for the log-in password')
    .option('--recovery-out <file>', 'write the paper recovery key into a new file')
    .option('--yes', 'ask nothing: flags and defaults only')
    .option('--json', 'print the result as JSON, without secrets')
    .addHelpText(
      'after',
      example(
        'latchkey init',
        'latchkey init --yes --camera-source rtsp://192.168.1.20/stream --region US-CA --lat 34.05 --lon -118.24 \\',
        '  --passphrase-file passphrase.txt --password-file password.txt --recovery-out recovery-key.txt',
      ),
    )
    .action((option: InitOption) => init(option, io));
}
