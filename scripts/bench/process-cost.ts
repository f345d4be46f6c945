/** Processor time and memory of a process and all that it started, as Linux counts them. */
import { readFileSync } from 'node:fs';
import { type ProcessMemory, processTree } from '../../test-fixtures/memory.ts';

/** USER_HZ, the same on every Linux that Node runs on. */
const msPerTick = 10;

export interface TreeCost {
  /** Since each process began, ended children that were waited for included. */
  readonly cpuMs: number;
  readonly byProcess: readonly { readonly pid: number; readonly name: string; readonly cpuMs: number }[];
  readonly rssMb: number;
  readonly pssMb: number;
}

export function treeCost(rootPid: number): TreeCost {
  const tree = processTree(rootPid);
  const byProcess = tree.map(({ pid, name }) => ({ pid, name, cpuMs: cpuMs(pid) }));
  const megabytes = (of: (memory: ProcessMemory) => number): number =>
    tree.reduce((sum, one) => sum + of(one), 0) / 1024;
  return {
    cpuMs: byProcess.reduce((sum, one) => sum + one.cpuMs, 0),
    byProcess,
    rssMb: megabytes(({ rssKb }) => rssKb),
    pssMb: megabytes(({ pssKb }) => pssKb),
  };
}

/** proc_pid_stat(5), fields 14 to 17: user and system time, and those of children that have ended. */
function cpuMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * msPerTick, 0);
  } catch {
    return 0;
  }
}
