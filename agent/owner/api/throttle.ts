/**
 * Slows down guessing: after a few free tries each further one has to wait, twice as long each time. Counted for the
 * pair of account and address first, so that a neighbour's guesses don't lock the owner out, and more generously for
 * the account and the address alone. In memory only: a restart forgives.
 */
import { isIPv6 } from 'node:net';
import type { Clock } from '../../base/clock.ts';

const firstWaitMs = 30_000;
const maxWaitMs = 15 * 60_000;
const forgetAfterMs = 60 * 60_000;
const maxEntryCount = 4096;
const freeTries = { pair: 5, address: 20, account: 40 } as const;

interface Entry {
  tries: number;
  nextMs: number;
  lastMs: number;
}

export class LoginThrottle {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #entries = new Map<string, Entry>();

  /** `random` returns a number in [0, 1): waits are stretched by up to half, so that they can't be timed. */
  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * Counts a try *before* it is judged, so that many at once don't slip through. Returns 0, or the time to wait; a try
   * that has to wait isn't counted.
   */
  begin(account: string, address: string): number {
    const nowMs = this.#clock.monotonicMs();
    const limits = this.#limits(account, address);
    const waitMs = Math.max(...limits.map(({ key }) => (this.#find(key, nowMs)?.nextMs ?? 0) - nowMs));
    if (waitMs > 0) return waitMs;
    for (const { key, free } of limits) {
      const entry = this.#find(key, nowMs) ?? { tries: 0, nextMs: 0, lastMs: nowMs };
      entry.tries += 1;
      entry.lastMs = nowMs;
      if (entry.tries >= free) {
        const plainMs = Math.min(maxWaitMs, firstWaitMs * 2 ** Math.min(entry.tries - free, 20));
        entry.nextMs = nowMs + plainMs * (1 + this.#random() / 2);
      }
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    while (this.#entries.size > maxEntryCount) {
      this.#entries.delete(this.#entries.keys().next().value ?? '');
    }
    return 0;
  }

  succeeded(account: string, address: string): void {
    for (const { key } of this.#limits(account, address)) this.#entries.delete(key);
  }

  #find(key: string, nowMs: number): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && nowMs - entry.lastMs < forgetAfterMs ? entry : undefined;
  }

  #limits(account: string, address: string): readonly { key: string; free: number }[] {
    const from = addressKey(address);
    return [
      { key: `pair ${from} ${account}`, free: freeTries.pair },
      { key: `address ${from}`, free: freeTries.address },
      { key: `account ${account}`, free: freeTries.account },
    ];
  }
}

/** One household network has a whole IPv6 /64 to try from, so that counts as one address. */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((g) => Number.parseInt(g, 16).toString(16))
    .join(':')}::/64`;
}
