/** Files and folders that a command makes for its user: never over what is there, never through a link, whole or not at all. */
import { chmodSync, closeSync, lstatSync, mkdirSync, mkdtempSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AgentError, systemCode } from '../base/errors.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder to put it in',
  ENOTDIR: 'what it should be put in is not a folder',
  EACCES: 'this user may not write there',
  EROFS: 'nothing can be written there',
  ENOSPC: 'the disk is full',
  ENAMETOOLONG: 'its name is too long',
};

/** What the system refused about a path of the user's; anything else as it is. `clips/file-exists` or `clips/cannot-write`. */
function explained(path: string, thrown: unknown): unknown {
  const code = systemCode(thrown);
  if (thrown instanceof AgentError || code === undefined) return thrown;
  if (code === 'EEXIST') return alreadyThere(path);
  const message = `Cannot write ${path}: ${reasons[code] ?? code}`;
  return new AgentError('unavailable', 'clips/cannot-write', message, { cause: thrown });
}

function alreadyThere(path: string): AgentError {
  return new AgentError('usage', 'clips/file-exists', `Cannot write ${path}: it exists already`);
}

/** Before any work is done for it. A link that leads nowhere is there too. */
export function requireNew(path: string): void {
  let found: unknown;
  try {
    found = lstatSync(path, { throwIfNoEntry: false });
  } catch (thrown) {
    throw explained(path, thrown);
  }
  if (found !== undefined) throw alreadyThere(path);
}

const interruptions = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Lets `write` make the file in a folder of its own beside `path`, which is taken from the first moment on. A failure leaves
 * neither, nor does Ctrl-C: what is half written may be footage. Throws `clips/file-exists` or `clips/cannot-write`.
 */
export async function writeNewFile(path: string, write: (work: string) => Promise<string>): Promise<void> {
  let work: string | undefined;
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (thrown) {
    throw explained(path, thrown);
  }
  const interrupted = (signal: NodeJS.Signals): void => {
    if (work !== undefined) rmSync(work, { recursive: true, force: true });
    rmSync(path, { force: true });
    for (const each of interruptions) process.off(each, interrupted);
    process.kill(process.pid, signal);
  };
  for (const signal of interruptions) process.on(signal, interrupted);
  try {
    work = mkdtempSync(join(dirname(path), 'latchkey-unfinished-'));
    const made = await write(work);
    chmodSync(made, 0o600);
    renameSync(made, path);
  } catch (thrown) {
    rmSync(path, { force: true });
    throw explained(path, thrown);
  } finally {
    for (const signal of interruptions) process.off(signal, interrupted);
    if (work !== undefined) rmSync(work, { recursive: true, force: true });
  }
}

/** For this user alone. Throws `clips/file-exists` or `clips/cannot-write`. */
export function makeNewFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (thrown) {
    throw explained(path, thrown);
  }
}
