/** The paper recovery key, from a file that somebody typed or kept. */
import { AgentError } from '../base/errors.ts';
import { readFileLimited } from '../base/files.ts';
import { type OwnerIdentity, parseIdentity } from '../protocol/age-file.ts';

/** Throws `check/no-key`, `restore/no-key`, `recover/no-key`. */
export function readPaperKey(path: string, what: 'check' | 'restore' | 'recover'): OwnerIdentity {
  const text = readFileLimited(path, 64 * 1024)?.toString('utf8');
  if (text === undefined) throw new AgentError('usage', `${what}/no-key`, `Cannot ${what}: there is no ${path}`);
  const line = text.split('\n').find((each) => each.startsWith('AGE-SECRET-KEY-1'));
  if (line === undefined)
    throw new AgentError('usage', `${what}/no-key`, `Cannot ${what}: ${path} holds no age secret key`);
  return parseIdentity(line.trim());
}
