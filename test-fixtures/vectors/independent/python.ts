import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Runs the second implementation. Debian's Python, which is the one that python3-cryptography belongs to. */
export interface PythonResult {
  readonly status: number | null;
  readonly stdout: Buffer;
}

/** What stands on standard error is a mistake of the script, never a verdict. */
export function python(...args: readonly string[]): PythonResult {
  const line = ['-E', '-s', '-B', join(import.meta.dirname, 'verify.py'), ...args];
  const { status, stdout, stderr, error } = spawnSync('/usr/bin/python3', line, { maxBuffer: 1 << 26 });
  if (error !== undefined) throw error;
  if (stderr.length > 0) throw new Error(stderr.toString());
  return { status, stdout };
}
