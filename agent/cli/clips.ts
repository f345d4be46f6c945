/** `latchkey clips`: looking back, and getting the sealed originals out for stock `age`. */
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import type { ShareOption } from './clip-export.ts';
import { listClips, ownIds, wholeIds } from './clip-ids.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, note, say, sayJson } from './io.ts';
import { withOwner } from './owner-client.ts';
import { example } from './program-line.ts';
import { clipText } from './request-text.ts';
import { byteSize, clean, counted, localTime } from './terminal-text.ts';

interface ListOption extends ConfigOption {
  readonly from?: string;
  readonly to?: string;
  readonly json?: boolean;
}

interface RangeOption extends ConfigOption {
  readonly from?: string;
  readonly to?: string;
  readonly sound?: boolean;
  readonly json?: boolean;
}

interface ExportOption extends RangeOption {
  readonly out?: string;
  readonly outDir?: string;
}

interface PersonOption extends RangeOption, ShareOption {
  readonly json?: boolean;
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
  const fromMs = time(option.from, nowMs - dayMs, '--from');
  const toMs = time(option.to, nowMs, '--to');
  const clips = await withOwner(openConfig(option, io), (owner) => listClips(owner, fromMs, toMs));
  if (option.json === true) return sayJson(io, clips);
  if (clips.length === 0) say(io, 'No clips in that time.');
  for (const clip of clips) {
    const pinned = clip.pinned ? '  pinned' : '';
    say(io, `${clean(clip.clipId)}  ${clipText(clip)}  ${byteSize(clip.bytes)}${pinned}`);
  }
}

function rangeOf({ from, to }: RangeOption): { fromMs: number | undefined; toMs: number | undefined } {
  return {
    fromMs: from === undefined ? undefined : time(from, 0, '--from'),
    toMs: to === undefined ? undefined : time(to, 0, '--to'),
  };
}

async function exportClips(ids: readonly string[], option: ExportOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  const { out, outDir } = option;
  const [only] = ids;
  if (out !== undefined && outDir === undefined && only !== undefined && ids.length === 1) {
    const { exportClip } = await import('./clip-files.ts');
    const bytes = await withOwner(config, async (owner) => {
      const [clipId = only] = await ownIds(owner, ids);
      return exportClip(owner, clipId, out, config);
    });
    return note(io, `Wrote ${out} (${byteSize(bytes)}), readable by anyone who gets the file.`);
  }
  if (outDir === undefined || out !== undefined) {
    const message = 'Cannot export: give one id and --out FILE, or ids or a time and --out-dir FOLDER';
    throw new AgentError('usage', 'clips/usage', message);
  }
  const { chooseClips, exportWithProof } = await import('./clip-export.ts');
  const report = await withOwner(config, async (owner) => {
    const chosen = await chooseClips(owner, ids, rangeOf(option), option.sound === true);
    return exportWithProof(owner, chosen, outDir, config);
  });
  if (option.json === true) return sayJson(io, report);
  say(io, `Wrote ${counted(report.movies.length, 'video')} into ${outDir}, readable by anyone who gets them.`);
  for (const name of report.unproved)
    say(io, `  ${name} was cut short by a power loss: nothing can be proved about it.`);
  for (const proof of report.proofs) say(io, `Their proofs: latchkey verify ${outDir}/${proof}`);
}

async function shareClips(ids: readonly string[], option: PersonOption, io: CliIo): Promise<void> {
  const { chooseClips, shareWithPerson } = await import('./clip-export.ts');
  await withOwner(openConfig(option, io), (owner) =>
    shareWithPerson(owner, () => chooseClips(owner, ids, rangeOf(option), option.sound === true), option, io),
  );
}

async function remove(ids: readonly string[], option: JsonOption, io: CliIo): Promise<void> {
  const { clipIds, done } = await withOwner(openConfig(option, io), async (owner) => {
    const named = await ownIds(owner, ids);
    return { clipIds: named, done: await owner.call('deleteClips', { clipIds: named }) };
  });
  if (option.json === true) return sayJson(io, done);
  const soon = done.goneAtMs > Date.now();
  if (!soon) return say(io, `Deleted ${done.deletedCount}, for good: the disk is full, so nothing could be kept back.`);
  say(io, `Deleted ${done.deletedCount}. Gone for good at ${localTime(done.goneAtMs)}; until then:`);
  say(io, `  latchkey clips undelete ${clipIds.map((id) => clean(id)).join(' ')}`);
}

async function undelete(ids: readonly string[], option: JsonOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  if (ids.length === 0) {
    const waiting = await withOwner(config, (owner) => owner.call('listDeleted'));
    if (option.json === true) return sayJson(io, waiting);
    if (waiting.length === 0) say(io, 'Nothing is waiting to be deleted.');
    for (const clip of waiting) {
      say(io, `${clean(clip.clipId)}  ${clean(clip.cameraName)}  gone for good at ${localTime(clip.goneAtMs)}`);
    }
    return;
  }
  const done = await withOwner(config, async (owner) => {
    const clipIds = await wholeIds(ids, () => owner.call('listDeleted'));
    return owner.call('undeleteClips', { clipIds });
  });
  if (option.json === true) return sayJson(io, done);
  say(io, `Back: ${done.restoredCount}.`);
}

async function pin(ids: readonly string[], pinned: boolean, option: JsonOption, io: CliIo): Promise<void> {
  const done = await withOwner(openConfig(option, io), async (owner) =>
    owner.call('pinClips', { clipIds: await ownIds(owner, ids), pinned }),
  );
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
  withConfigOption(
    clips
      .command('export [id...]')
      .description('write clips as MP4 files, with their proofs if wanted (needs "unlock")'),
  )
    .option('--out <file>', 'one clip as one new file, without proof')
    .option('--out-dir <folder>', 'a new folder: plain videos, and beside them what "latchkey verify" takes')
    .option('--from <time>', 'all clips from here on, trimmed to whole keyframe intervals')
    .option('--to <time>', 'up to here')
    .option('--sound', 'with sound, where it was recorded')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      example(
        'latchkey clips export 5f0e8a --out visitor.mp4',
        'latchkey clips export --from 2026-03-01T14:00:00Z --to 2026-03-01T14:30:00Z --out-dir visit',
      ),
    )
    .action((ids: string[], option: ExportOption) => exportClips(ids, option, io));
  withConfigOption(
    clips.command('share [id...]').description('seal clips for a person of your choice into a file; nothing is sent'),
  )
    .option('--passphrase-file <file>', 'read the passphrase from a file')
    .requiredOption('--recipient <age1…>', 'their age public key: they alone can open it')
    .requiredOption('--out <file>', 'the new, sealed file')
    .option('--from <time>', 'all clips from here on, trimmed to whole keyframe intervals')
    .option('--to <time>', 'up to here')
    .option('--sound', 'with sound, where it was recorded')
    .option('--look <folder>', 'first write the very files, not sealed, into a new folder to look at')
    .option('--yes', 'do not ask')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', example('latchkey clips share 5f0e8a --recipient age1… --out for-ana.age'))
    .action((ids: string[], option: PersonOption) => shareClips(ids, option, io));
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
