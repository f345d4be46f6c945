/**
 * ffmpeg on pipes alone: what goes in, what comes out and what is in between exists in memory only. It runs in the vault's
 * own sandbox (no network), and ends when its pipes do, so also when the vault is killed.
 */
import type { Readable, Writable } from 'node:stream';
import { Child, type ChildExit } from '../../base/child.ts';
import { AgentError } from '../../base/errors.ts';

export interface PipeJob {
  readonly ffmpegPath: string;
  /** After the common ones; reads `pipe:0` and, if `extra` is given, `pipe:3`; writes `pipe:1`. */
  readonly args: readonly string[];
  readonly input: readonly Uint8Array[];
  /** Handed on as fast as ffmpeg takes it. */
  readonly extra?: Iterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
}

const common = ['-nostdin', '-hide_banner', '-nostats', '-loglevel', 'verbose', '-protocol_whitelist', 'pipe'];
/** A picture takes less by far; without any output for so long it hangs. */
const stallMs = 60_000;

/** Standard output piece by piece; the generator's value is what ffmpeg said. Throws `redact/ffmpeg`, or the signal's reason. */
export async function* runPipes(job: PipeJob): AsyncGenerator<Buffer, readonly string[]> {
  job.signal?.throwIfAborted();
  await using child = new Child({
    command: job.ffmpegPath,
    args: [...common, ...job.args],
    stdio: ['pipe', 'pipe', 'pipe', ...(job.extra === undefined ? [] : ['pipe' as const])],
    graceMs: 0,
  });
  const kill = (): void => child.kill('SIGKILL');
  job.signal?.addEventListener('abort', kill, { once: true });
  let stalled = false;
  const timer = setInterval(() => {
    stalled = true;
    kill();
  }, stallMs);
  try {
    const pipes = child.process.stdio as unknown as readonly [Writable, Readable, Readable, (Writable | undefined)?];
    feed(pipes[0], job.input);
    if (pipes[3] !== undefined) feed(pipes[3], job.extra ?? []);
    for await (const chunk of pipes[1] as AsyncIterable<Buffer>) {
      timer.refresh();
      yield chunk;
    }
    const exit = await child.exited;
    job.signal?.throwIfAborted();
    if (exit.status !== 0 || stalled) throw failure(exit, child.lastLines, stalled);
    return child.lastLines;
  } finally {
    clearInterval(timer);
    job.signal?.removeEventListener('abort', kill);
    kill();
  }
}

/** A pipe that ffmpeg closes early is told by its exit status. */
function feed(pipe: Writable, parts: Iterable<Uint8Array>): void {
  pipe.on('error', () => {});
  const iterator = parts[Symbol.iterator]();
  const pump = (): void => {
    for (;;) {
      const next = iterator.next();
      if (next.done === true) {
        pipe.end();
        return;
      }
      if (!pipe.write(next.value)) break;
    }
    pipe.once('drain', pump);
  };
  pump();
}

function failure(exit: ChildExit, lines: readonly string[], stalled: boolean): AgentError {
  if (exit.startError !== undefined) {
    return new AgentError('unavailable', 'redact/ffmpeg', 'Cannot redact the clip: ffmpeg could not be started', {
      cause: exit.startError,
    });
  }
  const lacks = lines.some((line) => /Unknown encoder/.test(line));
  const why = lacks ? 'it lacks the encoder' : stalled ? 'it stood still' : 'it ended before its work was done';
  return new AgentError('unavailable', 'redact/ffmpeg', `Cannot redact the clip: ffmpeg failed, ${why}`, {
    detail: { status: exit.status, signal: exit.signal },
  });
}
