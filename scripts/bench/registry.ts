/** Finds the benches: every folder beside this file with a `bench.ts`. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Bench } from './bench.ts';

export function benchNames(): string[] {
  return readdirSync(import.meta.dirname, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(benchFile(entry.name)))
    .map(({ name }) => name)
    .toSorted();
}

export async function loadBench(name: string): Promise<Bench> {
  const { bench } = (await import(pathToFileURL(benchFile(name)).href)) as { readonly bench: Bench };
  return bench;
}

function benchFile(name: string): string {
  return join(import.meta.dirname, name, 'bench.ts');
}
