/** The memory of a process and all that it started, as Linux counts it. */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessMemory {
  readonly pid: number;
  /** Command and the words that tell one program from another. */
  readonly name: string;
  /** Kilobytes in memory, what is shared counted in every process. */
  readonly rssKb: number;
  /** Kilobytes, what is shared divided among those who share it: these may be added up. */
  readonly pssKb: number;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function parents(): Map<number, number> {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return new Map(
    all.map((pid) => {
      const [, parent] = read(`/proc/${pid}/stat`)
        .replace(/^.*\) /s, '')
        .split(' ');
      return [Number(pid), Number(parent)];
    }),
  );
}

/** "node program recorder" and "ffmpeg", whatever paths and flags stand around it. */
function nameOf(pid: number): string {
  const words = read(`/proc/${pid}/cmdline`).split('\0');
  const command = words[0]?.split('/').at(-1) ?? '';
  const role = words.slice(1).filter((word) => /^(run|program|recorder|courier|owner)$/.test(word));
  return [command, ...role].join(' ');
}

/** The process itself first; processes that end while they are looked at are left out. */
export function processTree(root: number): ProcessMemory[] {
  const parentOf = parents();
  const pids = [root];
  for (const pid of pids) for (const [child, parent] of parentOf) if (parent === pid) pids.push(child);
  return pids.flatMap((pid) => {
    const rollup = read(`/proc/${pid}/smaps_rollup`);
    const rssKb = Number(/^Rss:\s+(\d+)/m.exec(rollup)?.[1]);
    const pssKb = Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]);
    return Number.isNaN(rssKb) || Number.isNaN(pssKb) ? [] : [{ pid, name: nameOf(pid), rssKb, pssKb }];
  });
}
