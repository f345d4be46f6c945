/** `check`: the committed streams are whole, small enough, and agree with their truth. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { AgentError } from '../../agent/base/errors.ts';
import { findFfmpeg, findFfprobe } from '../../agent/base/ffmpeg.ts';
import { committed } from './catalog/catalog.ts';
import { checkStreams } from './check-streams.ts';
import { streamsDir } from './commands.ts';
import { type Output, tell } from './console.ts';

export function addCheckCommand(program: Command, output: Output): void {
  program
    .command('check')
    .description('check the committed streams: size in all, truth, frames, times, boxes, visits, masks')
    .option('--dir <folder>', 'the streams', streamsDir)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npm run render -- check\n')
    .action(async (options: { dir: string; json?: boolean }) => {
      const result = await checkStreams({
        folder: resolve(options.dir),
        catalog: committed,
        ffprobe: findFfprobe(findFfmpeg()),
      });
      tell(output, options.json, result, [
        ...result.problems,
        `${result.streams} streams, ${(result.bytes / 1e6).toFixed(1)} MB, ${result.problems.length} problems`,
      ]);
      if (result.problems.length > 0) {
        throw new AgentError(
          'corrupt',
          'render/bad-streams',
          `Cannot accept the streams: ${result.problems.length} problems`,
        );
      }
    });
}
