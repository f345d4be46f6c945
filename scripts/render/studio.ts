/** The browser that draws: the page's bundle, a loopback server that gives it out, and Chromium. */

import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { AgentError } from '../../agent/base/errors.ts';
import type { FrameOptions, StudioPage } from './page/main.ts';
import type { Testimony } from './page/witness.ts';
import type { StreamPlan } from './plan.ts';

const patience = { readyMs: 60_000, loadMs: 240_000, frameMs: 240_000 };

export interface StudioOptions {
  readonly signal: AbortSignal;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Another page than the studio's own, and how long to wait for it. */
  readonly script?: string;
  readonly patience?: Partial<typeof patience>;
}

export interface DrawnFrame {
  /** Rows from the top, in the layout asked for. */
  readonly pixels: Buffer;
  readonly testimony: Testimony;
}

/** One Chromium for any number of plans, one after the other. Dispose it, or abort the signal: the browser is killed. */
export class Studio {
  readonly #browser: Browser;
  readonly #server: Server;
  readonly #page: Page;
  readonly #onAbort: () => void;
  readonly #signal: AbortSignal;
  readonly #patience: typeof patience;
  #size = { widthPx: 0, heightPx: 0 };

  private constructor(browser: Browser, server: Server, page: Page, options: StudioOptions) {
    const { signal } = options;
    this.#patience = { ...patience, ...options.patience };
    this.#browser = browser;
    this.#server = server;
    this.#page = page;
    this.#signal = signal;
    this.#onAbort = () => void this.#browser.close();
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  static async open(options: StudioOptions): Promise<Studio> {
    options.signal.throwIfAborted();
    const executablePath = findChromium(options.env ?? process.env);
    const script = options.script ?? (await bundlePage());
    const server = await serve(script);
    let browser: Browser | undefined;
    try {
      browser = await launch(executablePath);
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await page
        .waitForFunction('window.studio !== undefined', undefined, {
          timeout: options.patience?.readyMs ?? patience.readyMs,
        })
        .catch((cause: unknown) => {
          throw new AgentError(
            'unavailable',
            'render/page-broken',
            `Cannot start the studio's page: ${problems[0] ?? 'it did not get ready (is WebGL available?)'}`,
            { cause },
          );
        });
      return new Studio(browser, server, page, options);
    } catch (thrown) {
      await browser?.close();
      server.close();
      throw thrown;
    }
  }

  async load(plan: StreamPlan): Promise<void> {
    this.#size = plan;
    await this.#ask('load a plan', this.#patience.loadMs, (page) =>
      page.evaluate((given) => (window as unknown as { studio: StudioPage }).studio.load(given), plan),
    );
  }

  async frame(index: number, ms: number, options: FrameOptions): Promise<DrawnFrame> {
    const { picture, testimony } = await this.#ask('draw a frame', this.#patience.frameMs, (page) =>
      page.evaluate(([i, at, given]) => (window as unknown as { studio: StudioPage }).studio.frame(i, at, given), [
        index,
        ms,
        options,
      ] as const),
    );
    const { widthPx, heightPx } = this.#size;
    const pixels = Buffer.from(picture, 'base64');
    if (pixels.length !== widthPx * heightPx * (options.layout === 'rgb' ? 3 : 1.5)) {
      throw new AgentError(
        'bug',
        'render/no-picture',
        `Cannot draw frame ${index}: ${pixels.length} bytes came back for ${widthPx}x${heightPx}`,
      );
    }
    return { pixels, testimony };
  }

  async #ask<T>(what: string, timeoutMs: number, question: (page: Page) => Promise<T>): Promise<T> {
    this.#signal.throwIfAborted();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(
          new AgentError(
            'unavailable',
            'render/too-slow',
            `Cannot ${what}: the browser did not answer within ${timeoutMs / 1000} s and was stopped`,
          ),
        );
        void this.#browser.close();
      }, timeoutMs);
    });
    try {
      return await Promise.race([question(this.#page), late]);
    } catch (thrown) {
      this.#signal.throwIfAborted();
      if (thrown instanceof AgentError) throw thrown;
      throw new AgentError(
        'unavailable',
        'render/page-failed',
        `Cannot ${what}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
        { cause: thrown },
      );
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
    '--no-sandbox',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--use-gl=angle',
    '--use-angle=swiftshader',
    '--enable-unsafe-swiftshader',
    '--ignore-gpu-blocklist',
  ];
  try {
    // Signals are ours to handle: the caller aborts, and then the browser is closed.
    return await chromium.launch({
      executablePath,
      args,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
  } catch (cause) {
    throw new AgentError('unavailable', 'render/no-browser', 'Cannot start Chromium: it ended at once', { cause });
  }
}

function findChromium(env: Readonly<Record<string, string | undefined>>): string {
  const named = env['CHROMIUM_BIN'];
  const path = [named ?? '', ...(named === undefined ? ['/usr/bin/chromium', '/usr/bin/chromium-browser'] : [])].find(
    (one) => existsSync(one),
  );
  if (path === undefined) {
    throw new AgentError(
      'unavailable',
      'render/no-browser',
      'Cannot find Chromium: install it (Debian: apt-get install chromium) or set CHROMIUM_BIN to its path',
    );
  }
  return path;
}

export async function bundlePage(entry = join(import.meta.dirname, 'page/main.ts')): Promise<string> {
  const result = await build({
    configFile: false,
    root: join(import.meta.dirname, 'page'),
    publicDir: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: false,
      target: 'esnext',
      lib: { entry, formats: ['es'], fileName: 'page' },
    },
  }).catch((cause: unknown) => {
    throw new AgentError('bug', 'render/no-bundle', "Cannot build the studio's page: its sources do not fit together", {
      cause,
    });
  });
  const outputs = Array.isArray(result) ? result : [result];
  for (const output of outputs) {
    if (!('output' in output)) continue;
    for (const part of output.output) if (part.type === 'chunk') return part.code;
  }
  throw new AgentError('bug', 'render/no-bundle', "Cannot build the studio's page: it came out empty");
}

async function serve(script: string): Promise<Server> {
  const page =
    '<!doctype html><meta charset="utf-8"><title>studio</title><script type="module" src="/page.js"></script>';
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html').end(isScript ? script : page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
