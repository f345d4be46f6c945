import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { ensurePrivateDir, writeFileDurable } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import { SeenMessages } from './seen-messages.ts';

/**
 * Puts raw messages on the disk, unread: one file each in `spool/inbox`, which the owner program reads and deletes.
 * Nothing here looks into an envelope, so that what it says can't change what the courier does.
 */
export const maxMessageBytes = 48 * 1024;
/** What a file takes on the disk at least. */
const blockBytes = 4096;
const recountEveryMs = 1000;

export interface InboxOptions {
  readonly dataDir: string;
  /** Topics outside these prefixes are not ours, whatever a broker sends. */
  readonly topicPrefixes: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  readonly maxSpoolBytes?: number;
}

export class Inbox {
  readonly #options: InboxOptions;
  readonly #dir: string;
  readonly #maxSpoolBytes: number;
  readonly #seen: SeenMessages;
  #usedBytes: number;
  #countedAtMs: number;
  #spooledCount = 0;
  #droppedCount = 0;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#dir = join(options.dataDir, 'spool', 'inbox');
    this.#maxSpoolBytes = options.maxSpoolBytes ?? 50_000_000;
    ensurePrivateDir(this.#dir);
    this.#seen = new SeenMessages(join(options.dataDir, 'spool', 'seen.json'), options.clock);
    this.#usedBytes = this.#count();
    this.#countedAtMs = options.clock.monotonicMs();
  }

  get spooledCount(): number {
    return this.#spooledCount;
  }

  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Returns true when the message is new and on the disk. Never throws: a full disk drops the message and counts it. */
  accept(topic: string, envelope: Uint8Array): boolean {
    const { clock, log } = this.#options;
    const ours = topic.length <= 256 && this.#options.topicPrefixes.some((prefix) => topic.startsWith(prefix));
    // An empty message is how a publisher takes a retained one off the broker: nothing to spool, nothing lost.
    if (ours && envelope.length === 0) return false;
    if (!ours || envelope.length > maxMessageBytes) return this.#drop('refused');
    const hash = createHash('sha256').update(topic).update('\0').update(envelope).digest('hex').slice(0, 32);
    if (this.#seen.has(hash)) return false;
    const receivedAtMs = Math.trunc(clock.wallMs());
    const text = JSON.stringify({ topic, receivedAtMs, envelope: Buffer.from(envelope).toString('base64') });
    const bytes = Math.max(blockBytes, Buffer.byteLength(text));
    if (!this.#hasRoom(bytes)) return this.#drop('full');
    try {
      writeFileDurable(join(this.#dir, `${receivedAtMs}-${randomBytes(8).toString('hex')}.json`), text);
    } catch (thrown) {
      log.error('inbox write failed', thrown);
      return this.#drop('disk');
    }
    this.#usedBytes += bytes;
    this.#spooledCount += 1;
    this.#seen.add(hash);
    return true;
  }

  /** Writes the set of seen messages if it changed. Losing it only means that retained messages are spooled once more. */
  flush(): void {
    this.#seen.flush();
  }

  /** Lets retained messages be spooled again at the next refresh, for an owner who lost them or trusts more than before. */
  forgetSeen(): void {
    this.#seen.clear();
  }

  #hasRoom(bytes: number): boolean {
    if (this.#usedBytes + bytes <= this.#maxSpoolBytes) return true;
    // The owner deletes files, so the count only shrinks by looking; under a flood, not more than once a second.
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#countedAtMs >= recountEveryMs) {
      this.#countedAtMs = nowMs;
      this.#usedBytes = this.#count();
    }
    return this.#usedBytes + bytes <= this.#maxSpoolBytes;
  }

  #count(): number {
    let total = 0;
    for (const name of readdirSync(this.#dir)) {
      const size = statSync(join(this.#dir, name), { throwIfNoEntry: false })?.size ?? 0;
      total += Math.max(blockBytes, size);
    }
    return total;
  }

  #drop(reason: string): false {
    this.#droppedCount += 1;
    if (this.#droppedCount === 1 || this.#droppedCount % 1000 === 0) {
      this.#options.log.warn('inbox dropped', { reason, count: this.#droppedCount });
    }
    return false;
  }
}
