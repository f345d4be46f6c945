import mqtt from 'mqtt';
import { AgentError } from '../../agent/base/errors.ts';
import { checkAgency } from '../../agent/protocol/agency-check.ts';
import { checkDirectoryPage, joinDirectory } from '../../agent/protocol/directory-check.ts';
import { checkOutcome } from '../../agent/protocol/follow-up-check.ts';
import { checkNotice } from '../../agent/protocol/notice-check.ts';
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

export async function publishNotice(options: Authority & { readonly notice: Uint8Array }): Promise<Published> {
  const { nowMs, notice } = options;
  const agency = checkAgency({ agency: options.agency, roots: [pinnedRootOf(options.root)], nowMs });
  const { document } = checkNotice({ notice, agency, nowMs });
  const topic = topicOf({ type: 'nt', region: document.region, agency: document.agency, seq: document.seq });
  const expiresInS = document.expires_at - Math.floor(nowMs / 1000);
  await send(options.broker, [{ topic, payload: notice }], expiresInS);
  return { topics: [topic], expiresInS };
}

/** Outcomes stay for 400 days, so that owners whose device was off for long can still count them. */
const outcomeDays = 400;

export async function publishOutcome(options: Authority & { readonly outcome: Uint8Array }): Promise<Published> {
  const { nowMs, outcome } = options;
  const checked = checkAgency({ agency: options.agency, roots: [pinnedRootOf(options.root)], nowMs });
  const { document } = checkOutcome({ outcome, agency: checked, nowMs });
  const { agency, seq } = document;
  const topics = checked.agency.regions.map((region) => topicOf({ type: 'oc', region, agency, seq }));
  const expiresInS = outcomeDays * 86_400;
  await send(
    options.broker,
    topics.map((topic) => ({ topic, payload: outcome })),
    expiresInS,
  );
  return { topics, expiresInS };
}

/** All pages of one version; a directory with a page missing is not published. */
export async function publishDirectory(
  options: Omit<Authority, 'agency'> & { readonly pages: readonly Uint8Array[] },
): Promise<Published> {
  const { nowMs, pages } = options;
  const roots = [pinnedRootOf(options.root)];
  const checked = pages.map((page) => checkDirectoryPage({ page, roots, nowMs }));
  const { region } = joinDirectory(checked);
  const messages = checked.map(({ page }, i) => {
    return { topic: topicOf({ type: 'dir', region, page: page.page }), payload: pages[i] ?? new Uint8Array(0) };
  });
  const expiresInS = Math.min(...checked.map(({ page }) => page.expires_at)) - Math.floor(nowMs / 1000);
  await send(options.broker, messages, expiresInS);
  return { topics: messages.map(({ topic }) => topic), expiresInS };
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
