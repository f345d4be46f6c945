/**
 * Copies what is new into a backup folder. Only sealed bytes are read and written, so no key is needed. A clip's file stands
 * there whole or not at all, so that an interrupted copy goes on where it was.
 */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AgentError, systemCode } from '../base/errors.ts';
import { ensurePrivateDir, readFileLimited, writeFileDurable } from '../base/files.ts';
import type { Config } from '../config/schema.ts';
import { sealBytes } from '../protocol/age-file.ts';
import { sha256, sha256Hex, toHex } from '../protocol/bytes.ts';
import { readRecipients } from '../recorder/recipients.ts';
import { type ArchiveIndex, type ArchiveMember, ClipArchive, writeClipArchive } from '../store/clip-archive.ts';
import { ClipsReader } from '../store/clips-reader.ts';
import type { ClipRow } from '../store/clips-rows.ts';
import { readDeletions } from '../store/deletions.ts';
import { ownerRootPath, placePath } from '../vault/paths.ts';

export interface BackupResult {
  readonly copiedCount: number;
  readonly copiedBytes: number;
  /** There already, unchanged. */
  readonly presentCount: number;
  /** Still being recorded, just deleted, or gone while it was copied. */
  readonly skippedCount: number;
  /** Damaged here: not copied, and said. */
  readonly damaged: readonly string[];
}

const markerName = 'latchkey-backup.json';
export const houseName = 'house.json.age';
const markerSchema = z.strictObject({ latchkey_backup: z.literal(1), device: z.string().regex(/^[0-9a-f]{64}$/) });

export const archivePath = (folder: string, camera: string, clipId: string): string =>
  join(folder, 'clips', camera, `${clipId}.tar`);

