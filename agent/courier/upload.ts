import type { Clock } from '../base/clock.ts';
import { AgentError, asAgentError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { Backoff } from '../base/retry.ts';
import { type CheckedFile, pieceBytes } from './checked-file.ts';
import type { TusClient } from './tus-client.ts';

/**
 * Brings one file to one server, through cut connections and restarts, always the same ciphertext. What the server says
 * is believed only as far as it can be true: an offset above what was sent means that it isn't our upload.
 */
export interface RetryPace {
  readonly firstMs: number;
  readonly maxMs: number;
}

export interface UploadJob {
  readonly client: TusClient;
  readonly file: CheckedFile;
  readonly metadata: Readonly<Record<string, string>>;
  /** Where an earlier run of the program was; `offsetBytes` is what the server had confirmed. */
  readonly resume?: { readonly url: string; readonly offsetBytes: number } | undefined;
  /** Must be durable when it returns: it is called before the first byte goes to `url`, and after every piece. */
  readonly onProgress: (url: string, offsetBytes: number) => void;
  readonly deadlineMs: number;
  readonly retry: RetryPace;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
}

const maxRestartCount = 5;

interface Position {
  url: string;
  offset: number;
  /** No more than this can have reached the server. */
  sentBytes: number;
  /** Set when the server's offset is not known for certain. */
  uncertain: boolean;
}

/** Resolves when the server has the whole file. Rejects with a final `upload/…` code, or when aborted. */
export async function uploadFile(job: UploadJob): Promise<void> {
  const { file, clock, signal, log } = job;
  const backoff = new Backoff(job.retry);
  const budget = new Budget(file.lengthBytes);
  let at = resumed(job);
  for (;;) {
    signal.throwIfAborted();
    if (clock.wallMs() >= job.deadlineMs) {
      throw new AgentError('refused', 'upload/deadline', 'Cannot upload: the time to send this share is over');
    }
    try {
      if (at === undefined) {
        const url = await job.client.create(file.lengthBytes, job.metadata, signal);
        job.onProgress(url, 0);
        at = { url, offset: 0, sentBytes: 0, uncertain: false };
      }
      const before = at.offset;
      at = await step(job, at, budget);
      if (at === undefined) {
        budget.countRestart();
        log.warn('upload starts over');
        continue;
      }
      if (at.offset > before) backoff.reset();
      if (at.offset === file.lengthBytes && !at.uncertain) return;
    } catch (thrown) {
      signal.throwIfAborted();
      const error = asAgentError(thrown);
      if (!error.retryable) throw error;
      if (at !== undefined) at.uncertain = true;
      const waitMs = Math.min(backoff.nextMs(), Math.max(0, job.deadlineMs - clock.wallMs()));
      log.warn('upload interrupted', { code: error.code, waitMs });
      await clock.sleep(waitMs, signal);
    }
  }
}

/** One request. Returns undefined when everything starts over. */
async function step(job: UploadJob, at: Position, budget: Budget): Promise<Position | undefined> {
  const { client, file, signal } = job;
  if (at.uncertain) {
    const answer = await client.offset(at.url, file.lengthBytes, signal);
    if (answer === 'gone' || answer.offset > at.sentBytes) return undefined;
    return { ...at, offset: answer.offset, uncertain: false };
  }
  if (at.offset === file.lengthBytes) return at;
  const bytes = await file.read(at.offset);
  budget.countSent(bytes.length);
  at.sentBytes = Math.max(at.sentBytes, at.offset + bytes.length);
  const answer = await client.append(at.url, at.offset, bytes, signal);
  if (answer === 'gone') return undefined;
  if (answer === 'conflict' || answer.offset <= at.offset) {
    throw new AgentError('unavailable', 'upload/unavailable', 'Cannot upload: the server does not take the bytes');
  }
  if (answer.offset > at.sentBytes) return undefined;
  job.onProgress(at.url, answer.offset);
  return { ...at, offset: answer.offset };
}

function resumed(job: UploadJob): Position | undefined {
  if (job.resume === undefined || !job.client.owns(job.resume.url)) return undefined;
  const { url, offsetBytes } = job.resume;
  // The last piece before the program ended may have arrived without its confirmation.
  const sentBytes = Math.min(job.file.lengthBytes, (Math.floor(offsetBytes / pieceBytes) + 1) * pieceBytes);
  return { url, offset: offsetBytes, sentBytes, uncertain: true };
}

/** What a server that loses everything may cost: a few new beginnings, and a few times the file. */
class Budget {
  #restartsLeft = maxRestartCount;
  #bytesLeft: number;

  constructor(lengthBytes: number) {
    this.#bytesLeft = 4 * lengthBytes + 64 * 1024 * 1024;
  }

  countRestart(): void {
    this.#restartsLeft -= 1;
    if (this.#restartsLeft < 0) throw exhausted();
  }

  countSent(bytes: number): void {
    this.#bytesLeft -= bytes;
    if (this.#bytesLeft < 0) throw exhausted();
  }
}

function exhausted(): AgentError {
  return new AgentError('refused', 'upload/refused', 'Cannot upload: the server keeps losing what it was sent');
}
