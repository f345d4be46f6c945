import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';

/** Replaces what looks like a credential in text that may reach a log: user info in addresses, and known secrets. */
export function scrubCredentials(text: string, secrets: readonly string[] = []): string {
  let clean = text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^/\s@]*@/gi, '$1***@');
  for (const secret of secrets) if (secret.length > 0) clean = clean.replaceAll(secret, '***');
  return clean;
}

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly stdio: StdioOptions;
  /** The child sees only this environment (plus PATH): secrets never travel by environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  /** Time between SIGTERM and SIGKILL on stop. ffmpeg flushes a partial GOP in about 4 s. */
  readonly graceMs?: number;
}

export interface ChildExit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Set when the program could not be started at all (`ENOENT`). */
  readonly startError?: NodeJS.ErrnoException;
}

/**
 * A child process in its own process group, so that stopping it stops what it started. The last 100 lines of its
 * standard error are kept, with credentials masked. `exited` always resolves.
 */
export class Child {
  readonly process: ChildProcess;
  readonly exited: Promise<ChildExit>;
  readonly #graceMs: number;
  readonly #lines: string[] = [];
  #done = false;

  constructor(options: ChildOptions) {
    this.#graceMs = options.graceMs ?? 5000;
    this.process = spawn(options.command, [...options.args], {
      stdio: options.stdio,
      detached: true,
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C.UTF-8', ...options.env },
    });
    this.exited = new Promise((resolve) => {
      this.process.once('error', (startError: NodeJS.ErrnoException) => {
        if (this.process.pid === undefined) {
          this.#done = true;
          resolve({ status: null, signal: null, startError });
        }
      });
      this.process.once('close', (status, signal) => {
        this.#done = true;
        resolve({ status, signal });
      });
    });
    let rest = '';
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split(/[\r\n]+/);
      rest = (parts.pop() ?? '').slice(-4096);
      for (const line of parts) {
        if (line.length === 0) continue;
        this.#lines.push(scrubCredentials(line.slice(0, 1000), options.secrets));
        if (this.#lines.length > 100) this.#lines.shift();
      }
    });
  }

  get running(): boolean {
    return !this.#done;
  }

  get lastLines(): readonly string[] {
    return this.#lines;
  }

  /** Sends a signal to the whole process group; a process already gone is no error. */
  kill(signal: NodeJS.Signals): void {
    const pid = this.process.pid;
    if (pid === undefined || this.#done) return;
    try {
      process.kill(-pid, signal);
    } catch {
      this.process.kill(signal);
    }
  }

  /** SIGTERM, then SIGKILL after the grace time. Resolves when the process has ended. */
  async stop(): Promise<ChildExit> {
    if (this.#done) return this.exited;
    this.kill('SIGTERM');
    const timer = setTimeout(() => this.kill('SIGKILL'), this.#graceMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
