/** Which configuration a command means, and how every command asks for it. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import { loadConfig } from '../config/loader.ts';
import type { Config } from '../config/schema.ts';
import type { CliIo } from './io.ts';

export interface ConfigOption {
  readonly config?: string;
}

export function withConfigOption(command: Command): Command {
  return command.option(
    '--config <file>',
    'configuration (default: $LATCHKEY_CONFIG, /etc/latchkey/config.json, ~/.config/latchkey/config.json)',
  );
}

export function homeConfigPath(io: CliIo, name: string): string {
  const home = io.env['HOME'];
  if (home === undefined || home === '') {
    throw new AgentError('usage', 'cli/no-home', `Cannot choose a place for ${name}: HOME is not set`);
  }
  return join(home, '.config', 'latchkey', name);
}

export function findConfig(option: ConfigOption, io: CliIo): string {
  if (option.config !== undefined) return resolve(option.config);
  const named = io.env['LATCHKEY_CONFIG'];
  if (named !== undefined && named !== '') return resolve(named);
  const candidates = ['/etc/latchkey/config.json', homeConfigPath(io, 'config.json')];
  const found = candidates.find((path) => existsSync(path));
  if (found !== undefined) return found;
  const message = `Cannot find a configuration: there is none at ${candidates.join(' or ')}; "latchkey init" makes one, --config names another`;
  throw new AgentError('config', 'config/missing', message);
}

export function openConfig(option: ConfigOption, io: CliIo): Config {
  return loadConfig(findConfig(option, io));
}
