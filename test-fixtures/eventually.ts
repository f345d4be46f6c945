/** Waiting for what another program does. The limit is for a machine busy with other work: only a failure takes that long. */
import { vi } from 'vitest';

const limitMs = 30_000;

/** Tries until `check` neither throws nor rejects, and gives its value; after the limit with its last error. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: limitMs, interval: 25 });
}
