/** `latchkey status`: what a person wants to know first. */
import type { Command } from 'commander';
import type { Health } from '../owner/service.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, say, sayJson } from './io.ts';
import { withOwner } from './owner-client.ts';
import { example } from './program-line.ts';
import { clean, table } from './terminal-text.ts';

const clockWords: Record<Health['clock'], string> = {
  synchronised: 'synchronised',
  trusted: 'trusted, as configured',
  unsynchronised:
    'unsynchronised: requests wait, and nothing can be approved, until something sets it ("clock": "trust-system" believes it as it is)',
};
const brokerWords: Record<Health['broker'], string> = {
  connected: 'connected',
  unavailable: 'unavailable: it is tried again and again; everything else goes on',
  'not-configured': 'not configured: no request can arrive',
};

async function status(option: ConfigOption & { readonly json?: boolean }, io: CliIo): Promise<void> {
  const health = await withOwner(openConfig(option, io), (owner) => owner.call('health'));
  if (option.json === true) return sayJson(io, health);
  const rows = [
    ['keys', health.lock],
    ['requests waiting', String(health.pendingCount)],
    ['clock', clockWords[health.clock]],
    ['broker', brokerWords[health.broker]],
    ...health.cameras.map((camera) => [
      `camera ${clean(camera.cameraId)}`,
      `${clean(camera.state)} (${clean(camera.name)})`,
    ]),
  ];
  for (const line of table(rows)) say(io, line);
}

export function register(program: Command, io: CliIo): void {
  withConfigOption(program.command('status'))
    .description('show whether everything runs, what is unlocked and whether requests wait')
    .option('--json', 'print as JSON')
    .addHelpText('after', example('latchkey status'))
    .action((option: ConfigOption & { json?: boolean }) => status(option, io));
}
