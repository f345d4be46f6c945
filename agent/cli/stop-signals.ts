/** SIGTERM and SIGINT: the first asks for an orderly stop, the second is obeyed at once. */
import type { CliIo } from './io.ts';

export async function withStopSignals<T>(
  io: CliIo,
  action: (signal: AbortSignal) => Promise<T>,
  beforeExit: () => void = () => {},
): Promise<T> {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      beforeExit();
      io.exitNow(130);
    }
    controller.abort();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  try {
    return await action(controller.signal);
  } finally {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
  }
}
