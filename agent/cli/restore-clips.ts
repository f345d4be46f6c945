/**
 * Puts the clips of a backup into a device that has keys of its own: every part is held to its hash and opened with the paper
 * key, and its file key is given to this device's recipients; the sealed bodies stay as they were recorded.
 */
import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AgentError, asAgentError } from '../base/errors.ts';
import { ensurePrivateDir, readFileLimited } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import type { Config } from '../config/schema.ts';
import {
  type OwnerIdentity,
  openBody,
  openFile,
  openFileKey,
  rewrapHeader,
  type SealedFile,
  splitFile,
} from '../protocol/age-file.ts';
import { parseClosingMetadata, parseOpeningMetadata } from '../protocol/clip-metadata.ts';
import { readRecipients } from '../recorder/recipients.ts';
import { type ArchiveIndex, ClipArchive } from '../store/clip-archive.ts';
import { ClipsDb } from '../store/clips-db.ts';
import { utcDay } from '../store/clips-rows.ts';
import { readDeletions, writeDeletions } from '../store/deletions.ts';
import { isAsSigned } from '../vault/clip-check.ts';
import { houseName, readMarker } from './backup-copy.ts';

export interface RestoreResult {
  readonly restoredCount: number;
  readonly restoredBytes: number;
  /** In the database already. */
  readonly presentCount: number;
  /** Damaged files, and why; the others are restored. */
  readonly damaged: readonly { readonly file: string; readonly code: string }[];
}

export interface RestoreOptions {
  readonly config: Config;
  readonly folder: string;
  readonly identity: OwnerIdentity;
  /** Keep retention from taking what is old at once. */
  readonly pinned: boolean;
  readonly log: Log;
  readonly onProgress: (doneCount: number) => void;
}

interface Found {
  readonly camera: string;
  readonly path: string;
  readonly bytes: number;
}

const maxHouseBytes = 2 << 20;
const maxClipBytes = 1 << 30;

/** The configuration and the place that were backed up. Throws `age/wrong-key`, `backup/not-a-backup`, `backup/damaged`. */
export function openHouse(
  folder: string,
  identity: OwnerIdentity,
): { readonly config: unknown; readonly place: unknown } {
  readMarker(folder);
  const bytes = readFileLimited(join(folder, houseName), maxHouseBytes);
  if (bytes === undefined) throw houseDamaged();
  try {
    return JSON.parse(Buffer.from(openFile(splitFile(bytes), identity)).toString('utf8')) as {
      config: unknown;
      place: unknown;
    };
  } catch (thrown) {
    if (thrown instanceof AgentError && thrown.code === 'age/wrong-key') throw thrown;
    throw houseDamaged(thrown);
  }
}

function houseDamaged(cause?: unknown): AgentError {
  return new AgentError(
    'corrupt',
    'backup/damaged',
    `Cannot use ${houseName} of the backup: it is missing or damaged`,
    { cause },
  );
}

function archivesIn(folder: string): Found[] {
  const root = join(folder, 'clips');
  // No links and no pipes: whoever wrote the folder may not be who made the backup.
  const entries = existsSync(root) ? readdirSync(root, { withFileTypes: true }) : [];
  const cameras = entries.filter((entry) => entry.isDirectory() && /^[a-z0-9-]{1,32}$/.test(entry.name));
  return cameras
    .map(({ name }) => name)
    .toSorted()
    .flatMap((camera) =>
      readdirSync(join(root, camera), { withFileTypes: true })
        .filter((entry) => entry.isFile() && /^[0-9a-f]{32}\.tar$/.test(entry.name))
        .map(({ name }) => join(root, camera, name))
        .map((path) => ({ camera, path, bytes: statSync(path).size })),
    );
}

/** Throws `restore/no-space`: what is pinned makes no room for itself. */
function requireSpace({ config, pinned }: RestoreOptions, found: readonly Found[]): void {
  const { dataDir, retention } = config;
  const wantedBytes = found.reduce((sum, { bytes }) => sum + bytes, 0);
  const { bavail, bsize } = statfsSync(dataDir);
  const freeBytes = bavail * bsize - retention.minFreeBytes;
  if (wantedBytes > freeBytes) {
    const message = `Cannot restore: ${wantedBytes} bytes are needed, and ${Math.max(0, freeBytes)} are free beside "retention.minFreeBytes"`;
    throw new AgentError('full', 'restore/no-space', message);
  }
  if (!pinned) return;
  if (wantedBytes <= retention.maxBytes / 2) return;
  const message =
    'Cannot restore: what is restored would take more than half of the quota, pinned as it is. Raise "retention.maxBytes", or use --unpinned';
  throw new AgentError('refused', 'restore/quota', message);
}

