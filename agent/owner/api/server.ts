/**
 * The owner's page and API on the LAN: a thin door to `OwnerService`. Host and origin are checked before anything else
 * on every route; without a session only the log-in and the static page answer; before the first account exists it
 * listens on loopback only.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import type { Clock } from '../../base/clock.ts';
import { AgentError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { OwnerService } from '../service.ts';
import { accountMark, hasAccounts } from './accounts.ts';
import { EventStreams } from './events.ts';
import { checkHost, checkOrigin, machineAddresses, oneHost, securityHeaders } from './guard.ts';
import { ensureHouseTls } from './house-tls.ts';
import { listen, repeat, stopListening } from './listening.ts';
import { Logins } from './logins.ts';
import { addPage } from './page-files.ts';
import { asProblem, bodyOf, notJson, statusOf } from './problems.ts';
import { checkAccess, checkUnlocked, routes } from './routes.ts';
import { Sessions } from './sessions.ts';
import type { OnChange } from './types.ts';

const bodyLimitBytes = 64 * 1024;
const accountPollMs = 2000;
const renewalPollMs = 10 * 60_000;

export interface ApiOptions {
  readonly service: OwnerService;
  /** Shared with the control socket, so that both count wrong tries together. */
  readonly logins?: Logins;
  readonly dataDir: string;
  /** Address to listen on once an account exists. */
  readonly host: string;
  /** 0 chooses a free one. */
  readonly port: number;
  /** Names besides this machine's `NAME.local` under which the page may be asked for. */
  readonly names: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onChange?: OnChange;
  /** The built page; by default `agent/web/dist`. */
  readonly webDir?: string;
  readonly addresses?: () => readonly string[];
  readonly random?: () => number;
}

export interface Api {
  readonly url: string;
  /** SHA-256 of the house authority, as `openssl x509 -fingerprint -sha256` prints it. */
  readonly fingerprint: string;
  readonly close: () => Promise<void>;
}

export async function startApi(options: ApiOptions): Promise<Api> {
  const { clock, log, dataDir } = options;
  const addresses = options.addresses ?? machineAddresses;
  const names = allowedNames(options.names);
  const sessions = new Sessions(clock, (name) => accountMark(dataDir, name));
  const events = new EventStreams(sessions);
  const logins = options.logins ?? new Logins({ dataDir, clock, random: options.random ?? Math.random });
  const readTls = () => ensureHouseTls({ dataDir, names, addresses: addresses(), nowMs: clock.wallMs() });

  const tls = await readTls();
  let handle: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  const server = createServer(
    {
      cert: tls.chainPem,
      key: tls.keyPem,
      minVersion: 'TLSv1.2',
      maxHeaderSize: 16 * 1024,
      handshakeTimeout: 10_000,
      headersTimeout: 10_000,
      requestTimeout: 30_000,
    },
    (request, response) => handle?.(request, response),
  );
  server.maxConnections = 256;
  const app = fastify({
    bodyLimit: bodyLimitBytes,
    exposeHeadRoutes: false,
    // A path that can't be decoded is answered before any hook runs, and must be answered no better than any other.
    frameworkErrors: (thrown, request, answer) => {
      const reply: FastifyReply = answer;
      void reply.headers(securityHeaders);
      let error = asProblem(thrown);
      try {
        checkHost(oneHost(request.raw.rawHeaders), names, addresses());
      } catch (refusal) {
        error = asProblem(refusal);
      }
      void reply.status(statusOf(error)).header('cache-control', 'no-store').send(bodyOf(error));
    },
    serverFactory: (handler) => {
      handle = handler;
      return server;
    },
  });
  addGuards(app, { names, addresses, sessions, log });
  addRoutes(app, { service: options.service, sessions, logins, events });
  await addPage(app, options.webDir ?? join(import.meta.dirname, '../../web/dist'), log);
  await app.ready();

  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    stop.abort();
    closing ??= stopListening(server).then(() => app.close());
    return closing;
  };
  const loopbackOnly = !hasAccounts(dataDir);
  await listen(server, options.port, loopbackOnly ? '127.0.0.1' : options.host);
  const { port } = server.address() as AddressInfo;
  log.info('api-listening', { port, state: loopbackOnly ? 'loopback' : 'open' });

  const forgetUnlocks = options.onChange?.((change) => {
    if (change.kind === 'lock' && change.lock === 'locked') sessions.lockAll();
  });
  signal.addEventListener('abort', () => forgetUnlocks?.(), { once: true });
  const background = [
    events.run(clock, options.onChange, signal),
    repeat(clock, renewalPollMs, signal, log, async () => {
      const fresh = await readTls();
      if (fresh.renewed) server.setSecureContext({ cert: fresh.chainPem, key: fresh.keyPem, minVersion: 'TLSv1.2' });
    }),
  ];
  if (loopbackOnly) {
    const opened = new AbortController();
    const until = AbortSignal.any([signal, opened.signal]);
    background.push(
      repeat(clock, accountPollMs, until, log, async () => {
        if (!hasAccounts(dataDir)) return;
        await stopListening(server);
        if (signal.aborted) return;
        await listen(server, port, options.host);
        opened.abort();
        log.info('api-listening', { port, state: 'open' });
      }),
    );
  }
  if (options.signal.aborted) await close();
  else options.signal.addEventListener('abort', () => void close(), { once: true });
  return {
    url: `https://${urlHost(options, names)}:${port}/`,
    fingerprint: tls.fingerprint,
    close: async () => {
      await close();
      await Promise.all(background);
    },
  };
}

