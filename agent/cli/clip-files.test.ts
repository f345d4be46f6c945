import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../base/log.ts';
import { generateIdentity, sealBytes } from '../protocol/age-file.ts';
import { ClipsDb } from '../store/clips-db.ts';
import { ClipsReader } from '../store/clips-reader.ts';
import { sealedBytes } from './clip-files.ts';
import { register } from './clips.ts';
import { type CommandResult, runCommand } from './fixture/command.ts';
import { type Installation, makeInstallation } from './fixture/installation.ts';

const clipId = '5f0e8a11'.repeat(4);
const text = new TextEncoder();

let place: Installation;
let identityFile: string;
beforeEach(() => {
  place = makeInstallation();
  const [owner, paper] = [generateIdentity(), generateIdentity()];
  identityFile = join(place.folder, 'paper-key.txt');
  writeFileSync(identityFile, `${paper.identity}\n`);
  const folder = join(place.dataDir, 'cameras', 'front');
  mkdirSync(folder, { recursive: true });
  using db = ClipsDb.open({ path: join(folder, 'clips.db'), log: silentLog, wallMs: 0 });
  const seal = (what: string) => sealBytes([owner.recipient, paper.recipient], text.encode(what));
  const seq = db.openClip({ clipId, wallMs: 0, opening: seal('opening') });
  for (const position of [0, 1, 2]) db.appendSegment(seq, { track: 1, position, sealed: seal(`piece ${position};`) });
  db.closeClip(seq, seal('closing'));
});
afterEach(async () => place[Symbol.asyncDispose]());

function sealed(...args: readonly string[]): Promise<CommandResult> {
  return runCommand([register], ['clips', 'sealed', clipId, '--config', place.configPath, ...args]);
}

function age(path: string): string {
  return execFileSync('age', ['-d', '-i', identityFile, path], { encoding: 'utf8' });
}

describe('sealed clips', () => {
  it('come out without any key as files that stock age opens with the paper key', async () => {
    const folder = join(place.folder, 'sealed');
    const result = await sealed('--out-dir', folder);
    expect([result.status, result.stderr]).toEqual([0, expect.stringContaining('3 sealed segments')]);
    const names = readdirSync(folder).toSorted();
    expect(names).toEqual([
      'closing.json.age',
      'opening.json.age',
      'segment-000-track-1.mp4.age',
      'segment-001-track-1.mp4.age',
      'segment-002-track-1.mp4.age',
    ]);
    const opened = names.filter((name) => name.startsWith('segment')).map((name) => age(join(folder, name)));
    expect(opened.join('')).toBe('piece 0;piece 1;piece 2;');
    expect(age(join(folder, 'closing.json.age'))).toBe('closing');

    const again = await sealed('--out-dir', folder);
    expect([again.status, again.stderr]).toEqual([2, expect.stringContaining('(clips/file-exists)')]);
  });

  it('come out one by one on standard output, byte for byte', async () => {
    const folder = join(place.folder, 'sealed');
    await sealed('--out-dir', folder);
    const main = join(import.meta.dirname, '..', 'main.ts');
    const args = [main, 'clips', 'sealed', clipId, '--config', place.configPath, '--segment', '1'];
    const bytes = execFileSync(process.execPath, args);
    expect(bytes.equals(readFileSync(join(folder, 'segment-001-track-1.mp4.age')))).toBe(true);
    const beyond = await sealed('--segment', '3');
    expect([beyond.status, beyond.stderr]).toEqual([2, expect.stringContaining('(clips/no-such-segment)')]);
    expect(beyond.stderr).toContain('segments 0 to 2');
  });
  it('may be deleted while they are taken out, which is said', () => {
    using reader = ClipsReader.open(join(place.dataDir, 'cameras', 'front', 'clips.db'));
    const [row] = reader.listSegments(reader.clip(clipId)?.seq ?? 0);
    if (row === undefined) throw new Error('the clip has segments');
    expect(() => sealedBytes(reader, { ...row, position: 999 })).toThrow(
      expect.objectContaining({ code: 'clips/deleted', exitStatus: 4 }),
    );
  });
});
