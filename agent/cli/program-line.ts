/** Runs one command line: parses it, calls the command, and turns whatever goes wrong into a line and an exit status. */
import { Command, CommanderError } from 'commander';
import { type AgentError, asAgentError } from '../base/errors.ts';
import { type CliIo, note } from './io.ts';

export type Register = (program: Command, io: CliIo) => void;

export function buildProgram(commands: readonly Register[], io: CliIo): Command {
  const program = new Command('latchkey')
    .description(
      "The doorbell camera that asks first: it records, locks to its owner's key, and shares only what the owner approves.",
    )
    .exitOverride()
    .showHelpAfterError('Add --help for the options and an example.')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  for (const register of commands) register(program, io);
  return program;
}

/** Resolves with the exit status; never rejects. */
export async function runCommandLine(
  args: readonly string[],
  commands: readonly Register[],
  io: CliIo,
): Promise<number> {
  try {
    const program = buildProgram(commands, io);
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return 2;
    }
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (thrown) {
    // Commander has already printed the mistake (or the help that was asked for).
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    return report(asAgentError(thrown), io);
  }
}

function report(error: AgentError, io: CliIo): number {
  const [first, ...rest] = error.message.split('\n');
  note(io, [`latchkey: ${first} (${error.code})`, ...rest].join('\n'));
  if (error.kind === 'bug') {
    note(
      io,
      'This is a mistake in Latchkey, not yours. Please report it with the command that you ran; LATCHKEY_DEBUG=1 shows where it happened.',
    );
  }
  if (io.env['LATCHKEY_DEBUG'] === '1') note(io, debugText(error));
  return error.exitStatus;
}

function debugText(error: AgentError): string {
  const cause = error.cause instanceof Error ? `\ncaused by: ${error.cause.stack ?? error.cause.message}` : '';
  return `${error.stack ?? ''}${cause}`;
}

/** The example that every command's help ends with. */
export function example(...lines: readonly string[]): string {
  return `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.map((line) => `  ${line}`).join('\n')}\n`;
}
