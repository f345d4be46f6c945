/**
 * The whole check, the same for a person and for CI: format, lint, types, arrows, the addon's own tests, then every test.
 * `--long` runs only the long tier. Ends with one line `N passed, N failed, N skipped`. In CI a skip that is not
 * listed with its reason in `scripts/allowed-skips.json` counts as a failure.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const root = join(import.meta.dirname, '..');
const long = process.argv.includes('--long');
const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
/** Said again at the very end, where whoever sees only the end of a log looks. */
const failures: string[] = [];

function failed(what: string): void {
  counts.failed += 1;
  failures.push(what);
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): number {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  if (result.error) console.error(`${command}: ${result.error.message}`);
  return result.status ?? 1;
}

function step(name: string, command: string, args: readonly string[]): void {
  const startMs = performance.now();
  const status = run(command, args);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  if (status === 0) counts.passed += 1;
  else failed(name);
}

function runVitest(): void {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-check-'));
  const file = join(folder, 'report.json');
  try {
    const status = run(
      'vitest',
      ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
      long ? { LATCHKEY_LONG: '1' } : {},
    );
    const report = JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
    const allowed = JSON.parse(readFileSync(join(root, 'scripts/allowed-skips.json'), 'utf8')) as Record<
      string,
      string
    >;
    const before = counts.failed;
    for (const suite of report.testResults) {
      // A file that fails to load has no assertions of its own.
      if (suite.status === 'failed' && suite.assertionResults.length === 0) failed(relative(root, suite.name));
      for (const test of suite.assertionResults) {
        if (test.status === 'passed') counts.passed += 1;
        else if (test.status === 'failed') failed(`${relative(root, suite.name)}: ${test.fullName}`);
        else {
          counts.skipped += 1;
          if (process.env['CI'] !== undefined && !Object.hasOwn(allowed, test.fullName)) {
            failed(`skipped without a listed reason: ${test.fullName}`);
          }
        }
      }
    }
    if (status !== 0 && counts.failed === before) failed('an error outside of any test');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.env['LATCHKEY_DATA'] === undefined) {
  console.log('LATCHKEY_DATA is not set: tests on recorded streams and reference models are skipped and say so.');
}
if (!long) {
  step('format', 'biome', ['check', '.']);
  step('lint', 'oxlint', ['--type-aware', '--deny-warnings']);
  step('types', 'tsc', ['--noEmit']);
  step('arrows', 'node', ['scripts/check-arrows.ts']);
  step('addon under sanitizers', 'bash', ['native/test.sh']);
}
runVitest();
const totals = process.env['LATCHKEY_TOTALS'];
if (totals !== undefined) {
  const lines = [`${counts.passed} ${counts.failed} ${counts.skipped}`, ...failures.map((what) => `failed: ${what}`)];
  appendFileSync(totals, `${lines.join('\n')}\n`);
}
for (const what of failures) console.log(`failed: ${what}`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 ? 0 : 1;
