import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import { AgentError, systemCode } from '../../agent/base/errors.ts';
import { ensurePrivateDir, readFileLimited, removeDurable, syncDir, writeFileDurable } from '../../agent/base/files.ts';

/**
 * Receives shares over tus: a body and a header per share, for requests of this agency that are still open. A share is
 * complete when both are there; only then does it get a folder of its own. Nothing received can be read back.
 */
export interface KnownRequest {
  readonly requestId: string;
  /** Unix seconds. */
  readonly expiresAt: number;
}

export interface ReceivedShare {
  readonly shareId: string;
  readonly requestId: string;
  /** Holds `body.age`, `header.age` and `share.json`. */
  readonly dir: string;
  readonly receivedAtMs: number;
}

export interface IntakeOptions {
  readonly dir: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly bind?: string;
  /** Asked at every creation, so that a request published later is known too. */
  readonly knownRequests: () => readonly KnownRequest[];
  readonly tls?: { readonly certificatePem: string; readonly keyPem: string };
  readonly onShare?: (share: ReceivedShare) => void;
  readonly maxOpenPerRequest?: number;
  readonly nowMs?: () => number;
}

export interface Intake {
  /** The endpoint for the agency document. */
  readonly url: string;
  /** Deletes what never became a share and whose time is over; returns how many uploads. */
  purge(): number;
  close(): Promise<void>;
}

const maxBodyBytes = 4 * 1024 ** 3;
const maxHeaderBytes = 64 * 1024;
/** Devices may send until so long after the request has expired. */
const graceS = 48 * 3600;
/** A body without its header can never be read: it is kept only as long as a late header might come. */
const keepS = 7 * 86_400;
const path = '/files';
const uploadIdPattern = /^[0-9a-f]{32}$/;

interface Upload {
  readonly id: string;
  readonly shareId: string;
  readonly requestId: string;
  readonly part: 'body' | 'header';
  readonly complete: boolean;
}

