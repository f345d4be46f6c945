import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import { AgentError, systemCode } from '../../agent/base/errors.ts';
import { maxBodyBytes, ShareStore, type StoreOptions } from './share-store.ts';
import { idPattern } from './uploads.ts';

export type { KnownRequest, ReceivedShare } from './share-store.ts';

/**
 * Receives shares over tus: a body and a header per share, for requests of this agency that are still open, and later the
 * owner's demand that it be deleted. A share is complete when both parts are there; only then does it get a folder of its
 * own. Nothing received can be read back, and what became a share can't be changed.
 */
export interface IntakeOptions extends StoreOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly bind?: string;
  readonly tls?: { readonly certificatePem: string; readonly keyPem: string };
  readonly limits?: Partial<ConnectionLimits>;
}

/** Against senders that hold connections: they get an end however slowly they write. */
export interface ConnectionLimits {
  /** For all headers of a request. */
  readonly headersMs: number;
  /** For a whole request; a body that takes longer is resumed. */
  readonly requestMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
  readonly connections: number;
}

export interface Intake {
  /** The endpoint for the agency document. */
  readonly url: string;
  /** Deletes what never became a share and whose time is over; returns how many uploads. */
  purge(): number;
  close(): Promise<void>;
}

const path = '/files';
const defaultLimits: ConnectionLimits = { headersMs: 20_000, requestMs: 900_000, idleMs: 60_000, connections: 1000 };
/** Features of tus that a share doesn't need, and that would get around what is checked at creation. */
const foreignHeaders = ['upload-concat', 'upload-defer-length', 'upload-checksum', 'x-http-method-override'];

export async function startIntake(options: IntakeOptions): Promise<Intake> {
  const store = new ShareStore(options);
  await store.recover();
  const tus = new Server({
    path,
    datastore: new FileStore({ directory: store.incomingDir }),
    relativeLocation: true,
    allowedOrigins: [],
    maxSize: maxBodyBytes,
    onUploadCreate: async (_request, upload) => {
      store.admit(upload.metadata ?? {}, upload.size ?? Number.NaN);
      return {};
    },
    onUploadFinish: async (_request, upload) => {
      await store.finish(upload.metadata?.['share_id'] ?? '');
      return {};
    },
  });
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const refusal = refusalOf(request, store);
    if (refusal !== undefined) {
      // What is still coming of the body is not read.
      response.writeHead(refusal, { connection: 'close' }).end();
      return;
    }
    tus.handle(request, response).catch(() => response.destroy());
  };
  const { tls } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const connectionsCheckingInterval = Math.min(5000, limits.headersMs);
  const server =
    tls === undefined
      ? createServer({ connectionsCheckingInterval }, serve)
      : createTlsServer({ cert: tls.certificatePem, key: tls.keyPem, connectionsCheckingInterval }, serve);
  boundConnections(server, limits);
  const { bind = '127.0.0.1' } = options;
  const port = await listen(server, options.port, bind);
  const timer = setInterval(() => store.purge(), 3600_000);
  timer.unref();
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${bind.includes(':') ? `[${bind}]` : bind}:${port}${path}`,
    purge: () => store.purge(),
    close: async () => {
      clearInterval(timer);
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Only what a device sends gets as far as the tus server, whatever else that one would answer. */
function refusalOf({ method = '', url = '', headers }: IncomingMessage, store: ShareStore): number | undefined {
  if (!['POST', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS'].includes(method)) return 405;
  if (foreignHeaders.some((name) => headers[name] !== undefined)) return 400;
  if (url === path || url === `${path}/`) return method === 'POST' || method === 'OPTIONS' ? undefined : 405;
  const id = url.startsWith(`${path}/`) ? url.slice(path.length + 1) : '';
  if (!idPattern.test(id)) return 404;
  if (method === 'POST' || method === 'OPTIONS') return 405;
  return method === 'PATCH' && store.isClosed(id) ? 403 : undefined;
}

function boundConnections(server: HttpServer, limits: ConnectionLimits): void {
  server.headersTimeout = limits.headersMs;
  server.requestTimeout = limits.requestMs;
  server.maxConnections = limits.connections;
  server.setTimeout(limits.idleMs, (socket) => socket.destroy());
}

/** Resolves with the port. */
function listen(server: HttpServer, port: number, bind: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (thrown) => {
      const why = systemCode(thrown) === 'EADDRINUSE' ? `port ${port} is taken` : thrown.message;
      reject(new AgentError('unavailable', 'portal/cannot-listen', `Cannot receive shares: ${why}`, { cause: thrown }));
    });
    server.listen(port, bind, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
