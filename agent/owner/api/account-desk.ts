/**
 * The log-ins of the house as the command line keeps them: listed, made, given a new password, removed. Whoever does it holds
 * this device's files anyway; only the second approver's log-in is guarded, because it is there to withstand just that person.
 */
import { AgentError } from '../../base/errors.ts';
import {
  type Account,
  accountKey,
  createAccount,
  isOwner,
  listAccounts,
  type Role,
  removeAccount,
  replacePassword,
} from './accounts.ts';
import type { Logins } from './logins.ts';

export interface AccountDeskOptions {
  readonly dataDir: string;
  readonly logins: Logins;
  /** As in force now, not as configured. */
  readonly secondApprover: () => string | null;
  /** For the ledger. */
  readonly note: (action: string) => void;
}

export class AccountDesk {
  readonly #o: AccountDeskOptions;

  constructor(options: AccountDeskOptions) {
    this.#o = options;
  }

  list(): readonly Account[] {
    return listAccounts(this.#o.dataDir);
  }

  /** Throws as `createAccount`. */
  async add(params: { name: string; password: string; role: Role }): Promise<Account> {
    const account = await createAccount({ dataDir: this.#o.dataDir, ...params });
    this.#o.note(`account-add ${account.name} ${account.role}`);
    return account;
  }

  /** Ends what is logged in under it. Throws `login/second-approver`, `login/no-such-account`, `login/short-password`, and as a log-in. */
  async setPassword(params: { name: string; password: string; present?: string | undefined }): Promise<Account> {
    const { name, password, present } = params;
    if (this.#isSecond(name)) {
      if (present === undefined) {
        throw second('Cannot change the password: this log-in must confirm every share, so its present one is needed');
      }
      await this.#o.logins.checkLogin({ name, password: present, address: 'this device' });
    }
    const account = await replacePassword({ dataDir: this.#o.dataDir, name, password });
    this.#o.note(`account-password ${account.name}`);
    return account;
  }

  /** Ends what is logged in under it. Throws `login/second-approver`, `login/no-such-account`, `login/last-owner`. */
  remove(params: { name: string }): Account {
    if (this.#isSecond(params.name)) {
      throw second(
        'Cannot remove this log-in: it must confirm every share. Take it out of the configuration; that counts after three days',
      );
    }
    const account = removeAccount(this.#o.dataDir, params.name);
    this.#o.note(`account-remove ${account.name}`);
    return account;
  }

  /** A viewer of that name confirms nothing, so nothing is lost with it. */
  #isSecond(name: string): boolean {
    return accountKey(name) === this.#o.secondApprover() && isOwner(this.#o.dataDir, accountKey(name));
  }
}

function second(message: string): AgentError {
  return new AgentError('refused', 'login/second-approver', message);
}
