/**
 * What can be measured of a data directory by somebody who has the card and no key: every file, its size and mode, and of
 * each database its pages, free pages, rows, row numbers and the lengths of what they hold. And what a classifier makes of it.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import Database from 'better-sqlite3';

export type Features = ReadonlyMap<string, number>;

export function featuresOf(dataDir: string): Features {
  const features = new Map<string, number>();
  const add = (name: string, value: number): void => void features.set(name, (features.get(name) ?? 0) + value);
  for (const entry of readdirSync(dataDir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    // Random names differ in every house; how many there are of a kind is what counts.
    const name = relative(dataDir, path).replaceAll(/[0-9a-f]{16,64}/g, 'ID');
    const { size, mode, nlink } = statSync(path);
    add(`count ${name}`, 1);
    add(`mode ${name}`, mode);
    if (entry.isDirectory()) add(`links ${name}`, nlink);
    if (!entry.isFile()) continue;
    add(`size ${name}`, size);
    if (size < 8 << 20)
      add(
        `zero bytes ${name}`,
        readFileSync(path).reduce((sum, byte) => sum + (byte === 0 ? 1 : 0), 0),
      );
    if (name.endsWith('.db')) addDatabase(path, name, add);
  }
  return features;
}

function addDatabase(path: string, name: string, add: (feature: string, value: number) => void): void {
  const db = new Database(path, { readonly: true });
  try {
    for (const pragma of ['page_count', 'freelist_count', 'schema_version', 'data_version']) {
      add(`${pragma} ${name}`, Number(db.pragma(pragma, { simple: true })));
    }
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[];
    for (const table of tables) {
      add(`rows ${name} ${table}`, Number(db.prepare(`SELECT count(*) FROM "${table}"`).pluck().get()));
      const columns = db.prepare(`SELECT name FROM pragma_table_info('${table}')`).pluck().all() as string[];
      for (const column of columns) {
        const lengths = db.prepare(`SELECT coalesce(sum(length("${column}")), 0) FROM "${table}"`).pluck().get();
        add(`bytes ${name} ${table}.${column}`, Number(lengths));
      }
      try {
        add(
          `highest row ${name} ${table}`,
          Number(db.prepare(`SELECT coalesce(max(rowid), 0) FROM "${table}"`).pluck().get()),
        );
      } catch {
        // A table without row numbers.
      }
    }
  } finally {
    db.close();
  }
}

export interface Image {
  readonly label: string;
  readonly features: Features;
}

/**
 * The share of images whose label is named right, each judged by all the others: by its five nearest ones, and by the
 * nearest mean of a label. Features are scaled to one deviation; one that is the same everywhere tells nothing.
 */
export function namedRight(images: readonly Image[]): { readonly byNeighbours: number; readonly byMeans: number } {
  const names = [...new Set(images.flatMap(({ features }) => [...features.keys()]))];
  const columns = names.map((name) => images.map(({ features }) => features.get(name) ?? 0));
  const scaled = columns.map(scale).filter((column) => column !== undefined);
  const points = images.map(({ label }, i) => ({ label, at: scaled.map((column) => column[i] ?? 0) }));
  let [neighbours, means] = [0, 0];
  for (const one of points) {
    const others = points.filter((other) => other !== one);
    if (nearestFive(one.at, others) === one.label) neighbours += 1;
    if (nearestMean(one.at, others) === one.label) means += 1;
  }
  return { byNeighbours: neighbours / points.length, byMeans: means / points.length };
}

interface Point {
  readonly label: string;
  readonly at: readonly number[];
}

function scale(values: readonly number[]): number[] | undefined {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return deviation === 0 ? undefined : values.map((value) => (value - mean) / deviation);
}

function distance(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0);
}

function nearestFive(at: readonly number[], others: readonly Point[]): string {
  const near = others.toSorted((a, b) => distance(at, a.at) - distance(at, b.at)).slice(0, 5);
  const votes = new Map<string, number>();
  for (const { label } of near) votes.set(label, (votes.get(label) ?? 0) + 1);
  return [...votes].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? '';
}

function nearestMean(at: readonly number[], others: readonly Point[]): string {
  const labels = [...new Set(others.map(({ label }) => label))];
  const means = labels.map((label) => {
    const own = others.filter((other) => other.label === label);
    return { label, at: at.map((_, i) => own.reduce((sum, point) => sum + (point.at[i] ?? 0), 0) / own.length) };
  });
  return means.toSorted((a, b) => distance(at, a.at) - distance(at, b.at))[0]?.label ?? '';
}

/** The share that guessing reaches at most, but for one time in a thousand. */
export function bestGuess(count: number, labelCount: number): number {
  const chance = 1 / labelCount;
  let [right, probability] = [0, (1 - chance) ** count];
  for (let sum = probability; sum < 0.999 && right < count; sum += probability) {
    probability *= ((count - right) / (right + 1)) * (chance / (1 - chance));
    right += 1;
  }
  return right / count;
}
