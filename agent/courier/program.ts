import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { ControlServer } from '../base/control.ts';
import { asAgentError } from '../base/errors.ts';
import { removeTemporaries } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import { regionFilter } from '../protocol/topics.ts';
import { type BrokerOptions, readBrokerAddress } from './broker-address.ts';
import { type DigestOptions, sendDigests } from './digest.ts';
import { Inbox } from './inbox.ts';
import { watchOutbox } from './outbox.ts';
import { type BrokerState, subscribeForever } from './subscriber.ts';
import type { UploadOptions } from './tus-client.ts';
import type { RetryPace } from './upload.ts';

/**
 * The courier: the only program that talks to the outside, and the one that knows least. It holds no key and no clip; it
 * carries sealed envelopes in and, with the owner's signed permission, sealed shares out.
 */
export interface CourierOptions {
  readonly dataDir: string;
  /** ISO 3166-2 codes, one to four. */
  readonly regions: readonly string[];
  readonly broker: BrokerOptions | null;
  readonly uploads: UploadOptions;
  /** Where the daily digest goes; null sends none. */
  readonly digest?: DigestOptions | null;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  readonly keepaliveS?: number;
  readonly refreshMs?: number;
  readonly retry?: RetryPace;
}

/** What the control method `status` answers. `code` says why a broker can't be used at all. */
export interface CourierStatus {
  readonly broker: BrokerState;
  readonly spooled: number;
  readonly dropped: number;
  readonly code?: string;
}

const flushEveryMs = 30_000;
const refreshEveryMs = 6 * 3600_000;

/** Resolves after an abort: subscriber and uploads stop, the control socket closes, what was seen is written. */
export async function runCourier(options: CourierOptions): Promise<void> {
  const { dataDir, regions, signal, clock, log } = options;
  const filters = regions.map(regionFilter);
  for (const folder of ['.', 'inbox', 'status']) removeTemporaries(join(dataDir, 'spool', folder));
  removeTemporaries(join(dataDir, 'spool', 'notices'), 'sent.json');
  const inbox = new Inbox({ dataDir, topicPrefixes: filters.map((filter) => filter.slice(0, -1)), clock, log });
  let state: { broker: BrokerState; code?: string } = { broker: 'not-configured' };
  const setState = (broker: BrokerState): void => {
    state = { broker };
  };
  const control = await ControlServer.listen(join(dataDir, 'run', 'courier.sock'), {
    status: (): CourierStatus => ({ ...state, spooled: inbox.spooledCount, dropped: inbox.droppedCount }),
    forgetSeen: () => inbox.forgetSeen(),
  });
  const jobs = [
    watchOutbox({
      dataDir,
      uploads: options.uploads,
      signal,
      clock,
      log,
      ...(options.retry ? { retry: options.retry } : {}),
    }),
    flushRegularly(inbox, options),
  ];
  const { digest } = options;
  if (digest !== undefined && digest !== null) {
    const retry = options.retry === undefined ? {} : { retry: options.retry };
    jobs.push(sendDigests({ dataDir, digest, signal, clock, log, ...retry }));
  }
  if (options.broker !== null && filters.length > 0) {
    setState('unavailable');
    try {
      const address = readBrokerAddress(options.broker);
      const job = subscribeForever({
        address,
        filters,
        keepaliveS: options.keepaliveS ?? 120,
        refreshMs: options.refreshMs ?? refreshEveryMs,
        onMessage: (topic, payload) => inbox.accept(topic, payload),
        onState: setState,
        signal,
        clock,
        log,
      });
      jobs.push(job);
    } catch (thrown) {
      // Uploads of shares already approved go on without a broker.
      state = { broker: 'unavailable', code: asAgentError(thrown).code };
      log.error('broker not usable', thrown);
    }
  }
  await Promise.all(jobs);
  await control.close();
  inbox.flush();
}

async function flushRegularly(inbox: Inbox, options: CourierOptions): Promise<void> {
  const { signal, clock, log } = options;
  while (!signal.aborted) {
    await clock.sleep(flushEveryMs, signal).catch(() => undefined);
    try {
      inbox.flush();
    } catch (thrown) {
      log.error('seen messages not written', thrown);
    }
  }
}
