/**
 * Who of a tree of processes reached for the network, from a trace of its system calls: every connect and every datagram
 * with an internet address, and every address listened on, with the program that did it.
 */
import { readFileSync } from 'node:fs';

/** For strace; `-ttt` gives each call its moment. */
export const networkTraceArgs = [
  '-f',
  '-qq',
  '-ttt',
  '-s',
  '400',
  '-e',
  'trace=execve,clone,clone3,fork,vfork,connect,sendto,sendmsg,sendmmsg,bind',
] as const;

export interface NetworkCall {
  /** `recorder`, `courier`, `owner`, `vault`, `supervisor`, or the name of another command. */
  readonly program: string;
  readonly call: 'connect' | 'send' | 'bind';
  readonly address: string;
  readonly port: number;
  readonly atMs: number;
}

export interface NetworkTrace {
  readonly calls: readonly NetworkCall[];
  /** Every program that was seen to run. */
  readonly programs: ReadonlySet<string>;
}

const linePattern = /^(\d+)\s+(\d+\.\d+) (.*)$/;
const childPattern = /^(?:(?:clone3?|v?fork)\(|<\.\.\. (?:clone3?|v?fork) resumed>).* = (\d+)$/;
const execPattern = /^execve\("([^"]*)", \[(.*?)\],? /;
const addressPattern =
  /^(connect|bind|sendto|sendmsg|sendmmsg)\(.*?sin6?_port=htons\((\d+)\).*?(?:inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)")/;

export function readNetworkTrace(path: string): NetworkTrace {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, pid, at, text] = linePattern.exec(line) ?? [];
      return pid === undefined || at === undefined || text === undefined
        ? []
        : [{ pid, atMs: Number(at) * 1000, text }];
    });
  // A child's first calls may stand before the line in which its parent learns its number.
  const parents = new Map<string, string>();
  for (const { pid, text } of lines) {
    const child = childPattern.exec(text)?.[1];
    if (child !== undefined) parents.set(child, pid);
  }
  const names = new Map<string, string>();
  const nameOf = (pid: string | undefined): string =>
    pid === undefined ? 'unknown' : (names.get(pid) ?? nameOf(parents.get(pid)));
  const calls: NetworkCall[] = [];
  const programs = new Set<string>();
  for (const { pid, atMs, text } of lines) {
    const [, command, args] = execPattern.exec(text) ?? [];
    if (command !== undefined && args !== undefined) {
      const name = programOf(command, args);
      names.set(pid, name);
      programs.add(name);
    }
    const [, call, port, v4, v6] = addressPattern.exec(text) ?? [];
    if (call === undefined || port === undefined) continue;
    const kind = call === 'connect' || call === 'bind' ? call : 'send';
    calls.push({ program: nameOf(pid), call: kind, address: v4 ?? v6 ?? '', port: Number(port), atMs });
  }
  return { calls, programs };
}

function programOf(command: string, args: string): string {
  const role = /"program", "(recorder|courier|owner)"/.exec(args)?.[1];
  if (role !== undefined) return role;
  if (args.includes('vault/process.ts')) return 'vault';
  if (args.includes('main.ts')) return 'supervisor';
  return command.split('/').at(-1) ?? command;
}
