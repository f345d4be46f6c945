/**
 * Puts the clips of a backup into a device that has keys of its own: every part is held to its hash and opened with the paper
 * key, and its file key is given to this device's recipients; the sealed bodies stay as they were recorded.
 */
import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
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
import { readRecipients } from '../recorder/recipients.ts';
import { ClipArchive } from '../store/clip-archive.ts';
import { ClipsDb } from '../store/clips-db.ts';
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
  const cameras = existsSync(root) ? readdirSync(root).filter((name) => /^[a-z0-9-]{1,32}$/.test(name)) : [];
  return cameras.toSorted().flatMap((camera) =>
    readdirSync(join(root, camera))
      .filter((name) => /^[0-9a-f]{32}\.tar$/.test(name))
      .map((name) => join(root, camera, name))
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
    for (const { path, bytes } of found.filter((each) => each.camera === camera)) {
      onProgress(result.restoredCount + result.presentCount);
      try {
        if (restoreOne(path, camera, db, recipients, options)) {
          result.restoredCount += 1;
          result.restoredBytes += bytes;
        } else result.presentCount += 1;
      } catch (thrown) {
        const { kind, code } = asAgentError(thrown);
        // Sealed to another key: put there by somebody, or from before a change of keys.
        if (kind !== 'corrupt' && code !== 'age/wrong-key') throw thrown;
        result.damaged.push({ file: path.slice(folder.length + 1), code });
      }
    }
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
  // What a killed restore left counts as cut, and is made anew.
  if (
    before === index.state &&
    db.isWhole(index.clip_id, index.members.filter(({ track }) => track !== undefined).length)
  )
    return false;
  const opened = new Map<string, SealedFile>();
  for (const [member, bytes] of archive.members()) {
    const sealed = splitFile(bytes);
    openBody(openFileKey(sealed.header, identity), sealed.body);
    if (member.track === undefined)
      opened.set(member.name, {
        header: rewrapHeader(sealed.header, identity, recipients),
        body: Buffer.from(sealed.body),
      });
  }
  const [opening, closing] = [opened.get('opening.json.age'), opened.get('closing.json.age')];
  if (opening === undefined || (index.state === 'closed' && closing === undefined)) {
    throw new AgentError('corrupt', 'backup/damaged', 'Cannot restore the clip: its metadata is missing');
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
