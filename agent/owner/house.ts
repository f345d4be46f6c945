/** What the owner program knows of its house without any key: place, regions, recipients and pinned roots. */
import { join } from 'node:path';
import { z } from 'zod';
import { AgentError } from '../base/errors.ts';
import { readFileLimited, writeFileDurable } from '../base/files.ts';
import type { PinnedRoot } from '../protocol/agency-check.ts';
import { fromHex } from '../protocol/bytes.ts';

const placeSchema = z.strictObject({
  latE6: z.number().int().min(-90_000_000).max(90_000_000),
  lonE6: z.number().int().min(-180_000_000).max(180_000_000),
});
const recipientsSchema = z.strictObject({
  owner: z.string().startsWith('age1'),
  recovery: z.string().startsWith('age1'),
});
const rootsSchema = z.array(
  z.strictObject({
    name: z.string(),
    threshold: z.number().int().min(2),
    keysHex: z.array(z.string().regex(/^[0-9a-f]{64}$/)).min(2),
  }),
);

export type Place = z.infer<typeof placeSchema>;

function readJson<T>(path: string, schema: z.ZodType<T>, what: string): T {
  const bytes = readFileLimited(path, 1 << 20);
  if (bytes === undefined) {
    throw new AgentError(
      'config',
      'owner/not-enrolled',
      `Cannot find ${what}: this data directory has no owner yet. Run "latchkey init"`,
    );
  }
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new AgentError('corrupt', 'owner/damaged-house', `Cannot read ${what}: the file is damaged`, { cause });
  }
}

export class House {
  readonly place: Place;
  readonly ownerRecipient: string;
  readonly #rootsPath: string;
  #roots: z.infer<typeof rootsSchema>;

  constructor(dataDir: string) {
    this.place = readJson(join(dataDir, 'owner', 'place.json'), placeSchema, 'the place of the house');
    this.ownerRecipient = readJson(
      join(dataDir, 'keys', 'recipients.json'),
      recipientsSchema,
      "the owner's recipients",
    ).owner;
    this.#rootsPath = join(dataDir, 'owner', 'roots.json');
    this.#roots = readJson(this.#rootsPath, rootsSchema, 'the pinned roots');
  }

  get roots(): readonly PinnedRoot[] {
    return this.#roots.map((r) => ({ keys: r.keysHex.map(fromHex), threshold: r.threshold }));
  }

  /** A copy of what the vault pinned; the vault goes by its own. */
  setRoots(roots: unknown): void {
    this.#roots = rootsSchema.parse(roots);
    writeFileDurable(this.#rootsPath, `${JSON.stringify(this.#roots)}\n`);
  }
}
