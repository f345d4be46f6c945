/** The fixture studio's command line. Resolves with the exit status; everything ends when `stop` is aborted. */
import { Command, CommanderError } from 'commander';
import { AgentError, asAgentError } from '../../agent/base/errors.ts';
import { addFramesCommand, addListCommand, addRenderCommand } from './commands.ts';
import { addCheckCommand } from './commands-check.ts';
import { addStillsCommand } from './commands-stills.ts';
import type { Output } from './console.ts';

export async function runStudio(args: readonly string[], output: Output, stop: AbortSignal): Promise<number> {
  const program = new Command('render')
    .description('Fixture studio: streams of doorbell cameras from a seed, with exact truth')
    .configureOutput({ writeOut: (text) => output.out(text), writeErr: (text) => output.error(text) })
    .exitOverride();
  addListCommand(program, output);
  addRenderCommand(program, output, stop);
  addFramesCommand(program, output, stop);
  addStillsCommand(program, output, stop);
  addCheckCommand(program, output);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    const error = stop.aborted
      ? new AgentError('unavailable', 'render/stopped', 'Stopped before the end')
      : asAgentError(thrown);
    output.error(`${error.message} (${error.code})\n`);
    if (error.kind === 'bug') output.error(`${error.cause instanceof Error ? error.cause.stack : error.stack}\n`);
    return error.exitStatus;
  }
}
