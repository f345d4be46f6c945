/** The machine that a figure was measured on, and how busy it was. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { findFfmpeg } from '../../agent/base/ffmpeg.ts';
import { hasPythonPeers, python } from './python.ts';

export interface Machine {
  readonly cpu: string;
  readonly coreCount: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Averages of 1, 5 and 15 minutes, and the share of time that the processors were not idle between two readings. */
export interface Load {
  readonly averages: readonly number[];
  readonly busyTicks: number;
  readonly idleTicks: number;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    coreCount: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    versions: {
      node: process.versions.node,
      ffmpeg: firstLine(findFfmpeg(), ['-version']).split(' ')[2] ?? 'unknown',
      opencv: hasPythonPeers() ? firstLine(python, ['-c', 'import cv2; print(cv2.__version__)']) : 'not installed',
      motion: /Version ([\d.]+)/.exec(firstLine('motion', ['-h']))?.[1] ?? 'not installed',
      onnxruntime: packageVersion('onnxruntime-node'),
    },
  };
}

export function readLoad(): Load {
  const fields = readFileSync('/proc/stat', 'latin1').split('\n')[0]?.trim().split(/\s+/).slice(1).map(Number) ?? [];
  const idleTicks = (fields[3] ?? 0) + (fields[4] ?? 0);
  // Guest time is counted in user time already.
  const busyTicks = fields.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0) - idleTicks;
  return { averages: loadavg(), busyTicks, idleTicks };
}

export function machineText({ cpu, coreCount, kernel, versions }: Machine): string {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${cpu}, ${coreCount} cores, Linux ${kernel}; ${named.join(', ')}`;
}

export function loadText(before: Load, after: Load): string {
  const busy = after.busyTicks - before.busyTicks;
  const all = busy + after.idleTicks - before.idleTicks;
  const averages = (load: Load): string => load.averages.map((value) => value.toFixed(2)).join(' ');
  return `load ${averages(before)} before, ${averages(after)} after; all processors busy ${((100 * busy) / Math.max(1, all)).toFixed(0)} % of the time in between`;
}

/** Some programs say their version on standard error, and some call that a failure. */
function firstLine(command: string, args: readonly string[]): string {
  const { stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 });
  return error === undefined ? (`${stdout}${stderr}`.trim().split('\n')[0] ?? '') : 'not installed';
}

function packageVersion(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  try {
    return String((JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown }).version);
  } catch {
    return 'not installed';
  }
}
