/**
 * Log-ins for the local page: `owner/accounts.json`, Argon2id. A log-in opens the door to the page and nothing else;
 * clips and decisions stay behind the vault. There is no default account and no default password.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { AgentError } from '../../base/errors.ts';
import { ensurePrivateDir, readFileLimited, writeFileDurable } from '../../base/files.ts';

export type Role = 'owner' | 'viewer';

export interface Account {
  readonly name: string;
  readonly role: Role;
}

const maxFileBytes = 256 * 1024;
const maxAccountCount = 32;
const minPasswordLength = 10;
const maxPasswordLength = 1024;
/** RFC 9106's low-memory advice, cut to what a small device spares: 19 MiB, two passes, one lane. */
const cost = { memoryKiB: 19 * 1024, passes: 2 } as const;

const accountSchema = z.strictObject({
  name: z.string().max(64),
  role: z.enum(['owner', 'viewer']),
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  memoryKiB: z
    .int()
    .min(8)
    .max(1024 * 1024),
  passes: z.int().min(1).max(64),
});
const fileSchema = z.strictObject({ accounts: z.array(accountSchema).max(maxAccountCount) });
type StoredAccount = z.infer<typeof accountSchema>;

export type HashPassword = (
  password: string,
  salt: Buffer,
  cost: { readonly memoryKiB: number; readonly passes: number },
) => Promise<Buffer>;

export const hashPassword: HashPassword = (password, nonce, { memoryKiB, passes }) =>
  new Promise((resolve, reject) => {
    const message = Buffer.from(password.normalize('NFKC'), 'utf8');
    argon2(
      'argon2id',
      { message, nonce, parallelism: 1, tagLength: 32, memory: memoryKiB, passes },
      (error, derived) => (error === null ? resolve(derived) : reject(error)),
    );
  });

export function hasAccounts(dataDir: string): boolean {
  return readAccounts(dataDir).length > 0;
}

export function listAccounts(dataDir: string): readonly Account[] {
  return readAccounts(dataDir).map(({ name, role }) => ({ name, role }));
}

/** Whether an owner logs in under this name, written as it is stored. */
export function isOwner(dataDir: string, name: string): boolean {
  return readAccounts(dataDir).some((account) => account.name === name && account.role === 'owner');
}

/** Adds an account. Throws `login/bad-name`, `login/short-password`, `login/account-exists` or `login/too-many`. */
export async function createAccount(options: {
  readonly dataDir: string;
  readonly name: string;
  readonly password: string;
  readonly role: Role;
}): Promise<Account> {
  const name = accountKey(options.name);
  if (!/^[a-z0-9][a-z0-9._-]{0,31}$/.test(name)) {
    throw new AgentError(
      'usage',
      'login/bad-name',
      'Cannot create the account: a name has 1 to 32 letters, digits, dots, dashes or underscores',
    );
  }
  const secret = await hashed(options.password, 'create the account');
  const accounts = readAccounts(options.dataDir);
  if (accounts.some((account) => account.name === name)) {
    throw new AgentError('usage', 'login/account-exists', 'Cannot create the account: this name is taken');
  }
  if (accounts.length >= maxAccountCount) {
    throw new AgentError('usage', 'login/too-many', `Cannot create the account: there are ${maxAccountCount} already`);
  }
  writeAccounts(options.dataDir, [...accounts, { name, role: options.role, ...secret }]);
  return { name, role: options.role };
}

/** Throws `login/no-such-account` or `login/short-password`. */
export async function replacePassword(options: {
  readonly dataDir: string;
  readonly name: string;
  readonly password: string;
}): Promise<Account> {
  const secret = await hashed(options.password, 'change the password');
  const accounts = readAccounts(options.dataDir);
  const { name, role } = requireAccount(accounts, options.name);
  writeAccounts(options.dataDir, accounts.map((other) => (other.name === name ? { name, role, ...secret } : other))); // biome-ignore format: one list
  return { name, role };
}

/** Throws `login/no-such-account`, or `login/last-owner`: a house without one could never decide on the page again. */
export function removeAccount(dataDir: string, given: string): Account {
  const accounts = readAccounts(dataDir);
  const { name, role } = requireAccount(accounts, given);
  const others = accounts.filter((other) => other.name !== name);
  if (!others.some((other) => other.role === 'owner')) {
    throw new AgentError('refused', 'login/last-owner', "Cannot remove this log-in: it is the only owner's");
  }
  writeAccounts(dataDir, others);
  return { name, role };
}

/**
 * What stands for an account's role and password together: another one, and whoever logged in before is logged out.
 * Undefined where there is no such account, or none that could be read.
 */
export function accountMark(dataDir: string, name: string): string | undefined {
  try {
    const stored = readAccounts(dataDir).find((account) => account.name === name);
    return stored === undefined ? undefined : `${stored.role} ${stored.salt}`;
  } catch {
    return undefined;
  }
}

/**
 * True work for every name: an unknown one is hashed against a fixed salt, so that the answer takes as long and says
 * as little as a wrong password does. Undefined means "not this name with this password".
 */
export async function findAccount(options: {
  readonly dataDir: string;
  readonly name: string;
  readonly password: string;
  readonly hash?: HashPassword;
}): Promise<Account | undefined> {
  const stored = readAccounts(options.dataDir).find((account) => account.name === accountKey(options.name));
  const salt = stored === undefined ? Buffer.alloc(16) : Buffer.from(stored.salt, 'hex');
  const derived = await (options.hash ?? hashPassword)(options.password, salt, stored ?? cost);
  const expected = stored === undefined ? Buffer.alloc(32) : Buffer.from(stored.hash, 'hex');
  const equal = timingSafeEqual(derived, expected);
  return stored !== undefined && equal ? { name: stored.name, role: stored.role } : undefined;
}

/** Names are compared without case. */
export function accountKey(name: string): string {
  return name.trim().toLowerCase();
}

/** Throws `login/short-password`. */
async function hashed(password: string, what: string): Promise<Omit<StoredAccount, 'name' | 'role'>> {
  if (password.length < minPasswordLength || password.length > maxPasswordLength) {
    const message = `Cannot ${what}: a password has ${minPasswordLength} to ${maxPasswordLength} characters`;
    throw new AgentError('usage', 'login/short-password', message);
  }
  const salt = randomBytes(16);
  const hash = await hashPassword(password, salt, cost);
  return { salt: salt.toString('hex'), hash: hash.toString('hex'), ...cost };
}

function requireAccount(accounts: readonly StoredAccount[], name: string): StoredAccount {
  const stored = accounts.find((account) => account.name === accountKey(name));
  if (stored !== undefined) return stored;
  throw new AgentError('usage', 'login/no-such-account', 'Cannot find the log-in: there is none of that name');
}

function writeAccounts(dataDir: string, accounts: readonly StoredAccount[]): void {
  const path = accountsPath(dataDir);
  ensurePrivateDir(dirname(path));
  writeFileDurable(path, `${JSON.stringify({ accounts }, null, 2)}\n`);
}

function accountsPath(dataDir: string): string {
  return join(dataDir, 'owner', 'accounts.json');
}

function readAccounts(dataDir: string): readonly StoredAccount[] {
  const bytes = readFileLimited(accountsPath(dataDir), maxFileBytes);
  if (bytes === undefined) return [];
  try {
    return fileSchema.parse(JSON.parse(bytes.toString('utf8'))).accounts;
  } catch (cause) {
    throw new AgentError(
      'corrupt',
      'login/accounts-damaged',
      'Cannot read the log-in accounts: owner/accounts.json is damaged',
      { cause },
    );
  }
}
