/** `latchkey prompt`: the whole decision in a terminal, by keyboard, over ssh. */
import { isIPv6 } from 'node:net';
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import type { CliIo } from './io.ts';
import { withOwner } from './owner-client.ts';
import { example } from './program-line.ts';
import { PromptSession } from './prompt/session.ts';
import { withStopSignals } from './stop-signals.ts';

export function webAddress({ web }: Config): string {
  const host = web.names[0] ?? (isIPv6(web.host) ? `[${web.host}]` : web.host);
  return `https://${host}:${web.port}/`;
}

/** `reminder` stands under every question. */
export async function runPrompt(option: ConfigOption, io: CliIo, reminder?: string): Promise<void> {
  const config = openConfig(option, io);
  if (!io.isTty) {
    const message = 'Cannot show the prompt: this is not a terminal; "latchkey requests" does the same line by line';
    throw new AgentError('usage', 'prompt/no-terminal', message);
  }
  await withOwner(config, (owner) =>
    withStopSignals(io, (signal) => new PromptSession(owner, io, webAddress(config), reminder).run(signal)),
  );
}

export function register(program: Command, io: CliIo): void {
  withConfigOption(program.command('prompt'))
    .description('read and answer requests on a full screen, by keyboard')
    .addHelpText('after', example('latchkey prompt', 'ssh -t door.local latchkey prompt'))
    .action((option: ConfigOption) => runPrompt(option, io));
}
