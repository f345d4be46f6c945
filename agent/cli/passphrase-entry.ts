/** Where a passphrase comes from: typed without echo, or a file for unattended use. Never an argument: others could read it in the process list. */
import { AgentError } from '../base/errors.ts';
import { readTextFile } from '../config/text-file.ts';
import { normalisePassphrase, passphraseProblem } from '../vault/passphrase.ts';
import { type CliIo, note } from './io.ts';
import { Prompter } from './prompter.ts';

const attempts = 3;
const maxSecretBytes = 1024;

/** The only line of a file with a secret. Throws `cli/secret-file`. */
export function readSecretFile(path: string, what: string): string {
  const file = readTextFile(path, maxSecretBytes);
  if ('problem' in file)
    throw new AgentError('usage', 'cli/secret-file', `Cannot read the ${what} from ${path}: ${file.why}`);
  const secret = file.text.replace(/\r?\n$/, '');
  if (secret.trim() === '')
    throw new AgentError('usage', 'cli/secret-file', `Cannot use the ${what} in ${path}: it is empty`);
  return secret;
}

export interface PassphraseOption {
  readonly passphraseFile?: string;
}

/** Normalised. A person who misspells a word is told which one and asked again; only the vault decides whether it is right. */
export async function obtainPassphrase(option: PassphraseOption, io: CliIo, prompter?: Prompter): Promise<string> {
  if (option.passphraseFile !== undefined)
    return normalisePassphrase(readSecretFile(option.passphraseFile, 'passphrase'));
  if (prompter !== undefined) return askPassphrase(io, prompter);
  using own = new Prompter(io);
  return await askPassphrase(io, own);
}

async function askPassphrase(io: CliIo, prompter: Prompter): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const typed = await prompter.secret('Passphrase (six words, not shown)').catch((thrown: unknown) => {
      // Without a terminal there may be nobody to ask.
      if (thrown instanceof AgentError && thrown.code === 'cli/no-answer') return '';
      throw thrown;
    });
    if (typed.trim() === '') {
      const message =
        'Cannot go on: no passphrase was given; type it, or put it into a file and name that with --passphrase-file';
      throw new AgentError('usage', 'cli/no-passphrase', message);
    }
    const problem = passphraseProblem(typed);
    if (problem === undefined || !io.isTty || attempt === attempts) return normalisePassphrase(typed);
    note(io, `  Not quite: ${problem}.`);
  }
}
