/**
 * Sends the daily digest: the only word about requests that leaves the house. Its text is fixed here by its code, its moment
 * by the day alone, and every byte of it is the same whether nothing happened or ten requests were decided.
 */
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import { AgentError, asAgentError } from '../base/errors.ts';
import { readFileLimited, writeFileDurable } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import { Backoff } from '../base/retry.ts';
import { isLoopback, readText } from './broker-address.ts';

/** Where it goes: an ntfy topic, or any address that takes a POST of plain text. The owner's own choice, also in the house. */
export interface DigestOptions {
  /** `https://…`, or `http://` with a loopback host. */
  readonly url: string;
  /** PEM certificates trusted besides the well-known ones. */
  readonly caFile?: string | undefined;
  /** Sent as a bearer token. */
  readonly tokenFile?: string | undefined;
}

export interface DigestJob {
  readonly dataDir: string;
  readonly digest: DigestOptions;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  readonly pollMs?: number;
  readonly retry?: { readonly firstMs: number; readonly maxMs: number };
}

const texts: Readonly<Record<string, string>> = {
  'daily-digest': 'Latchkey, your daily word. It is the same every day. Whatever waits for you is shown at home.\n',
};
/** A quarter of an hour after the owner program writes it, so that how busy that one was can't be seen in the moment. */
const dueHour = 8;
const dueMinute = 15;
const answerMs = 60_000;

interface Written {
  readonly code: string;
  readonly day: string;
}

/** When the digest of a day (`2026-11-22`) leaves, in local time. */
export function digestDueMs(day: string): number {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date, dueHour, dueMinute).getTime();
}

/** Resolves after an abort. */
export async function sendDigests(job: DigestJob): Promise<void> {
  const { dataDir, clock, log, signal } = job;
  const sentPath = join(dataDir, 'spool', 'notices', 'sent.json');
  let givenUp = '';
  let complained = '';
  let backoff = newBackoff(job);
  let attemptAtMs = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    let waitMs = job.pollMs ?? 1000;
    try {
      const written = readDigest(join(dataDir, 'spool', 'notices', 'digest.json'));
      complained = '';
      const dueInMs = written === undefined ? waitMs : digestDueMs(written.day) - clock.wallMs();
      const done = written === undefined || written.day === givenUp || written.day === readSent(sentPath);
      if (!done && dueInMs > 0) waitMs = Math.min(waitMs, dueInMs);
      if (!done && dueInMs <= 0 && clock.monotonicMs() >= attemptAtMs) {
        const failure = await post(job, texts[written.code] ?? '').catch(asAgentError);
        if (failure === undefined) {
          writeFileDurable(sentPath, `${JSON.stringify({ day: written.day })}\n`);
          backoff = newBackoff(job);
        } else if (!signal.aborted) {
          log.warn('digest-not-sent', { code: failure.code });
          // A refusal is not repeated before the next day; everything else is, until then.
          if (failure.kind !== 'unavailable') givenUp = written.day;
          else attemptAtMs = clock.monotonicMs() + backoff.nextMs();
        }
      }
    } catch (thrown) {
      const { code } = asAgentError(thrown);
      if (code !== complained) log.error('digest not usable', thrown);
      complained = code;
    }
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }
}

function newBackoff(job: DigestJob): Backoff {
  return new Backoff(job.retry ?? { firstMs: 60_000, maxMs: 3600_000 });
}

/** What the owner program wrote, if it is one of the codes that have a text. */
function readDigest(path: string): Written | undefined {
  const bytes = readFileLimited(path, 1024);
  if (bytes === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    value = undefined;
  }
  const { code, day } = (value ?? {}) as { code?: unknown; day?: unknown };
  if (typeof code !== 'string' || !Object.hasOwn(texts, code) || typeof day !== 'string') throw badDigest();
  if (!/^\d{4}-\d\d-\d\d$/.test(day)) throw badDigest();
  return { code, day };
}

function badDigest(): AgentError {
  return new AgentError('corrupt', 'courier/bad-digest', 'Cannot send the daily digest: no text has the code it names');
}

function readSent(path: string): string | undefined {
  try {
    const { day } = JSON.parse(readFileLimited(path, 1024)?.toString('utf8') ?? '{}') as { day?: unknown };
    return typeof day === 'string' ? day : undefined;
  } catch {
    return undefined;
  }
}

/** One POST on a connection of its own: no session is kept, no redirect followed, the answer's body not read. */
async function post(job: DigestJob, text: string): Promise<undefined> {
  const { digest, signal } = job;
  const url = digestUrl(digest.url);
  const encrypted = url.protocol === 'https:';
  const token = digest.tokenFile === undefined ? undefined : readToken(digest.tokenFile);
  const ca = digest.caFile === undefined ? {} : { ca: [...rootCertificates, readText(digest.caFile)] };
  const options: RequestOptions = {
    method: 'POST',
    agent: false,
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(text)),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      Connection: 'close',
    },
    signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
    ...(encrypted ? ca : {}),
  };
  return await new Promise((resolve, reject) => {
    const sent = (encrypted ? httpsRequest : httpRequest)(url, options);
    sent.on('error', (cause) => reject(unavailable('the server is not reachable', cause)));
    sent.on('response', (response) => {
      const status = response.statusCode ?? 0;
      response.on('error', () => undefined);
      response.destroy();
      if (status >= 200 && status < 300) resolve(undefined);
      else if (status >= 500 || [408, 425, 429].includes(status)) reject(unavailable(`it answers with ${status}`));
      else
        reject(new AgentError('refused', 'digest/refused', `Cannot send the daily digest: it answers with ${status}`));
    });
    sent.end(text);
  });
}

function readToken(path: string): string {
  const token = readText(path).trim();
  if (/^[\x21-\x7e]{1,1024}$/.test(token)) return token;
  throw new AgentError('config', 'digest/bad-token', 'Cannot send the daily digest: its token file is not one word');
}

function unavailable(why: string, cause?: unknown): AgentError {
  return new AgentError('unavailable', 'digest/unavailable', `Cannot send the daily digest: ${why}`, { cause });
}

function digestUrl(text: string): URL {
  const url = URL.parse(text);
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? '';
  if (url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(host)))) return url;
  throw new AgentError(
    'config',
    'digest/not-encrypted',
    'Cannot send the daily digest: its address must be https://, or http:// on this machine',
  );
}
