/**
 * Keeps a set of programs running: each as a child process, started again after a jittered wait when it ends by itself,
 * given up only when its configuration is wrong, and all stopped in a written order.
 */
import { Child, type ChildExit } from '../base/child.ts';
import type { Clock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { Backoff } from '../base/retry.ts';

export interface ProgramSpec {
  readonly name: string;
  readonly args: readonly string[];
  /** Lower ranks stop first; equal ranks stop together. */
  readonly stopRank: number;
}

export interface SupervisorOptions {
  readonly programs: readonly ProgramSpec[];
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes one JSON log line of a program, as it came. */
  readonly passLine: (line: string) => void;
  readonly firstWaitMs?: number;
  readonly maxWaitMs?: number;
  /** Time between SIGTERM and SIGKILL. */
  readonly graceMs?: number;
  readonly random?: (bound: number) => number;
}

/** What `AgentError` of kind `config` ends a program with: starting it again could only fail again. */
const configStatus = 3;
/** A program that ran this long has started well: its next failure waits from the beginning again. */
const settledMs = 60_000;
const maxLineChars = 16_384;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #children = new Map<ProgramSpec, Child>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Resolves when the signal was aborted and everything has stopped; throws `run/nothing-runs` when every program was given up. */
  async run(): Promise<void> {
    const { programs, signal, log } = this.#options;
    const keepers = programs.map((spec) => this.#keep(spec));
    const stopped = new Promise<'stop'>((resolve) => {
      if (signal.aborted) resolve('stop');
      signal.addEventListener('abort', () => resolve('stop'), { once: true });
    });
    const outcome = await Promise.race([stopped, Promise.all(keepers)]);
    if (outcome !== 'stop' && !signal.aborted) {
      const message = 'Cannot run: every program refused its configuration; the lines above say why';
      throw new AgentError('config', 'run/nothing-runs', message);
    }
    await this.#stopInOrder();
    await Promise.all(keepers);
    log.info('stopped');
  }

  /** For a second signal: no flushing, no order. */
  killAll(): void {
    for (const child of this.#children.values()) child.kill('SIGKILL');
  }

  async #stopInOrder(): Promise<void> {
    const ranks = [...new Set(this.#options.programs.map((spec) => spec.stopRank))].toSorted((a, b) => a - b);
    for (const rank of ranks) {
      const group = [...this.#children].filter(([spec]) => spec.stopRank === rank);
      await Promise.all(
        group.map(async ([spec, child]) => {
          await child.stop();
          this.#options.log.info('program-stopped', { child: spec.name });
        }),
      );
    }
  }

  async #keep(spec: ProgramSpec): Promise<void> {
    const { signal, clock, log, firstWaitMs = 500, maxWaitMs = 60_000, random } = this.#options;
    const backoff = new Backoff({
      firstMs: firstWaitMs,
      maxMs: maxWaitMs,
      ...(random === undefined ? {} : { random }),
    });
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs();
      const exit = await this.#runOnce(spec);
      if (signal.aborted) return;
      if (exit.status === configStatus) {
        log.warn('program-given-up', {
          child: spec.name,
          exitStatus: exit.status,
          reason: 'its configuration is wrong',
        });
        return;
      }
      if (clock.monotonicMs() - startedMs >= settledMs) backoff.reset();
      const waitMs = backoff.nextMs();
      const reason = exit.startError === undefined ? undefined : `cannot be started (${exit.startError.code})`;
      log.warn('program-ended', { child: spec.name, exitStatus: exit.status, signal: exit.signal, waitMs, reason });
      await clock.sleep(waitMs, signal).catch(() => {});
    }
  }

  async #runOnce(spec: ProgramSpec): Promise<ChildExit> {
    const { command, env, graceMs = 10_000 } = this.#options;
    // The program stops by itself when its standard input ends: a supervisor killed by -9 leaves no orphans.
    const child = new Child({ command, args: spec.args, stdio: ['pipe', 'pipe', 'pipe'], env, graceMs });
    this.#children.set(spec, child);
    this.#options.log.info('program-started', { child: spec.name, pid: child.process.pid });
    child.process.stdin?.on('error', () => {});
    this.#forward(spec, child.process.stdout);
    this.#forward(spec, child.process.stderr);
    const exit = await child.exited;
    this.#children.delete(spec);
    return exit;
  }

  #forward(spec: ProgramSpec, stream: NodeJS.ReadableStream | null): void {
    let rest = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(-maxLineChars);
      for (const line of lines) if (line.trim() !== '') this.#passOn(spec, line);
    });
    stream?.on('end', () => {
      if (rest.trim() !== '') this.#passOn(spec, rest);
    });
  }

  /** Log lines pass as they are; anything else (a crash report of Node) is put into one. */
  #passOn(spec: ProgramSpec, line: string): void {
    if (line.startsWith('{') && line.length <= maxLineChars && isObject(line)) this.#options.passLine(line);
    else this.#options.log.warn('output', { child: spec.name, line: line.slice(0, 1000) });
  }
}

function isObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
