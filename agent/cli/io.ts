/** What a command may touch of the world around it. Tests hand in their own streams and environment. */
import type { Readable, Writable } from 'node:stream';

export interface CliInput extends Readable {
  setRawMode?(raw: boolean): unknown;
}

export interface CliOutput extends Writable {
  readonly columns?: number;
  readonly rows?: number;
}

export interface CliIo {
  readonly stdin: CliInput;
  readonly stdout: CliOutput;
  readonly stderr: CliOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Both ends are a terminal: a person is there who can be asked. */
  readonly isTty: boolean;
  /** Ends the process at once; only for a second SIGTERM. Given by `main.ts`, which alone may exit. */
  readonly exitNow: (status: number) => void;
}

export function say(io: CliIo, line = ''): void {
  io.stdout.write(`${line}\n`);
}

/** For what a person should see even when standard output goes into a file. */
export function note(io: CliIo, line: string): void {
  io.stderr.write(`${line}\n`);
}

export function sayJson(io: CliIo, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** One line that is written over, for a person who waits. */
export function showProgress(io: CliIo, line: string): void {
  if (io.isTty) io.stderr.write(`\r${line}`);
}

export function clearProgress(io: CliIo): void {
  if (io.isTty) io.stderr.write('\r\u001b[K');
}

/** Where nobody says how wide it is, as wide as a terminal usually is. */
export function columnsOf({ columns = 80 }: CliOutput): number {
  return columns;
}
