import { chmodSync, rmSync, statSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { AgentError, asAgentError, systemCode } from './errors.ts';
import { ensurePrivateDir } from './files.ts';
import { peerUid } from './native.ts';

/**
 * The control socket of a program: a Unix socket (mode 0600 in a 0700 folder) that speaks one JSON object a line, to
 * programs of the same user and of root.
 * Request `{id, method, params}`, answer `{id, result}` or `{id, error}`, and `{event, fields}` to whoever subscribed
 * by the method `events`. Lines over 1 MiB end the connection.
 */
const maxLineBytes = 1 << 20;
const maxPathBytes = 107;

export type ControlMethods = Readonly<Record<string, (params: unknown) => unknown>>;

function checkPath(path: string): void {
  if (Buffer.byteLength(path) > maxPathBytes) {
    throw new AgentError(
      'config',
      'base/socket-path-too-long',
      `The control socket's path has more than ${maxPathBytes} bytes: choose a shorter data directory`,
    );
  }
}

/**
 * Whoever can write the folder can put a socket of their own in the place of ours and be told the passphrase. A folder
 * that was there before, with a wider mode, is closed; another user's is refused.
 */
function closeFolder(dir: string): void {
  ensurePrivateDir(dir);
  const { uid, mode } = statSync(dir);
  if (uid !== process.getuid?.()) {
    throw new AgentError(
      'config',
      'base/foreign-folder',
      'Cannot serve a control socket: its folder belongs to another user',
    );
  }
  if ((mode & 0o077) !== 0) chmodSync(dir, mode & 0o700);
}

/** The file mode keeps others out already; without the addon that is all there is. */
function isForeign(socket: Socket): boolean {
  try {
    const uid = peerUid(socket);
    return uid !== 0 && uid !== process.getuid?.();
  } catch (thrown) {
    return thrown instanceof AgentError && thrown.code === 'base/peer-unknown';
  }
}

function readLines(socket: Socket, onLine: (line: string) => void): void {
  let pending = '';
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    pending += text;
    for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
      const line = pending.slice(0, end);
      pending = pending.slice(end + 1);
      if (line.length > 0) onLine(line);
    }
    if (pending.length > maxLineBytes) socket.destroy();
  });
}

export class ControlServer {
  readonly #server: Server;
  readonly #path: string;
  readonly #methods: ControlMethods;
  readonly #subscribers = new Set<Socket>();
  readonly #sockets = new Set<Socket>();

  private constructor(path: string, methods: ControlMethods) {
    this.#path = path;
    this.#methods = methods;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Listens; a socket left over by a killed program is replaced, a live one throws `base/already-running`. */
  static async listen(path: string, methods: ControlMethods): Promise<ControlServer> {
    checkPath(path);
    closeFolder(dirname(path));
    if (await answers(path)) {
      throw new AgentError('unavailable', 'base/already-running', 'Another program already serves this control socket');
    }
    rmSync(path, { force: true });
    const control = new ControlServer(path, methods);
    await new Promise<void>((resolve, reject) => {
      control.#server.once('error', reject);
      control.#server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
    return control;
  }

  publish(event: string, fields: Readonly<Record<string, unknown>>): void {
    const line = `${JSON.stringify({ event, fields })}\n`;
    for (const socket of this.#subscribers) {
      // A subscriber that doesn't read is dropped rather than buffered for.
      if (socket.writableLength > maxLineBytes) socket.destroy();
      else socket.write(line);
    }
  }

  #serve(socket: Socket): void {
    if (isForeign(socket)) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#subscribers.delete(socket);
    });
    readLines(socket, (line) => void this.#answer(socket, line));
  }

  async #answer(socket: Socket, line: string): Promise<void> {
    let id: unknown = null;
    let reply: unknown;
    try {
      const request = JSON.parse(line) as { id?: unknown; method?: unknown; params?: unknown } | null;
      id = request?.id ?? null;
      const method = request?.method;
      if (method === 'events') {
        this.#subscribers.add(socket);
        reply = { id, result: {} };
      } else {
        const handler =
          typeof method === 'string' && Object.hasOwn(this.#methods, method) ? this.#methods[method] : undefined;
        if (handler === undefined)
          throw new AgentError('usage', 'base/unknown-method', 'This program has no such method');
        reply = { id, result: (await handler(request?.params ?? {})) ?? {} };
      }
    } catch (thrown) {
      const error =
        thrown instanceof SyntaxError
          ? new AgentError('usage', 'base/bad-control-line', 'The control line is not JSON')
          : asAgentError(thrown);
      reply = { id, error: error.toReport() };
    }
    if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    rmSync(this.#path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

export interface ControlEvent {
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A client connection. Every call rejects with `base/program-not-running` when nothing listens or the other side ends. */
export class ControlClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: AgentError) => void }>();
  readonly #listeners = new Set<(event: ControlEvent) => void>();
  #nextId = 1;
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    readLines(socket, (line) => this.#receive(line));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#closed = true;
      for (const waiting of this.#waiting.values()) waiting.reject(notRunning());
      this.#waiting.clear();
    });
  }

  static async connect(path: string): Promise<ControlClient> {
    checkPath(path);
    return await new Promise((resolve, reject) => {
      const socket = createConnection(path);
      socket.once('connect', () => resolve(new ControlClient(socket)));
      socket.once('error', (thrown) => {
        const code = systemCode(thrown);
        const gone = code === 'ENOENT' || code === 'ECONNREFUSED';
        reject(
          gone
            ? notRunning()
            : new AgentError('unavailable', 'base/control-failed', 'Cannot reach the control socket', {
                cause: thrown,
              }),
        );
      });
    });
  }

  call(method: string, params: unknown = {}): Promise<unknown> {
    if (this.#closed) return Promise.reject(notRunning());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.write(`${JSON.stringify({ id, method, params })}\n`);
    });
  }

  async subscribe(listener: (event: ControlEvent) => void): Promise<void> {
    this.#listeners.add(listener);
    await this.call('events');
  }

  #receive(line: string): void {
    let message: { id?: unknown; result?: unknown; error?: unknown; event?: unknown; fields?: unknown };
    try {
      message = JSON.parse(line) as typeof message;
    } catch {
      this.#socket.destroy();
      return;
    }
    if (typeof message.event === 'string') {
      const event = { event: message.event, fields: (message.fields ?? {}) as Record<string, unknown> };
      for (const listener of this.#listeners) listener(event);
      return;
    }
    const waiting = typeof message.id === 'number' ? this.#waiting.get(message.id) : undefined;
    if (waiting === undefined) return;
    this.#waiting.delete(message.id as number);
    if (message.error === undefined) waiting.resolve(message.result);
    else waiting.reject(AgentError.fromReport(message.error));
  }

  close(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function notRunning(): AgentError {
  return new AgentError(
    'unavailable',
    'base/program-not-running',
    'The program is not running: start it with "latchkey run"',
  );
}
