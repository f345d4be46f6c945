/**
 * Every error code is produced by a test: each literal of the form `room/what` in the agent and the portal must occur in some
 * test file, vector or fixture. A code that is put together from parts is taken with all that it can become.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

const composed: Readonly<Record<string, readonly string[]>> = {
  'config/${file.problem}': ['missing', 'unreadable', 'too-large'],
  'keys/${problem}': ['bad-length', 'non-canonical', 'small-order', 'not-on-curve'],
}; // biome-ignore format: a table

/** Not produced by any test, each with its reason. */
const allowed: Readonly<Record<string, string>> = {
  'share/too-large': 'it takes over 512 MiB of sealed clips, more memory than a test machine has to spare',
  'capture/sound-format': 'never leaves the capture, which plans the sound anew; its tests see the newly encoded track',
};
/** Of the same form, but no codes. */
const others = ['preact/hooks', 'text/event-stream', 'room/what', 'ag/${topic.agency}', 'dir/${topic.page}'];

function read(patterns: readonly string[], except: RegExp): Map<string, string> {
  const paths = globSync([...patterns], { cwd: root }).filter((path) => !except.test(path));
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

const sources = read(['agent/**/*.{ts,tsx}', 'scripts/portal/**/*.ts'], /\.test\.ts$|\/dist\/|fixture/);
const tests = [
  ...read(
    ['{agent,scripts}/**/*.test.ts', 'test-fixtures/**/*.{ts,py}', 'test-fixtures/vectors/*.json'],
    /codes\.test\.ts$/,
  ).values(),
].join('\n');

function literals(): Map<string, string> {
  const found = new Map<string, string>();
  for (const [path, source] of sources) {
    for (const [, code = ''] of source.matchAll(/['"`]([a-z][a-z0-9-]*\/[a-z0-9-]*(?:\$\{[\w.]+\})?)['"`]/g))
      if (!code.endsWith('/') && !others.includes(code)) found.set(code, path);
  }
  return found;
}

/** In a file whose helper writes `request/${what}`, the parts are what the helper is called with. */
function partsOf(code: string, path: string): readonly string[] | undefined {
  if (!code.endsWith('/${what}') && !code.endsWith('-${what}')) return composed[code];
  const calls = [...(sources.get(path) ?? '').matchAll(/\b(?:refused|wrong)\('([a-z0-9-]+)'/g)];
  return calls.length === 0 ? undefined : calls.map(([, part = '']) => part);
}

it('every error code of the agent and the portal is produced by a test, or allowed here with a reason', () => {
  const codes = literals();
  expect(codes.size).toBeGreaterThan(300);
  const expanded = [...codes].flatMap(([code, path]) => {
    const stem = code.slice(0, code.indexOf('$'));
    return partsOf(code, path)?.map((part) => [`${stem}${part}`, path] as const) ?? [[code, path] as const];
  });
  const untested = expanded.filter(([code]) => !tests.includes(code) && !Object.hasOwn(allowed, code));
  expect(untested.map(([code, path]) => `${code} (${path})`)).toEqual([]);
});

it('what is allowed without a test still exists, and has none', () => {
  const codes = literals();
  for (const code of Object.keys(allowed)) {
    expect([code, codes.has(code)]).toEqual([code, true]);
    expect([code, tests.includes(code)]).toEqual([code, false]);
  }
});
