/** The running owner program as seen from the command line: the methods of `OwnerService` over its control socket. */
import { join } from 'node:path';
import { ControlClient } from '../base/control.ts';
import { AgentError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import type { OwnerService, ShareSummary } from '../owner/service.ts';

/** Media come in pieces, because one control line may have at most 1 MiB. */
type MediaMethod = 'previewMedia' | 'clipMedia' | 'ownMedia';
/** `confirm` takes a log-in here: this socket knows its user, not the person. */
type Method = Exclude<keyof OwnerService, MediaMethod | 'confirm'>;
type Params<M extends keyof OwnerService> = Parameters<OwnerService[M]> extends [infer P] ? P : undefined;

/** A log-in of the web page. */
export interface AccountAnswer {
  readonly name: string;
  readonly role: 'owner' | 'viewer';
}

const pieceBytes = 512 * 1024;
const maxMediaBytes = 4 * 1024 ** 3;

export function ownerSocketPath(config: Config): string {
  return join(config.dataDir, 'run', 'owner.sock');
}

export class OwnerClient {
  readonly #control: ControlClient;

  constructor(control: ControlClient) {
    this.#control = control;
  }

  static async connect(config: Config): Promise<OwnerClient> {
    return new OwnerClient(await ControlClient.connect(ownerSocketPath(config)));
  }

  async call<M extends Method>(
    method: M,
    ...params: Params<M> extends undefined ? [] : [Params<M>]
  ): Promise<Awaited<ReturnType<OwnerService[M]>>> {
    const answer = await this.#control.call(method, params[0] ?? {});
    if (typeof answer !== 'object' || answer === null) throw badAnswer(method);
    return answer as Awaited<ReturnType<OwnerService[M]>>;
  }

  confirm(params: { requestId: string; name: string; password: string }): Promise<ShareSummary> {
    return this.#desk('confirm', params);
  }

  listAccounts(): Promise<{ accounts: readonly AccountAnswer[] }> {
    return this.#desk('listAccounts', {});
  }

  addAccount(params: { name: string; password: string; role: AccountAnswer['role'] }): Promise<AccountAnswer> {
    return this.#desk('addAccount', params);
  }

  setAccountPassword(params: { name: string; password: string; present?: string }): Promise<AccountAnswer> {
    return this.#desk('setAccountPassword', params);
  }

  removeAccount(params: { name: string }): Promise<AccountAnswer> {
    return this.#desk('removeAccount', params);
  }

  async #desk<T>(method: string, params: object): Promise<T> {
    const answer = await this.#control.call(method, params);
    if (typeof answer !== 'object' || answer === null) throw badAnswer(method);
    return answer as T;
  }

  /** Yields a file piece by piece, in order, and checks that exactly the announced number of bytes came. */
  async *media<M extends MediaMethod>(method: M, params: Omit<Params<M>, 'offset' | 'length'>): AsyncGenerator<Buffer> {
    let offset = 0;
    let totalBytes: number | undefined;
    do {
      const answer = await this.#control.call(method, { ...(params as object), offset, length: pieceBytes });
      const { base64, totalBytes: total } = (answer ?? {}) as { base64?: unknown; totalBytes?: unknown };
      if (typeof base64 !== 'string' || !Number.isSafeInteger(total)) throw badAnswer(method);
      const piece = Buffer.from(base64, 'base64');
      totalBytes ??= total as number;
      offset += piece.length;
      const stuck = piece.length === 0 && totalBytes > 0;
      if (total !== totalBytes || totalBytes > maxMediaBytes || offset > totalBytes || stuck) throw badAnswer(method);
      yield piece;
    } while (offset < totalBytes);
  }

  close(): void {
    this.#control.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function badAnswer(method: string): AgentError {
  return new AgentError('bug', 'cli/bad-answer', `The owner program answered ${method} in a form that is not agreed`);
}

export async function withOwner<T>(config: Config, action: (owner: OwnerClient) => Promise<T>): Promise<T> {
  using owner = await OwnerClient.connect(config);
  return await action(owner);
}
