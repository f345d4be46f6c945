import { Command, CommanderError } from 'commander';
import { asAgentError } from '../../agent/base/errors.ts';
import { addCaseCommands } from './commands-case.ts';
import { addDirectoryCommands } from './commands-directory.ts';
import { addKeyCommands } from './commands-keys.ts';
import { addOfficeCommands } from './commands-office.ts';
import { addPublishCommands } from './commands-publish.ts';
import { addRequestCommands } from './commands-request.ts';
import { addServeCommands } from './commands-serve.ts';
import type { Output } from './console.ts';

/**
 * The reference agency side, as a command line: keys and documents, requests signed by two people, receiving shares and
 * verifying them. It shares only the protocol with the device's software, so that another implementation could replace it.
 * Resolves with the exit status; commands that run on end when `stop` is aborted.
 */
export async function runPortal(args: readonly string[], output: Output, stop: AbortSignal): Promise<number> {
  const program = new Command('portal')
    .description('The reference agency side of Latchkey')
    .configureOutput({ writeOut: (text) => output.out(text), writeErr: (text) => output.error(text) })
    .exitOverride();
  addKeyCommands(program, output);
  const request = addRequestCommands(program, output);
  addPublishCommands(program, request, output);
  addDirectoryCommands(program, output);
  addServeCommands(program, output, stop);
  addOfficeCommands(program, output, stop);
  addCaseCommands(program, output);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    const error = asAgentError(thrown);
    output.error(`${error.message} (${error.code})\n`);
    if (error.kind === 'bug') output.error(`${error.cause instanceof Error ? error.cause.stack : error.stack}\n`);
    return error.exitStatus;
  }
}
