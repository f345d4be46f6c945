import { existsSync, type FSWatcher, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { ensurePrivateDir } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import { readShareStatus, removeShareStatus, type ShareStatus, statusDir } from './share-status.ts';
import { sendShare } from './share-worker.ts';
import type { UploadOptions } from './tus-client.ts';
import type { RetryPace } from './upload.ts';

/**
 * Watches `spool/outbox`: a folder per share, put there by the owner program when the share may leave. Starts a worker
 * for each, tells it of a withdrawal, and forgets a share whose folder the owner has removed.
 */
export interface OutboxOptions {
  readonly dataDir: string;
  readonly uploads: UploadOptions;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  readonly pollMs?: number;
  readonly retry?: RetryPace;
}

interface Sending {
  readonly withdrawn: AbortController;
  ended: boolean;
  readonly done: Promise<void>;
}

const shareIdPattern = /^[0-9a-f]{32}$/;

/** Resolves after an abort, when every worker has stopped. */
export async function watchOutbox(options: OutboxOptions): Promise<void> {
  const { dataDir, signal, clock, log } = options;
  const pollMs = options.pollMs ?? 1000;
  const dir = join(dataDir, 'spool', 'outbox');
  ensurePrivateDir(dir);
  ensurePrivateDir(statusDir(dataDir));
  const sending = new Map<string, Sending>();
  using changes = new Changes(dir);
  while (!signal.aborted) {
    try {
      scan(options, dir, pollMs, sending);
    } catch (thrown) {
      log.error('outbox scan failed', thrown);
    }
    await changes.next(clock, pollMs, signal);
  }
  await Promise.all([...sending.values()].map(({ done }) => done));
}

function scan(options: OutboxOptions, dir: string, pollMs: number, sending: Map<string, Sending>): void {
  const present = new Set(readdirSync(dir).filter((name) => shareIdPattern.test(name)));
  for (const shareId of present) {
    const withdrawn = existsSync(join(dir, shareId, 'withdrawn'));
    const current = sending.get(shareId);
    if (current !== undefined && !current.ended) {
      if (withdrawn) current.withdrawn.abort();
    } else if (hasWork(readShareStatus(options.dataDir, shareId), withdrawn)) {
      sending.set(shareId, start(options, shareId, pollMs, withdrawn));
    }
  }
  for (const [shareId, current] of sending) {
    if (present.has(shareId)) continue;
    // A folder that is gone says the same as a withdrawal, unless everything had been sent.
    if (!current.ended) current.withdrawn.abort();
    else sending.delete(shareId);
  }
  for (const name of readdirSync(statusDir(options.dataDir))) {
    const shareId = name.replace(/\.json$/, '');
    if (shareIdPattern.test(shareId) && !present.has(shareId) && !sending.has(shareId)) {
      removeShareStatus(options.dataDir, shareId);
    }
  }
}

/** After an end, only a withdrawal of something that failed half-way is still worth a request. */
function hasWork(status: ShareStatus | undefined, withdrawn: boolean): boolean {
  if (status === undefined || status.state === 'uploading' || status.state === 'body-done') return true;
  return status.state === 'failed' && (withdrawn || status.code === 'courier/no-dispatch');
}

function start(options: OutboxOptions, shareId: string, pollMs: number, withdrawn: boolean): Sending {
  const controller = new AbortController();
  if (withdrawn) controller.abort();
  const done = sendShare({
    dataDir: options.dataDir,
    shareId,
    uploads: options.uploads,
    retry: options.retry ?? { firstMs: 1000, maxMs: 300_000 },
    pollMs,
    clock: options.clock,
    log: options.log,
    signal: options.signal,
    withdrawn: controller.signal,
  })
    .catch((thrown: unknown) => options.log.error('share worker failed', thrown, { share: shareId.slice(0, 8) }))
    .finally(() => {
      sending.ended = true;
    });
  const sending: Sending = { withdrawn: controller, ended: false, done };
  return sending;
}

/** Wakes on a change of the folder; the poll finds what a watcher can't see, or when there is none. */
class Changes {
  readonly #watcher: FSWatcher | undefined;
  #wake: () => void = () => undefined;

  constructor(dir: string) {
    try {
      this.#watcher = watch(dir, () => this.#wake());
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      this.#watcher = undefined;
    }
  }

  async next(clock: Clock, pollMs: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await clock.sleep(pollMs, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
  }
}
