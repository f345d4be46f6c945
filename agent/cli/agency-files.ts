/** Files that a person names about agencies: roots and signed documents. */
import { z } from 'zod';
import { AgentError } from '../base/errors.ts';
import { readTextFile } from '../config/text-file.ts';
import type { RootDescription } from '../owner/service.ts';
import type { PinnedRoot } from '../protocol/agency-check.ts';
import { fromHex } from '../protocol/bytes.ts';

const maxRootBytes = 8192;
export const maxEnvelopeBytes = 48 * 1024;

const rootSchema = z.strictObject({
  latchkey_root: z.literal(1),
  name: z.string().min(1).max(120),
  threshold: z.literal(2),
  keys: z.array(z.string().regex(/^[0-9a-f]{64}$/)).length(3),
});

export interface RootFile {
  readonly root: RootDescription;
  readonly pinned: PinnedRoot;
}

/** Throws `agencies/unreadable`. */
export function readNamedFile(path: string, maxBytes: number, what: string): string {
  const file = readTextFile(path, maxBytes);
  if (!('problem' in file)) return file.text;
  throw new AgentError('usage', 'agencies/unreadable', `Cannot read the ${what} ${path}: ${file.why}`);
}

/** Throws `agencies/unreadable` or `agencies/not-a-root`. */
export function readRootFile(path: string): RootFile {
  const text = readNamedFile(path, maxRootBytes, 'root');
  let parsed: z.output<typeof rootSchema>;
  try {
    parsed = rootSchema.parse(JSON.parse(text));
  } catch {
    throw notARoot(path);
  }
  const { name, threshold, keys } = parsed;
  if (new Set(keys).size !== keys.length) throw notARoot(path);
  return { root: { name, threshold, keysHex: keys }, pinned: { threshold, keys: keys.map((hex) => fromHex(hex)) } };
}

function notARoot(path: string): AgentError {
  const shape = '{"latchkey_root": 1, "name", "threshold": 2, "keys": [three different keys in hex]}';
  return new AgentError('usage', 'agencies/not-a-root', `Cannot use the root ${path}: expected ${shape}`);
}
