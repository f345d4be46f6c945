import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type AgentError, asAgentError, AgentError as Failure, systemCode } from '../../../agent/base/errors.ts';
import { followUpRoutes } from './follow-up-pages.ts';
import { html } from './html.ts';
import { layout, loginPage } from './layout.ts';
import { requestRoutes } from './request-pages.ts';
import { isEqual, type Session, Sessions } from './session.ts';
import { shareRoutes } from './share-pages.ts';
import { type Desk, Form, type Handler, page, problem, type Reply } from './visit.ts';

/**
 * The console of one desk: pages made here, on loopback only, without a line of script. The order of the checks is part of
 * the defence: the host before anything else, then where the request comes from, then who it is, then the form's secret.
 */
export interface Console {
  readonly url: string;
  /** To be typed in the browser. */
  readonly token: string;
  close(): Promise<void>;
}

const maxFormBytes = 64 * 1024;
const style = readFileSync(join(import.meta.dirname, 'style.css'));
const routes: readonly (readonly [method: string, pattern: RegExp, handler: Handler])[] = [
  ...shareRoutes,
  ...requestRoutes,
  ...followUpRoutes,
];

export interface ConsoleLimits {
  readonly headersMs: number;
  readonly requestMs: number;
}

export async function startConsole(options: {
  readonly desk: Desk;
  /** 0 takes a free one. */
  readonly port: number;
  readonly limits?: ConsoleLimits;
}): Promise<Console> {
  const { desk, limits = { headersMs: 10_000, requestMs: 30_000 } } = options;
  const sessions = new Sessions(desk.nowMs);
  const server = createServer(
    { connectionsCheckingInterval: Math.min(2000, limits.headersMs), maxHeaderSize: 16_384 },
    (request, response) => {
      answer(request, response, { desk, sessions, port }).catch((thrown: unknown) =>
        refuse(response, asAgentError(thrown)),
      );
    },
  );
  server.headersTimeout = limits.headersMs;
  server.requestTimeout = limits.requestMs;
  server.maxConnections = 100;
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', (thrown) => {
      const why = systemCode(thrown) === 'EADDRINUSE' ? `port ${options.port} is taken` : thrown.message;
      reject(new Failure('unavailable', 'portal/cannot-listen', `Cannot open the console: ${why}`, { cause: thrown }));
    });
    server.listen(options.port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : options.port);
    });
  });
  return {
    url: `http://127.0.0.1:${port}/`,
    token: sessions.token,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

interface Context {
  readonly desk: Desk;
  readonly sessions: Sessions;
  readonly port: number;
}

async function answer(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const { desk, sessions, port } = context;
  const { method = '', headers } = request;
  const { pathname } = new URL(`http://console${request.url?.startsWith('/') ? request.url : '/'}`);
  // A name that was made to resolve to this machine is not ours, whatever it asks for.
  if (headers.host !== `127.0.0.1:${port}` && headers.host !== `localhost:${port}`)
    return send(response, 421, 'text/plain', 'Misdirected\n');
  if (isForeign(request, port)) return send(response, 403, 'text/plain', 'Not from this console\n');
  if (method !== 'GET' && method !== 'POST') return send(response, 405, 'text/plain', 'No such method\n');
  if (method === 'GET' && pathname === '/style.css') return send(response, 200, 'text/css; charset=utf-8', style);
  const form = method === 'POST' ? new Form(await readBody(request)) : new Form('');
  const session = sessions.find(cookieOf(request, port));
  if (pathname === '/login') return logIn(method, form, response, context);
  if (session === undefined)
    return method === 'GET' ? redirect(response, '/login') : send(response, 403, 'text/plain', 'Log in first\n');
  if (method === 'POST' && !isEqual(form.text('form_secret'), session.formSecret)) {
    return send(response, 403, 'text/plain', 'This form is not from your session\n');
  }
  if (method === 'POST' && pathname === '/logout') {
    sessions.logOut(session);
    response.setHeader('set-cookie', cookie(port, '', 0));
    return redirect(response, '/login');
  }
  sendReply(response, await visit(method, pathname, { desk, session, form }), { desk, session, pathname });
}

async function visit(
  method: string,
  pathname: string,
  { desk, session, form }: { readonly desk: Desk; readonly session: Session; readonly form: Form },
): Promise<Reply> {
  for (const [routeMethod, pattern, handler] of routes) {
    const match = routeMethod === method ? pattern.exec(pathname) : null;
    if (match === null) continue;
    const { id = '', name = '' } = match.groups ?? {};
    try {
      return await handler({ desk, form, formSecret: session.formSecret, id, name });
    } catch (thrown) {
      const error = asAgentError(thrown);
      return page('That did not work', html`<h1>That did not work</h1>${problem(shown(error))}`, error.httpStatus);
    }
  }
  return page('Not found', html`<h1>Not found</h1><p>There is no such page.</p>`, 404);
}

/** Of our own mistakes the browser learns only that there was one. */
function shown(error: AgentError): AgentError {
  if (error.kind !== 'bug') return error;
  return new Failure('bug', error.code, 'Something went wrong in the console itself; nothing was done');
}

/** Anything that another site caused, by link, picture or form; and posts that say nothing about where they come from. */
function isForeign({ method, headers }: IncomingMessage, port: number): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const { origin } = headers;
  if (origin !== undefined) return origin !== `http://127.0.0.1:${port}` && origin !== `http://localhost:${port}`;
  return method === 'POST' && site !== 'same-origin';
}

