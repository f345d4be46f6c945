import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** The table of invariants in the protocol's text names tests: they must be there, under these names. */
const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');
const rows = [...text.matchAll(/^\| (\d+) \| [^|]+ \| ([^|]+) \|$/gm)].map(([, number, tests]) => ({
  number: Number(number),
  tests: (tests ?? '').split('<br>').map((each) => /^`([^`]+)`: (.+)$/.exec(each.trim())),
}));

function namesIn(source: string): Set<string> {
  const named = /\b(?:it|test)(?:\.[a-z]+(?:\([^()]*\))?)*\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`([^`]*)`)/gi;
  return new Set(
    [...source.matchAll(named)].map((match) => (match[1] ?? match[2] ?? match[3] ?? '').replaceAll('\\', '')),
  );
}

describe('the table of invariants', () => {
  it('has all twenty-five', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
  });

  it.each(rows)('$number is held by tests that exist', ({ tests }) => {
    for (const named of tests) {
      expect(named).not.toBeNull();
      const [, file = '', name = ''] = named ?? [];
      expect(file).toMatch(/\.test\.ts$/);
      const names = namesIn(readFileSync(join(root, file), 'utf8'));
      expect([file, name, names.has(name)]).toEqual([file, name, true]);
    }
  });

  it('would notice a test that is gone', () => {
    expect(namesIn("it('is there', () => {});\ntest.each([1])('so is %i', () => {});")).toEqual(
      new Set(['is there', 'so is %i']),
    );
    expect(namesIn("// it is gone\nconst it = 'is there';").size).toBe(0);
  });
});
