/** `latchkey verify`: what a received share proves, what it only claims, and what nobody can know, kept apart. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { AgentError } from '../base/errors.ts';
import { readFileLimited } from '../base/files.ts';
import { maxBytesOf } from '../protocol/share-names.ts';
import type { ShareFile } from '../protocol/share-verify.ts';
import { readRootFile } from './agency-files.ts';
import { type CliIo, say, sayJson } from './io.ts';
import { example } from './program-line.ts';

interface VerifyOption {
  readonly request?: string;
  readonly agency?: string;
  readonly root?: readonly string[];
  readonly at?: string;
  readonly received?: string;
  readonly json?: boolean;
}

/** Portals take at most 4 GiB; a file of more than 1 GiB is not read into memory here. */
const maxArchiveBytes = 1 << 30;
const maxEnvelopeBytes = 48 * 1024;
const ageMagic = Buffer.from('age-encryption.org/v1');

function bytesOf(path: string, maxBytes: number): Buffer {
  const bytes = readFileLimited(path, maxBytes);
  if (bytes === undefined) throw new AgentError('usage', 'verify/missing', `Cannot verify: there is no ${path}`);
  return bytes;
}

async function readShare(path: string): Promise<readonly ShareFile[]> {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new AgentError('usage', 'verify/missing', `Cannot verify: there is no ${path}`);
  if (stats.isDirectory()) {
    // What a share can't hold is not read: its name alone makes the verifier refuse.
    const readable = (name: string): boolean => maxBytesOf(name) !== undefined && statSync(join(path, name)).isFile();
    return readdirSync(path).map((name) => ({
      name,
      bytes: readable(name) ? bytesOf(join(path, name), maxArchiveBytes) : new Uint8Array(),
    }));
  }
  const archive = bytesOf(path, maxArchiveBytes);
  if (archive.subarray(0, ageMagic.length).equals(ageMagic)) {
    const message = `Cannot verify ${path}: it is still encrypted; decrypt it with the agency's key first: cat header body | age -d -i KEY > share.tar`;
    throw new AgentError('usage', 'verify/encrypted', message);
  }
  const { readArchive } = await import('../protocol/share-archive.ts');
  return readArchive(archive);
}

function time(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const wallMs = Date.parse(text);
  if (!Number.isNaN(wallMs)) return wallMs;
  throw new AgentError('usage', 'verify/bad-time', `Cannot read ${name}: expected a time such as 2026-03-01T14:05:00Z`);
}

async function verify(path: string, option: VerifyOption, io: CliIo): Promise<void> {
  const [{ verifyShare }, { isRecord, verifyRecord }] = await Promise.all([
    import('../protocol/share-verify.ts'),
    import('../protocol/record-verify.ts'),
  ]);
  if ((option.agency === undefined) !== (option.root === undefined)) {
    throw new AgentError('usage', 'verify/half-signers', 'Cannot check who signed: give both --agency and --root');
  }
  const receivedAtMs = time(option.received, '--received');
  const files = await readShare(path);
  if (isRecord(files) && option.request === undefined && option.agency === undefined) {
    return report(verifyRecord(files), option, io);
  }
  const verdict = verifyShare({
    files,
    ...(option.request === undefined ? {} : { request: bytesOf(option.request, maxEnvelopeBytes) }),
    ...(receivedAtMs === undefined ? {} : { receivedAtMs }),
    ...(option.agency === undefined || option.root === undefined
      ? {}
      : {
          signers: {
            agency: bytesOf(option.agency, maxEnvelopeBytes),
            roots: option.root.map((file) => readRootFile(file).pinned),
            atMs: time(option.at, '--at') ?? Date.now(),
          },
        }),
  });
  report(verdict, option, io);
}

interface Verdict {
  readonly plainWords: readonly string[];
  readonly problems: readonly string[];
}

function report(verdict: Verdict, option: VerifyOption, io: CliIo): void {
  if (option.json === true) sayJson(io, verdict);
  else for (const line of verdict.plainWords) say(io, line);
  if (verdict.problems.length > 0) {
    const message = `The share does not hold: ${verdict.problems.join(', ')}`;
    throw new AgentError('corrupt', 'verify/not-proved', message, { detail: { count: verdict.problems.length } });
  }
}

function repeated(text: string, all: readonly string[] | undefined): string[] {
  return [...(all ?? []), text];
}

export function register(program: Command, io: CliIo): void {
  program
    .command('verify <share>')
    .description('say what a decrypted share (folder or tar file) proves; needs no installation')
    .option('--request <file>', "the agency's own copy of the request")
    .option('--agency <file>', 'the agency document, to check who signed the request')
    .option('--root <file>', 'a root that vouches for the agency; may be repeated', repeated)
    .option('--at <time>', 'when the keys must have been in force (default: now)')
    .option('--received <time>', 'when the share arrived')
    .option('--json', 'print the verdicts as JSON')
    .addHelpText('after', example('latchkey verify share.tar', 'latchkey verify share/ --request request.json'))
    .action((share: string, option: VerifyOption) => verify(share, option, io));
}