/** The configured names and `NAME.local`, in lower case. Throws `api/bad-name`. */
function allowedNames(configured: readonly string[]): readonly string[] {
  const own = `${(hostname().split('.')[0] ?? '').replaceAll(/[^A-Za-z0-9-]/g, '')}.local`;
  const names = [...configured, ...(own === '.local' ? [] : [own])].map((name) => name.toLowerCase());
  for (const name of names) {
    if (!/^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(name)) {
      throw new AgentError(
        'config',
        'api/bad-name',
        `Cannot serve the page as ${JSON.stringify(name)}: not a host name`,
      );
    }
  }
  return [...new Set(names)];
}

function urlHost(options: ApiOptions, names: readonly string[]): string {
  if (options.host === '0.0.0.0' || options.host === '::') return names[0] ?? '127.0.0.1';
  return options.host.includes(':') ? `[${options.host}]` : options.host;
}

function addGuards(
  app: FastifyInstance,
  door: {
    readonly names: readonly string[];
    readonly addresses: () => readonly string[];
    readonly sessions: Sessions;
    readonly log: Log;
  },
): void {
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(securityHeaders);
    const { headers, method, raw } = request;
    const url = raw.url ?? '';
    // A path under /api that isn't in the table is treated as one that needs a log-in.
    const access = request.routeOptions.config.access ?? (url.startsWith('/api') ? 'viewer' : undefined);
    if (access !== undefined) void reply.header('cache-control', 'no-store');
    // A target in absolute form names a second host, which no browser sends to us.
    checkHost(url.startsWith('/') ? oneHost(raw.rawHeaders) : undefined, door.names, door.addresses());
    const fetchSite = headers['sec-fetch-site'];
    checkOrigin({
      method,
      isApi: access !== undefined,
      host: headers.host,
      origin: headers.origin,
      fetchSite: Array.isArray(fetchSite) ? fetchSite.join() : fetchSite,
    });
    const safe = method === 'GET' || method === 'HEAD';
    if (!safe && !/^application\/json\s*(;\s*charset=utf-8\s*)?$/i.test(headers['content-type'] ?? '')) throw notJson();
    if (access !== undefined) checkAccess(access, door.sessions.find(headers.cookie));
  });
  app.setErrorHandler((thrown, _request, reply) => {
    const error = asProblem(thrown);
    const status = statusOf(error);
    if (status >= 500) door.log.error('api-failed', error, { status });
    void reply.status(status).header('cache-control', 'no-store').type('application/json').send(bodyOf(error));
  });
  app.setNotFoundHandler(() => {
    throw new AgentError('usage', 'api/no-such-route', 'There is nothing here');
  });
}

function addRoutes(
  app: FastifyInstance,
  rooms: {
    readonly service: OwnerService;
    readonly sessions: Sessions;
    readonly logins: Logins;
    readonly events: EventStreams;
  },
): void {
  app.removeContentTypeParser('text/plain');
  for (const route of routes) {
    app.route({
      method: route.method,
      url: route.url,
      bodyLimit: route.maxBodyBytes ?? bodyLimitBytes,
      config: { access: route.access },
      handler: (request, reply) => {
        const session = rooms.sessions.find(request.headers.cookie);
        checkUnlocked(route.needs, session);
        return route.answer({
          ...rooms,
          session,
          address: request.socket.remoteAddress ?? '',
          cookie: request.headers.cookie,
          range: request.headers.range,
          params: request.params,
          query: request.query,
          body: request.body,
          reply,
        });
      },
    });
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: 'anyone' | 'viewer' | 'owner';
  }
}
