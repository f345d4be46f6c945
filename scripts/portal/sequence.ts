import { closeSync, openSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { AgentError, systemCode } from '../../agent/base/errors.ts';
import { readFileLimited, writeFileDurable } from '../../agent/base/files.ts';
import { parseFile } from './key-files.ts';

/**
 * The agency's place in its own chain: every document that it publishes takes the next number and names the one before. A
 * number used twice for two documents makes devices suspend the agency, so the number is written down before it is used,
 * and two desks can't take one at the same time.
 */
const sequenceSchema = z.strictObject({
  seq: z.int().min(0),
  prev: z.union([z.string().regex(/^[0-9a-f]{64}$/), z.null()]),
});

export interface SequencePlace {
  readonly seq: number;
  readonly prev: string | null;
}

/** Makes the next document and notes its hash as taken; throws `portal/busy` while another desk does the same. */
export function takePlace<T extends { readonly hash: string }>(path: string, make: (place: SequencePlace) => T): T {
  const lock = `${path}.lock`;
  try {
    closeSync(openSync(lock, 'wx', 0o660));
  } catch (thrown) {
    if (systemCode(thrown) !== 'EEXIST') throw thrown;
    const why = `another desk is taking a number; if none is, delete ${lock}`;
    throw new AgentError('unavailable', 'portal/busy', `Cannot number the document: ${why}`);
  }
  try {
    const place = nextPlace(path);
    const made = make(place);
    writeFileDurable(path, `${JSON.stringify({ seq: place.seq, prev: made.hash })}\n`, 0o660);
    return made;
  } finally {
    rmSync(lock, { force: true });
  }
}

function nextPlace(path: string): SequencePlace {
  if (readFileLimited(path, 4096) === undefined) return { seq: 1, prev: null };
  const { seq, prev } = parseFile(path, sequenceSchema);
  return { seq: seq + 1, prev };
}
