import { accessSync, constants, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { AgentError } from './errors.ts';

/**
 * Finds ffmpeg and ffprobe. A path that somebody named (FFMPEG_BIN, then the configuration) must work: falling through to
 * another build would hide the mistake. Without one: the system's, then the one that the package ffmpeg-static brings.
 */
export interface FfmpegSearch {
  readonly configuredPath?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The path that ffmpeg-static names, or undefined when it isn't installed. */
  readonly loadStatic?: () => string | undefined;
}

export function findFfmpeg(search: FfmpegSearch = {}): string {
  const env = search.env ?? process.env;
  const named = env['FFMPEG_BIN'] || search.configuredPath;
  if (named) return requireProgram(named, 'ffmpeg', env);
  const system = findInPath('ffmpeg', env);
  if (system !== undefined) return system;
  const bundled = (search.loadStatic ?? loadFfmpegStatic)();
  if (bundled !== undefined && isProgram(bundled)) return bundled;
  throw missing('ffmpeg', 'it is not installed');
}

/** ffmpeg-static brings no ffprobe: FFPROBE_BIN, then the one beside `ffmpegPath`, then the system's. */
export function findFfprobe(ffmpegPath: string, search: Pick<FfmpegSearch, 'env'> = {}): string {
  const env = search.env ?? process.env;
  const named = env['FFPROBE_BIN'];
  if (named) return requireProgram(named, 'ffprobe', env);
  const beside = join(dirname(ffmpegPath), 'ffprobe');
  if (isAbsolute(ffmpegPath) && isProgram(beside)) return beside;
  const system = findInPath('ffprobe', env);
  if (system !== undefined) return system;
  throw missing('ffprobe', 'it is not installed');
}

function requireProgram(named: string, what: string, env: Readonly<Record<string, string | undefined>>): string {
  const path = named.includes('/') ? named : findInPath(named, env);
  if (path !== undefined && isProgram(path)) return path;
  throw missing(what, 'the path given for it is not an executable file');
}

function findInPath(name: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  return (env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin')
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, name))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function loadFfmpegStatic(): string | undefined {
  try {
    const path: unknown = createRequire(import.meta.url)('ffmpeg-static');
    return typeof path === 'string' ? path : undefined;
  } catch {
    return undefined;
  }
}

function missing(what: string, why: string): AgentError {
  return new AgentError(
    'unavailable',
    'base/ffmpeg-missing',
    `Cannot find ${what}: ${why}. Install it (Debian, Raspberry Pi OS: apt-get install ffmpeg) or set ${what === 'ffmpeg' ? 'FFMPEG_BIN' : 'FFPROBE_BIN'} to its path`,
  );
}
