/** `latchkey run`: the four programs under one supervisor, for machines without units of their own. */
import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import { createLog } from '../base/log.ts';
import { loadConfig } from '../config/loader.ts';
import type { Config } from '../config/schema.ts';
import { type ConfigOption, findConfig, withConfigOption } from './discovery.ts';
import type { CliIo } from './io.ts';
import { example } from './program-line.ts';
import { withStopSignals } from './stop-signals.ts';
import { type ProgramSpec, Supervisor } from './supervisor.ts';

/**
 * Small heaps and few threads: seven processes must fit beside a camera on a small board. Marking in one go: pictures are
 * buffers outside of the heap, each few seconds of them start a collection, and in small steps that cost a recorder twice
 * as much processor time as all its other work.
 */
export const nodeFlags = ['--max-semi-space-size=1', '--v8-pool-size=1', '--no-incremental-marking'];
/** Pictures come and go: their memory is given back at once instead of leaving holes that the C library keeps. */
const allocator = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' };
/** Nothing else of the environment reaches the programs. */
const passedEnvironment = ['FFMPEG_BIN', 'LATCHKEY_DEBUG', 'NODE_COMPILE_CACHE', 'TZ', 'HOME'];

/**
 * The stop order: owner first, so that nothing new is approved or released; then courier, whose uploads resume; the
 * recorders last, so that the door is watched for as long as possible.
 */
export function programSpecs(config: Config, configPath: string, mainPath: string): ProgramSpec[] {
  const args = (...more: readonly string[]): string[] => [
    ...nodeFlags,
    mainPath,
    'program',
    ...more,
    '--config',
    configPath,
    '--supervised',
  ];
  return [
    ...config.cameras.map(({ id }) => ({
      name: `recorder-${id}`,
      args: args('recorder', '--camera', id),
      stopRank: 2,
    })),
    { name: 'courier', args: args('courier'), stopRank: 1 },
    { name: 'owner', args: args('owner'), stopRank: 0 },
  ];
}

export function requireInitialised(config: Config): void {
  if (existsSync(join(config.dataDir, 'keys', 'recipients.json'))) return;
  const message = `Cannot start: the data directory ${config.dataDir} has no keys; "latchkey init" makes them`;
  throw new AgentError('config', 'run/not-initialised', message);
}

export function programEnvironment(env: CliIo['env']): Record<string, string> {
  const passed: Record<string, string> = { UV_THREADPOOL_SIZE: '2', ...allocator };
  for (const name of passedEnvironment) {
    const value = env[name];
    if (value !== undefined) passed[name] = value;
  }
  return passed;
}

async function run(option: ConfigOption, io: CliIo): Promise<void> {
  const configPath = findConfig(option, io);
  const config = loadConfig(configPath);
  requireInitialised(config);
  const { withDataLock } = await import('./data-lock.ts');
  await withDataLock(config.dataDir, () => superviseAll(config, configPath, io));
}

async function superviseAll(config: Config, configPath: string, io: CliIo): Promise<void> {
  const mainPath = fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url));
  let supervisor: Supervisor | undefined;
  await withStopSignals(
    io,
    (signal) => {
      supervisor = new Supervisor({
        programs: programSpecs(config, configPath, mainPath),
        command: process.execPath,
        env: programEnvironment(io.env),
        signal,
        clock: systemClock,
        log: createLog('supervisor', io.stderr),
        passLine: (line) => io.stderr.write(`${line}\n`),
      });
      return supervisor.run();
    },
    () => supervisor?.killAll(),
  );
}

export function register(program: Command, io: CliIo): void {
  withConfigOption(program.command('run'))
    .description('start the recorder of every camera, the courier and the owner program, and keep them running')
    .addHelpText('after', example('latchkey run --config /etc/latchkey/config.json'))
    .action((option: ConfigOption) => run(option, io));
}
