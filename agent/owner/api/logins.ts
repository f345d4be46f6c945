/** The log-in desk: throttle first, then the hash, few at a time because each takes 19 MiB. */
import type { Clock } from '../../base/clock.ts';
import { AgentError } from '../../base/errors.ts';
import { type Account, accountKey, findAccount, type HashPassword, hashPassword } from './accounts.ts';
import { LoginThrottle } from './throttle.ts';

const maxWaitingCount = 8;

export class Logins {
  readonly #dataDir: string;
  readonly #throttle: LoginThrottle;
  readonly #hash: HashPassword;
  #last: Promise<unknown> = Promise.resolve();
  #waitingCount = 0;

  constructor(options: {
    readonly dataDir: string;
    readonly clock: Clock;
    readonly random?: () => number;
    readonly hash?: HashPassword;
  }) {
    this.#dataDir = options.dataDir;
    this.#throttle = new LoginThrottle(options.clock, options.random ?? Math.random);
    this.#hash = options.hash ?? hashPassword;
  }

  /** Throws `login/wrong`, `login/throttled` (with `waitMs`) or `login/busy`; never says which of name and password. */
  async checkLogin(options: {
    readonly name: string;
    readonly password: string;
    readonly address: string;
  }): Promise<Account> {
    const key = accountKey(options.name);
    if (this.#waitingCount >= maxWaitingCount) {
      throw new AgentError('unavailable', 'login/busy', 'Cannot log in: too many log-ins at once');
    }
    const waitMs = this.#throttle.begin(key, options.address);
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      throw new AgentError(
        'refused',
        'login/throttled',
        `Cannot log in: too many tries; wait ${seconds < 90 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`}`,
        { detail: { waitMs: Math.ceil(waitMs) } },
      );
    }
    const account = await this.#inTurn(() =>
      findAccount({ dataDir: this.#dataDir, name: options.name, password: options.password, hash: this.#hash }),
    );
    if (account === undefined) {
      throw new AgentError('refused', 'login/wrong', 'Cannot log in: the name or the password is wrong');
    }
    this.#throttle.succeeded(key, options.address);
    return account;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#waitingCount += 1;
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    try {
      return await result;
    } finally {
      this.#waitingCount -= 1;
    }
  }
}
