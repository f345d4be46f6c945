// `latchkey models` with the embedded model, the tiny ones, and files that are no models.
import { chmodSync, lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tinyModel } from '../../test-fixtures/tiny-model.ts';
import { loadConfig } from '../config/loader.ts';
import { embeddedModel } from '../recorder/person/model.ts';
import { type CommandResult, runCommand } from './fixture/command.ts';
import { register } from './models.ts';

const bright = tinyModel();
const wrong = tinyModel('wrong.onnx');
let folder: string;
let config: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lk-models-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const camera = (id: string, person?: object) => ({ id, name: id, source: { kind: 'file', path: 'x.mp4' }, ...(person === undefined ? {} : { person }) }); // biome-ignore format: one object
function writeConfig(...cameras: readonly object[]): void {
  config = join(folder, 'config.json');
  writeFileSync(config, JSON.stringify({ dataDir: 'data', cameras, regions: ['US-CA'] }));
}
beforeEach(() => writeConfig(camera('front')));

const models = (...args: readonly string[]): Promise<CommandResult> => runCommand([register], ['models', ...args]);
const rows = ({ stdout }: CommandResult) => JSON.parse(stdout) as Record<string, unknown>[];

describe('latchkey models', () => {
  it('lists the embedded model without a configuration, with licence, size and hash', async () => {
    const result = await models('list', '--json');
    expect([result.status, result.stderr]).toEqual([0, '']);
    const { path, sha256 } = embeddedModel();
    const bytes = statSync(path).size;
    expect(rows(result)).toEqual([
      { name: 'latchkey-person', path, licence: 'Apache-2.0', bytes, sha256Ok: true, code: null, inputPx: 320, sha256, cameras: [] },
    ]); // biome-ignore format: one row
    expect((await models()).stdout).toEqual((await models('list')).stdout);
    expect((await models('list')).stdout).toMatch(/^latchkey-person {2}Apache-2\.0 {2}\d.* {2}320x320 {2}sha256 ok/);
  });

  it('lists, checks and times those of the cameras too, and tells which are not what they were', async () => {
    const own = { path: bright.path, sha256: bright.sha256, licence: 'CC0' };
    const gone = { path: join(folder, 'gone.onnx'), sha256: '0'.repeat(64) };
    writeConfig(camera('a', { model: own }), camera('b', { model: own }), camera('c', { model: gone }), camera('d'), camera('e', { model: 'off' })); // biome-ignore format: one line
    const listed = await models('list', '--config', config, '--json');
    expect(rows(listed)).toMatchObject([
      { name: 'latchkey-person', cameras: ['d'] },
      { name: 'own', licence: 'CC0', sha256Ok: true, code: null, cameras: ['a', 'b'], inputPx: expect.any(Number) as number },
      { name: 'own', licence: null, bytes: null, sha256Ok: false, code: 'person/model-missing', cameras: ['c'], inputPx: null },
    ]); // biome-ignore format: one row a line
    const text = await models('list', '--config', config);
    expect(text.stdout).toContain('sha256 NOT OK');
    const checked = await models('check', '--config', config, '--json');
    expect([checked.status, checked.stderr]).toEqual([4, expect.stringContaining('Cannot use 1 of 3 models')]);
    expect(rows(checked)).toMatchObject([{ ok: true, decoder: 'yolox', inputPx: 320 }, { ok: true }, { ok: false, code: 'person/model-missing' }]); // biome-ignore format: one line
    const plain = await models('check', '--config', config);
    expect([plain.stdout, plain.stderr]).toEqual([expect.stringContaining('works, yolox 320x320'), expect.stringContaining('(person/model-missing)')]); // biome-ignore format: one line
  });

  it('times looks', async () => {
    const timed = rows(await models('time', '--runs', '5', '--json'));
    expect(timed).toMatchObject([{ name: 'latchkey-person', inputPx: 320, runs: 5 }]);
    const { minMs, medianMs, p95Ms } = timed[0] as Record<string, number>;
    expect([0, minMs, medianMs, p95Ms]).toEqual([0, minMs, medianMs, p95Ms].toSorted((a, b) => (a ?? 0) - (b ?? 0)));
    const one = await models('time', '--runs', '1', '--model', bright.path, '--sha256', bright.sha256);
    expect(one.stdout).toMatch(/^bright\.onnx: one look [\d.]+ ms \(median of 1; .*one thread\n$/);
  });

  it('adds a model to the one camera, leaving the rest of the file, its mode and a link to it alone', async () => {
    writeConfig({ ...camera('front', { threshold: 0.6 }), clip: { mode: 'motion' } });
    chmodSync(config, 0o640);
    const link = join(folder, 'link.json');
    symlinkSync(config, link);
    const added = await models('add', bright.path, '--sha256', bright.sha256.toUpperCase(), '--licence', 'CC0', '--config', link); // biome-ignore format: one line
    expect([added.status, added.stderr]).toEqual([0, '']);
    expect(added.stdout).toContain('Licence: CC0.');
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(statSync(config).mode & 0o777).toBe(0o640);
    const [front] = loadConfig(config).cameras;
    expect(front?.person).toMatchObject({ model: { path: bright.path, sha256: bright.sha256, licence: 'CC0' }, threshold: 0.6 }); // biome-ignore format: one line
    expect(JSON.parse(readFileSync(config, 'utf8'))).toMatchObject({ dataDir: 'data', cameras: [{ clip: { mode: 'motion' } }] }); // biome-ignore format: one line
    writeConfig(camera('front'), camera('back'));
    await models('add', bright.path, '--sha256', bright.sha256, '--camera', 'back', '--config', config);
    expect(loadConfig(config).cameras.map(({ person }) => typeof person.model)).toEqual(['string', 'object']);
  });
});

describe('a bad day', () => {
  const put = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const zeros = '0'.repeat(64);
  it.each<[string, number, string, () => readonly string[]]>([
    ['a configuration that is not there', 3, '(config/missing)', () => ['list', '--config', join(folder, 'none.json')]],
    ['half a choice', 2, '(models/half-choice)', () => ['check', '--sha256', zeros]],
    ['no number of runs', 2, '(models/bad-runs)', () => ['time', '--runs', 'many']],
    ['no runs', 2, '(models/bad-runs)', () => ['time', '--runs', '0']],
    ['adding without a hash', 2, "required option '--sha256", () => ['add', bright.path, '--config', config]],
    ['adding with half a hash', 2, '(models/bad-sha256)', () => ['add', bright.path, '--sha256', 'abc', '--config', config]],
    ['adding what is not there', 4, '(person/model-missing)', () => ['add', join(folder, 'gone.onnx'), '--sha256', zeros, '--config', config]],
    ['adding something else than was named', 5, '(person/model-hash)', () => ['add', bright.path, '--sha256', zeros, '--config', config]],
    ['adding a model of another shape', 5, '(person/model-shape)', () => ['add', wrong.path, '--sha256', wrong.sha256, '--config', config]],
    ['adding to a camera that is not there', 2, '(models/which-camera)', () => ['add', bright.path, '--sha256', bright.sha256, '--camera', 'attic', '--config', config]],
    ['adding to any of several cameras', 2, '(models/which-camera)', () => {
      writeConfig(camera('front'), camera('back'));
      return ['add', bright.path, '--sha256', bright.sha256, '--config', config];
    }],
    ['a licence with a line break', 3, 'cameras[0].person.model', () => ['add', bright.path, '--sha256', bright.sha256, '--licence', 'a\nb', '--config', config]],
    ['timing an empty file', 5, '(person/model-hash)', () => ['time', '--model', put('empty.onnx', ''), '--sha256', zeros]],
    ['checking a folder', 5, '(models/not-usable)', () => ['check', '--model', folder, '--sha256', zeros]],
  ])('%s is answered in one line, and changes nothing', async (_, exitStatus, message, args) => {
    const line = args();
    const before = readFileSync(config);
    const result = await models(...line);
    expect(result.stderr).toContain(message);
    expect(result.status).toBe(exitStatus);
    expect(result.stdout).toBe('');
    expect(readFileSync(config)).toEqual(before);
  }); // biome-ignore format: one case a line
});
