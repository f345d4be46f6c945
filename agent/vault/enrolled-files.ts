/** The public files of an enrolled device that a change of keys goes by. */
import { z } from 'zod';
import { AgentError } from '../base/errors.ts';
import { readFileLimited } from '../base/files.ts';
import { parseRecipient } from '../protocol/age-file.ts';
import { recipientsPath } from './paths.ts';

const recipientsSchema = z.strictObject({ owner: z.string().max(100), recovery: z.string().max(100) });
const placeSchema = z.strictObject({ latE6: z.int(), lonE6: z.int() });

export function readRecipients(dataDir: string): { readonly owner: string; readonly recovery: string } {
  const bytes = readFileLimited(recipientsPath(dataDir), 4096);
  if (bytes === undefined) throw notEnrolled();
  return parsed(() => {
    const recipients = recipientsSchema.parse(JSON.parse(bytes.toString('utf8')));
    for (const recipient of Object.values(recipients)) parseRecipient(recipient);
    return recipients;
  });
}

export function parsePlace(bytes: Buffer | undefined): { readonly latE6: number; readonly lonE6: number } {
  if (bytes === undefined) throw notEnrolled();
  return parsed(() => placeSchema.parse(JSON.parse(bytes.toString('utf8'))));
}

function notEnrolled(): AgentError {
  const message = 'Cannot change the keys: this data directory has no owner yet. Run "latchkey init"';
  return new AgentError('config', 'vault/not-enrolled', message);
}

function parsed<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const message = 'Cannot change the keys: the recipients or the place of this device are damaged';
    throw new AgentError('corrupt', 'vault/damaged-files', message, { cause });
  }
}
