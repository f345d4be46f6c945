/** Tables as plain text and as Markdown, and how figures are written. Pure. */
import type { Table, TargetRow } from './bench.ts';
import type { Spread } from './statistics.ts';

export function tableText({ title, columns, rows, notes = [] }: Table): string {
  const all = [columns, ...rows];
  const widths = columns.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)));
  const line = (row: readonly string[]): string =>
    widths.map((width, at) => (at === 0 ? (row[at] ?? '').padEnd(width) : (row[at] ?? '').padStart(width))).join('  ');
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [title, line(columns), rule, ...rows.map(line), ...notes.map((note) => `  ${note}`)]
    .map((text) => text.trimEnd())
    .join('\n');
}

export function tableMarkdown({ title, columns, rows, notes = [] }: Table): string {
  const line = (row: readonly string[]): string => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = line(columns.map((_, at) => (at === 0 ? '---' : '--:')));
  return [`### ${title}`, '', line(columns), rule, ...rows.map(line), ...(notes.length > 0 ? ['', ...notes] : [])].join(
    '\n',
  );
}

export function targetTable(targets: readonly TargetRow[]): Table {
  return {
    title: 'Targets',
    columns: ['what', 'figure', 'target', ''],
    rows: targets.map(({ what, figure: measured, target, met }) => [
      what,
      measured,
      target,
      met === undefined ? 'not measured' : met ? 'met' : 'MISSED',
    ]),
    notes: targets.flatMap(({ what, why }) => (why === undefined ? [] : [`${what}: ${why}`])),
  };
}

/** Three figures that mean something, never an exponent. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

export function ratio(value: number): string {
  return Number.isFinite(value) ? `${figure(value)} x` : '-';
}

export function percent(share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : '-';
}

export function spreadText({ median, least, most }: Spread): string {
  return `${figure(median)} (${figure(least)}-${figure(most)})`;
}

export function intervalText(value: number, [low, high]: readonly [number, number]): string {
  return `${value.toFixed(3)} (${low.toFixed(3)}-${high.toFixed(3)})`;
}
