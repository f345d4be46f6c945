/** The peers in Python, on Debian's interpreter, which has Debian's OpenCV. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Child } from '../../agent/base/child.ts';

export const python = '/usr/bin/python3';

let peers: boolean | undefined;

/** Whether python3-opencv and python3-scipy are there. */
export function hasPythonPeers(): boolean {
  peers ??= spawnSync(python, ['-c', 'import cv2, numpy, scipy.ndimage'], { stdio: 'ignore' }).status === 0;
  return peers;
}

/** Runs `peers/NAME.py` and returns its standard output. */
export async function runPeer(name: string, args: readonly string[], maxBytes = 1 << 28): Promise<Buffer> {
  const script = join(import.meta.dirname, 'peers', `${name}.py`);
  return runProgram(python, [script, ...args], maxBytes);
}

export async function runProgram(command: string, args: readonly string[], maxBytes = 1 << 28): Promise<Buffer> {
  return runProgramWithInput(command, args, undefined, maxBytes);
}

/** Throws what the program said last when it fails. */
export async function runProgramWithInput(
  command: string,
  args: readonly string[],
  input: Uint8Array | undefined,
  maxBytes = 1 << 28,
): Promise<Buffer> {
  await using child = new Child({ command, args, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  // Of a program that ends before it has read everything, its exit status tells.
  child.process.stdin?.on('error', () => {}).end(input);
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of (child.process.stdout ?? []) as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > maxBytes) throw new Error(`${command} printed more than ${maxBytes} bytes`);
    parts.push(part);
  }
  const exit = await child.exited;
  if (exit.status !== 0) {
    const why = exit.startError?.code ?? child.lastLines.slice(-8).join(' | ');
    throw new Error(`${command} ${args[0] ?? ''} failed: ${why}`);
  }
  return Buffer.concat(parts);
}