function logIn(method: string, form: Form, response: ServerResponse, { sessions, port }: Context): void {
  if (method === 'GET') return sendHtml(response, 200, loginPage(undefined));
  const session = sessions.logIn(form.text('token'));
  if (session === 'wait') return sendHtml(response, 429, loginPage('Too many wrong tokens: wait half a minute.'));
  if (session === undefined) return sendHtml(response, 403, loginPage('That is not the token.'));
  response.setHeader('set-cookie', cookie(port, session.id, 12 * 3600));
  redirect(response, '/');
}

/** Browsers send a cookie to every port of a host, so each console has a name of its own. */
function cookie(port: number, value: string, maxAgeS: number): string {
  return `portal-${port}=${value}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${maxAgeS}`;
}

function cookieOf({ headers }: IncomingMessage, port: number): string | undefined {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([name]) => name === `portal-${port}`)?.[1];
}

function readBody(request: IncomingMessage): Promise<string> {
  const tooLarge = (): Failure =>
    new Failure('usage', 'portal/form-too-large', 'Cannot read the form: it is too large');
  const { 'content-type': type = '', 'content-length': length } = request.headers;
  if (!type.startsWith('application/x-www-form-urlencoded')) {
    throw new Failure('usage', 'portal/not-a-form', 'Cannot read the form: it is not one');
  }
  if (Number(length ?? 0) > maxFormBytes) throw tooLarge();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxFormBytes) return reject(tooLarge());
      chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
    request.on('close', () => reject(new Failure('usage', 'portal/not-a-form', 'Cannot read the form: it broke off')));
  });
}

function sendReply(
  response: ServerResponse,
  reply: Reply,
  { desk, session, pathname }: { readonly desk: Desk; readonly session: Session; readonly pathname: string },
): void {
  if (reply.kind === 'see') return redirect(response, reply.location);
  if (reply.kind === 'page') {
    return sendHtml(response, reply.status ?? 200, layout(reply, desk, session.formSecret, pathname));
  }
  const type = reply.name.endsWith('.mp4') ? 'video/mp4' : 'text/plain; charset=utf-8';
  response.setHeader('content-disposition', `inline; filename="${reply.name}"`);
  send(response, 200, type, reply.bytes);
}

function sendHtml(response: ServerResponse, status: number, text: string): void {
  send(response, status, 'text/html; charset=utf-8', text);
}

function redirect(response: ServerResponse, location: string): void {
  response.setHeader('location', location);
  send(response, 303, 'text/plain', '');
}

function refuse(response: ServerResponse, error: AgentError): void {
  if (response.headersSent) return void response.destroy();
  response.setHeader('connection', 'close');
  send(response, error.httpStatus, 'text/plain; charset=utf-8', `${shown(error).message} (${error.code})\n`);
}

function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'content-security-policy':
      "default-src 'none'; style-src 'self'; media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    // With none at all, browsers send our own forms without an origin.
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  });
  response.end(body);
}
