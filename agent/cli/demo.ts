/** `latchkey demo`: the whole job on an embedded stream. What it does stands in `scripts/demo`. */
import type { Command } from 'commander';
import type { runDemo } from '../../scripts/demo/demo.ts';
import { AgentError, systemCode } from '../base/errors.ts';
import { type CliIo, note, say } from './io.ts';
import { example } from './program-line.ts';

interface DemoFlags {
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly keep?: boolean;
}

/** The demo plays the agency too, so it belongs to the project and not to what is installed on a device. */
async function loadDemo(): Promise<typeof runDemo> {
  try {
    return (await import('../../scripts/demo/demo.ts')).runDemo;
  } catch (thrown) {
    if (systemCode(thrown) !== 'ERR_MODULE_NOT_FOUND') throw thrown;
    const message =
      'Cannot run the demo: it is not part of an installed Latchkey. Run "npm run demo" in a checkout of the project';
    throw new AgentError('unavailable', 'demo/not-here', message, { cause: thrown });
  }
}

export function register(program: Command, io: CliIo): void {
  program
    .command('demo')
    .description(
      'show the main job on an embedded stream: visitor, locked clip, signed request, your prompt, verified share',
    )
    .option('--yes', 'approve by itself instead of opening the prompt')
    .option('--json', 'print the summary as one JSON object on the last line')
    .option('--keep', 'keep the temporary folder')
    .addHelpText('after', example('npm run demo -- --yes'))
    .action(async (flags: DemoFlags) => {
      if (flags.yes !== true && !io.isTty) {
        throw new AgentError(
          'usage',
          'demo/no-terminal',
          'Cannot open the prompt: there is no terminal. Add --yes to approve by itself',
        );
      }
      const [playDemo, { runPrompt }] = await Promise.all([loadDemo(), import('./prompt.ts')]);
      const summary = await playDemo({
        yes: flags.yes === true,
        keep: flags.keep === true,
        say: (line) => (flags.json === true ? note(io, line) : say(io, line)),
        openPrompt: (configPath, reminder) => runPrompt({ config: configPath }, io, reminder),
      });
      if (flags.json === true) say(io, JSON.stringify(summary));
      else {
        const { personEvents, clipSeconds, requestState, shareBytes, verified, seconds } = summary;
        say(io, '');
        say(
          io,
          `person events ${personEvents} · shared ${clipSeconds} s in ${shareBytes} bytes · request ${requestState} · ${verified ? 'verified' : 'nothing to verify'} · ${seconds} s`,
        );
      }
    });
}
