/** `latchkey mask`: try privacy masks on a picture of the camera before they stand in the configuration. */
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import { parseCamera } from '../config/loader.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { requireDrawable, writeDrawing } from './drawing.ts';
import { parseMask } from './init-answers.ts';
import { type CliIo, note, say } from './io.ts';
import { example } from './program-line.ts';

interface MaskOption extends ConfigOption {
  readonly camera?: string;
  readonly mask?: readonly string[];
  readonly picture: string;
}

async function mask(option: MaskOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  const known = config.cameras.find(({ id }) => id === (option.camera ?? config.cameras[0]?.id));
  if (known === undefined) {
    const message = `Cannot show the camera: the configuration has no camera "${option.camera}"`;
    throw new AgentError('config', 'mask/unknown-camera', message);
  }
  requireDrawable(option.picture);
  const drawn = option.mask?.map((text) => parseMask(text)).filter((each) => each !== undefined);
  const camera = parseCamera({ ...known, ...(drawn === undefined ? {} : { privacyMasks: drawn }) }, process.cwd());
  const { drawMasks } = await import('./mask-picture.ts');
  writeDrawing(option.picture, await drawMasks(camera, config.ffmpegPath));
  note(
    io,
    `Wrote ${option.picture}: the camera as it would be recorded, under a grid. Look at it; then put this beside`,
  );
  note(io, `"source" of camera "${camera.id}" and start the recorder again:`);
  say(io, JSON.stringify({ privacyMasks: camera.privacyMasks }));
}

export function register(program: Command, io: CliIo): void {
  withConfigOption(program.command('mask').description('try privacy masks on a picture of the camera'))
    .option('--camera <id>', 'which camera (default: the first)')
    .option(
      '--mask <corners>',
      'see "init --help"; may be repeated (default: those of the configuration)',
      (text: string, all?: readonly string[]) => [...(all ?? []), text],
    )
    .requiredOption('--picture <file>', 'PNG to write: what would be recorded, with a grid in per cent')
    .addHelpText('after', example('latchkey mask --mask 0%,0%,100%,25% --picture look.png'))
    .action((option: MaskOption) => mask(option, io));
}
