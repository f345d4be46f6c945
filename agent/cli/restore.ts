/** `latchkey restore`: a backup onto a device that was set up anew, with the paper key of the old one. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import { writeFileDurable } from '../base/files.ts';
import { createLog } from '../base/log.ts';
import { withDataLock } from './data-lock.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, clearProgress, note, say, sayJson, showProgress } from './io.ts';
import { readPaperKey } from './paper-key.ts';
import { example } from './program-line.ts';
import { byteSize, clean, counted } from './terminal-text.ts';

interface RestoreOption extends ConfigOption {
  readonly paperKey: string;
  readonly unpinned?: boolean;
  readonly configOut?: string;
  readonly json?: boolean;
}

async function restore(given: string, option: RestoreOption, io: CliIo): Promise<void> {
  const { openHouse, restoreClips } = await import('./restore-clips.ts');
  const config = openConfig(option, io);
  const folder = resolve(given);
  if (option.configOut !== undefined && existsSync(option.configOut)) {
    const message = `Cannot write ${clean(option.configOut)}: the file exists already`;
    throw new AgentError('usage', 'restore/file-exists', message);
  }
  const identity = readPaperKey(option.paperKey, 'restore');
  // A wrong key is found here, before anything is written.
  const house = openHouse(folder, identity);
  if (option.configOut !== undefined) writeFileDurable(option.configOut, `${JSON.stringify(house, null, 2)}\n`);
  const result = await withDataLock(config.dataDir, async () =>
    restoreClips({
      config,
      folder,
      identity,
      pinned: option.unpinned !== true,
      log: createLog('restore', io.stderr),
      onProgress: (count) => {
        if (count % 10 === 0) showProgress(io, counted(count, 'clip'));
      },
    }),
  );
  clearProgress(io);
  if (option.json === true) sayJson(io, result);
  else {
    say(
      io,
      `Restored ${counted(result.restoredCount, 'clip')} (${byteSize(result.restoredBytes)}); ${result.presentCount} were there.`,
    );
    if (option.unpinned !== true && result.restoredCount > 0)
      say(io, 'They are pinned, so that retention does not take them at once: "latchkey clips unpin".');
    if (option.configOut !== undefined) note(io, `The old configuration and place are in ${clean(option.configOut)}.`);
    for (const { file, code } of result.damaged) say(io, `  ${clean(file)}: damaged (${code})`);
  }
  if (result.damaged.length > 0) {
    const message = `Parts of the backup are damaged and were left out: ${result.damaged.length}`;
    throw new AgentError('corrupt', 'restore/damaged', message, { detail: { count: result.damaged.length } });
  }
}

export function register(program: Command, io: CliIo): void {
  withConfigOption(
    program
      .command('restore <folder>')
      .description('put the clips of a backup into this device, sealed to its own keys; nothing may be running'),
  )
    .requiredOption('--paper-key <file>', 'paper recovery key of the device that was backed up')
    .option('--unpinned', 'do not pin what is restored: retention may take what is old at once')
    .option('--config-out <file>', 'also write the old configuration and place into a new file, to look things up')
    .option('--json', 'print as JSON')
    .addHelpText('after', example('latchkey restore /media/stick/latchkey --paper-key recovery-key.txt'))
    .action((folder: string, option: RestoreOption) => restore(folder, option, io));
}