/** Throws `backup/not-a-backup`. */
export function readMarker(folder: string): { readonly device: string } {
  const bytes = existsSync(folder) ? readFileLimited(join(folder, markerName), 4096) : undefined;
  const parsed = bytes === undefined ? undefined : markerSchema.safeParse(parseJson(bytes));
  if (parsed?.success === true) return parsed.data;
  throw new AgentError('usage', 'backup/not-a-backup', `Cannot use ${folder}: it is not a backup of a Latchkey device`);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** A folder of our own, or an empty one that becomes it. Throws `backup/other-device`, `backup/not-empty`. */
function prepare(folder: string, device: string): void {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  if (names.includes(markerName)) {
    if (readMarker(folder).device === device) return;
    const message = `Cannot back up into ${folder}: it holds the backup of another device, or of keys from before`;
    throw new AgentError('refused', 'backup/other-device', message);
  }
  if (names.some((name) => name !== 'lost+found')) {
    const message = `Cannot back up into ${folder}: other things lie there; name an empty or a new folder`;
    throw new AgentError('refused', 'backup/not-empty', message);
  }
  ensurePrivateDir(folder);
  writeFileDurable(join(folder, markerName), `${JSON.stringify({ latchkey_backup: 1, device })}\n`);
}

/** A link on a stick would have files written and cleared away somewhere else. Throws `backup/not-empty`. */
function requireNoLink(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw new AgentError('refused', 'backup/not-empty', `Cannot back up into ${path}: it is a link to another place`);
}

/** The configuration names its secrets by file and holds none; but it tells where the camera is, so it is sealed as well. */
function putHouse(folder: string, configText: string, dataDir: string, recipients: readonly string[]): void {
  const house = {
    v: 1,
    config: JSON.parse(configText) as unknown,
    place: JSON.parse(readFileSync(placePath(dataDir), 'utf8')) as unknown,
  };
  const { header, body } = sealBytes(recipients, Buffer.from(JSON.stringify(house)));
  writeFileDurable(join(folder, houseName), Buffer.concat([header, body]));
}

function indexOf(
  reader: ClipsReader,
  camera: string,
  clip: ClipRow,
): { index: ArchiveIndex; read: (member: ArchiveMember) => Uint8Array | undefined } | undefined {
  const headers = createHash('sha256');
  const members: ArchiveMember[] = [];
  const sources = new Map<string, () => Uint8Array | undefined>();
  const add = (
    name: string,
    header: Uint8Array,
    body: { bytes: number; sha256: () => string },
    source: () => Uint8Array | undefined,
    place: object,
  ): void => {
    headers.update(header);
    members.push({ name, bytes: header.length + body.bytes, sha256: body.sha256(), ...place });
    sources.set(name, source);
  };
  for (const phase of ['opening', 'closing'] as const) {
    const meta = reader.meta(clip.seq, phase);
    if (meta === undefined) {
      if (phase === 'closing' && clip.state === 'cut') continue;
      return undefined;
    }
    const whole = Buffer.concat([meta.header, meta.body]);
    add(`${phase}.json.age`, meta.header, { bytes: meta.body.length, sha256: () => sha256Hex(whole) }, () => whole, {});
  }
  for (const [at, row] of reader.listSegments(clip.seq).entries()) {
    const { track, position, bodySha256 } = row;
    const sealed = reader.segment(row);
    if (sealed === undefined) return undefined;
    if (bodySha256 !== undefined && toHex(sha256(sealed.body)) !== toHex(bodySha256)) {
      throw new AgentError('corrupt', 'backup/damaged', 'Cannot copy the clip: a part of it is damaged here');
    }
    const whole = Buffer.concat([sealed.header, sealed.body]);
    const name = `segment-${String(at).padStart(3, '0')}-track-${track}.mp4.age`;
    const again = (): Uint8Array | undefined => {
      const now = reader.segment(row);
      return now && Buffer.concat([now.header, now.body]);
    };
    add(name, sealed.header, { bytes: sealed.body.length, sha256: () => sha256Hex(whole) }, again, { track, position });
  }
  if (members.length < 2) return undefined;
  const index: ArchiveIndex = {
    v: 1,
    clip_id: clip.clipId,
    camera_id: camera,
    day: clip.day,
    state: clip.state === 'closed' ? 'closed' : 'cut',
    pinned: clip.pinned,
    headers_sha256: headers.digest('hex'),
    members,
  };
  return { index, read: ({ name }) => sources.get(name)?.() };
}

/** Only the small headers are read: another one means that the keys were changed, and then the old file opens with old keys only. */
function isPresent(path: string, reader: ClipsReader, clip: ClipRow): boolean {
  if (!existsSync(path)) return false;
  try {
    using archive = ClipArchive.open(path);
    const { index } = archive;
    const headers = createHash('sha256');
    for (const phase of ['opening', 'closing'] as const) headers.update(reader.meta(clip.seq, phase)?.header ?? '');
    for (const row of reader.listSegments(clip.seq)) headers.update(reader.segmentHeader(row) ?? '');
    return (
      index.headers_sha256 === headers.digest('hex') &&
      index.state === clip.state &&
      index.pinned === clip.pinned &&
      statSync(path).size === archive.wantedBytes
    );
  } catch (thrown) {
    if (thrown instanceof AgentError && thrown.code === 'backup/damaged') return false;
    throw thrown;
  }
}

/** Reads what was written back, to the last byte. Throws `backup/damaged`. */
function verify(path: string): void {
  using archive = ClipArchive.open(path);
  for (const _ of archive.members()) continue;
}

export interface BackupOptions {
  readonly config: Config;
  readonly configText: string;
  readonly folder: string;
  /** Read everything in the backup again, also what was copied earlier. */
  readonly verifyAll: boolean;
  readonly onProgress: (doneCount: number) => void;
}

/** Throws `backup/cannot-write` and what stands at its steps. */
export function backUp(options: BackupOptions): BackupResult {
  try {
    return copyAll(options);
  } catch (thrown) {
    throw cannotWrite(options.folder, thrown);
  }
}

function copyAll({ config, configText, folder, verifyAll, onProgress }: BackupOptions): BackupResult {
  const { dataDir } = config;
  // First of all: a device without an owner has nothing to back up.
  const recipients = readRecipients(dataDir);
  const device = readFileSync(ownerRootPath(dataDir), 'utf8').trim();
  prepare(folder, device);
  putHouse(folder, configText, dataDir, recipients);
  const result = { copiedCount: 0, copiedBytes: 0, presentCount: 0, skippedCount: 0, damaged: [] as string[] };
  const cameras = join(dataDir, 'cameras');
  for (const camera of existsSync(cameras) ? readdirSync(cameras).toSorted() : []) {
    const path = join(cameras, camera, 'clips.db');
    if (!existsSync(path)) continue;
    const into = join(folder, 'clips', camera);
    for (const place of [join(folder, 'clips'), into]) requireNoLink(place);
    ensurePrivateDir(into);
    for (const name of readdirSync(into)) if (name.endsWith('.tmp')) rmSync(join(into, name));
    const deleted = readDeletions(join(cameras, camera));
    using reader = ClipsReader.open(path);
    for (const clip of reader.listClips()) {
      onProgress(result.copiedCount + result.presentCount + result.skippedCount);
      if (clip.state === 'open' || deleted.has(clip.clipId)) {
        result.skippedCount += 1;
        continue;
      }
      copy(reader, camera, clip, archivePath(folder, camera, clip.clipId), verifyAll, result);
    }
  }
  return result;
}

function copy(
  reader: ClipsReader,
  camera: string,
  clip: ClipRow,
  to: string,
  verifyAll: boolean,
  result: { copiedCount: number; copiedBytes: number; presentCount: number; skippedCount: number; damaged: string[] },
): void {
  try {
    if (isPresent(to, reader, clip) && (!verifyAll || isWhole(to))) {
      result.presentCount += 1;
      return;
    }
    const found = indexOf(reader, camera, clip);
    if (found === undefined || !writeClipArchive(to, found.index, found.read)) {
      result.skippedCount += 1;
      return;
    }
    verify(to);
    result.copiedCount += 1;
    result.copiedBytes += statSync(to).size;
  } catch (thrown) {
    if (!(thrown instanceof AgentError) || thrown.kind !== 'corrupt') throw thrown;
    result.damaged.push(clip.clipId);
  }
}

function isWhole(path: string): boolean {
  try {
    verify(path);
    return true;
  } catch {
    return false;
  }
}

function cannotWrite(path: string, thrown: unknown): unknown {
  const code = systemCode(thrown);
  if (thrown instanceof AgentError || code === undefined) return thrown;
  return new AgentError('unavailable', 'backup/cannot-write', `Cannot write ${path}: ${code}`, { cause: thrown });
}
