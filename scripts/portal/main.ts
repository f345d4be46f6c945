import { runPortal } from './program.ts';

/** `node scripts/portal/main.ts`: the only place here that touches the process. */
// What an office's desks share is for its group; keys and received shares say more narrowly who may read them.
process.umask(0o002);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
process.exitCode = await runPortal(
  process.argv.slice(2),
  { out: (text) => void process.stdout.write(text), error: (text) => void process.stderr.write(text) },
  stop.signal,
);
