/** Reading a small text file named by a person: each way in which that can fail is told apart, so that the caller can say it. */
import { statSync } from 'node:fs';
import { AgentError, systemCode } from '../base/errors.ts';
import { readFileLimited } from '../base/files.ts';

export type TextFile =
  | { readonly text: string }
  | { readonly problem: 'missing' | 'unreadable' | 'too-large'; readonly why: string };

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  ENOTDIR: 'a part of its path is not a folder',
};

export function readTextFile(path: string, maxBytes: number): TextFile {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    // A folder has no text, and opening a pipe would wait for ever.
    if (stats?.isFile() === false) return { problem: 'unreadable', why: 'it is not a regular file' };
    const bytes = readFileLimited(path, maxBytes);
    return bytes === undefined
      ? { problem: 'missing', why: 'there is no such file' }
      : { text: bytes.toString('utf8') };
  } catch (thrown) {
    if (thrown instanceof AgentError) return { problem: 'too-large', why: `it has more than ${maxBytes} bytes` };
    return { problem: 'unreadable', why: reasons[systemCode(thrown) ?? ''] ?? 'the system refused' };
  }
}
