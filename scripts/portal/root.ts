import { join } from 'node:path';
import { z } from 'zod';
import { AgentError } from '../../agent/base/errors.ts';
import { ensurePrivateDir, writeFileDurable } from '../../agent/base/files.ts';
import type { PinnedRoot } from '../../agent/protocol/agency-check.ts';
import { fromHex } from '../../agent/protocol/bytes.ts';
import { fingerprint } from '../../agent/protocol/words.ts';
import { makeSigningKey, parseFile } from './key-files.ts';

/** The root that vouches for agencies: three keys in three folders, of which any two sign. */
const keyCount = 3;
const threshold = 2;

/** What a device pins. */
export interface RootFile {
  readonly latchkey_root: 1;
  readonly name: string;
  readonly threshold: number;
  /** Raw Ed25519 public keys, hex. */
  readonly keys: readonly string[];
}

const rootSchema = z.strictObject({
  latchkey_root: z.literal(1),
  name: z.string().min(1).max(100),
  threshold: z.int().min(1).max(8),
  keys: z
    .array(z.string().regex(/^[0-9a-f]{64}$/))
    .min(1)
    .max(8),
});

export interface MadeRoot {
  readonly file: RootFile;
  /** `root.json` */
  readonly path: string;
  /** One folder per key, to be given to three people. */
  readonly keyDirs: readonly string[];
  /** What the owner compares and types back. */
  readonly fingerprint: string;
}

export function makeRoot(options: { readonly name: string; readonly dir: string }): MadeRoot {
  if (options.name.length === 0 || options.name.length > 100) {
    throw new AgentError('usage', 'portal/bad-name', 'Cannot make the root: its name needs 1 to 100 characters');
  }
  ensurePrivateDir(options.dir);
  const keyDirs = Array.from({ length: keyCount }, (_, index) => join(options.dir, `root-${index + 1}`));
  const keys = keyDirs.map((dir) => makeSigningKey('root', dir).x);
  const file: RootFile = { latchkey_root: 1, name: options.name, threshold, keys };
  const path = join(options.dir, 'root.json');
  writeFileDurable(path, `${JSON.stringify(file)}\n`, 0o644);
  return { file, path, keyDirs, fingerprint: fingerprint(keys.map(fromHex)) };
}

export function readRoot(path: string): RootFile {
  return parseFile(path, rootSchema);
}

export function pinnedRootOf(file: RootFile): PinnedRoot {
  return { keys: file.keys.map(fromHex), threshold: file.threshold };
}
