import { runStudio } from './program.ts';

/** `npm run render -- <command>`: the only place here that touches the process. A second signal ends it at once. */
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  });
}
process.exitCode = await runStudio(
  process.argv.slice(2),
  {
    out: (text) => void process.stdout.write(text),
    error: (text) => void process.stderr.write(text),
    live: process.stderr.isTTY,
  },
  stop.signal,
);
