/** `latchkey models`: which person models there are, whether they work here, how long a look takes, and adding one. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Command, CommandOptions } from 'commander';
import { AgentError, asAgentError } from '../base/errors.ts';
import { writeFileDurable } from '../base/files.ts';
import { parseConfig } from '../config/loader.ts';
import type { Config } from '../config/schema.ts';
import { PersonDetector } from '../recorder/person/detector.ts';
import { embeddedModels, ownModel, type PersonModel, readModel } from '../recorder/person/model.ts';
import { type ProbeResult, probeModel } from '../recorder/person/probe.ts';
import type { SmallFrame } from '../recorder/stages.ts';
import { type ConfigOption, findConfig, openConfig, withConfigOption } from './discovery.ts';
import { type CliIo, note, say, sayJson } from './io.ts';
import { chosenModel, type ModelOption, wholeChoice, withModelOption } from './model-choice.ts';
import { example } from './program-line.ts';
import { byteSize, clean, table } from './terminal-text.ts';

interface SelectOption extends ConfigOption, ModelOption {
  readonly json?: boolean;
}

interface TimeOption extends SelectOption {
  readonly runs: string;
}

interface AddOption extends ConfigOption {
  readonly sha256: string;
  readonly licence?: string;
  readonly camera?: string;
}

interface KnownModel {
  readonly model: PersonModel;
  readonly licence: string | null;
  /** Which cameras are set to it. */
  readonly cameras: readonly string[];
}

/** What it is called, or for one that was given by path the name of its file. */
function titleOf({ name, path }: PersonModel): string {
  return clean(name === 'own' ? basename(path) : name);
}

/** Without a configuration there are still the models that come with the package. */
function openConfigIfAny(option: ConfigOption, io: CliIo): Config | undefined {
  try {
    return openConfig(option, io);
  } catch (thrown) {
    const { code } = asAgentError(thrown);
    const named = option.config !== undefined || (io.env['LATCHKEY_CONFIG'] ?? '') !== '';
    if (!named && (code === 'config/missing' || code === 'cli/no-home')) return undefined;
    throw thrown;
  }
}

function knownModels(option: SelectOption, io: CliIo): KnownModel[] {
  if (option.model !== undefined || option.sha256 !== undefined) {
    return [{ model: chosenModel(option), licence: null, cameras: [] }];
  }
  const cameras = openConfigIfAny(option, io)?.cameras ?? [];
  const using = (sha256: string | undefined): string[] =>
    cameras
      .filter(({ person: { model } }) => (typeof model === 'string' ? sha256 === undefined && model !== 'off' : model.sha256 === sha256))
      .map(({ id }) => id); // biome-ignore format: one question
  const embedded = embeddedModels().map(({ licence, ...model }, index) => ({
    model,
    licence,
    cameras: index === 0 ? using(undefined) : [],
  }));
  const own = new Map<string, KnownModel>();
  for (const { person } of cameras) {
    if (typeof person.model === 'string' || own.has(person.model.sha256)) continue;
    const { licence = null, sha256 } = person.model;
    own.set(sha256, { model: ownModel(person.model), licence, cameras: using(sha256) });
  }
  return [...embedded, ...own.values()];
}

async function tryModel(model: PersonModel): Promise<ProbeResult | AgentError> {
  try {
    return await probeModel({ model });
  } catch (thrown) {
    return asAgentError(thrown);
  }
}

function bytesOf(model: PersonModel): { bytes: number | null; sha256Ok: boolean; code: string | null } {
  try {
    return { bytes: readModel(model).length, sha256Ok: true, code: null };
  } catch (thrown) {
    const bytes = statSync(model.path, { throwIfNoEntry: false })?.size ?? null;
    return { bytes, sha256Ok: false, code: asAgentError(thrown).code };
  }
}

async function list(option: SelectOption, io: CliIo): Promise<void> {
  const rows = [];
  for (const { model, licence, cameras } of knownModels(option, io)) {
    const { name, path, sha256 } = model;
    const file = bytesOf(model);
    // A model given by path says its size only itself, and only one that is what it claims to be is loaded.
    const tried = model.inputPx === undefined && file.sha256Ok ? await tryModel(model) : undefined;
    const inputPx = model.inputPx ?? (tried instanceof AgentError ? null : (tried?.inputPx ?? null));
    const code = tried instanceof AgentError ? tried.code : file.code;
    rows.push({ name, path, licence, ...file, code, inputPx, sha256, cameras });
  }
  if (option.json === true) return sayJson(io, rows);
  const cells = rows.map(({ name, licence, bytes, inputPx, sha256Ok, code, cameras, path }) => [
    name === 'own' ? clean(basename(path)) : clean(name),
    clean(licence ?? 'licence not stated'),
    bytes === null ? 'missing' : byteSize(bytes),
    inputPx === null ? '-' : `${inputPx}x${inputPx}`,
    sha256Ok ? 'sha256 ok' : 'sha256 NOT OK',
    code ?? (cameras.length > 0 ? `used by ${cameras.join(', ')}` : ''),
    clean(path),
  ]);
  for (const line of table(cells)) say(io, line);
}

async function check(option: SelectOption, io: CliIo): Promise<void> {
  const failures: AgentError[] = [];
  const rows = [];
  for (const { model } of knownModels(option, io)) {
    const tried = await tryModel(model);
    const failed = tried instanceof AgentError;
    if (failed) failures.push(tried);
    const outcome = failed
      ? { ok: false, code: tried.code, message: tried.message }
      : { ok: true, decoder: tried.decoder, inputPx: tried.inputPx, runMs: Math.round(tried.runMs * 100) / 100 };
    rows.push({ name: model.name, path: model.path, ...outcome });
    if (option.json === true) continue;
    if (failed) note(io, `${titleOf(model)}: ${tried.message} (${tried.code})`);
    else {
      const size = `${tried.inputPx}x${tried.inputPx}`;
      say(io, `${titleOf(model)}: works, ${tried.decoder} ${size}, one look ${tried.runMs.toFixed(1)} ms`);
    }
  }
  if (option.json === true) sayJson(io, rows);
  const [first] = failures;
  if (first === undefined) return;
  const message = `Cannot use ${failures.length} of ${rows.length} models`;
  throw new AgentError(first.kind, 'models/not-usable', message, { cause: first });
}

