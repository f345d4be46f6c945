/** `latchkey backup`: copies what is new, sealed as it is, into a folder that may lie anywhere. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import { type ConfigOption, findConfig, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, clearProgress, say, sayJson, showProgress } from './io.ts';
import { example } from './program-line.ts';
import { byteSize, counted } from './terminal-text.ts';

interface BackupOption extends ConfigOption {
  readonly verify?: boolean;
  readonly json?: boolean;
}

async function backup(folder: string, option: BackupOption, io: CliIo): Promise<void> {
  const { backUp } = await import('./backup-copy.ts');
  const config = openConfig(option, io);
  const result = backUp({
    config,
    configText: readFileSync(findConfig(option, io), 'utf8'),
    folder: resolve(folder),
    verifyAll: option.verify === true,
    onProgress: (count) => {
      if (count % 10 === 0) showProgress(io, counted(count, 'clip'));
    },
  });
  clearProgress(io);
  if (option.json === true) sayJson(io, result);
  else {
    say(
      io,
      `Copied ${counted(result.copiedCount, 'clip')} (${byteSize(result.copiedBytes)}), each read back; ${result.presentCount} were there.`,
    );
    if (result.skippedCount > 0)
      say(io, `${result.skippedCount} were left out: still being recorded, or just deleted.`);
    say(io, 'Everything is sealed as it was recorded. Not in it: the ledger, and keys. Restore with the paper key.');
  }
  if (result.damaged.length > 0) {
    const message = `Clips are damaged here and were not copied: ${result.damaged.length}; "latchkey check" says which`;
    throw new AgentError('corrupt', 'backup/damaged-here', message, { detail: { count: result.damaged.length } });
  }
}

export function register(program: Command, io: CliIo): void {
  withConfigOption(
    program
      .command('backup <folder>')
      .description('copy sealed clips and configuration; needs no key, and a second run copies only what is new'),
  )
    .option('--verify', 'read everything in the backup again, and copy anew what is damaged')
    .option('--json', 'print as JSON')
    .addHelpText('after', example('latchkey backup /media/stick/latchkey'))
    .action((folder: string, option: BackupOption) => backup(folder, option, io));
}
