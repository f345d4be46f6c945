import { extname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { Child } from '../../base/child.ts';
import { AgentError, type ErrorDetail } from '../../base/errors.ts';
import { type Decoder, decoders } from './head.ts';
import type { PersonModel } from './model.ts';

/**
 * Tries the model in a child process first: on some boards ONNX Runtime ends with an illegal instruction, and that must
 * not be the recorder's end. The child runs the same Node binary and the same code as the recorder would.
 */
export interface ProbeOptions {
  readonly model: PersonModel;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Node, and a program that behaves like `probe-child.ts`; tests pass scripted ones. */
  readonly nodePath?: string;
  readonly childPath?: string;
}

export interface ProbeResult {
  readonly inputPx: number;
  readonly decoder: Decoder;
  /** Time of one run after the first. */
  readonly runMs: number;
}

/** Extension of this very file, so that the compiled package starts the compiled child. */
const defaultChildPath = join(import.meta.dirname, `probe-child${extname(import.meta.filename)}`);

const answerSchema = z.union([
  z.object({
    ok: z.literal(true),
    inputPx: z.int().positive(),
    decoder: z.enum(decoders),
    runMs: z.number().nonnegative(),
  }),
  z.object({ ok: z.literal(false), error: z.unknown() }),
]);

/**
 * Resolves when the model loads and runs here. Throws what loading threw (`person/model-missing`, `person/model-hash`,
 * `person/model-shape`, `person/model-run`), or `person/runtime-unusable` for a crash, a time-out or a library that is missing.
 */
export async function probeModel(options: ProbeOptions): Promise<ProbeResult> {
  options.signal?.throwIfAborted();
  await using child = new Child({
    command: options.nodePath ?? process.execPath,
    args: [options.childPath ?? defaultChildPath, JSON.stringify(options.model)],
    stdio: ['ignore', 'pipe', 'pipe'],
    graceMs: 500,
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, options.timeoutMs ?? 30_000);
  const onAbort = (): void => child.kill('SIGKILL');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const output = child.process.stdout;
    const [answer, exit] = await Promise.all([output === null ? '' : text(output), child.exited]);
    options.signal?.throwIfAborted();
    if (timedOut) throw unusable('it did not answer in time', { reason: 'timeout' });
    if (exit.startError !== undefined) throw unusable('the probe could not be started', { reason: 'start' });
    const parsed = parseAnswer(answer);
    if (parsed?.ok === true && exit.status === 0) {
      const { inputPx, decoder, runMs } = parsed;
      return { inputPx, decoder, runMs };
    }
    if (parsed?.ok === false) throw AgentError.fromReport(parsed.error);
    throw unusable('loading or running it ended the probe', {
      reason: 'crash',
      signal: exit.signal,
      status: exit.status,
    });
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
  }
}

function parseAnswer(answer: string): z.infer<typeof answerSchema> | undefined {
  try {
    return answerSchema.safeParse(JSON.parse(answer.slice(0, 64 * 1024))).data;
  } catch {
    return undefined;
  }
}

function unusable(why: string, detail: ErrorDetail): AgentError {
  return new AgentError(
    'unavailable',
    'person/runtime-unusable',
    `Cannot look for people on this machine: ${why}; motion goes on without`,
    { detail },
  );
}
