/** Clips as files: the opened one through the owner program, the sealed one straight from `clips.db`. */
import { closeSync, existsSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../base/errors.ts';
import { findFfmpeg } from '../base/ffmpeg.ts';
import { writeFileDurable } from '../base/files.ts';
import { remuxToPlainMp4 } from '../base/remux.ts';
import type { Config } from '../config/schema.ts';
import { ClipsReader } from '../store/clips-reader.ts';
import type { ClipRow, SegmentRow } from '../store/clips-rows.ts';
import { findId } from './clip-ids.ts';
import { type CliIo, note } from './io.ts';
import { makeNewFolder, writeNewFile } from './new-file.ts';
import type { OwnerClient } from './owner-client.ts';
import { counted } from './terminal-text.ts';

/** Writes the clip into a new file that begins at zero and plays everywhere. Throws as `writeNewFile`, and `base/ffmpeg-missing`. */
export async function exportClip(owner: OwnerClient, clipId: string, path: string, config: Config): Promise<number> {
  const ffmpegPath = findFfmpeg({ configuredPath: config.ffmpegPath });
  await writeNewFile(path, async (work) => {
    const stored = join(work, 'stored.mp4');
    await writeStored(owner, clipId, stored);
    const output = join(work, 'plain.mp4');
    await remuxToPlainMp4({ ffmpegPath, input: stored, output });
    return output;
  });
  return statSync(path).size;
}

/** The clip as it is stored: a fragmented MP4 on the time line of its run. */
async function writeStored(owner: OwnerClient, clipId: string, path: string): Promise<void> {
  const fd = openSync(path, 'wx', 0o600);
  try {
    for await (const piece of owner.media('clipMedia', { clipId })) {
      for (let offset = 0; offset < piece.length; ) offset += writeSync(fd, piece, offset);
    }
  } finally {
    closeSync(fd);
  }
}

export interface SealedTarget {
  readonly segment?: string;
  readonly outDir?: string;
}

/** Needs neither a key nor the owner program. Throws `clips/not-found`, `clips/ambiguous`, `clips/no-such-segment`, `clips/usage`, and as `makeNewFolder`. */
export async function writeSealed(config: Config, given: string, target: SealedTarget, io: CliIo): Promise<void> {
  if ((target.segment === undefined) === (target.outDir === undefined)) {
    throw new AgentError('usage', 'clips/usage', 'Cannot take out the clip: give either --out-dir or --segment');
  }
  const paths = config.cameras
    .map(({ id }) => join(config.dataDir, 'cameras', id, 'clips.db'))
    .filter((path) => existsSync(path));
  const wanted = findId(given, paths.flatMap((path) => idsIn(path))); // biome-ignore format: one question
  for (const path of paths) {
    using reader = ClipsReader.open(path);
    const clip = wanted === undefined ? undefined : reader.clip(wanted);
    if (clip === undefined) continue;
    const segments = reader.listSegments(clip.seq);
    if (target.segment !== undefined) await writeOne(reader, segments, target.segment, io);
    else writeAll(reader, clip, segments, target.outDir ?? '', io);
    return;
  }
  throw new AgentError('usage', 'clips/not-found', 'Cannot take out the clip: no camera has a clip of that id');
}

function idsIn(path: string): string[] {
  using reader = ClipsReader.open(path);
  return reader.listClips().map(({ clipId }) => clipId);
}

/** Throws `clips/deleted` when retention was faster. */
export function sealedBytes(reader: ClipsReader, segment: SegmentRow): Uint8Array {
  const sealed = reader.segment(segment);
  if (sealed === undefined) {
    throw new AgentError('unavailable', 'clips/deleted', 'Cannot take out the clip: it was deleted meanwhile');
  }
  return Buffer.concat([sealed.header, sealed.body]);
}

async function writeOne(
  reader: ClipsReader,
  segments: readonly SegmentRow[],
  wanted: string,
  io: CliIo,
): Promise<void> {
  const row = /^\d+$/.test(wanted) ? segments[Number(wanted)] : undefined;
  if (row === undefined) {
    const message = `Cannot take out segment ${wanted}: the clip has segments 0 to ${segments.length - 1}`;
    throw new AgentError('usage', 'clips/no-such-segment', message);
  }
  const bytes = sealedBytes(reader, row);
  await new Promise<void>((resolve, reject) => {
    io.stdout.write(bytes, (thrown) => (thrown === null || thrown === undefined ? resolve() : reject(thrown)));
  });
}

function writeAll(
  reader: ClipsReader,
  clip: ClipRow,
  segments: readonly SegmentRow[],
  folder: string,
  io: CliIo,
): void {
  makeNewFolder(folder);
  const put = (name: string, bytes: Uint8Array): void => writeFileDurable(join(folder, name), bytes);
  for (const phase of ['opening', 'closing'] as const) {
    const meta = reader.meta(clip.seq, phase);
    if (meta !== undefined) put(`${phase}.json.age`, Buffer.concat([meta.header, meta.body]));
  }
  for (const [i, row] of segments.entries()) {
    put(`segment-${String(i).padStart(3, '0')}-track-${row.track}.mp4.age`, sealedBytes(reader, row));
  }
  note(
    io,
    `Wrote ${counted(segments.length, 'sealed segment')} into ${folder}. Opened one by one and joined in order they are the clip:`,
  );
  const open = (track: number, file: string): void =>
    note(io, `  for f in ${folder}/segment-*-track-${track}.*; do age -d -i paper-key.txt "$f"; done > ${file}`);
  open(1, 'clip.mp4');
  if (!segments.some(({ track }) => track === 2)) return;
  open(2, 'sound.mp4');
  note(io, '  ffmpeg -i clip.mp4 -i sound.mp4 -c copy clip-with-sound.mp4');
}
