/**
 * Runs real programs under `tracer.py`, which stops them at every system call that changes anything outside themselves, and
 * keeps what is on the disk there; or kills one at a named call. A point has a name that is the same in every run: the
 * program, the call, what it was about without ids, and which time it was.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface PointName {
  readonly program: string;
  readonly call: string;
  readonly name: string;
  readonly ordinal: number;
}

/** Three crashes: killed; power cut that takes all that was not synced; power cut that keeps names, and contents if synced. */
export const crashes = ['kill', 'cut', 'torn'] as const;
export type Crash = (typeof crashes)[number];
/** The image that each leaves. */
export type Left = Readonly<Record<Crash, string>>;

export interface Point extends PointName {
  readonly result: number;
  readonly before: Left;
  readonly after: Left;
  /** The beginning of what was sent. */
  readonly says?: string;
}

/** Contents by path, null for a folder: names of files in the store. */
export interface Image {
  readonly id: string;
  readonly files: Readonly<Record<string, string | null>>;
  readonly intake: Readonly<Record<string, string>> | null;
}

export interface Killing extends PointName {
  readonly when: 'before' | 'after';
  /** Not this process alone but all of them. */
  readonly whole: boolean;
}

export interface TraceOptions {
  /** For reports and logs. */
  readonly work: string;
  /** For contents, by their hash. */
  readonly store: string;
  readonly dataDir: string;
  readonly programs: Readonly<Record<string, readonly string[]>>;
  /** What address is called what. */
  readonly peers: Readonly<Record<string, string>>;
  /** Where a tus server keeps what it was sent. */
  readonly intake?: string;
  /** Folders of the data directory that nobody writes in this run. */
  readonly skip?: readonly string[];
  readonly kill?: Killing;
}

interface Report {
  readonly kind: 'started' | 'exited' | 'point' | 'image' | 'killed' | 'ended';
  readonly program?: string;
  readonly pid?: number;
}

export class Trace {
  readonly #report: string;
  readonly #plan: string;
  readonly #ended: Promise<number | null>;
  #isOver = false;

  constructor(options: TraceOptions) {
    const { work, kill, intake } = options;
    this.#report = join(work, 'report.jsonl');
    this.#plan = join(work, 'plan.json');
    writeFileSync(this.#report, '');
    const plan = {
      dataDir: options.dataDir,
      programs: options.programs,
      peers: options.peers,
      skip: ['run', ...(options.skip ?? [])],
      store: options.store,
      report: this.#report,
      // Answers to a test that looks again and again; they tell of nothing new, and never as often.
      unheard: '^\\{"id":\\d+,("result":\\{"requestId"|"error":.*no-such-request)',
      log: join(work, 'programs.log'),
      env: { PATH: process.env['PATH'] ?? '', HOME: work, LC_ALL: 'C.UTF-8', UV_THREADPOOL_SIZE: '2' },
      ...(intake === undefined ? {} : { intake }),
      ...(kill === undefined ? {} : { kill }),
    };
    writeFileSync(this.#plan, JSON.stringify(plan));
    const tracer = spawn('/usr/bin/python3', [join(import.meta.dirname, 'tracer.py'), this.#plan], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    tracer.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    this.#ended = new Promise((resolve) => {
      tracer.once('exit', (code) => {
        this.#isOver = true;
        if (code !== 0) process.stderr.write(`tracer: ${said}\n`);
        resolve(code);
      });
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  #reports(): Report[] {
    const lines = readFileSync(this.#report, 'utf8').split('\n');
    return lines.slice(0, -1).map((line) => JSON.parse(line) as Report);
  }

  get wasKilled(): boolean {
    return this.#reports().some(({ kind }) => kind === 'killed');
  }

  get points(): Point[] {
    return this.#reports().filter(({ kind }) => kind === 'point') as unknown as Point[];
  }

  get images(): Map<string, Image> {
    const images = this.#reports().filter(({ kind }) => kind === 'image') as unknown as Image[];
    return new Map(images.map((image) => [image.id, image]));
  }

  /** Asks the programs to stop, in this order, each after the one before it has. */
  async stop(order: readonly string[], signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    for (const name of order) {
      const started = this.#reports().find(({ kind, program }) => kind === 'started' && program === name);
      const pid = started?.pid;
      if (pid === undefined) continue;
      const isGone = (): boolean =>
        this.#isOver || this.#reports().some((report) => report.kind === 'exited' && report.pid === pid);
      if (!isGone()) process.kill(pid, signal);
      while (!isGone()) await delay(20);
    }
    const code = await this.#ended;
    if (code !== 0) throw new Error('the tracer failed');
  }
}

export function nameOf({ program, call, name, ordinal }: PointName): string {
  return `${program} ${call} ${name} #${ordinal}`;
}
