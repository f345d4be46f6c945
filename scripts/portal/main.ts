import { Command, CommanderError } from 'commander';
import { asAgentError } from '../../agent/base/errors.ts';
import { addKeyCommands } from './commands-keys.ts';
import { addPublishCommands } from './commands-publish.ts';
import { addRequestCommands } from './commands-request.ts';
import { addServeCommands } from './commands-serve.ts';

/**
 * The reference agency side, as a command line: keys and documents, requests signed by two people, receiving shares and
 * verifying them. It shares only the protocol with the device's software, so that another implementation could replace it.
 */
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const output = { out: (text: string): void => void process.stdout.write(text) };
const program = new Command('portal')
  .description('The reference agency side of Latchkey')
  .showHelpAfterError('(portal --help lists the commands)')
  .exitOverride();
addKeyCommands(program, output);
const request = addRequestCommands(program, output);
addPublishCommands(program, request, output);
addServeCommands(program, output, stop.signal);

try {
  await program.parseAsync();
} catch (thrown) {
  if (thrown instanceof CommanderError) {
    process.exitCode = thrown.exitCode === 0 ? 0 : 2;
  } else {
    const error = asAgentError(thrown);
    process.stderr.write(`${error.message} (${error.code})\n`);
    if (error.kind === 'bug')
      process.stderr.write(`${error.cause instanceof Error ? error.cause.stack : error.stack}\n`);
    process.exitCode = error.exitStatus;
  }
}
