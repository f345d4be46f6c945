/** What a program asked of the disk, from a system-call trace: every write with its bytes, in order. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type DiskOperation =
  | { readonly kind: 'write'; readonly path: string; readonly atByte: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly path: string; readonly sizeBytes: number }
  /** Of a file, or of a folder's names. */
  | { readonly kind: 'sync'; readonly path: string }
  | { readonly kind: 'create'; readonly path: string }
  | { readonly kind: 'unlink'; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly path: string }
  /** The program's own word: what it was told is safe, or what it is about to do. */
  | { readonly kind: 'mark'; readonly text: string };

const calls = 'openat,write,pwrite64,fsync,fdatasync,ftruncate,unlink,unlinkat,rename,renameat,renameat2';

/** Runs a Node program under strace in `folder`; what it writes into the file `marks` there are its words. */
export function traceDisk(program: string, folder: string): DiskOperation[] {
  const output = join(folder, '..', `trace-${process.pid}.txt`);
  const args = ['-f', '-y', '-xx', '-s', '16777216', '-e', `trace=${calls}`, '-o', output];
  const done = spawnSync('strace', [...args, process.execPath, program, folder], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`the traced program failed: ${done.stderr}`);
  const operations = parseTrace(readFileSync(output, 'latin1'), folder);
  if (!operations.some(({ kind }) => kind === 'sync')) throw new Error('the trace shows no sync');
  return operations;
}

const unhex = (text: string): Buffer => Buffer.from(text.replaceAll('\\x', ''), 'hex');

/** A call that another thread interrupted stands on two lines. */
function* wholeLines(text: string): Generator<string> {
  const begun = new Map<string, string>();
  for (const line of text.split('\n')) {
    const pid = line.slice(0, line.indexOf(' '));
    const interrupted = line.indexOf(' <unfinished ...>');
    if (interrupted >= 0) {
      begun.set(pid, line.slice(0, interrupted));
      continue;
    }
    const resumed = / resumed>(.*)$/.exec(line);
    if (resumed === null) yield line;
    else yield `${begun.get(pid) ?? ''}${resumed[1]}`;
  }
}

function parseTrace(text: string, folder: string): DiskOperation[] {
  const inFolder = (path: string): boolean => path === folder || path.startsWith(`${folder}/`);
  return [...wholeLines(text)].flatMap((line): DiskOperation[] => {
    const operation = parseLine(line);
    if (operation === undefined) return [];
    if (operation.kind === 'mark') return operation.text === '' ? [] : [operation];
    return inFolder(operation.path) ? [operation] : [];
  });
}

const marksName = '/marks';

function parseLine(line: string): DiskOperation | undefined {
  const call = /^\d+ +(\w+)\((.*)\) += (-?\d+)/.exec(line);
  if (call === null || Number(call[3]) < 0) return undefined;
  const [, name = '', args = ''] = call;
  const file = unhex(/^\d+<([^>]*)>/.exec(args)?.[1] ?? '').toString();
  const strings = [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map((found) => unhex(found[1] ?? ''));
  const numbers = [...args.matchAll(/, (\d+)/g)].map((found) => Number(found[1]));
  const bytes = strings[0] ?? Buffer.alloc(0);
  switch (name) {
    case 'write':
      return file.endsWith(marksName) ? { kind: 'mark', text: bytes.toString().trim() } : undefined;
    case 'pwrite64':
      return { kind: 'write', path: file, atByte: numbers.at(-1) ?? 0, bytes };
    case 'ftruncate':
      return { kind: 'truncate', path: file, sizeBytes: numbers[0] ?? 0 };
    case 'fsync':
    case 'fdatasync':
      return { kind: 'sync', path: file };
    case 'openat':
      return args.includes('O_CREAT') && !bytes.toString().endsWith(marksName)
        ? { kind: 'create', path: bytes.toString() }
        : undefined;
    case 'unlink':
    case 'unlinkat':
      return { kind: 'unlink', path: bytes.toString() };
    default:
      return { kind: 'rename', from: bytes.toString(), path: strings[1]?.toString() ?? '' };
  }
}