export async function startIntake(options: IntakeOptions): Promise<Intake> {
  const store = new ShareStore(options);
  const tus = new Server({
    path,
    datastore: new FileStore({ directory: store.incomingDir }),
    relativeLocation: true,
    maxSize: maxBodyBytes,
    onUploadCreate: async (_request, upload) => {
      store.admit(upload.metadata ?? {}, upload.size ?? Number.NaN);
      return {};
    },
    onUploadFinish: async (_request, upload) => {
      store.assemble(upload.metadata?.['share_id'] ?? '');
      return {};
    },
  });
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    // The library would also hand out what was uploaded.
    if (!['POST', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS'].includes(request.method ?? '')) {
      response.writeHead(405).end();
      return;
    }
    tus.handle(request, response).catch(() => response.destroy());
  };
  const { tls } = options;
  const server =
    tls === undefined ? createServer(serve) : createTlsServer({ cert: tls.certificatePem, key: tls.keyPem }, serve);
  const bind = options.bind ?? '127.0.0.1';
  await new Promise<void>((resolve, reject) => {
    server.once('error', (thrown) => {
      const why = systemCode(thrown) ?? thrown.message;
      reject(new AgentError('unavailable', 'portal/cannot-listen', `Cannot receive shares: ${why}`, { cause: thrown }));
    });
    server.listen(options.port, bind, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
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

class ShareStore {
  readonly incomingDir: string;
  readonly #sharesDir: string;
  readonly #options: IntakeOptions;
  readonly #nowMs: () => number;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    this.incomingDir = join(options.dir, 'incoming');
    this.#sharesDir = join(options.dir, 'shares');
    ensurePrivateDir(this.incomingDir);
    ensurePrivateDir(this.#sharesDir);
    this.purge();
  }

  /** Throws what the tus server answers with, unless the upload may be created. */
  admit(metadata: Readonly<Record<string, string | null>>, bytes: number): void {
    const { share_id: shareId, part, request_id: requestId } = metadata;
    if (!isId(shareId) || !isId(requestId) || (part !== 'body' && part !== 'header')) throw no(400, 'not a share');
    const known = this.#options.knownRequests().find((request) => request.requestId === requestId);
    if (known === undefined) throw no(403, 'unknown request');
    if (known.expiresAt + graceS <= this.#nowMs() / 1000) throw no(403, 'the request is over');
    if (!(bytes > 0) || bytes > (part === 'body' ? maxBodyBytes : maxHeaderBytes)) throw no(413, 'too large');
    if (existsSync(join(this.#sharesDir, shareId))) throw no(403, 'this share is complete');
    const open = this.#uploads().filter((upload) => upload.requestId === requestId && !this.#isShare(upload.shareId));
    if (open.length >= (this.#options.maxOpenPerRequest ?? 200)) throw no(429, 'too many open uploads');
  }

  /** Makes the share's folder when body and header are complete; the uploads stay, so that a sender can still ask for them. */
  assemble(shareId: string): void {
    const uploads = this.#uploads().filter((upload) => upload.shareId === shareId && upload.complete);
    const body = uploads.find(({ part }) => part === 'body');
    const header = uploads.find(({ part }) => part === 'header');
    if (body === undefined || header === undefined || this.#isShare(shareId)) return;
    const made = join(this.#sharesDir, `.${shareId}`);
    rmSync(made, { recursive: true, force: true });
    ensurePrivateDir(made);
    for (const { id, part } of [body, header]) {
      syncFile(join(this.incomingDir, id));
      linkSync(join(this.incomingDir, id), join(made, `${part}.age`));
    }
    const receivedAtMs = this.#nowMs();
    const { requestId } = header;
    writeFileDurable(join(made, 'share.json'), `${JSON.stringify({ shareId, requestId, receivedAtMs })}\n`);
    const dir = join(this.#sharesDir, shareId);
    renameSync(made, dir);
    syncDir(this.#sharesDir);
    this.#options.onShare?.({ shareId, requestId, dir, receivedAtMs });
  }

  purge(): number {
    const until = new Map(this.#options.knownRequests().map((known) => [known.requestId, known.expiresAt]));
    const nowS = this.#nowMs() / 1000;
    const over = this.#uploads().filter(({ requestId }) => (until.get(requestId) ?? 0) + graceS + keepS <= nowS);
    for (const { id } of over) {
      removeDurable(join(this.incomingDir, id));
      removeDurable(join(this.incomingDir, `${id}.json`));
    }
    return over.length;
  }

  #isShare(shareId: string): boolean {
    return existsSync(join(this.#sharesDir, shareId));
  }

  /** What the tus store has on the disk: an upload and a JSON file about it. */
  #uploads(): Upload[] {
    return readdirSync(this.incomingDir).flatMap((id) => {
      const bytes = uploadIdPattern.test(id)
        ? readFileLimited(join(this.incomingDir, `${id}.json`), 16_384)
        : undefined;
      const upload = bytes === undefined ? undefined : readUpload(id, bytes, join(this.incomingDir, id));
      return upload === undefined ? [] : [upload];
    });
  }
}

function isId(text: string | null | undefined): text is string {
  return typeof text === 'string' && uploadIdPattern.test(text);
}

function readUpload(id: string, bytes: Buffer, file: string): Upload | undefined {
  try {
    const { size, metadata } = JSON.parse(bytes.toString('utf8')) as {
      size?: unknown;
      metadata?: Record<string, string | null>;
    };
    const { share_id: shareId, request_id: requestId, part } = metadata ?? {};
    if (!isId(shareId) || !isId(requestId) || (part !== 'body' && part !== 'header')) return undefined;
    return { id, shareId, requestId, part, complete: statSync(file).size === size };
  } catch {
    // Being written or deleted at this moment.
    return undefined;
  }
}

function syncFile(file: string): void {
  const fd = openSync(file, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The shape in which the tus server takes a refusal. */
class IntakeRefusal extends Error {
  readonly status_code: number;
  readonly body: string;

  constructor(status: number, why: string) {
    super(why);
    this.status_code = status;
    this.body = `${why}\n`;
  }
}

function no(status: number, why: string): IntakeRefusal {
  return new IntakeRefusal(status, why);
}
