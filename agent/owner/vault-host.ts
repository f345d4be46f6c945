/**
 * Keeps at most one vault process: started by an unlock, ended by a lock, by idleness, or with this program. While it runs
 * the session's actions are noted, and every session leaves exactly one ledger entry of one size.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import { ensurePrivateDir, readFileLimited, removeDurable, writeFileDurable } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import { type PairingRecord, VaultClient } from '../vault/client.ts';
import type { LockState, PairingSummary } from './service.ts';

const decidingIdleMs = 10 * 60 * 1000;
const maxActions = 10_000;
const viewingIdleMs = 12 * 3600 * 1000;
/** Each tries a secret, which takes long on purpose; a lock that is asked for behind them must not have to wait for many. */
const maxWaitingCount = 4;

export interface VaultHostOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Runs with the vault still open, before it ends. */
  readonly onLocking: (actions: readonly string[], lostCount: number) => void;
  readonly onUnlocked: (vault: VaultClient) => Promise<void>;
  readonly onLockState: (lock: LockState) => void;
}

export class VaultHost {
  readonly #options: VaultHostOptions;
  readonly #pairings: string;
  #vault: VaultClient | undefined;
  #lock: LockState = 'locked';
  #usedMs = 0;
  #actions: string[] = [];
  #lostCount = 0;
  readonly #usedPairings = new Set<string>();
  #turn: Promise<unknown> = Promise.resolve();
  #waitingCount = 0;

  constructor(options: VaultHostOptions) {
    this.#options = options;
    this.#pairings = join(options.dataDir, 'owner', 'viewing');
    ensurePrivateDir(this.#pairings);
  }

  get lockState(): LockState {
    return this.#vault?.alive === true ? this.#lock : 'locked';
  }

  /** Unlocking and locking take turns: two unlocks at once must not start two vaults. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(action, action);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  /** For whoever brings a secret; throws `owner/busy`. Locking is never refused. */
  async #tryInTurn<T>(action: () => Promise<T>): Promise<T> {
    if (this.#waitingCount >= maxWaitingCount) {
      throw new AgentError('unavailable', 'owner/busy', 'Cannot do this now: too many try to unlock or pair at once');
    }
    this.#waitingCount += 1;
    try {
      return await this.#inTurn(action);
    } finally {
      this.#waitingCount -= 1;
    }
  }

  #pairingPath(pairingId: string): string {
    if (!/^[0-9a-f]{16}$/.test(pairingId))
      throw new AgentError('usage', 'owner/bad-pairing-id', 'This is not the id of a pairing');
    return join(this.#pairings, `${pairingId}.json`);
  }

