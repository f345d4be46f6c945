import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AgentError, systemCode } from '../../agent/base/errors.ts';
import { readFileLimited, syncDir } from '../../agent/base/files.ts';
import { sha256Hex } from '../../agent/protocol/bytes.ts';
import { canonicalBytes } from '../../agent/protocol/canonical.ts';
import { makeDirLikeParent } from './shared-dir.ts';

/**
 * The chain of custody: who received, opened, copied out or deleted which share, and when. One read-only file per entry,
 * `custody/00000001.json` and so on, each naming the hash of the one before. An entry comes into being by a hard link to a
 * whole file, which fails if the number is taken: several programs may write, and none can replace or half-write an entry.
 * The chain alone can't show that its end was cut off, so the newest hash is to be noted down elsewhere (`--head`).
 */
export const custodyEvents = [
  'received',
  'opened',
  'copied-out',
  'demand-received',
  'demand-verified',
  'demand-refused',
  'deleted',
  'purged',
  'reported',
] as const;
export type CustodyEvent = (typeof custodyEvents)[number];

const entrySchema = z.strictObject({
  seq: z.int().min(1),
  at_ms: z.int().min(0),
  actor: z.string().min(1).max(100),
  event: z.enum(custodyEvents),
  share_id: z.string().regex(/^[0-9a-f]{32}$/),
  request_id: z.string().regex(/^[0-9a-f]{32}$/),
  /** Hashes, sizes, counts, grounds: what the entry is about. */
  facts: z.record(z.string().regex(/^[a-z0-9_]{1,40}$/), z.union([z.string().max(300), z.int()])),
  prev: z.union([z.string().regex(/^[0-9a-f]{64}$/), z.null()]),
});

type Facts = Readonly<Record<string, string | number>>;

export interface CustodyEntry {
  readonly seq: number;
  readonly at_ms: number;
  readonly actor: string;
  readonly event: CustodyEvent;
  readonly share_id: string;
  readonly request_id: string;
  readonly facts: Facts;
  readonly prev: string | null;
}

export interface HashedEntry extends CustodyEntry {
  readonly hash: string;
}

export interface NewEntry {
  readonly atMs: number;
  readonly actor: string;
  readonly event: CustodyEvent;
  readonly shareId: string;
  readonly requestId: string;
  readonly facts?: Facts;
}

const maxEntryBytes = 8192;
const namePattern = /^\d{8}\.json$/;

export function custodyDirOf(intakeDir: string): string {
  return join(intakeDir, 'custody');
}

/** Adds an entry and returns it once it is on the disk. */
export function appendCustody(intakeDir: string, entry: NewEntry): HashedEntry {
  const dir = custodyDirOf(intakeDir);
  makeDirLikeParent(dir);
  for (let tries = 0; tries < 1000; tries += 1) {
    const last = namesIn(dir).at(-1);
    const prev = last === undefined ? null : sha256Hex(readEntry(dir, last));
    const seq = last === undefined ? 1 : Number.parseInt(last, 10) + 1;
    const { atMs, actor, event, shareId, requestId, facts = {} } = entry;
    const full = { seq, at_ms: Math.trunc(atMs), actor, event, share_id: shareId, request_id: requestId, facts, prev };
    const bytes = canonicalBytes(entrySchema.parse(full));
    if (linkNew(dir, `${String(seq).padStart(8, '0')}.json`, bytes)) return { ...full, hash: sha256Hex(bytes) };
  }
  throw new AgentError('unavailable', 'portal/busy', 'Cannot write the chain of custody: others keep writing');
}

/** False if another program has just taken the name. */
function linkNew(dir: string, name: string, bytes: Uint8Array): boolean {
  const temporary = join(dir, `.${randomBytes(8).toString('hex')}.tmp`);
  const fd = openSync(temporary, 'wx', 0o440);
  try {
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(fd, bytes, offset);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  try {
    linkSync(temporary, join(dir, name));
    syncDir(dir);
    return true;
  } catch (thrown) {
    if (systemCode(thrown) === 'EEXIST') return false;
    throw thrown;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Every entry in order. Throws `portal/custody-broken`, with the number of the first entry that doesn't fit. */
export function readCustody(intakeDir: string): HashedEntry[] {
  const dir = custodyDirOf(intakeDir);
  const entries: HashedEntry[] = [];
  let prev: string | null = null;
  for (const name of namesIn(dir)) {
    const number = entries.length + 1;
    if (Number.parseInt(name, 10) !== number) throw broken(number, 'it is missing');
    const bytes = readEntry(dir, name);
    const entry = parseEntry(bytes, number);
    if (entry.seq !== number) throw broken(number, 'it carries another number');
    if (entry.prev !== prev) throw broken(number, 'it does not follow the entry before it');
    prev = sha256Hex(bytes);
    entries.push({ ...entry, hash: prev });
  }
  return entries;
}

function parseEntry(bytes: Buffer, number: number): CustodyEntry {
  try {
    const entry = entrySchema.parse(JSON.parse(bytes.toString('utf8')));
    if (bytes.equals(canonicalBytes(entry))) return entry;
  } catch {
    // Said below.
  }
  throw broken(number, 'it is not an entry');
}

function readEntry(dir: string, name: string): Buffer {
  return readFileLimited(join(dir, name), maxEntryBytes) ?? Buffer.alloc(0);
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => namePattern.test(name))
      .toSorted();
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return [];
    throw thrown;
  }
}

function broken(number: number, why: string): AgentError {
  return new AgentError('corrupt', 'portal/custody-broken', `The chain of custody breaks at entry ${number}: ${why}`, {
    detail: { number },
  });
}
