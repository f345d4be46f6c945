import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { rootCertificates } from 'node:tls';
import { AgentError } from '../base/errors.ts';
import { isLoopback, readText } from './broker-address.ts';
import { isPublicAddress, privateAddress, publicLookup } from './public-address.ts';

/**
 * The four requests of tus 1.0 that a share needs, over node:https. Written here rather than taken from tus-js-client,
 * which believes whatever offset a server answers, follows a Location to any host, and gives up its own address look-up
 * behind a proxy: each of these is a promise of ours. No redirects, cookies, user agent or file name are ever sent.
 */
export interface UploadOptions {
  /** `http://host:port` of a proxy that understands CONNECT. It sees where to, and resolves the name. */
  readonly proxy?: string | undefined;
  /** Only for tests and the demo: endpoints on this machine, also without TLS. */
  readonly allowPrivateAddresses: boolean;
  readonly caFile?: string | undefined;
}

/** A server that stays silent for so long is gone; one that dribbles is given up as well. */
const idleMs = 60_000;
const requestMs = 15 * 60_000;
/** Two of them are remembered in a status file, which has to stay within what is read of one. */
const maxLocationChars = 4096;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

export type ServerOffset = { readonly offset: number } | 'gone';

export class TusClient {
  readonly #endpoint: URL;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #options: UploadOptions;

  /** Throws before any socket is opened when the endpoint itself is not allowed. */
  constructor(endpoint: string, options: UploadOptions) {
    this.#endpoint = new URL(endpoint);
    this.#options = options;
    const host = this.#endpoint.hostname.replace(/^\[|\]$/g, '');
    if (!options.allowPrivateAddresses && isIP(host) !== 0 && !isPublicAddress(host)) throw privateAddress();
    const encrypted = this.#endpoint.protocol === 'https:';
    if (!encrypted && !(options.allowPrivateAddresses && isLoopback(host))) {
      throw refused('the endpoint does not use https');
    }
    const proxy = options.proxy === undefined ? undefined : checkProxy(options.proxy);
    const common = { keepAlive: true, maxSockets: 1, timeout: idleMs };
    const proxyEnv = proxy === undefined ? {} : { proxyEnv: { HTTPS_PROXY: proxy, HTTP_PROXY: proxy } };
    const ca = options.caFile === undefined ? {} : { ca: [...rootCertificates, readText(options.caFile)] };
    this.#agent = encrypted
      ? // Sessions are not resumed, so that two uploads can't be linked by a ticket.
        new HttpsAgent({ ...common, ...proxyEnv, ...ca, maxCachedSessions: 0 })
      : new HttpAgent({ ...common, ...proxyEnv });
  }

