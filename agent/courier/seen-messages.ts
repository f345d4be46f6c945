import type { Clock } from '../base/clock.ts';
import { readFileLimited, writeFileDurable } from '../base/files.ts';

/**
 * Short hashes of messages already spooled, so that a refresh, which delivers every retained message again, doesn't fill
 * the disk. An entry lives until the broker hasn't sent the message for two days; the oldest go first beyond the bound.
 * What it holds depends on what the region published and on nothing that the owner did.
 */
const maxEntries = 8192;
const keepMs = 2 * 24 * 3600_000;
const hashPattern = /^[0-9a-f]{32}$/;

export class SeenMessages {
  readonly #path: string;
  readonly #clock: Clock;
  /** Hash → wall time of the last sighting; the order of insertion is the order of sighting. */
  readonly #lastSeenMs = new Map<string, number>();
  #dirty = false;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
    for (const [hash, ms] of readEntries(path)) this.#lastSeenMs.set(hash, ms);
  }

  /** True when known; a sighting keeps the entry alive. */
  has(hash: string): boolean {
    if (!this.#lastSeenMs.delete(hash)) return false;
    this.#set(hash);
    return true;
  }

  add(hash: string): void {
    this.#lastSeenMs.delete(hash);
    this.#set(hash);
    if (this.#lastSeenMs.size > maxEntries) {
      const oldest = this.#lastSeenMs.keys().next();
      if (oldest.done !== true) this.#lastSeenMs.delete(oldest.value);
    }
  }

  clear(): void {
    this.#lastSeenMs.clear();
    this.#dirty = true;
  }

  flush(): void {
    if (!this.#dirty) return;
    const oldestMs = this.#clock.wallMs() - keepMs;
    for (const [hash, ms] of this.#lastSeenMs) if (ms < oldestMs) this.#lastSeenMs.delete(hash);
    writeFileDurable(this.#path, JSON.stringify([...this.#lastSeenMs]));
    this.#dirty = false;
  }

  #set(hash: string): void {
    this.#lastSeenMs.set(hash, Math.trunc(this.#clock.wallMs()));
    this.#dirty = true;
  }
}

/** A file that is missing or damaged is an empty set: the worst case is a message spooled twice. */
function readEntries(path: string): [string, number][] {
  try {
    const parsed: unknown = JSON.parse(readFileLimited(path, 1 << 20)?.toString('utf8') ?? '[]');
    if (!Array.isArray(parsed)) return [];
    const entries = parsed.slice(-maxEntries).filter((entry): entry is [string, number] => {
      const [hash, ms] = Array.isArray(entry) ? (entry as unknown[]) : [];
      return typeof hash === 'string' && hashPattern.test(hash) && Number.isSafeInteger(ms);
    });
    return entries;
  } catch {
    return [];
  }
}
