import { z } from 'zod';
import { readFileLimited, writeFileDurable } from '../../agent/base/files.ts';
import { parseFile } from './key-files.ts';

/**
 * The agency's place in its own chain: every request and revocation takes the next number and names the document before.
 * A number used twice for two documents makes devices suspend the agency, so the number is written down before it is used.
 */
const sequenceSchema = z.strictObject({
  seq: z.int().min(0),
  prev: z.union([z.string().regex(/^[0-9a-f]{64}$/), z.null()]),
});

export interface SequencePlace {
  readonly seq: number;
  readonly prev: string | null;
}

/** The number for the next document. */
export function nextPlace(path: string): SequencePlace {
  if (readFileLimited(path, 4096) === undefined) return { seq: 1, prev: null };
  const { seq, prev } = parseFile(path, sequenceSchema);
  return { seq: seq + 1, prev };
}

export function takePlace(path: string, seq: number, hash: string): void {
  writeFileDurable(path, `${JSON.stringify({ seq, prev: hash })}\n`);
}
