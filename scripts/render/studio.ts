/** The browser that draws: the page's bundle, a loopback server that gives it out and takes pictures in, and Chromium. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { AgentError } from '../../agent/base/errors.ts';
import type { StudioPage } from './page/main.ts';
import type { Testimony } from './page/witness.ts';
import type { StreamPlan } from './plan.ts';

const FRAME_MS = 120_000;
const LOAD_MS = 180_000;
const MAX_FRAME_BYTES = 4096 * 4096 * 4;

export interface StudioOptions {
  readonly signal: AbortSignal;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface DrawnFrame {
  /** RGBA rows from the top. */
  readonly pixels: Buffer;
  readonly testimony: Testimony;
}

/** One Chromium for any number of plans, one after the other. Dispose it, or abort the signal: the browser is killed. */
export class Studio {
  readonly #browser: Browser;
  readonly #server: Server;
  readonly #page: Page;
  readonly #inbox: { body: Buffer | undefined };
  readonly #onAbort: () => void;
  readonly #signal: AbortSignal;

  private constructor(browser: Browser, server: Server, page: Page, inbox: { body: Buffer | undefined }, signal: AbortSignal) {
    this.#browser = browser;
    this.#server = server;
    this.#page = page;
    this.#inbox = inbox;
    this.#signal = signal;
    this.#onAbort = () => void this.#browser.close();
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  static async open(options: StudioOptions): Promise<Studio> {
    options.signal.throwIfAborted();
    const executablePath = findChromium(options.env ?? process.env);
    const script = await bundlePage();
    const inbox: { body: Buffer | undefined } = { body: undefined };
    const server = await serve(script, inbox);
    let browser: Browser | undefined;
    try {
      browser = await launch(executablePath);
      const page = await browser.newPage();
      page.setDefaultTimeout(LOAD_MS);
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await page.waitForFunction('window.studio !== undefined', undefined, { timeout: 30_000 }).catch((cause: unknown) => {
        throw new AgentError('unavailable', 'render/page-broken', `Cannot start the studio's page: ${problems[0] ?? 'it did not get ready (is WebGL available?)'}`, { cause });
      });
      return new Studio(browser, server, page, inbox, options.signal);
    } catch (thrown) {
      await browser?.close();
      server.close();
      throw thrown;
    }
  }

  async load(plan: StreamPlan): Promise<void> {
    await this.#ask('load', LOAD_MS, (page) => page.evaluate((given) => (window as unknown as { studio: StudioPage }).studio.load(given), plan));
  }

  async frame(index: number, ms: number, options: { readonly settle: boolean; readonly runs: boolean }): Promise<DrawnFrame> {
    this.#inbox.body = undefined;
    const testimony = await this.#ask('draw a frame', FRAME_MS, (page) =>
      page.evaluate(
        ([i, at, settle, runs]) => (window as unknown as { studio: StudioPage }).studio.frame(i, at, { settle, runs, post: true }),
        [index, ms, options.settle, options.runs] as const,
      ),
    );
    const pixels = this.#inbox.body;
    if (pixels === undefined) throw new AgentError('bug', 'render/no-picture', `Cannot draw frame ${index}: no picture came back`);
    return { pixels, testimony };
  }

  async #ask<T>(what: string, timeoutMs: number, question: (page: Page) => Promise<T>): Promise<T> {
    this.#signal.throwIfAborted();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        void this.#browser.close();
        reject(new AgentError('unavailable', 'render/too-slow', `Cannot ${what}: the browser did not answer within ${timeoutMs / 1000} s and was stopped`));
      }, timeoutMs);
    });
    try {
      return await Promise.race([question(this.#page), late]);
    } catch (thrown) {
      this.#signal.throwIfAborted();
      if (thrown instanceof AgentError) throw thrown;
      throw new AgentError('unavailable', 'render/page-failed', `Cannot ${what}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, { cause: thrown });
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort);
    await this.#browser.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function launch(executablePath: string): Promise<Browser> {
  const args = [
    ...['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ...['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'],
  ];
  try {
    // Signals are ours to handle: the caller aborts, and then the browser is closed.
    return await chromium.launch({ executablePath, args, handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false });
  } catch (cause) {
    throw new AgentError('unavailable', 'render/no-browser', 'Cannot start Chromium: it ended at once', { cause });
  }
}

function findChromium(env: Readonly<Record<string, string | undefined>>): string {
  const named = env['CHROMIUM_BIN'];
  const path = [named ?? '', ...(named === undefined ? ['/usr/bin/chromium', '/usr/bin/chromium-browser'] : [])].find((one) => existsSync(one));
  if (path === undefined) {
    throw new AgentError('unavailable', 'render/no-browser', 'Cannot find Chromium: install it (Debian: apt-get install chromium) or set CHROMIUM_BIN to its path');
  }
  return path;
}

async function bundlePage(): Promise<string> {
  const result = await build({
    configFile: false,
    root: join(import.meta.dirname, 'page'),
    publicDir: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: false,
      target: 'esnext',
      lib: { entry: join(import.meta.dirname, 'page/main.ts'), formats: ['es'], fileName: 'page' },
    },
  });
  const outputs = Array.isArray(result) ? result : [result];
  for (const output of outputs) {
    if (!('output' in output)) continue;
    for (const part of output.output) if (part.type === 'chunk') return part.code;
  }
  throw new AgentError('bug', 'render/no-bundle', "Cannot build the studio's page: the bundler wrote nothing");
}

async function serve(script: string, inbox: { body: Buffer | undefined }): Promise<Server> {
  const page = '<!doctype html><meta charset="utf-8"><title>studio</title><script type="module" src="/page.js"></script>';
  const server = createServer((request, response) => {
    if (request.method === 'POST') void take(request, response, inbox);
    else if (request.url === '/page.js') response.setHeader('content-type', 'text/javascript').end(script);
    else response.setHeader('content-type', 'text/html').end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function take(request: IncomingMessage, response: ServerResponse, inbox: { body: Buffer | undefined }): Promise<void> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_FRAME_BYTES) {
      response.writeHead(413).end();
      return;
    }
    parts.push(part);
  }
  inbox.body = Buffer.concat(parts);
  response.end();
}
