import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../../agent/base/errors.ts';
import { type HashedEntry, readCustody } from './custody.ts';

/**
 * Whether the chain of custody holds, and whether the shares on the disk are those that it speaks of: the files that were
 * received, none that was deleted, none that was slipped in.
 */
export interface CustodyReport {
  readonly entries: readonly HashedEntry[];
  /** Hash of the newest entry, to be noted down elsewhere. */
  readonly head: string | null;
  /** Shares whose files were found to be those that were received. */
  readonly sharesHeld: readonly string[];
  readonly sharesDeleted: readonly string[];
}

const shareIdPattern = /^[0-9a-f]{32}$/;

/** Throws the first of `portal/custody-…` that applies. `head` is a hash noted earlier. */
export async function checkCustody(intakeDir: string, head?: string): Promise<CustodyReport> {
  const entries = readCustody(intakeDir);
  if (head !== undefined && !entries.some(({ hash }) => hash === head)) {
    throw wrong('truncated', 'the entry that was noted down is not in it');
  }
  const received = entries.filter(({ event }) => event === 'received');
  const deleted = new Set(entries.filter(({ event }) => event === 'deleted').map(({ share_id: id }) => id));
  const sharesDir = join(intakeDir, 'shares');
  for (const { share_id: id, facts } of received) {
    const dir = join(sharesDir, id);
    if (deleted.has(id)) {
      if (existsSync(dir)) throw wrong('not-deleted', `share ${id} was said to be deleted and is there`);
      continue;
    }
    for (const part of ['body', 'header'] as const) {
      const found = await hashFile(join(dir, `${part}.age`));
      if (found === undefined) throw wrong('share-missing', `share ${id} has no ${part}, and nobody said why`);
      if (found.sha256 !== facts[`${part}_sha256`]) {
        throw wrong('share-differs', `the ${part} of share ${id} is not the one that was received`);
      }
    }
  }
  const known = new Set(received.map(({ share_id: id }) => id));
  const present = existsSync(sharesDir) ? readdirSync(sharesDir).filter((name) => shareIdPattern.test(name)) : [];
  const stranger = present.find((id) => !known.has(id));
  if (stranger !== undefined) throw wrong('unknown-share', `share ${stranger} was never received`);
  return {
    entries,
    head: entries.at(-1)?.hash ?? null,
    sharesHeld: [...known].filter((id) => !deleted.has(id)),
    sharesDeleted: [...deleted],
  };
}

/** Undefined if there is no such file. */
export async function hashFile(path: string): Promise<{ bytes: number; sha256: string } | undefined> {
  if (!existsSync(path)) return undefined;
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

function wrong(what: string, why: string): AgentError {
  return new AgentError('corrupt', `portal/custody-${what}`, `The chain of custody does not hold: ${why}`);
}
