/** Reads `config.json`: size first, then JSON, then the schema; all that is wrong is said at once. */
import { dirname, isAbsolute, resolve } from 'node:path';
import { AgentError } from '../base/errors.ts';
import { type ConfigProblem, describeIssues } from './problems.ts';
import { type CameraConfig, type Config, cameraSchema, configSchema, type SourceSettings } from './schema.ts';
import { readTextFile } from './text-file.ts';

export const maxConfigBytes = 1 << 20;

/** Throws `config/missing`, `config/unreadable`, `config/too-large`, `config/not-json` or `config/invalid`. */
export function loadConfig(path: string): Config {
  return parseConfig(parseJson(readText(path), path), dirname(resolve(path)));
}

/** Checks an already parsed object; relative paths are taken from `baseDir`. */
export function parseConfig(raw: unknown, baseDir: string): Config {
  const result = configSchema.safeParse(raw);
  if (!result.success) throw invalid('the configuration', describeIssues(result.error.issues, raw));
  return withAbsolutePaths(result.data, baseDir);
}

/** One camera that stands in no file, by the same rules. Throws `config/invalid`. */
export function parseCamera(raw: unknown, baseDir: string): CameraConfig {
  const result = cameraSchema.safeParse(raw);
  if (!result.success) throw invalid('these camera settings', describeIssues(result.error.issues, raw));
  return withAbsoluteCameraPaths(result.data, baseDir);
}

function readText(path: string): string {
  const file = readTextFile(path, maxConfigBytes);
  if (!('problem' in file)) return file.text;
  const hint = file.problem === 'missing' ? '; "latchkey init" makes one' : '';
  const message = `Cannot read the configuration ${path}: ${file.why}${hint}`;
  throw new AgentError('config', `config/${file.problem}`, message);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    // V8 quotes the text around the mistake, which may be a credential: only the place is passed on.
    const at = /at position (\d+)/.exec(thrown instanceof Error ? thrown.message : '')?.[1];
    const line = at === undefined ? undefined : text.slice(0, Number(at)).split('\n').length;
    const where = line === undefined ? '' : ` (line ${line})`;
    throw new AgentError('config', 'config/not-json', `Cannot read the configuration ${path}: it is not JSON${where}`);
  }
}

function invalid(what: string, problems: readonly ConfigProblem[]): AgentError {
  const lines = problems.map(({ path, message }) => `  ${path === '' ? '(the whole file)' : path}: ${message}`);
  const count = problems.length;
  const head = `Cannot use ${what}: ${count} ${count === 1 ? 'problem' : 'problems'}`;
  return new AgentError('config', 'config/invalid', [head, ...lines].join('\n'), { detail: { count } });
}

/** A bare program name is looked up in PATH. */
function absoluteProgram(path: string, baseDir: string): string {
  return path.includes('/') && !isAbsolute(path) ? resolve(baseDir, path) : path;
}

interface NamesFiles {
  readonly caFile?: string;
  readonly passwordFile?: string;
  readonly tokenFile?: string;
}

function withAbsoluteFiles<T extends NamesFiles>(part: T, baseDir: string): T {
  return {
    ...part,
    ...(part.caFile === undefined ? {} : { caFile: resolve(baseDir, part.caFile) }),
    ...(part.passwordFile === undefined ? {} : { passwordFile: resolve(baseDir, part.passwordFile) }),
    ...(part.tokenFile === undefined ? {} : { tokenFile: resolve(baseDir, part.tokenFile) }),
  };
}

function withAbsoluteCameraPaths(camera: CameraConfig, baseDir: string): CameraConfig {
  const { model } = camera.person;
  const person =
    typeof model === 'string'
      ? camera.person
      : { ...camera.person, model: { ...model, path: resolve(baseDir, model.path) } };
  return { ...camera, source: withAbsoluteSourcePaths(camera.source, baseDir), person };
}

function withAbsoluteSourcePaths(from: SourceSettings, baseDir: string): SourceSettings {
  if (from.kind === 'file') return { ...from, path: resolve(baseDir, from.path) };
  if (from.kind === 'rtsp') return withAbsoluteFiles(from, baseDir);
  if (from.kind !== 'rpicam' || from.program === undefined) return from;
  return { ...from, program: absoluteProgram(from.program, baseDir) };
}

function withAbsolutePaths(config: Config, baseDir: string): Config {
  return {
    ...config,
    dataDir: resolve(baseDir, config.dataDir),
    cameras: config.cameras.map((camera) => withAbsoluteCameraPaths(camera, baseDir)),
    broker: config.broker === null ? null : withAbsoluteFiles(config.broker, baseDir),
    uploads: withAbsoluteFiles(config.uploads, baseDir),
    digest: config.digest === null ? null : withAbsoluteFiles(config.digest, baseDir),
    ...(config.ffmpegPath === undefined ? {} : { ffmpegPath: absoluteProgram(config.ffmpegPath, baseDir) }),
  };
}
