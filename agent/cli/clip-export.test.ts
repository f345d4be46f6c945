import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { Running } from '../../test-fixtures/owner-program.ts';
import type { LedgerEntry } from '../owner/service.ts';
import { generateIdentity } from '../protocol/age-file.ts';
import { register as clips } from './clips.ts';
import { type CommandResult, runCommand } from './fixture/command.ts';
import { register as verify } from './verify.ts';

let folder: string;
let house: TestHouse;
let owner: Running;
let ids: string[];
let config: string;
const startMs = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;
const at = (seconds: number): string => new Date(startMs + seconds * 1000).toISOString();
const person = generateIdentity();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lk-own-'));
  house = await TestHouse.make();
  ids = [
    house.addClip({ startMs }),
    house.addClip({ startMs: startMs + 60_000 }),
    house.addClip({ startMs: startMs + 120_000, cut: true }),
  ];
  owner = new Running(house);
  await owner.start();
  config = join(folder, 'config.json');
  writeFileSync(
    config,
    JSON.stringify({
      dataDir: house.dataDir,
      cameras: [{ id: 'front', name: 'Front', source: { kind: 'file', path: 'x' } }],
      regions: ['US-CA'],
    }),
  );
  writeFileSync(join(folder, 'words'), `${testPassphrase}\n`);
});
afterAll(async () => {
  await owner.stop();
  house[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const run = (...args: readonly string[]): Promise<CommandResult> =>
  runCommand([clips], ['clips', ...args, '--config', config]);
const share = (...args: readonly string[]): Promise<CommandResult> =>
  run('share', ...args, '--passphrase-file', join(folder, 'words'));
const verdict = async (path: string) => {
  const { status, stdout } = await runCommand([verify], ['verify', path, '--json']);
  return {
    status,
    ...(JSON.parse(stdout) as { media: { unaltered: string; fragmentsProved: number }[]; problems: string[] }),
  };
};
const pictures = (path: string): string => {
  const args = [
    '-v',
    'error',
    '-count_frames',
    '-select_streams',
    'v',
    '-show_entries',
    'stream=nb_read_frames,start_time',
    '-of',
    'csv=p=0',
    path,
  ];
  const probe = spawnSync('ffprobe', args, { encoding: 'utf8' });
  expect(probe.stderr).toBe('');
  return probe.stdout.trim();
};
async function lastActions(): Promise<readonly string[]> {
  await owner.call('lock');
  await owner.call('unlockDeciding', { passphrase: testPassphrase });
  return (await owner.call<LedgerEntry[]>('listLedger', { from: 1, count: 100 })).at(-1)?.actions ?? [];
}

test('a time range: plain videos, and proofs that "verify" takes; any flipped bit in them is told', async () => {
  const out = join(folder, 'visit');
  expect((await run('export', '--from', at(0), '--to', at(90), '--out-dir', out)).stderr).toContain('(owner/locked)');
  rmSync(out, { recursive: true, force: true });
  await owner.call('unlockDeciding', { passphrase: testPassphrase });
  // The second clip is cut after 30 s of its time: 20 s of it fit, in whole keyframe intervals of 4 s.
  const { status, stdout } = await run('export', '--from', at(5), '--to', at(75), '--out-dir', out, '--json');
  expect(status).toBe(0);
  const report = JSON.parse(stdout) as { movies: string[]; proofs: string[]; unproved: string[] };
  expect(report).toMatchObject({ proofs: ['proof-01'], unproved: [] });
  expect(report.movies.map((name) => pictures(join(out, name)))).toEqual(['0.000000,120', '0.000000,120']);
  expect(statSync(join(out, report.movies[0] ?? '')).mode & 0o077).toBe(0);
  const proof = join(out, 'proof-01');
  expect(readdirSync(proof).toSorted()).toEqual([
    '00-README.txt',
    '30-manifest.json',
    '31-proofs.json',
    '40-video-02.mp4',
    '40-video.mp4',
  ]);
  const good = await verdict(proof);
  expect(good).toMatchObject({ status: 0, problems: [] });
  expect(good.media.map(({ unaltered, fragmentsProved }) => [unaltered, fragmentsProved])).toEqual([['unaltered', 4], ['unaltered', 4]]); // biome-ignore format: pairs
  const words = await runCommand([verify], ['verify', proof]);
  expect(words.stdout).toContain('Proved: 40-video.mp4 is unaltered since its camera signed it (4 of 4 pieces).');
  expect(words.stdout).toContain('The owner handed it out unasked');

  const path = join(proof, '40-video.mp4');
  const bytes = readFileSync(path);
  bytes[50_000] = (bytes[50_000] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  expect(await verdict(proof)).toMatchObject({ status: 6, problems: ['media-altered'] });
  writeFileSync(join(proof, '40-video-03.mp4'), bytes);
  rmSync(path);
  expect((await verdict(proof)).problems.toSorted()).toEqual(['media-extra', 'media-missing']);
  const manifests = join(proof, '30-manifest.json');
  writeFileSync(manifests, readFileSync(manifests, 'utf8').replaceAll(/"sig":"../g, '"sig":"AA'));
  expect((await verdict(proof)).problems).toContain('manifest-signature');
  writeFileSync(join(proof, '31-proofs.json'), '{"media":[]}');
  expect((await runCommand([verify], ['verify', proof])).stderr).toContain('(share/missing-file)');
  expect(await lastActions()).toEqual([`export ${ids[0]}`, `export ${ids[1]}`]);
});

test('a clip that a power loss cut is exported and said to prove nothing', async () => {
  await owner.call('unlockDeciding', { passphrase: testPassphrase });
  const out = join(folder, 'cut');
  const result = await run('export', ids[2] ?? '', '--out-dir', out);
  expect(result.stdout).toContain('was cut short by a power loss: nothing can be proved about it');
  expect(readdirSync(out)).toHaveLength(1);
  expect(pictures(join(out, readdirSync(out)[0] ?? ''))).toBe('0.000000,200');
  expect((await run('export', ids[0] ?? '', '--out-dir', out)).stderr).toContain('(clips/file-exists)');
  expect((await run('export', 'f'.repeat(32), '--out-dir', join(folder, 'none'))).stderr).toContain(
    '(clips/none-there)',
  );
  expect((await run('export', '--out-dir', join(folder, 'none'))).stderr).toContain('(clips/usage)');
  expect((await run('export', '--out', join(folder, 'none'))).stderr).toContain('(clips/usage)');
});

test('one clip as one file goes neither through a link nor over what another program left', async () => {
  await owner.call('unlockDeciding', { passphrase: testPassphrase });
  const out = join(folder, 'one.mp4');
  writeFileSync(`${out}.part`, 'theirs');
  expect((await run('export', ids[0] ?? '', '--out', out)).status).toBe(0);
  expect(pictures(out)).toMatch(/^0\.000000,/);
  expect(readFileSync(`${out}.part`, 'utf8')).toBe('theirs');
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'link'));
  for (const args of [
    ['export'],
    ['share', '--recipient', person.recipient, '--passphrase-file', join(folder, 'words'), '--yes'],
  ]) {
    const refused = await run(...args, ids[0] ?? '', '--out', join(folder, 'link'));
    expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining('(clips/file-exists)')]);
  }
  expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
  const alone = await run('export', ids[0] ?? '', '--out-dir', join(folder, 'alone'));
  expect(alone.stdout).toContain('Wrote 1 video into');
});

test('sealed to a person of choice: previewed, by passphrase, opened by stock age, proved, noted, and nothing left behind', async () => {
  await owner.call('lock');
  const out = join(folder, 'for-ana.age');
  const look = join(folder, 'look');
  const args = [ids[0] ?? '', '--recipient', person.recipient, '--out', out];
  const refused = await runCommand(
    [clips],
    ['clips', 'share', ...args, '--config', config, '--passphrase-file', join(folder, 'words')],
    { input: 'no\n' },
  );
  expect(refused.stderr).toContain('(clips/not-confirmed)');
  expect(existsSync(out)).toBe(false);
  const done = await share(...args, '--look', look, '--yes');
  expect([done.status, done.stdout]).toEqual([0, expect.stringContaining('It was sent to nobody')]);
  expect(readdirSync(join(house.dataDir, 'owner', 'own'))).toEqual([]);
  expect(readdirSync(join(house.dataDir, 'spool'))).not.toContain('outbox-own');

  writeFileSync(join(folder, 'ana.key'), `${person.identity}\n`);
  const tar = join(folder, 'clips.tar');
  const opened = spawnSync('age', ['-d', '-i', join(folder, 'ana.key'), '-o', tar, out], { encoding: 'utf8' });
  expect(opened.stderr).toBe('');
  expect(await verdict(tar)).toMatchObject({
    status: 0,
    problems: [],
    media: [{ unaltered: 'unaltered', fragmentsProved: 6 }],
  });
  // What was looked at is what was sealed, byte for byte.
  const into = mkdtempSync(join(folder, 'into-'));
  expect(spawnSync('tar', ['xf', tar, '-C', into]).status).toBe(0);
  for (const name of readdirSync(look))
    expect(readFileSync(join(into, name)).equals(readFileSync(join(look, name)))).toBe(true);
  writeFileSync(join(folder, 'paper.key'), `${house.recoveryIdentity}\n`);
  expect(spawnSync('age', ['-d', '-i', join(folder, 'paper.key'), out]).status).not.toBe(0);
  expect(await lastActions()).toEqual([`own-share ${ids[0]} ${person.recipient}`]);
});

test('no passphrase, no recipient, another preview: nothing is sealed', async () => {
  const out = join(folder, 'none.age');
  const { call } = { call: owner.call.bind(owner) };
  await call('unlockDeciding', { passphrase: testPassphrase });
  const selection = [{ clipId: ids[0], fromMs: startMs, toMs: startMs + 60_000 }];
  const fail = (code: string) => expect.objectContaining({ code });
  const own = await call<{ previewId: string }>('ownPreview', { selection, sound: false });
  await expect(call('ownShare', { ...own, files: undefined, sealedBytes: undefined })).rejects.toThrow(
    fail('owner/bad-arguments'),
  );
  const { previewId } = own;
  await expect(call('ownShare', { previewId, passphrase: testPassphrase })).rejects.toThrow(fail('own/no-recipient'));
  await expect(call('ownPreview', { selection: [], sound: false })).rejects.toThrow(fail('own/selection'));
  await expect(
    call('ownPreview', { selection: [{ ...selection[0], toMs: startMs + 1 }], sound: false }),
  ).rejects.toThrow(fail('share/nothing-selected'));
  await expect(call('ownPreview', { selection: [{ ...selection[0], clipId: ids[2] }], sound: false })).rejects.toThrow(
    fail('share/clip-cut'),
  );
  const meant = await call<{ previewId: string }>('ownPreview', {
    selection,
    sound: false,
    recipient: person.recipient,
  });
  await expect(call('ownShare', { previewId: meant.previewId, passphrase: 'not the words' })).rejects.toThrow(
    fail('vault/wrong-passphrase'),
  );
  await expect(call('ownShare', { previewId: 'f'.repeat(64), passphrase: testPassphrase })).rejects.toThrow(
    fail('vault/no-such-preview'),
  );
  await expect(call('ownMedia', { previewId, name: '41-audio.mp4', offset: 0, length: 10 })).rejects.toThrow(
    fail('vault/no-such-medium'),
  );
  const bad = await share(ids[0] ?? '', '--recipient', 'age1nobody', '--out', out, '--yes');
  expect(bad.stderr).toContain('(age/bad-recipient)');
  writeFileSync(out, '');
  const there = await share(ids[0] ?? '', '--recipient', person.recipient, '--out', out, '--yes');
  expect(there.stderr).toContain('(clips/file-exists)');
});

test('what was sealed and never taken away is gone after a restart', async () => {
  const forgotten = join(house.dataDir, 'owner', 'own');
  writeFileSync(join(forgotten, 'x.age'), 'sealed');
  await owner.stop();
  await owner.start();
  expect(existsSync(forgotten)).toBe(false);
});
