/** Clips with their proofs: taken out for oneself into a folder, or sealed to one person as a file. Nothing is sent anywhere. */
import { chmodSync, closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AgentError, systemCode } from '../base/errors.ts';
import { findFfmpeg } from '../base/ffmpeg.ts';
import { remuxToPlainMp4 } from '../base/remux.ts';
import type { Config } from '../config/schema.ts';
import type { ClipSummary, OwnPreview } from '../owner/service.ts';
import { maxClips } from '../protocol/share-names.ts';
import { exportClip } from './clip-files.ts';
import { farBackMs, listClips, wholeIds } from './clip-ids.ts';
import { type CliIo, note, say, sayJson } from './io.ts';
import { makeNewFolder, requireNew, writeNewFile } from './new-file.ts';
import type { OwnerClient } from './owner-client.ts';
import { obtainPassphrase, type PassphraseOption } from './passphrase-entry.ts';
import { Prompter } from './prompter.ts';
import { byteSize, clean, localTime, table } from './terminal-text.ts';

export interface Chosen {
  readonly clips: readonly ClipSummary[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly sound: boolean;
}

/** By ids or by a time; both is refused, and so is nothing found. Throws `clips/usage`, `clips/none-there`, `clips/ambiguous`. */
export async function chooseClips(
  owner: OwnerClient,
  ids: readonly string[],
  range: { readonly fromMs: number | undefined; readonly toMs: number | undefined },
  sound: boolean,
): Promise<Chosen> {
  const timed = range.fromMs !== undefined || range.toMs !== undefined;
  if (!timed && ids.length === 0) {
    throw new AgentError('usage', 'clips/usage', 'Cannot choose clips: give ids, or --from and --to');
  }
  const { fromMs = Date.now() - farBackMs, toMs = Date.now() } = range;
  const found = await listClips(owner, fromMs, toMs);
  const named = await wholeIds(ids, async () => found);
  const clips = ids.length === 0 ? found : found.filter(({ clipId }) => named.includes(clipId));
  const missing = named.find((id) => !clips.some(({ clipId }) => clipId === id));
  if (missing !== undefined || clips.length === 0) {
    const what = missing === undefined ? 'there is none in that time' : `there is none of id ${clean(missing)}`;
    throw new AgentError('usage', 'clips/none-there', `Cannot choose the clip: ${what}`);
  }
  return { clips, fromMs, toMs, sound };
}

const selectionOf = ({ fromMs, toMs }: Chosen, clips: readonly ClipSummary[]) =>
  clips.map(({ clipId, startMs, endMs }) => ({
    clipId,
    fromMs: Math.max(startMs, fromMs),
    toMs: Math.min(endMs, toMs),
  }));

/** Exactly the previewed bytes. Throws `clips/cannot-write`. */
async function writeFiles(owner: OwnerClient, { previewId, files }: OwnPreview, folder: string): Promise<void> {
  for (const { name } of files) {
    let fd: number | undefined;
    try {
      fd = openSync(join(folder, name), 'wx', 0o600);
      for await (const piece of owner.media('ownMedia', { previewId, name })) {
        for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
      }
      fsyncSync(fd);
    } catch (thrown) {
      const code = systemCode(thrown);
      if (thrown instanceof AgentError || code === undefined) throw thrown;
      throw new AgentError('unavailable', 'clips/cannot-write', `Cannot write ${name}: ${code}`, { cause: thrown });
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }
}

export interface ExportReport {
  readonly movies: readonly string[];
  readonly proofs: readonly string[];
  /** Cut short by a power loss: nothing can be proved about them. */
  readonly unproved: readonly string[];
}

/** A plain MP4 for each clip, and beside them folders that `latchkey verify` takes. */
export async function exportWithProof(
  owner: OwnerClient,
  chosen: Chosen,
  folder: string,
  config: Config,
): Promise<ExportReport> {
  const ffmpegPath = findFfmpeg({ configuredPath: config.ffmpegPath });
  makeNewFolder(folder);
  const report = { movies: [] as string[], proofs: [] as string[], unproved: [] as string[] };
  const nameOf = ({ startMs, cameraId }: ClipSummary): string => {
    const stem = `${new Date(startMs).toISOString().slice(0, 19).replaceAll(':', '-')}Z-${cameraId}`;
    const taken = report.movies.filter((name) => name.startsWith(stem)).length;
    return `${stem}${taken === 0 ? '' : `-${taken + 1}`}.mp4`;
  };
  for (const clip of chosen.clips.filter(({ cut }) => cut)) {
    const name = nameOf(clip);
    await exportClip(owner, clip.clipId, join(folder, name), config);
    report.movies.push(name);
    report.unproved.push(name);
  }
  const whole = chosen.clips.filter(({ cut }) => !cut);
  for (let at = 0; at < whole.length; at += maxClips) {
    const batch = whole.slice(at, at + maxClips);
    const preview = await owner.call('ownPreview', { selection: selectionOf(chosen, batch), sound: chosen.sound });
    const proof = `proof-${String(at / maxClips + 1).padStart(2, '0')}`;
    makeNewFolder(join(folder, proof));
    await writeFiles(owner, preview, join(folder, proof));
    for (const clip of batch) {
      const input = preview.files
        .filter(({ clipId }) => clipId === clip.clipId)
        .map(({ name }) => join(folder, proof, name));
      // Nothing of it lay inside the chosen times.
      if (input.length === 0) continue;
      const name = nameOf(clip);
      await remuxToPlainMp4({ ffmpegPath, input, output: join(folder, name) });
      chmodSync(join(folder, name), 0o600);
      report.movies.push(name);
    }
    report.proofs.push(proof);
  }
  return report;
}

export interface ShareOption extends PassphraseOption {
  readonly recipient: string;
  readonly out: string;
  readonly look?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** As for an agency: unlock, see exactly what it would be, say yes, passphrase. The result is a file; whoever wants passes it on. */
export async function shareWithPerson(
  owner: OwnerClient,
  choose: () => Promise<Chosen>,
  option: ShareOption,
  io: CliIo,
): Promise<void> {
  const out = resolve(option.out);
  requireNew(out);
  using prompter = new Prompter(io);
  const passphrase = await obtainPassphrase(option, io, prompter);
  if ((await owner.call('health')).lock !== 'deciding') await owner.call('unlockDeciding', { passphrase });
  const chosen = await choose();
  const preview = await owner.call('ownPreview', {
    selection: selectionOf(chosen, chosen.clips),
    sound: chosen.sound,
    recipient: option.recipient,
  });
  note(io, `Exactly this would be sealed to ${clean(option.recipient)}, and to nobody else:`);
  const rows = preview.files.map(({ name, bytes, sha256, fromMs, toMs }) => [
    `  ${name}`,
    byteSize(bytes),
    fromMs === undefined || toMs === undefined ? '' : `${localTime(fromMs)} to ${localTime(toMs)}`,
    `sha256 ${sha256.slice(0, 16)}…`,
  ]);
  for (const line of table(rows)) note(io, line);
  if (option.look !== undefined) {
    makeNewFolder(option.look);
    await writeFiles(owner, preview, option.look);
    note(io, `The very files are in ${option.look}, not sealed: play them, then delete them.`);
  }
  if (option.yes !== true && !(await prompter.confirm('Seal these clips for that recipient?'))) {
    throw new AgentError('refused', 'clips/not-confirmed', 'Nothing was sealed: it was not confirmed');
  }
  const sealed = await owner.call('ownShare', { previewId: preview.previewId, passphrase });
  await takeAway(sealed.path, out);
  if (option.json === true) return sayJson(io, { out, bytes: sealed.bytes, files: preview.files.length });
  say(io, `Wrote ${out} (${byteSize(sealed.bytes)}). It was sent to nobody: pass it on yourself. They open it with`);
  say(io, `  age -d -i THEIR_KEY ${clean(option.out)} > clips.tar && tar xf clips.tar && latchkey verify clips.tar`);
}

/** Sealed, so a copy on another file system is no worse a place. */
async function takeAway(from: string, to: string): Promise<void> {
  try {
    await writeNewFile(to, async (work) => {
      const copy = join(work, 'sealed.age');
      await copyFile(from, copy);
      return copy;
    });
  } finally {
    rmSync(from, { force: true });
  }
}
