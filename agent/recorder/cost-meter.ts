import { readFileSync } from 'node:fs';

/** What a piece of work costs in processor time and memory, its child processes included. Reads /proc, so Linux only. */
export interface Cost {
  readonly cpuSeconds: number;
  /** Largest resident size of this process, plus that of each child. */
  readonly peakMemoryBytes: number;
}

const sampleMs = 100;
/** USER_HZ, the same on every Linux that Node runs on. */
const ticksPerSecond = 100;

export class CostMeter implements Disposable {
  readonly #startSeconds = cpuSeconds();
  readonly #childPids: () => readonly (number | undefined)[];
  readonly #childPeaks: number[] = [];
  readonly #timer: NodeJS.Timeout;

  /** `childPids`: one place for each role, so that a process which replaces another isn't counted beside it. */
  constructor(childPids: () => readonly (number | undefined)[]) {
    this.#childPids = childPids;
    this.#timer = setInterval(() => this.#sample(), sampleMs).unref();
  }

  /** Children count from the moment that they have ended. */
  read(): Cost {
    this.#sample();
    const children = this.#childPeaks.reduce((sum, bytes) => sum + bytes, 0);
    return {
      cpuSeconds: cpuSeconds() - this.#startSeconds,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024 + children,
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    this.#childPids().forEach((pid, role) => {
      const bytes = pid === undefined ? 0 : peakBytes(pid);
      this.#childPeaks[role] = Math.max(this.#childPeaks[role] ?? 0, bytes);
    });
  }
}

/** Of this process and of every child that has ended (proc_pid_stat(5), fields 16 and 17). */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ').at(-1)?.split(' ') ?? [];
  const ticks = Number(fields[13] ?? 0) + Number(fields[14] ?? 0);
  return (user + system) / 1e6 + ticks / ticksPerSecond;
}

function peakBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    // It ended between two looks.
    return 0;
  }
}
