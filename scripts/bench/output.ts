/** Results on disk: one JSON file, or a folder with a page of tables, plots and pictures for each bench. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import type { PartReport } from './bench.ts';
import { type Load, loadText, type Machine, machineText } from './machine.ts';
import { tableMarkdown, targetTable } from './table.ts';

export interface BenchResult {
  readonly name: string;
  readonly at: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly before: Load;
  readonly after: Load;
  readonly reports: readonly PartReport[];
}

export function writeJson(path: string, results: readonly BenchResult[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const plain = results.map(({ reports, ...result }) => ({
    ...result,
    parts: reports.map(({ part, tables, targets, leftOut, values }) => ({ part, tables, targets, leftOut, values })),
  }));
  writeFileSync(path, `${JSON.stringify(plain, null, 1)}\n`);
}

export async function writeFolder(folder: string, results: readonly BenchResult[]): Promise<void> {
  for (const result of results) {
    const home = join(folder, result.name);
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'results.md'), page(result));
    for (const drawing of result.reports.flatMap((report) => report.drawings)) {
      const path = join(home, drawing.name);
      if ('svg' in drawing) {
        writeFileSync(`${path}.svg`, drawing.svg);
        await sharp(Buffer.from(drawing.svg)).png().toFile(`${path}.png`);
      } else {
        writeFileSync(`${path}.png`, drawing.png);
      }
    }
  }
}

function page({ name, at, quick, machine, before, after, reports }: BenchResult): string {
  const targets = reports.flatMap((report) => report.targets);
  const leftOut = reports.flatMap((report) => report.leftOut);
  const sections = [
    `## bench ${name}${quick ? ' --quick' : ''}`,
    `${at}, ${machineText(machine)}; ${loadText(before, after)}.`,
    ...(targets.length > 0 ? [tableMarkdown(targetTable(targets))] : []),
    ...reports.flatMap(({ tables, drawings }) => [
      ...tables.map(tableMarkdown),
      ...drawings.map((drawing) => `![${drawing.name}](${drawing.name}.png)`),
    ]),
    ...(leftOut.length > 0 ? [leftOut.map((what) => `- left out: ${what}`).join('\n')] : []),
  ];
  return `${sections.join('\n\n')}\n`;
}