const [widthPx, heightPx] = [640, 360];

/** Whatever is in the picture, a look takes the same time. */
const grey: SmallFrame = {
  runId: 'grey',
  timeMs: 0,
  widthPx,
  heightPx,
  yuv: new Uint8Array((widthPx * heightPx * 3) / 2).fill(128),
};

async function timeOne(model: PersonModel, runCount: number) {
  const { inputPx } = await probeModel({ model });
  await using detector = await PersonDetector.open({ model });
  // The first runs find memory and caches cold.
  for (let run = 0; run < 3; run++) await detector.detect(grey, []);
  const times: number[] = [];
  for (let run = 0; run < runCount; run++) {
    const startMs = performance.now();
    await detector.detect(grey, []);
    times.push(performance.now() - startMs);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number => Math.round((times[Math.floor(share * (runCount - 1))] ?? 0) * 100) / 100;
  return {
    name: model.name,
    title: titleOf(model),
    inputPx,
    runs: runCount,
    medianMs: at(0.5),
    p95Ms: at(0.95),
    minMs: at(0),
  };
}

async function time(option: TimeOption, io: CliIo): Promise<void> {
  const runCount = Number(option.runs);
  if (!/^\d{1,5}$/.test(option.runs) || runCount < 1) {
    throw new AgentError('usage', 'models/bad-runs', 'Cannot use that --runs: expected a number from 1 to 99999');
  }
  const rows = [];
  for (const { model } of knownModels(option, io)) {
    rows.push({ title: titleOf(model), timed: await timeOne(model, runCount) });
  }
  if (option.json === true) {
    sayJson(
      io,
      rows.map(({ timed }) => timed),
    );
    return;
  }
  for (const { title, timed } of rows) {
    const { inputPx, medianMs, p95Ms } = timed;
    say(
      io,
      `${title}: one look ${medianMs} ms (median of ${runCount}; 95 % within ${p95Ms} ms), ${inputPx}x${inputPx}, one thread`,
    );
  }
}

/** Only that one setting changes; the rest of the file stays as the owner wrote it. */
async function add(path: string, option: AddOption, io: CliIo): Promise<void> {
  const choice = wholeChoice({ model: path, sha256: option.sha256 });
  const configPath = realpath(findConfig(option, io));
  const { cameras } = openConfig({ config: configPath }, io);
  const index = cameras.findIndex(({ id }) => id === (option.camera ?? cameras[0]?.id));
  if (index < 0 || (option.camera === undefined && cameras.length > 1)) {
    const ids = cameras.map(({ id }) => id).join(', ');
    throw new AgentError('usage', 'models/which-camera', `Cannot add the model: name one --camera of ${ids}`);
  }
  const { decoder, inputPx, runMs } = await probeModel({ model: ownModel(choice) });
  const raw = JSON.parse(readFileSync(configPath, 'utf8')) as { cameras: { person?: Record<string, unknown> }[] };
  const camera = raw.cameras[index] ?? {};
  camera.person = {
    ...camera.person,
    model: { ...choice, ...(option.licence === undefined ? {} : { licence: option.licence }) },
  };
  parseConfig(raw, dirname(configPath));
  writeFileDurable(configPath, `${JSON.stringify(raw, null, 2)}\n`, statSync(configPath).mode & 0o777);
  const id = cameras[index]?.id ?? '';
  say(io, `Camera ${id} looks for people with ${clean(choice.path)} from its next start.`);
  say(
    io,
    `Licence: ${clean(option.licence ?? 'not stated')}. Kind ${decoder}, input ${inputPx}x${inputPx}, one look ${runMs.toFixed(1)} ms.`,
  );
}

/** A link to the configuration stays a link. */
function realpath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // `openConfig` says what is wrong with it.
    return path;
  }
}

export function register(program: Command, io: CliIo): void {
  const models = program.command('models').description('list, check, time and add person models');
  const selecting = (name: string, description: string, options: CommandOptions = {}): Command =>
    withConfigOption(withModelOption(models.command(name, options).description(description))).option(
      '--json',
      'print as JSON',
    );
  selecting('list', "the embedded models and those of the configuration's cameras", { isDefault: true })
    .addHelpText('after', example('latchkey models list'))
    .action((option: SelectOption) => list(option, io));
  selecting('check', 'load and run each in a process of its own')
    .addHelpText('after', example('latchkey models check', 'latchkey models check --model m.onnx --sha256 0123…'))
    .action((option: SelectOption) => check(option, io));
  selecting('time', 'how long one look takes here, on one thread')
    .option('--runs <n>', 'looks to take the median of', '50')
    .addHelpText('after', example('latchkey models time --runs 200'))
    .action((option: TimeOption) => time(option, io));
  withConfigOption(models.command('add <path>').description('let a camera use a model, after trying it'))
    .requiredOption('--sha256 <hex>', 'its SHA-256, from where you got the model')
    .option('--licence <text>', 'what its maker allows; kept and shown')
    .option('--camera <id>', 'which camera, where there are several')
    .addHelpText('after', example('latchkey models add yolox_nano.onnx --sha256 0123… --licence Apache-2.0'))
    .action((path: string, option: AddOption) => add(path, option, io));
}