  /** Creates an upload and returns its address, which is of the endpoint's own origin. */
  async create(lengthBytes: number, metadata: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
    const pairs = Object.entries(metadata).map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`);
    const answer = await this.#request('POST', this.#endpoint, signal, {
      'Upload-Length': String(lengthBytes),
      'Upload-Metadata': pairs.join(','),
      'Content-Length': '0',
    });
    if (answer.status !== 201) throw unexpected(answer.status);
    const location = answer.headers.location ?? '';
    const url = location.length > maxLocationChars ? null : URL.parse(location, this.#endpoint.href);
    if (location === '' || url === null || url.origin !== this.#endpoint.origin || url.username !== '') {
      throw new AgentError(
        'refused',
        'upload/foreign-location',
        'Cannot upload: the server points to another host for the upload, or to no usable address',
      );
    }
    return url.href;
  }

  /** True when an address remembered from an earlier run still belongs to the endpoint. */
  owns(url: string): boolean {
    return URL.parse(url)?.origin === this.#endpoint.origin;
  }

  async offset(url: string, lengthBytes: number, signal: AbortSignal): Promise<ServerOffset> {
    const answer = await this.#request('HEAD', new URL(url), signal);
    if (isGone(answer.status)) return 'gone';
    if (answer.status !== 200 && answer.status !== 204) throw unexpected(answer.status);
    const announced = answer.headers['upload-length'];
    if (announced !== undefined && Number(announced) !== lengthBytes) return 'gone';
    return { offset: readOffset(answer.headers) };
  }

  /** Appends bytes at `offset`. `conflict`: the server is at another offset, ask it. */
  async append(
    url: string,
    offset: number,
    bytes: Uint8Array,
    signal: AbortSignal,
  ): Promise<ServerOffset | 'conflict'> {
    const headers = {
      'Upload-Offset': String(offset),
      'Content-Type': 'application/offset+octet-stream',
      'Content-Length': String(bytes.length),
    };
    const answer = await this.#request('PATCH', new URL(url), signal, headers, bytes);
    if (isGone(answer.status)) return 'gone';
    if (answer.status === 409) return 'conflict';
    if (answer.status !== 204 && answer.status !== 200) throw unexpected(answer.status);
    return { offset: readOffset(answer.headers) };
  }

  /** Asks the server to delete the upload; it may refuse. */
  async terminate(url: string, signal: AbortSignal): Promise<void> {
    await this.#request('DELETE', new URL(url), signal, { 'Content-Length': '0' });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #request(
    method: string,
    url: URL,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>> = {},
    body?: Uint8Array,
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const guarded = !this.#options.allowPrivateAddresses && this.#options.proxy === undefined;
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, {
      method,
      agent: this.#agent,
      headers: { 'Tus-Resumable': '1.0.0', ...headers },
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestMs)]),
      timeout: idleMs,
      ...(guarded ? { lookup: publicLookup() } : {}),
    });
    request.on('timeout', () => request.destroy(new Error('silent')));
    request.on('error', (error) => reject(signal.aborted ? error : unreachable(error)));
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      // The answer's body means nothing to us: it is read to its end only if it is short.
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > 65_536) response.destroy();
      });
      response.on('error', () => undefined);
      if (status >= 300 && status < 400) {
        reject(
          new AgentError('refused', 'upload/redirected', 'Cannot upload: the server wants to redirect the upload'),
        );
      } else {
        resolve({ status, headers: response.headers });
      }
    });
    request.end(body);
    return promise;
  }
}

function checkProxy(proxy: string): string {
  const url = URL.parse(proxy);
  if (url?.protocol !== 'http:' || url.hostname === '') {
    throw new AgentError('config', 'courier/bad-proxy', 'Cannot use the upload proxy: it must be http://HOST:PORT');
  }
  return url.href;
}

function isGone(status: number): boolean {
  return status === 404 || status === 410;
}

function readOffset(headers: IncomingHttpHeaders): number {
  const text = headers['upload-offset'];
  if (typeof text !== 'string' || !/^\d{1,15}$/.test(text)) {
    throw new AgentError('unavailable', 'upload/unavailable', 'Cannot upload: the server answers without an offset');
  }
  return Number(text);
}

function refused(why: string, status?: number): AgentError {
  return new AgentError('refused', 'upload/refused', `Cannot upload: ${why}`, {
    detail: status === undefined ? {} : { status },
  });
}

/** Busy and broken servers are tried again; a server that says no is not. */
function unexpected(status: number): AgentError {
  const again = status >= 500 || status < 300 || [408, 423, 425, 429].includes(status);
  if (!again) return refused(`the server refuses with status ${status}`, status);
  return new AgentError(
    'unavailable',
    'upload/unavailable',
    `Cannot upload: the server answers with status ${status}`,
    {
      detail: { status },
    },
  );
}

function unreachable(cause: unknown): AgentError {
  for (let at: unknown = cause; at instanceof Error; at = at.cause) if (at instanceof AgentError) return at;
  return new AgentError('unavailable', 'upload/unavailable', 'Cannot upload: the server is not reachable', { cause });
}
