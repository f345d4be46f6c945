/** The command line. The list below is every command there is; this is the only file that exits the process. */
import process from 'node:process';
import { isatty } from 'node:tty';
import { register as agencies } from './cli/agencies.ts';
import { register as clips } from './cli/clips.ts';
import { register as demo } from './cli/demo.ts';
import { register as init } from './cli/init.ts';
import type { CliIo } from './cli/io.ts';
import { register as pair } from './cli/pair.ts';
import { register as program } from './cli/program.ts';
import { type Register, runCommandLine } from './cli/program-line.ts';
import { register as prompt } from './cli/prompt.ts';
import { register as requests } from './cli/requests.ts';
import { register as run } from './cli/run.ts';
import { register as status } from './cli/status.ts';
import { register as unlock } from './cli/unlock.ts';
import { register as verify } from './cli/verify.ts';

const commands: readonly Register[] = [
  init,
  run,
  demo,
  status,
  pair,
  unlock,
  requests,
  prompt,
  agencies,
  clips,
  verify,
  program,
];

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

process.exit(await runCommandLine(process.argv.slice(2), commands, io));
