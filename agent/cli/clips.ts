/** `latchkey clips`: looking back, and getting the sealed originals out for stock `age`. */
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, note, say, sayJson } from './io.ts';
import { withOwner } from './owner-client.ts';
import { example } from './program-line.ts';
import { clipText } from './request-text.ts';
import { byteSize, clean } from './terminal-text.ts';

interface ListOption extends ConfigOption {
  readonly from?: string;
  readonly to?: string;
  readonly json?: boolean;
}

interface ExportOption extends ConfigOption {
  readonly out: string;
}

interface SealedOption extends ConfigOption {
  readonly segment?: string;
  readonly outDir?: string;
}

const dayMs = 86_400_000;

function time(text: string | undefined, fallback: number, name: string): number {
  if (text === undefined) return fallback;
  const wallMs = Date.parse(text);
  if (Number.isNaN(wallMs)) {
    throw new AgentError(
      'usage',
      'clips/bad-time',
      `Cannot read ${name}: expected a time such as 2026-03-01T14:05:00Z`,
    );
  }
  return wallMs;
}

async function list(option: ListOption, io: CliIo): Promise<void> {
  const nowMs = Date.now();
  const range = { fromMs: time(option.from, nowMs - dayMs, '--from'), toMs: time(option.to, nowMs, '--to') };
  const clips = await withOwner(openConfig(option, io), (owner) => owner.call('listClips', range));
  if (option.json === true) return sayJson(io, clips);
  if (clips.length === 0) say(io, 'No clips in that time.');
  for (const clip of clips) say(io, `${clean(clip.clipId)}  ${clipText(clip)}  ${byteSize(clip.bytes)}`);
}

async function exportOne(clipId: string, option: ExportOption, io: CliIo): Promise<void> {
  const { exportClip } = await import('./clip-files.ts');
  const config = openConfig(option, io);
  const bytes = await withOwner(config, (owner) => exportClip(owner, clipId, option.out, config));
  note(io, `Wrote ${option.out} (${byteSize(bytes)}), readable by anyone who gets the file.`);
}

export function register(program: Command, io: CliIo): void {
  const clips = program.command('clips').description('look back, export, or take out sealed clips');
  withConfigOption(clips.command('list').description('list clips (needs "unlock")'))
    .option('--from <time>', 'earliest time (default: a day ago)')
    .option('--to <time>', 'latest time (default: now)')
    .option('--json', 'print as JSON')
    .addHelpText('after', example('latchkey clips list --from 2026-03-01T00:00:00Z'))
    .action((option: ListOption) => list(option, io));
  withConfigOption(clips.command('export <id>').description('write a clip as an MP4 file (needs "unlock")'))
    .requiredOption('--out <file>', 'the new file')
    .addHelpText('after', example('latchkey clips export 5f0e8a --out visitor.mp4'))
    .action((id: string, option: ExportOption) => exportOne(id, option, io));
  withConfigOption(clips.command('sealed <id>').description('take out the sealed segments of a clip; needs no key'))
    .option('--segment <n>', 'write only this segment to standard output')
    .option('--out-dir <folder>', 'write every segment as its own age file into a new folder')
    .addHelpText(
      'after',
      example(
        'latchkey clips sealed 5f0e8a --out-dir sealed',
        'latchkey clips sealed 5f0e8a --segment 0 | age -d -i paper-key.txt > segment.mp4',
      ),
    )
    .action(async (id: string, option: SealedOption) => {
      const { writeSealed } = await import('./clip-files.ts');
      await writeSealed(openConfig(option, io), id, option, io);
    });
}
