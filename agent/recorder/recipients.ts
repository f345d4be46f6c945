import { join } from 'node:path';
import { z } from 'zod';
import { AgentError } from '../base/errors.ts';
import { readFileLimited } from '../base/files.ts';
import { parseRecipient } from '../protocol/age-file.ts';

/** Who can open what is recorded: public keys, all that a recorder ever holds. */

const shape = z.strictObject({ owner: z.string().max(100), recovery: z.string().max(100) });
const maxBytes = 4096;

function bad(why: string): AgentError {
  return new AgentError('config', 'recorder/no-recipients', `Cannot record: ${why}. Run \`latchkey init\``);
}

export function readRecipients(dataDir: string): readonly string[] {
  const bytes = readFileLimited(join(dataDir, 'keys', 'recipients.json'), maxBytes);
  if (bytes === undefined) throw bad('this device has no keys to seal clips to');
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
    const { owner, recovery } = shape.parse(value);
    for (const recipient of [owner, recovery]) parseRecipient(recipient);
    if (owner === recovery) throw new TypeError('one key twice');
    return [owner, recovery];
  } catch {
    throw bad('keys/recipients.json does not hold an owner and a recovery recipient');
  }
}
