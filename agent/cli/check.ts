/** `latchkey check`: are the stored clips all there, whole and, with a key at hand, what was recorded? And mending what can be. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import { createLog } from '../base/log.ts';
import type { Config } from '../config/schema.ts';
import type { OwnerIdentity } from '../protocol/age-file.ts';
import { type ClipFault, checkClips } from '../store/clips-check.ts';
import { ClipsDb } from '../store/clips-db.ts';
import { ClipsReader } from '../store/clips-reader.ts';
import { type Salvaged, salvageClips, settleSalvaged } from '../store/clips-salvage.ts';
import { checkOpened, type OpenedVerdict } from '../vault/clip-check.ts';
import { withDataLock } from './data-lock.ts';
import { type ConfigOption, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, clearProgress, note, say, sayJson, showProgress } from './io.ts';
import { readPaperKey } from './paper-key.ts';
import { example } from './program-line.ts';
import { byteSize, counted } from './terminal-text.ts';

interface CheckOption extends ConfigOption {
  readonly camera?: string;
  readonly paperKey?: string;
  readonly repair?: boolean;
  readonly json?: boolean;
}

interface FaultyClip {
  readonly clipId: string;
  readonly faults: readonly ClipFault[];
  readonly opened?: OpenedVerdict;
}

interface CameraReport {
  readonly camera: string;
  readonly clipCount: number;
  readonly segmentCount: number;
  readonly bytes: number;
  readonly cutCount: number;
  /** Segments that were kept before hashes were. */
  readonly unhashedCount: number;
  /** Clips opened with the key and found unaltered; undefined without a key. */
  readonly unalteredCount?: number;
  readonly faulty: readonly FaultyClip[];
  /** The database itself can't be read; the recorder sets it aside at its next start, `--repair` at once. */
  readonly unreadable: boolean;
  /** Damaged databases that were set aside and not yet looked through. */
  readonly setAside: readonly string[];
  readonly salvaged?: readonly (Salvaged & { readonly file: string; readonly settled: 'removed' | 'kept' })[];
  readonly markedCut?: number;
  /** Damaged clips whose keys were lost too: nobody can open them, so they are gone. */
  readonly goneCount?: number;
}

const faultWords: Record<ClipFault, string> = {
  'opening-missing': 'its opening metadata is missing or unreadable',
  'closing-missing': 'its closing metadata is missing or unreadable',
  'no-segments': 'it has no footage',
  'segment-missing': 'a segment is missing or unreadable',
  'segment-gap': 'a segment between others is missing',
  'segment-size': 'a segment has another size than was written',
  'segment-hash': 'a segment has other bytes than were written',
  'segment-header': 'a segment has a malformed header',
  'clip-size': 'its segments are not all that was written',
};

/** Cameras by the folders that exist: footage of a camera that was taken out of the configuration counts too. */
function cameraFolders(config: Config, only: string | undefined): { camera: string; folder: string }[] {
  const root = join(config.dataDir, 'cameras');
  const names = existsSync(root) ? readdirSync(root).toSorted() : [];
  const wanted = only === undefined ? names : names.filter((name) => name === only);
  if (only !== undefined && wanted.length === 0) {
    throw new AgentError('usage', 'check/unknown-camera', `Cannot check: there are no clips of a camera "${only}"`);
  }
  return wanted.map((camera) => ({ camera, folder: join(root, camera) }));
}

function checkCamera(
  { camera, folder }: { camera: string; folder: string },
  identity: OwnerIdentity | undefined,
  io: CliIo,
): CameraReport {
  const path = join(folder, 'clips.db');
  const setAside = setAsideIn(folder);
  const report = { camera, clipCount: 0, segmentCount: 0, bytes: 0, cutCount: 0, unhashedCount: 0, unalteredCount: 0 };
  const faulty: FaultyClip[] = [];
  const look = (): void => {
    using reader = ClipsReader.open(path);
    for (const { clip, faults, segmentCount, unhashedCount } of checkClips(reader)) {
      report.clipCount += 1;
      report.segmentCount += segmentCount;
      report.bytes += clip.bytes;
      report.unhashedCount += unhashedCount;
      if (clip.state === 'cut') report.cutCount += 1;
      const opened = identity === undefined || faults.length > 0 ? undefined : checkOpened(reader, clip, identity);
      if (opened === 'unaltered') report.unalteredCount += 1;
      const bad = faults.length > 0 || opened === 'altered' || opened === 'not-ours';
      const names = [...new Set(faults.map(({ fault }) => fault))];
      if (bad) faulty.push({ clipId: clip.clipId, faults: names, ...(opened === undefined ? {} : { opened }) });
      showProgress(io, `${camera}: ${counted(report.clipCount, 'clip')}, ${byteSize(report.bytes)}`);
    }
    if (report.clipCount > 0) clearProgress(io);
  };
  const unreadable = existsSync(path) && !succeeds(look);
  const { unalteredCount, ...counts } = report;
  return { ...counts, ...(identity === undefined ? {} : { unalteredCount }), faulty, unreadable, setAside };
}

/** False when the database is damaged; whatever else fails is thrown. */
function succeeds(look: () => void): boolean {
  try {
    look();
    return true;
  } catch (thrown) {
    if (thrown instanceof AgentError && thrown.code === 'store/damaged') return false;
    throw thrown;
  }
}

