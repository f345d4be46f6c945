/** The hidden commands that are the programs themselves: what `run` starts as children and systemd as units. */
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import { createLog } from '../base/log.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import type { CliIo } from './io.ts';
import { withStopSignals } from './stop-signals.ts';

interface ProgramOption extends ConfigOption {
  readonly supervised?: boolean;
}

interface RecorderOption extends ProgramOption {
  readonly camera: string;
}

/** Runs until a signal, or, under a supervisor, until standard input ends because the supervisor is gone. */
async function untilStopped(
  option: ProgramOption,
  io: CliIo,
  action: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  await withStopSignals(io, async (signal) => {
    if (option.supervised !== true) return action(signal);
    const gone = new AbortController();
    const onEnd = (): void => gone.abort();
    io.stdin.on('end', onEnd).on('error', onEnd).resume();
    try {
      await action(AbortSignal.any([signal, gone.signal]));
    } finally {
      io.stdin.off('end', onEnd).off('error', onEnd).pause();
    }
  });
}

async function recorder(option: RecorderOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  if (!config.cameras.some(({ id }) => id === option.camera)) {
    throw new AgentError(
      'config',
      'program/unknown-camera',
      `Cannot record: the configuration has no camera "${option.camera}"`,
    );
  }
  const { runRecorder } = await import('../recorder/program.ts');
  await untilStopped(option, io, (signal) =>
    runRecorder({ config, cameraId: option.camera, signal, clock: systemClock, log: createLog('recorder', io.stderr) }),
  );
}

async function courier(option: ProgramOption, io: CliIo): Promise<void> {
  const { dataDir, regions, broker, uploads, digest } = openConfig(option, io);
  const { runCourier } = await import('../courier/program.ts');
  const log = createLog('courier', io.stderr);
  await untilStopped(option, io, (signal) =>
    runCourier({ dataDir, regions, broker, uploads, digest, signal, clock: systemClock, log }),
  );
}

async function owner(option: ProgramOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  const { runOwner } = await import('../owner/program.ts');
  await untilStopped(option, io, (signal) =>
    runOwner({ config, signal, clock: systemClock, log: createLog('owner', io.stderr) }),
  );
}

export function register(program: Command, io: CliIo): void {
  const programs = program.command('program', { hidden: true }).description('run one program in the foreground');
  const add = (name: string, description: string): Command =>
    withConfigOption(programs.command(name).description(description)).option(
      '--supervised',
      'also stop when standard input ends',
    );
  add('recorder', 'record one camera')
    .requiredOption('--camera <id>', 'camera id')
    .action((option: RecorderOption) => recorder(option, io));
  add('courier', 'fetch requests and upload shares').action((option: ProgramOption) => courier(option, io));
  add('owner', 'serve the prompt and run the timers').action((option: ProgramOption) => owner(option, io));
}
