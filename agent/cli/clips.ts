/** `latchkey clips`: looking back, and getting the sealed originals out for stock `age`. */
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, note, say, sayJson } from './io.ts';
import { withOwner } from './owner-client.ts';
import { example } from './program-line.ts';
import { clipText } from './request-text.ts';
import { byteSize, clean, localTime } from './terminal-text.ts';

interface ListOption extends ConfigOption {
  readonly from?: string;
  readonly to?: string;
  readonly json?: boolean;
}

interface ExportOption extends ConfigOption {
  readonly out: string;
}

interface JsonOption extends ConfigOption {
  readonly json?: boolean;
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
  for (const clip of clips) {
    const pinned = clip.pinned ? '  pinned' : '';
    say(io, `${clean(clip.clipId)}  ${clipText(clip)}  ${byteSize(clip.bytes)}${pinned}`);
  }
}

async function exportOne(clipId: string, option: ExportOption, io: CliIo): Promise<void> {
  const { exportClip } = await import('./clip-files.ts');
  const config = openConfig(option, io);
  const bytes = await withOwner(config, (owner) => exportClip(owner, clipId, option.out, config));
  note(io, `Wrote ${option.out} (${byteSize(bytes)}), readable by anyone who gets the file.`);
}

async function remove(clipIds: readonly string[], option: JsonOption, io: CliIo): Promise<void> {
  const done = await withOwner(openConfig(option, io), (owner) => owner.call('deleteClips', { clipIds }));
  if (option.json === true) return sayJson(io, done);
  const soon = done.goneAtMs > Date.now();
  if (!soon) return say(io, `Deleted ${done.deletedCount}, for good: the disk is full, so nothing could be kept back.`);
  say(io, `Deleted ${done.deletedCount}. Gone for good at ${localTime(done.goneAtMs)}; until then:`);
  say(io, `  latchkey clips undelete ${clipIds.map((id) => clean(id)).join(' ')}`);
}

async function undelete(clipIds: readonly string[], option: JsonOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  if (clipIds.length === 0) {
    const waiting = await withOwner(config, (owner) => owner.call('listDeleted'));
    if (option.json === true) return sayJson(io, waiting);
    if (waiting.length === 0) say(io, 'Nothing is waiting to be deleted.');
    for (const clip of waiting) {
      say(io, `${clean(clip.clipId)}  ${clean(clip.cameraName)}  gone for good at ${localTime(clip.goneAtMs)}`);
    }
    return;
  }
  const done = await withOwner(config, (owner) => owner.call('undeleteClips', { clipIds }));
  if (option.json === true) return sayJson(io, done);
  say(io, `Back: ${done.restoredCount}.`);
}

async function pin(clipIds: readonly string[], pinned: boolean, option: JsonOption, io: CliIo): Promise<void> {
  const done = await withOwner(openConfig(option, io), (owner) => owner.call('pinClips', { clipIds, pinned }));
  if (option.json === true) return sayJson(io, done);
  const share = Math.round((done.pinnedBytes / done.quotaBytes) * 100);
  say(
    io,
    `${pinned ? 'Pinned' : 'Unpinned'} ${done.changedCount}. Pinned clips now take ${byteSize(done.pinnedBytes)},`,
  );
  say(io, `${share} % of the quota of ${byteSize(done.quotaBytes)}; what is new has to live in the rest.`);
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
  withConfigOption(
    clips
      .command('delete <id...>')
      .description('delete clips; for ten minutes they can be taken back (needs "unlock")'),
  )
    .option('--json', 'print as JSON')
    .addHelpText('after', example('latchkey clips delete 5f0e8a'))
    .action((ids: string[], option: JsonOption) => remove(ids, option, io));
  withConfigOption(
    clips.command('undelete [id...]').description('take back what was just deleted; without an id, list it'),
  )
    .option('--json', 'print as JSON')
    .addHelpText('after', example('latchkey clips undelete', 'latchkey clips undelete 5f0e8a'))
    .action((ids: string[], option: JsonOption) => undelete(ids, option, io));
  withConfigOption(clips.command('pin <id...>').description('keep clips whatever the quota says (needs "unlock")'))
    .option('--json', 'print as JSON')
    .addHelpText('after', example('latchkey clips pin 5f0e8a'))
    .action((ids: string[], option: JsonOption) => pin(ids, true, option, io));
  withConfigOption(clips.command('unpin <id...>').description('let clips go again when the quota says so'))
    .option('--json', 'print as JSON')
    .addHelpText('after', example('latchkey clips unpin 5f0e8a'))
    .action((ids: string[], option: JsonOption) => pin(ids, false, option, io));
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