  readPairing(pairingId: string): PairingRecord {
    const bytes = readFileLimited(this.#pairingPath(pairingId), 64 * 1024);
    if (bytes === undefined) {
      throw new AgentError(
        'refused',
        'owner/not-paired',
        'Cannot unlock: this device is not paired, or no longer. Pair it again',
      );
    }
    return JSON.parse(bytes.toString('utf8')) as PairingRecord;
  }

  savePairing(record: PairingRecord): void {
    writeFileDurable(this.#pairingPath(record.pairingId), `${JSON.stringify(record)}\n`);
  }

  /** Oldest first. One that cannot be read opens nothing either, and is left out. */
  pairings(): PairingSummary[] {
    const ids = readdirSync(this.#pairings).flatMap((file) => /^([0-9a-f]{16})\.json$/.exec(file)?.[1] ?? []);
    return ids
      .flatMap((pairingId) => {
        try {
          const { name, createdAtMs, expiresAtMs } = this.readPairing(pairingId);
          return [{ pairingId, name, createdAtMs, expiresAtMs }];
        } catch {
          return [];
        }
      })
      .toSorted((one, other) => one.createdAtMs - other.createdAtMs);
  }

  /** A lost phone must not go on looking: what it has unlocked is locked. */
  async removePairing(pairingId: string): Promise<void> {
    removeDurable(this.#pairingPath(pairingId));
    if (this.#usedPairings.has(pairingId)) await this.lock();
  }

  unlock(
    mode: 'viewing' | 'deciding',
    open: (vault: VaultClient) => Promise<void>,
    pairingId?: string,
  ): Promise<LockState> {
    return this.#tryInTurn(async () => {
      const running = this.#vault?.alive === true ? this.#vault : undefined;
      const vault = running ?? (await VaultClient.start(this.#options.dataDir));
      try {
        await open(vault);
      } catch (thrown) {
        if (running === undefined) await vault.stop();
        throw thrown;
      }
      this.#vault = vault;
      if (running === undefined) {
        // A vault that ends by itself (killed, crashed) is a lock like any other.
        void vault.ended
          .then(() => {
            if (this.#vault === vault) this.#ended();
          })
          .catch((thrown: unknown) => this.#options.log.error('session-not-recorded', thrown));
      }
      if (pairingId !== undefined) this.#usedPairings.add(pairingId);
      if (mode === 'deciding' || this.#lock === 'locked') this.#lock = mode;
      this.#touch();
      try {
        await this.#options.onUnlocked(vault);
      } catch (thrown) {
        await this.#end(vault);
        throw thrown;
      }
      this.#options.onLockState(this.#lock);
      return this.#lock;
    });
  }

  /** Whatever could not be written: the keys go. */
  async #end(vault: VaultClient): Promise<void> {
    try {
      if (this.#vault === vault) this.#ended();
    } finally {
      await vault.stop();
    }
  }

  #touch(): void {
    this.#usedMs = this.#options.clock.monotonicMs();
  }

  /** The running vault in at least this mode; throws `owner/locked`. */
  require(mode: 'viewing' | 'deciding'): VaultClient {
    const vault = this.#vault;
    if (vault?.alive !== true)
      throw new AgentError('refused', 'owner/locked', 'Cannot do this while locked: unlock first');
    if (mode === 'deciding' && this.#lock !== 'deciding') {
      throw new AgentError('refused', 'owner/not-deciding', 'Cannot do this yet: unlock deciding with the passphrase');
    }
    this.#touch();
    return vault;
  }

  /** A vault for one question that brings its own passphrase; it doesn't stay open unless one was. */
  withVault<T>(action: (vault: VaultClient) => Promise<T>): Promise<T> {
    return this.#tryInTurn(async () => {
      if (this.#vault?.alive === true) return action(this.#vault);
      await using vault = await VaultClient.start(this.#options.dataDir);
      return await action(vault);
    });
  }

  /**
   * Also while locked: it stands in the entry of the session that follows. Bounded, as that may never come; however much was
   * looked at, there is room for what was decided, and what found none is counted.
   */
  note(action: string): void {
    const room = action.startsWith('view ') ? maxActions : 2 * maxActions;
    if (this.#actions.length < room) this.#actions.push(action);
    else this.#lostCount += 1;
  }

  lock(): Promise<void> {
    return this.#inTurn(async () => {
      const vault = this.#vault;
      if (vault?.alive !== true) return;
      await this.#end(vault);
    });
  }

  #ended(): void {
    this.#vault = undefined;
    this.#lock = 'locked';
    const [actions, lostCount] = [this.#actions, this.#lostCount];
    this.#actions = [];
    this.#lostCount = 0;
    this.#usedPairings.clear();
    try {
      this.#options.onLocking(actions, lostCount);
    } finally {
      this.#options.onLockState('locked');
    }
  }

  async lockIfIdle(): Promise<void> {
    if (this.#vault?.alive !== true) return;
    const idleMs = this.#options.clock.monotonicMs() - this.#usedMs;
    if (idleMs > (this.#lock === 'deciding' ? decidingIdleMs : viewingIdleMs)) await this.lock();
  }
}
