import { randomBytes } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { ErrorWithSubackPacket, type IClientOptions, MqttClient, UniqueMessageIdProvider } from 'mqtt';
import type { Clock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { Backoff } from '../base/retry.ts';
import type { BrokerAddress } from './broker-address.ts';
import { QuietStream } from './quiet-stream.ts';

/**
 * Listens to the regions' topics for ever and says nothing: QoS 0, clean start, a new client with a new random id for
 * every connection, one SUBSCRIBE. Two devices can't be told apart by what they send, whatever they think of it.
 * The connection is renewed when the transport is lost and every `refreshMs`, never because of what arrived.
 */
export const maxPacketBytes = 50 * 1024;
const connectTimeoutMs = 30_000;
const lastedMs = 60_000;

export type BrokerState = 'connected' | 'unavailable' | 'not-configured';

export interface SubscriberOptions {
  readonly address: BrokerAddress;
  /** Topic filters, sent in this order in one SUBSCRIBE. */
  readonly filters: readonly string[];
  readonly keepaliveS: number;
  readonly refreshMs: number;
  readonly onMessage: (topic: string, payload: Buffer) => void;
  readonly onState: (state: BrokerState) => void;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  readonly backoff?: Backoff;
}

/** Resolves after an abort. */
export async function subscribeForever(options: SubscriberOptions): Promise<void> {
  const { signal, clock, log } = options;
  const backoff = options.backoff ?? new Backoff({ firstMs: 1000, maxMs: 300_000 });
  while (!signal.aborted) {
    let subscribedAtMs: number | undefined;
    try {
      await stayConnected(options, () => {
        subscribedAtMs = clock.monotonicMs();
        options.onState('connected');
        log.info('broker connected');
      });
    } catch (thrown) {
      if (signal.aborted) break;
      options.onState('unavailable');
      log.error('broker lost', thrown);
      // A connection that lasted earns an immediate new one; a broker that drops everybody at once doesn't.
      const lasted = subscribedAtMs !== undefined && clock.monotonicMs() - subscribedAtMs >= lastedMs;
      if (lasted) backoff.reset();
      else await clock.sleep(backoff.nextMs(), signal).catch(() => undefined);
    }
  }
}

/** One connection from CONNECT to its end. Resolves at refresh time or abort, rejects when the transport is lost. */
async function stayConnected(options: SubscriberOptions, onSubscribed: () => void): Promise<void> {
  const { address, signal } = options;
  const client = new MqttClient(() => new QuietStream(openTransport(address), maxPacketBytes), clientOptions(options));
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  try {
    await new Promise<void>((resolve, reject) => {
      client.on('error', (error) => reject(brokerError(error)));
      client.on('close', () => reject(brokerError(undefined)));
      client.on('message', (topic, payload) => options.onMessage(topic, payload));
      options.clock.sleep(options.refreshMs, stop).then(resolve, () => resolve());
      client.once('connect', () => {
        client
          .subscribeAsync([...options.filters], { qos: 0 })
          .then(onSubscribed)
          .catch((thrown: unknown) =>
            reject(thrown instanceof ErrorWithSubackPacket ? refusedFilter() : brokerError(thrown)),
          );
      });
    });
  } finally {
    ended.abort();
    // Always the same ending, whatever the reason: the transport is dropped, no DISCONNECT.
    client.removeAllListeners('message');
    client.end(true);
  }
}

function clientOptions(options: SubscriberOptions): IClientOptions {
  const { address } = options;
  return {
    protocolVersion: 5,
    // Fixed length and alphabet, so that only these characters differ between two CONNECTs.
    clientId: randomBytes(12).toString('hex'),
    clean: true,
    keepalive: options.keepaliveS,
    reconnectPeriod: 0,
    resubscribe: false,
    connectTimeout: connectTimeoutMs,
    messageIdProvider: new UniqueMessageIdProvider(),
    properties: { sessionExpiryInterval: 0, maximumPacketSize: maxPacketBytes },
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
  };
}

function openTransport(address: BrokerAddress): Duplex {
  const { host, port } = address;
  if (!address.tls) return connectTcp({ host, port, noDelay: true });
  // No `session` is ever passed, so that no connection can be linked to an earlier one by a resumption ticket.
  return connectTls({
    host,
    port,
    minVersion: 'TLSv1.3',
    rejectUnauthorized: true,
    ...(address.ca === undefined ? {} : { ca: [...address.ca] }),
    ...(address.servername === undefined ? {} : { servername: address.servername }),
  });
}

function brokerError(cause: unknown): AgentError {
  if (cause instanceof AgentError) return cause;
  return new AgentError('unavailable', 'courier/broker-unavailable', 'Cannot listen to the broker: connection lost', {
    cause,
  });
}

function refusedFilter(): AgentError {
  return new AgentError('unavailable', 'courier/broker-refused', 'The broker refuses the subscription to a region');
}
