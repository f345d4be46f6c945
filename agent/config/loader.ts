/** Reads `config.json`: size first, then JSON, then the schema; all that is wrong is said at once. */
import { dirname, isAbsolute, resolve } from 'node:path';
import { AgentError } from '../base/errors.ts';
import { type ConfigProblem, describeIssues } from './problems.ts';
import { type CameraConfig, type Config, configSchema, type SourceSettings } from './schema.ts';
import { readTextFile } from './text-file.ts';

export const maxConfigBytes = 1 << 20;

/** Throws `config/missing`, `config/unreadable`, `config/too-large`, `config/not-json` or `config/invalid`. */
export function loadConfig(path: string): Config {
  return parseConfig(parseJson(readText(path), path), dirname(resolve(path)));
}

/** Checks an already parsed object; relative paths are taken from `baseDir`. */
export function parseConfig(raw: unknown, baseDir: string): Config {
  const result = configSchema.safeParse(raw);
  if (!result.success) throw invalid(describeIssues(result.error.issues, raw));
  return withAbsolutePaths(result.data, baseDir);
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

function invalid(problems: readonly ConfigProblem[]): AgentError {
  const lines = problems.map(({ path, message }) => `  ${path === '' ? '(the whole file)' : path}: ${message}`);
  const count = problems.length;
  const head = `Cannot use the configuration: ${count} ${count === 1 ? 'problem' : 'problems'}`;
  return new AgentError('config', 'config/invalid', [head, ...lines].join('\n'), { detail: { count } });
}

function withAbsolutePaths(config: Config, baseDir: string): Config {
  const absolute = (path: string): string => resolve(baseDir, path);
  /** A bare program name is looked up in PATH. */
  const program = (path: string): string => (path.includes('/') && !isAbsolute(path) ? absolute(path) : path);
  const files = <T extends { readonly caFile?: string; readonly passwordFile?: string }>(part: T): T => ({
    ...part,
    ...(part.caFile === undefined ? {} : { caFile: absolute(part.caFile) }),
    ...(part.passwordFile === undefined ? {} : { passwordFile: absolute(part.passwordFile) }),
  });
  const source = (from: SourceSettings): SourceSettings => {
    if (from.kind === 'file') return { ...from, path: absolute(from.path) };
    if (from.kind === 'rtsp') return files(from);
    return from.kind === 'rpicam' && from.program !== undefined ? { ...from, program: program(from.program) } : from;
  };
  const camera = (from: CameraConfig): CameraConfig => {
    const { model } = from.person;
    const person =
      typeof model === 'string' ? from.person : { ...from.person, model: { ...model, path: absolute(model.path) } };
    return { ...from, source: source(from.source), person };
  };
  return {
    ...config,
    dataDir: absolute(config.dataDir),
    cameras: config.cameras.map(camera),
    broker: config.broker === null ? null : files(config.broker),
    uploads: files(config.uploads),
    ...(config.ffmpegPath === undefined ? {} : { ffmpegPath: program(config.ffmpegPath) }),
  };
}
