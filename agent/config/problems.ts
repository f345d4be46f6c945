/** Turns what the schema found into lines a person can act on: where, what was expected in which unit, what stands there. */
import type { z } from 'zod';

export interface ConfigProblem {
  /** As one would write it in JavaScript: `cameras[0].clip.preRollMs`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
}

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

export function pathText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? String(part) : `.${String(part)}`;
  }
  return text;
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.hasOwn(value, part) ? (value as Record<PropertyKey, unknown>)[part] : undefined;
  }
  return value;
}

/** Text is never repeated: it may be a credential in the wrong place, and messages reach logs. */
function found(value: unknown): string {
  if (value === undefined) return 'it is missing';
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return `found ${String(value)}`;
  if (typeof value === 'string') return value === '' ? 'found an empty text' : 'found a text that is not';
  return Array.isArray(value) ? `found a list of ${value.length}` : 'found an object';
}

/** Of several alternatives, the one that the writer seems to have meant: it failed inside the value, not at the value itself. */
function meant(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches.find((issues) =>
    issues.every((issue) => issue.path.length > 0 || issue.code === 'unrecognized_keys'),
  );
}

function describe(issue: Issue, root: unknown, prefix: Path): ConfigProblem[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: pathText([...path, key]), message: 'there is no such setting' }));
  }
  if (issue.code === 'invalid_union') {
    const branch = meant(issue.errors);
    if (branch !== undefined) return branch.flatMap((inner) => describe(inner, root, path));
  }
  return [{ path: pathText(path), message: `${issue.message}, ${found(valueAt(root, path))}` }];
}

export function describeIssues(issues: readonly Issue[], root: unknown): ConfigProblem[] {
  const problems = issues.flatMap((issue) => describe(issue, root, []));
  const seen = new Set<string>();
  return problems.filter(({ path, message }) => {
    const line = `${path}\n${message}`;
    if (seen.has(line)) return false;
    seen.add(line);
    return true;
  });
}