export function restoreClips(options: RestoreOptions): RestoreResult {
  const { config, folder, log, onProgress } = options;
  const found = archivesIn(folder);
  requireSpace(options, found);
  const recipients = readRecipients(config.dataDir);
  const result = {
    restoredCount: 0,
    restoredBytes: 0,
    presentCount: 0,
    damaged: [] as { file: string; code: string }[],
  };
  for (const camera of new Set(found.map((each) => each.camera))) {
    const into = join(config.dataDir, 'cameras', camera);
    ensurePrivateDir(into);
    using db = ClipsDb.open({ path: join(into, 'clips.db'), log, wallMs: Date.now() });
    const deletions = new Map(readDeletions(into));
    const deletedCount = deletions.size;
    for (const { path, bytes } of found.filter((each) => each.camera === camera)) {
      onProgress(result.restoredCount + result.presentCount);
      try {
        if (restoreOne(path, camera, db, recipients, options)) {
          result.restoredCount += 1;
          result.restoredBytes += bytes;
        } else result.presentCount += 1;
        deletions.delete(basename(path, '.tar'));
      } catch (thrown) {
        const { kind, code } = asAgentError(thrown);
        // Sealed to another key: put there by somebody, or from before a change of keys.
        if (kind !== 'corrupt' && code !== 'age/wrong-key') throw thrown;
        result.damaged.push({ file: path.slice(folder.length + 1), code });
      }
    }
    // Deleted a moment ago: otherwise the recorder would take away what was just put back.
    if (deletions.size < deletedCount) writeDeletions(into, deletions);
  }
  return result;
}

/** Looks at everything before it writes anything. False: it is there. */
function restoreOne(
  path: string,
  camera: string,
  db: ClipsDb,
  recipients: readonly string[],
  { identity, pinned }: RestoreOptions,
): boolean {
  using archive = ClipArchive.open(path);
  const { index } = archive;
  if (index.camera_id !== camera || !path.endsWith(`${index.clip_id}.tar`)) {
    throw new AgentError('corrupt', 'backup/damaged', 'Cannot restore the clip: it is not the one that its name says');
  }
  const before = db.stateOf(index.clip_id);
  const segments = index.members.filter(({ track }) => track !== undefined);
  // A clip that was closed here is never given up for what a folder offers. What a killed restore left counts as cut.
  if (before === 'closed' || (before === index.state && db.isWhole(index.clip_id, segments.length))) return false;
  const opened = openAll(archive, identity);
  const rewrapped = (name: string): SealedFile | undefined => {
    const sealed = opened.metadata.get(name)?.sealed;
    return sealed && { header: rewrapHeader(sealed.header, identity, recipients), body: Buffer.from(sealed.body) };
  };
  const [opening, closing] = [rewrapped('opening.json.age'), rewrapped('closing.json.age')];
  if (opening === undefined || (index.state === 'closed' && closing === undefined)) {
    throw new AgentError('corrupt', 'backup/damaged', 'Cannot restore the clip: its metadata is missing');
  }
  if (!isWhatItSays(index, opened)) {
    throw new AgentError(
      'corrupt',
      'backup/damaged',
      'Cannot restore the clip: it is not what was recorded and signed',
    );
  }
  if (before !== undefined) db.deleteClips([index.clip_id]);
  const seq = db.openClip({ clipId: index.clip_id, wallMs: Date.parse(index.day), opening });
  for (const [member, bytes] of archive.members()) {
    if (member.track === undefined) continue;
    const { header, body } = splitFile(bytes);
    const sealed = { header: rewrapHeader(header, identity, recipients), body };
    db.appendSegment(seq, { track: member.track, position: member.position ?? 0, sealed });
  }
  if (closing !== undefined && index.state === 'closed') db.closeClip(seq, closing);
  else db.markCut(seq);
  if (pinned || index.pinned) db.setPinned([index.clip_id], true);
  return true;
}

interface Opened {
  readonly metadata: ReadonlyMap<string, { readonly sealed: SealedFile; readonly plain: Uint8Array }>;
  readonly tracks: ReadonlyMap<number, Buffer>;
}

/** Every part, held to its hash and its seal. A clip is at most a minute. */
function openAll(archive: ClipArchive, identity: OwnerIdentity): Opened {
  if (archive.wantedBytes > maxClipBytes) {
    throw new AgentError('corrupt', 'backup/damaged', 'Cannot restore the clip: it is larger than any clip');
  }
  const metadata = new Map<string, { sealed: SealedFile; plain: Uint8Array }>();
  const parts = new Map<number, Uint8Array[]>();
  for (const [{ name, track }, bytes] of archive.members()) {
    const sealed = splitFile(bytes);
    const plain = openBody(openFileKey(sealed.header, identity), sealed.body);
    if (track === undefined) metadata.set(name, { sealed, plain });
    else parts.set(track, [...(parts.get(track) ?? []), plain]);
  }
  return { metadata, tracks: new Map([...parts].map(([track, pieces]) => [track, Buffer.concat(pieces)])) };
}

/** The index is nobody's word: whose clip it is stands in its metadata, and of a closed one every byte is signed. */
function isWhatItSays({ clip_id, day, state }: ArchiveIndex, { metadata, tracks }: Opened): boolean {
  const plain = (name: string): Uint8Array => metadata.get(name)?.plain ?? Buffer.of();
  try {
    const opening = parseOpeningMetadata(plain('opening.json.age'));
    // On another day it would be kept too short, or never be listed.
    if (opening.clip_id !== clip_id || utcDay(opening.start_ms) !== day) return false;
    return state === 'cut' || isAsSigned(opening, parseClosingMetadata(plain('closing.json.age')), tracks);
  } catch (thrown) {
    if (thrown instanceof AgentError) return false;
    throw thrown;
  }
}
