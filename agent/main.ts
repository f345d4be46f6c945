/** The command line. The list below is every command there is; this is the only file that exits the process. */
import process from 'node:process';
import { isatty } from 'node:tty';
import type { CliIo } from './cli/io.ts';
import { type Register, runCommandLine } from './cli/program-line.ts';

/** Each is loaded only when it is called: a program that runs for months on a small board shouldn't carry the wizard. */
const commands: Readonly<Record<string, () => Promise<{ readonly register: Register }>>> = {
  init: () => import('./cli/init.ts'),
  run: () => import('./cli/run.ts'),
  demo: () => import('./cli/demo.ts'),
  status: () => import('./cli/status.ts'),
  pair: () => import('./cli/pair.ts'),
  accounts: () => import('./cli/accounts.ts'),
  unlock: () => import('./cli/unlock.ts'),
  lock: () => import('./cli/lock.ts'),
  requests: () => import('./cli/requests.ts'),
  prompt: () => import('./cli/prompt.ts'),
  ledger: () => import('./cli/ledger.ts'),
  agencies: () => import('./cli/agencies.ts'),
  clips: () => import('./cli/clips.ts'),
  check: () => import('./cli/check.ts'),
  retention: () => import('./cli/retention.ts'),
  keys: () => import('./cli/keys.ts'),
  recover: () => import('./cli/recover.ts'),
  doctor: () => import('./cli/doctor.ts'),
  backup: () => import('./cli/backup.ts'),
  restore: () => import('./cli/restore.ts'),
  verify: () => import('./cli/verify.ts'),
  mask: () => import('./cli/mask.ts'),
  watch: () => import('./cli/watch.ts'),
  detect: () => import('./cli/detect.ts'),
  models: () => import('./cli/models.ts'),
  program: () => import('./cli/program.ts'),
};

const io: CliIo = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  isTty: isatty(0) && isatty(2),
  exitNow: (exitStatus) => process.exit(exitStatus),
};

// A reader that went away ("latchkey clips list | head") is no failure of ours.
process.stdout.on('error', () => process.exit(0));

const args = process.argv.slice(2);
const [name = ''] = args;
// The help and an unknown command need all of them.
const wanted = Object.entries(commands).filter(([each]) => !Object.hasOwn(commands, name) || each === name);
const loaded = await Promise.all(wanted.map(([, load]) => load()));
const registers = loaded.map(({ register }) => register);
process.exit(await runCommandLine(args, registers, io));
