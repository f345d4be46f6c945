/** Secrets that a configuration only names: read when they are needed, from files with limits. */
import { AgentError } from '../base/errors.ts';
import type { SourceSettings } from './schema.ts';
import { readTextFile } from './text-file.ts';

type RtspSettings = Extract<SourceSettings, { kind: 'rtsp' }>;
/** A source as capture takes it: the password itself stands where the configuration names its file. */
export type ResolvedSource =
  | Exclude<SourceSettings, { kind: 'rtsp' }>
  | (Omit<RtspSettings, 'passwordFile'> & { readonly password?: string });

const maxPasswordBytes = 1024;
const codes = {
  missing: 'config/password-missing',
  unreadable: 'config/password-unreadable',
  'too-large': 'config/password-invalid',
} as const;

/** The only line of a password file. Throws `config/password-missing`, `config/password-unreadable` or `config/password-invalid`. */
export function readPasswordFile(path: string): string {
  const file = readTextFile(path, maxPasswordBytes);
  if ('problem' in file) {
    throw new AgentError('config', codes[file.problem], `Cannot read the password file ${path}: ${file.why}`);
  }
  const password = file.text.replace(/\r?\n$/, '');
  if (password === '') throw invalidPassword(path, 'it is empty');
  if (/\p{Cc}/u.test(password)) throw invalidPassword(path, 'it has more than one line or a control character');
  return password;
}

function invalidPassword(path: string, why: string): AgentError {
  return new AgentError('config', 'config/password-invalid', `Cannot use the password file ${path}: ${why}`);
}

export function resolveSource(source: SourceSettings): ResolvedSource {
  if (source.kind !== 'rtsp') return source;
  const { passwordFile, ...rest } = source;
  return passwordFile === undefined ? rest : { ...rest, password: readPasswordFile(passwordFile) };
}
