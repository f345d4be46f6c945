import mqtt from 'mqtt';
import { AgentError } from '../../agent/base/errors.ts';
import { checkAgency } from '../../agent/protocol/agency-check.ts';
import { checkRevocation } from '../../agent/protocol/receipt-check.ts';
import { topicOf } from '../../agent/protocol/topics.ts';
import { readRequired } from './key-files.ts';
import { checkSignedRequest } from './request.ts';
import { pinnedRootOf, type RootFile } from './root.ts';

/**
 * Puts documents on the broker: QoS 1, retained until they expire, so that a device that was off gets them later.
 * Everything is checked first as devices will check it: what they would reject is not published.
 */
export interface PublishTarget {
  /** `mqtts://host:port`; `mqtt://` on this machine. */
  readonly url: string;
  readonly caFile?: string | undefined;
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
}

export interface Published {
  readonly topics: readonly string[];
  readonly expiresInS: number;
}

interface Authority {
  readonly broker: PublishTarget;
  readonly agency: Uint8Array;
  readonly root: RootFile;
  readonly nowMs: number;
}

export async function publishRequest(options: Authority & { readonly request: Uint8Array }): Promise<Published> {
  const { topic, request } = checkSignedRequest(options);
  const expiresInS = request.expires_at - Math.floor(options.nowMs / 1000);
  await send(options.broker, [{ topic, payload: options.request }], expiresInS);
  return { topics: [topic], expiresInS };
}

export async function publishAgency(options: Authority): Promise<Published> {
  const { agency } = checkAgency({ agency: options.agency, roots: [pinnedRootOf(options.root)], nowMs: options.nowMs });
  const topics = agency.regions.map((region) => topicOf({ type: 'ag', region, agency: agency.agency }));
  const expiresInS = agency.expires_at - Math.floor(options.nowMs / 1000);
  await send(
    options.broker,
    topics.map((topic) => ({ topic, payload: options.agency })),
    expiresInS,
  );
  return { topics, expiresInS };
}

/** Publishes a revocation in every region of the agency and takes a revoked request off the broker. */
export async function publishRevocation(options: Authority & { readonly revocation: Uint8Array }): Promise<Published> {
  const { nowMs, revocation } = options;
  const checked = checkAgency({ agency: options.agency, roots: [pinnedRootOf(options.root)], nowMs });
  const { document } = checkRevocation({ revocation, agency: checked, nowMs });
  const { agency, seq, kind, target } = document;
  const { regions } = checked.agency;
  const topics = regions.map((region) => topicOf({ type: 'rv', region, agency, seq }));
  const cleared =
    kind === 'request' ? regions.map((region) => topicOf({ type: 'rq', region, agency, requestId: target })) : [];
  // As long as any request that it may concern, and for a key as long as the document that lists it.
  const expiresInS = kind === 'request' ? 16 * 86_400 : checked.agency.expires_at - Math.floor(nowMs / 1000);
  const messages = topics.map((topic) => ({ topic, payload: revocation }));
  await send(
    options.broker,
    [...messages, ...cleared.map((topic) => ({ topic, payload: new Uint8Array(0) }))],
    expiresInS,
  );
  return { topics, expiresInS };
}

async function send(
  target: PublishTarget,
  messages: readonly { readonly topic: string; readonly payload: Uint8Array }[],
  expiresInS: number,
): Promise<void> {
  const password = target.passwordFile === undefined ? undefined : readRequired(target.passwordFile, 4096);
  let client: mqtt.MqttClient | undefined;
  try {
    client = await mqtt.connectAsync(
      target.url,
      {
        protocolVersion: 5,
        clean: true,
        reconnectPeriod: 0,
        connectTimeout: 15_000,
        ...(target.caFile === undefined ? {} : { ca: readRequired(target.caFile, 1 << 20) }),
        ...(target.username === undefined ? {} : { username: target.username }),
        ...(password === undefined ? {} : { password: password.toString('utf8').trim() }),
      },
      false,
    );
    for (const { topic, payload } of messages) {
      const properties = payload.length === 0 ? {} : { properties: { messageExpiryInterval: expiresInS } };
      await client.publishAsync(topic, Buffer.from(payload), { qos: 1, retain: true, ...properties });
    }
  } catch (thrown) {
    if (thrown instanceof AgentError) throw thrown;
    const why = thrown instanceof Error && thrown.message !== '' ? thrown.message : 'no answer';
    throw new AgentError('unavailable', 'portal/broker-unavailable', `Cannot publish: the broker says "${why}"`, {
      cause: thrown,
    });
  } finally {
    await client?.endAsync();
  }
}