const setAsideIn = (folder: string): string[] => readdirSync(folder).filter((name) => /\.damaged-\d+$/.test(name));

/** Nothing may run: the recorder is the only writer. What is damaged is marked `cut`; only a clip that lost a key goes, as after a deletion cut short. */
function repairCamera(folder: string, report: CameraReport, io: CliIo): CameraReport {
  const log = createLog('check', io.stderr);
  using db = ClipsDb.open({ path: join(folder, 'clips.db'), log, wallMs: Date.now() });
  // Opening it has set aside what can't be read.
  const salvaged = setAsideIn(folder).map((file) => {
    const path = join(folder, file);
    const counts = salvageClips(path, db);
    return { file, ...counts, settled: settleSalvaged(path, counts) };
  });
  const broken = report.faulty.filter(({ faults }) => faults.length > 0);
  const marked = broken.filter(({ clipId }) => db.markClipCut(clipId));
  return { ...report, salvaged, markedCut: marked.length, goneCount: broken.length - marked.length };
}

function explain(report: CameraReport, io: CliIo): void {
  const { camera, clipCount, segmentCount, bytes, cutCount, faulty, unalteredCount, unhashedCount } = report;
  say(
    io,
    `${camera}: ${counted(clipCount, 'clip')} in ${counted(segmentCount, 'segment')}, ${byteSize(bytes)}${cutCount > 0 ? `, ${cutCount} of them cut short by a power loss` : ''}`,
  );
  if (report.unreadable)
    say(io, '  The database is damaged and cannot be read to its end; "latchkey check --repair" saves what it can.');
  else if (faulty.length === 0 && clipCount > 0)
    say(io, '  All there, each with the size and hash that it was written with.');
  if (unhashedCount > 0) say(io, `  ${unhashedCount} segments are older than hashes: checked by size.`);
  if (unalteredCount !== undefined)
    say(io, `  Opened with the key: ${unalteredCount} unaltered since they were recorded.`);
  for (const { clipId, faults, opened } of faulty) {
    const why = [...faults.map((fault) => faultWords[fault]), ...openedWords(opened)];
    say(io, `  ${clipId}: ${why.join('; ')}`);
  }
  for (const file of report.salvaged === undefined ? report.setAside : []) {
    say(io, `  ${file}: set aside as damaged; "latchkey check --repair" takes out what can be read`);
  }
  for (const { file, settled, ...counts } of report.salvaged ?? []) {
    const found = counts.beyondRepair
      ? 'not even its list of clips can be read'
      : `${counted(counts.savedCount, 'clip')} saved, ${counts.partCount} in part, ${counts.presentCount} were saved before, ${counts.lostCount} lost`;
    const end =
      settled === 'removed' ? 'it was removed' : 'it was kept with ".salvaged" in its name; delete it yourself';
    say(io, `  ${file}: ${found}; ${end}`);
  }
  if ((report.markedCut ?? 0) > 0)
    say(io, `  ${report.markedCut} damaged clips are now marked as cut; what is left of them can be looked at.`);
}

function openedWords(opened: OpenedVerdict | undefined): string[] {
  if (opened === 'altered') return ['opened, it is not what was recorded and signed'];
  return opened === 'not-ours' ? ['it is not sealed to this key'] : [];
}

async function check(option: CheckOption, io: CliIo): Promise<void> {
  const config = openConfig(option, io);
  const identity = option.paperKey === undefined ? undefined : readPaperKey(option.paperKey, 'check');
  const folders = cameraFolders(config, option.camera);
  const look = (): CameraReport[] => folders.map((each) => checkCamera(each, identity, io));
  const reports =
    option.repair === true
      ? await withDataLock(config.dataDir, async () =>
          look().map((report, i) => repairCamera(folders[i]?.folder ?? '', report, io)),
        )
      : look();
  if (option.json === true) sayJson(io, reports);
  else if (reports.length === 0) note(io, 'There are no clips yet.');
  else for (const report of reports) explain(report, io);
  const damaged = reports.reduce((sum, report) => {
    const { faulty, setAside, salvaged } = report;
    const open = salvaged === undefined ? setAside.length : salvaged.filter(({ settled }) => settled === 'kept').length;
    return sum + faulty.length + open + (report.unreadable && salvaged === undefined ? 1 : 0);
  }, 0);
  if (damaged > 0) {
    throw new AgentError('corrupt', 'check/damaged', `Damage was found: ${damaged} in all`, {
      detail: { count: damaged },
    });
  }
}

export function register(program: Command, io: CliIo): void {
  withConfigOption(
    program.command('check').description('check the stored clips: presence, size, hash and, with a key, content'),
  )
    .option('--camera <id>', 'only this camera')
    .option('--paper-key <file>', 'also open every clip with this key and hold it against its signature')
    .option(
      '--repair',
      'take clips out of databases set aside as damaged, and mark what is broken; nothing may be running',
    )
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      example('latchkey check', 'latchkey check --paper-key /media/stick/paper-key.txt', 'latchkey check --repair'),
    )
    .action((option: CheckOption) => check(option, io));
}
