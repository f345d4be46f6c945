import { closeSync, openSync, realpathSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AgentError, systemCode } from '../../agent/base/errors.ts';
import type { SigningKey } from '../../agent/protocol/keys.ts';
import { parseFile, readSigningKey } from './key-files.ts';

/**
 * An officer's signature and an approver's are worth two only if no one account can give both. A desk is a folder with one
 * key and one user of the operating system. Before a key is used, the account must own it alone, and must be found unable
 * to open any key of the other role. Root can open everything and so is refused.
 */
export interface Desks {
  /** Folders on this machine; none if the desks of that role are on other machines. */
  readonly officer: readonly string[];
  readonly approver: readonly string[];
}

export const desksSchema = z.strictObject({
  officer: z.array(z.string().min(1).max(4096)).max(100),
  approver: z.array(z.string().min(1).max(4096)).max(100),
});

export function readDesks(path: string): Desks {
  return parseFile(path, desksSchema);
}

export type DeskRole = 'officer' | 'approver';

/**
 * The key in `dir`, if this account may use it. `desks` undefined is a trial in which one person plays both parts: the
 * caller has to have asked for that.
 */
export function openDesk(role: DeskRole, dir: string, desks: Desks | undefined): SigningKey {
  if (desks !== undefined) requireOwnDesk(role, dir, desks);
  return readSigningKey(role, dir);
}

function requireOwnDesk(role: DeskRole, dir: string, desks: Desks): void {
  const other = role === 'officer' ? 'approver' : 'officer';
  const uid = process.geteuid?.();
  for (const path of [dir, join(dir, `${role}.key.json`)]) {
    const stat = statOf(path);
    // A folder without a key is named as that when the key is read.
    if (stat === 'missing') continue;
    if (stat === 'closed') throw refused('foreign-key', role, 'it lies where this user may not look');
    if (stat.uid !== uid) throw refused('foreign-key', role, 'it belongs to another user');
    if ((stat.mode & 0o077) !== 0) throw refused('key-exposed', role, 'others may look at it; chmod go= it');
  }
  for (const otherDir of desks[other]) {
    if (isSame(dir, otherDir)) throw refused('keys-together', role, `this is the ${other}'s desk`);
    requireClosed(join(otherDir, `${other}.key.json`), role, other);
  }
}

function statOf(path: string): Stats | 'missing' | 'closed' {
  try {
    return statSync(path);
  } catch (thrown) {
    if (systemCode(thrown) === 'EACCES') return 'closed';
    if (systemCode(thrown) === 'ENOENT') return 'missing';
    throw thrown;
  }
}

/** Asked of the kernel, by trying: it knows groups, capabilities and access lists. */
function requireClosed(path: string, role: DeskRole, other: DeskRole): void {
  try {
    closeSync(openSync(path, 'r'));
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === 'EACCES' || code === 'EPERM') return;
    throw refused('desk-missing', role, `no ${other}'s key is where the list of desks says (${code ?? 'unreadable'})`);
  }
  throw refused('one-identity', role, `this user can read the ${other}'s key too, so one person could sign for both`);
}

function isSame(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

function refused(what: string, role: DeskRole, why: string): AgentError {
  return new AgentError('refused', `portal/${what}`, `Cannot use the ${role} key: ${why}`);
}
