/** `latchkey lock`: every key is forgotten at once; and what the three states mean, in words. */
import type { Command } from 'commander';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, say, sayJson } from './io.ts';
import { withOwner } from './owner-client.ts';
import { example } from './program-line.ts';

interface LockOption extends ConfigOption {
  readonly json?: boolean;
}

export const lockMeaning = {
  locked: 'Locked: nothing on this device opens a clip.',
  viewing: 'Unlocked for viewing: clips can be looked at; nothing can be shared.',
  deciding: 'Unlocked for deciding: requests can be reviewed and answered.',
} as const;

async function lock(option: LockOption, io: CliIo): Promise<void> {
  const answer = await withOwner(openConfig(option, io), (owner) => owner.call('lock'));
  if (option.json === true) sayJson(io, answer);
  else say(io, lockMeaning[answer.lock]);
}

export function register(program: Command, io: CliIo): void {
  withConfigOption(program.command('lock'))
    .description('forget every key at once')
    .option('--json', 'print the state as JSON')
    .addHelpText('after', example('latchkey lock'))
    .action((option: LockOption) => lock(option, io));
}
