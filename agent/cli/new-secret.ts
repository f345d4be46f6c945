/** A secret that is made or chosen now: from a file, typed without echo, or generated. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { AgentError } from '../base/errors.ts';
import { parsePassword } from './init-answers.ts';
import { writeSecret } from './init-install.ts';
import { type CliIo, note } from './io.ts';
import { readSecretFile } from './passphrase-entry.ts';
import type { Prompter } from './prompter.ts';

export interface Secret {
  readonly value: string;
  readonly generated: boolean;
}

const passwordBytes = 12;

/** A file that exists is read; one that doesn't is made with a generated secret, so that an unattended set-up needs no other tool. */
export function secretFrom(file: string | undefined, what: string, make: () => string): Secret {
  if (file === undefined) return { value: make(), generated: true };
  if (existsSync(file)) return { value: readSecretFile(file, what), generated: false };
  const value = make();
  writeSecret(file, `${value}\n`);
  return { value, generated: true };
}

function generatePassword(): string {
  return randomBytes(passwordBytes).toString('base64url');
}

/**
 * For the web page. A person is asked until it is long enough; nobody is asked where a file is named, or with `yes`. Throws
 * `cli/no-password`, `init/bad-answer`.
 */
export async function choosePassword(
  option: { readonly passwordFile?: string; readonly yes?: boolean },
  io: CliIo,
  prompter: Prompter,
): Promise<Secret> {
  if (option.passwordFile !== undefined || option.yes === true) {
    const secret = secretFrom(option.passwordFile, 'log-in password', generatePassword);
    return { ...secret, value: parsePassword(secret.value) };
  }
  for (;;) {
    const question = 'Log-in password for the web page, at least 12 characters (Enter to have one made)';
    const typed = await prompter.secret(question).catch((thrown: unknown) => {
      // Without a terminal there may be nobody to ask.
      if (!(thrown instanceof AgentError) || thrown.code !== 'cli/no-answer') throw thrown;
      const message = 'Cannot go on: no password was given; type it, or name a file with --password-file';
      throw new AgentError('usage', 'cli/no-password', message);
    });
    if (typed === '') return { value: generatePassword(), generated: true };
    try {
      return { value: parsePassword(typed), generated: false };
    } catch (thrown) {
      if (!io.isTty || !(thrown instanceof AgentError)) throw thrown;
      note(io, `  ${thrown.message}`);
    }
  }
}
