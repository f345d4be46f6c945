/**
 * Server-sent events: hints to the page that something changed. A stream ends with its session, a reader that doesn't
 * keep up is dropped, and a comment every 20 s shows both sides that the other is still there.
 */
import { Readable } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import { AgentError } from '../../base/errors.ts';
import type { Session, Sessions } from './sessions.ts';
import type { Change, OnChange } from './types.ts';

const beatMs = 20_000;
const maxStreamCount = 32;
/** One person's open pages must not keep the others' from following. */
const maxPerAccountCount = 12;

export class EventStreams {
  readonly #streams = new Map<Readable, Session>();
  readonly #sessions: Sessions;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  /** Runs until the signal aborts. */
  async run(clock: Clock, onChange: OnChange | undefined, signal: AbortSignal): Promise<void> {
    const unsubscribe = onChange?.((change) => this.#send(change)) ?? (() => {});
    try {
      for (;;) {
        await clock.sleep(beatMs, signal);
        this.#write(': still here\n\n');
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    } finally {
      unsubscribe();
      for (const stream of this.#streams.keys()) stream.push(null);
    }
  }

  /** Throws `api/too-many-streams` beyond 32, or 12 of one account. */
  open(session: Session): Readable {
    const own = [...this.#streams.values()].filter((s) => s.account.name === session.account.name);
    if (this.#streams.size >= maxStreamCount || own.length >= maxPerAccountCount) {
      throw new AgentError('unavailable', 'api/too-many-streams', 'Cannot follow changes: too many pages are open');
    }
    const stream = new Readable({ read: () => {}, highWaterMark: 64 * 1024 });
    this.#streams.set(stream, session);
    stream.once('close', () => this.#streams.delete(stream));
    stream.push('retry: 3000\n\n');
    return stream;
  }

  #send(change: Change): void {
    this.#write(`event: change\ndata: ${JSON.stringify(change)}\n\n`);
  }

  #write(text: string): void {
    for (const [stream, session] of this.#streams) {
      if (!this.#sessions.isLive(session)) stream.push(null);
      else if (!stream.push(text)) stream.destroy();
    }
  }
}
