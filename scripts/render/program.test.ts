import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import { findFfmpeg, findFfprobe } from '../../agent/base/ffmpeg.ts';
import { catalog, committed } from './catalog/catalog.ts';
import { checkStreams } from './check-streams.ts';
import { streamsDir } from './commands.ts';
import { runStudio } from './program.ts';
import { parseTruth } from './truth.ts';

const work = mkdtempSync(join(tmpdir(), 'latchkey-render-cli-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ status: number; out: string; error: string }> {
  let [out, error] = ['', ''];
  const status = await runStudio(
    args,
    { out: (text) => void (out += text), error: (text) => void (error += text), live: false },
    AbortSignal.timeout(60_000),
  );
  return { status, out, error };
}

test('every command explains itself with an example', async () => {
  const top = await run('--help');
  expect(top.status).toBe(0);
  for (const name of ['list', 'render', 'frames', 'stills', 'check']) {
    expect(top.out).toContain(name);
    const help = await run(name, '--help');
    expect(help.status).toBe(0);
    expect(help.out).toMatch(/Example:\n {2}npm run render -- /);
    expect(help.out).toContain('--json');
  }
});

test('list names every stream', async () => {
  const { streams } = JSON.parse((await run('list', '--json')).out) as { streams: { name: string }[] };
  expect(streams.map(({ name }) => name)).toEqual(catalog.map(({ name }) => name));
  expect((await run('list')).out.split('\n').length).toBe(catalog.length + 1);
});

test('mistakes are told before any work', async () => {
  expect(await run('render', 'nothing')).toMatchObject({
    status: 2,
    error: expect.stringContaining('(render/unknown-stream)'),
  });
  expect(await run('frames', 'day-front', '--at', '5x')).toMatchObject({
    status: 2,
    error: expect.stringContaining('(render/bad-number)'),
  });
  expect(await run('frames', 'day-front', '--at', '999999')).toMatchObject({ status: 2 });
  const stills = (...more: string[]): ReturnType<typeof run> => run('stills', '--out', work, ...more);
  expect(await stills('--count', '0')).toMatchObject({ status: 2 });
  expect(await stills('--count', '1', '--seed', '5')).toMatchObject({
    status: 2,
    error: expect.stringContaining('1000000'),
  });
  expect(await stills('--count', '1', '--size', '383x216')).toMatchObject({
    status: 2,
    error: expect.stringContaining('(render/bad-size)'),
  });
  writeFileSync(join(work, 'truth-1000000.json'), '{}');
  expect(await stills('--count', '1')).toMatchObject({ status: 5, error: expect.stringContaining('(render/exists)') });
  expect(await run('nonsense')).toMatchObject({ status: 2 });
  expect(await run('check', '--dir', work, '--json')).toMatchObject({
    status: 6,
    error: expect.stringContaining('(render/bad-streams)'),
  });
});

test('a command that is stopped says so', async () => {
  let error = '';
  const status = await runStudio(
    ['render', 'day-front', '--out', work],
    { out: () => {}, error: (text) => void (error += text), live: false },
    AbortSignal.abort(),
  );
  expect([status, error]).toEqual([4, 'Stopped before the end (render/stopped)\n']);
});

test('stills: pictures and one truth for all of them', async () => {
  const folder = join(work, 'stills');
  const seed = 1_000_002;
  const result = await run(
    'stills',
    '--count',
    '3',
    '--seed',
    String(seed),
    '--size',
    '128x72',
    '--out',
    folder,
    '--json',
  );
  expect(result).toMatchObject({ status: 0, error: '' });
  const truth = JSON.parse(readFileSync(join(folder, `truth-${seed}.json`), 'utf8')) as {
    pictures: { file: string; people: { box: number[] }[] }[];
  };
  expect(truth.pictures.map(({ file }) => file)).toEqual([0, 1, 2].map((shot) => `${seed}-${shot}.jpg`));
  for (const { file, people } of truth.pictures) {
    expect(await sharp(join(folder, file)).metadata()).toMatchObject({ width: 128, height: 72 });
    for (const { box } of people) expect(box.every((value) => value >= 0 && value <= 128)).toBe(true);
  }
});

test('the committed streams are whole, small enough, and agree with their truth', async () => {
  const result = await checkStreams({ folder: streamsDir, catalog: committed, ffprobe: findFfprobe(findFfmpeg()) });
  expect(result.problems).toEqual([]);
  expect(result.streams).toBe(committed.length);
  expect(result.bytes).toBeLessThanOrEqual(25_000_000);
});

test('check sees a missing file, a shortened truth and a foreign video', async () => {
  const folder = join(work, 'streams');
  mkdirSync(folder);
  const [first, second, third] = ['cat-ir', 'cat-day', 'day-front'].map((name) =>
    catalog.filter((plan) => plan.name === name),
  );
  for (const name of ['cat-ir.mp4', 'cat-day.json']) copyFileSync(join(streamsDir, name), join(folder, name));
  copyFileSync(join(streamsDir, 'cat-ir.mp4'), join(folder, 'cat-day.mp4'));
  const truth = parseTruth(readFileSync(join(streamsDir, 'day-front.json'), 'utf8'), 'day-front');
  writeFileSync(join(folder, 'day-front.json'), JSON.stringify({ ...truth, seed: 5, frames: truth.frames.slice(1) }));
  copyFileSync(join(streamsDir, 'day-front.mp4'), join(folder, 'day-front.mp4'));
  const check = async (plans: typeof first): Promise<string> =>
    (await checkStreams({ folder, catalog: plans ?? [], ffprobe: findFfprobe(findFfmpeg()) })).problems.join('\n');
  expect(await check(first)).toBe('cat-ir: the truth is missing');
  expect(await check(second)).toMatch(/the video has 110 frames, the truth 120/);
  expect(await check(third)).toMatch(/seed is 5[\s\S]*frames are not those[\s\S]*is numbered[\s\S]*the video has/);
});

test('nothing but scoring code names the streams of the folder blind', () => {
  const names = catalog.filter((plan) => plan.blind === true).map(({ name }) => name);
  expect(names.length).toBeGreaterThan(0);
  const root = resolve(import.meta.dirname, '../..');
  const allowed = /^(scripts\/render\/catalog\/blind\.ts|scripts\/bench\/.*|test-fixtures\/streams\/blind\/.*)$/;
  const named = sourcesOf(root).filter(
    (path) => !allowed.test(path) && names.some((name) => readFileSync(join(root, path), 'utf8').includes(name)),
  );
  expect(named).toEqual([]);
  for (const name of names) expect(existsSync(join(streamsDir, 'blind', `${name}.json`))).toBe(true);
});

function sourcesOf(root: string): readonly string[] {
  const { globSync } = process.getBuiltinModule('node:fs');
  return globSync('{agent,scripts,test-fixtures,native,models}/**/*.{ts,tsx,py,json,md,cpp,h}', {
    cwd: root,
    exclude: (path) => /(^|\/)(dist|build|node_modules)(\/|$)/.test(path),
  });
}
