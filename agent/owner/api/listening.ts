/** Starting and stopping to listen, and upkeep beside it. */
import { once } from 'node:events';
import type { Server } from 'node:https';
import type { Clock } from '../../base/clock.ts';
import { AgentError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';

/** Throws `api/cannot-listen`. */
export async function listen(server: Server, port: number, host: string): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new AgentError('unavailable', 'api/cannot-listen', `Cannot listen on port ${port} of ${host}`, { cause });
  }
}

/** Ends every connection; the same server may listen again afterwards, elsewhere. */
export async function stopListening(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

/** Repeats `work` every `everyMs` until the signal aborts; a failure is logged and tried again next time. */
export async function repeat(
  clock: Clock,
  everyMs: number,
  signal: AbortSignal,
  log: Log,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(everyMs, signal);
      await work();
    } catch (thrown) {
      if (signal.aborted) return;
      log.error('api-upkeep-failed', thrown);
    }
  }
}
