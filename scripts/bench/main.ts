/** `npm run bench`: measures what the targets are about, beside the peers, in one run on one machine. Never a test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { BenchContext, PartReport } from './bench.ts';
import { describeMachine, loadText, machineText, readLoad } from './machine.ts';
import { type BenchResult, writeFolder, writeJson } from './output.ts';
import { benchNames, loadBench } from './registry.ts';
import { tableText, targetTable } from './table.ts';

interface Option {
  readonly json?: string;
  readonly out?: string;
  readonly quick?: boolean;
  readonly runs?: number;
  readonly only?: readonly string[];
  readonly model?: string;
}

async function runBench(name: string, option: Option, signal: AbortSignal): Promise<BenchResult> {
  const bench = await loadBench(name);
  const unknown = (option.only ?? []).filter((part) => !bench.parts.some((each) => each.name === part));
  if (unknown.length > 0) {
    const known = bench.parts.map((part) => part.name).join(', ');
    throw new Error(`bench ${name} has no part ${unknown.join(', ')}; its parts are ${known}`);
  }
  const machine = describeMachine();
  const before = readLoad();
  console.log(`bench ${name} on ${machineText(machine)}`);
  const reports: PartReport[] = [];
  for (const part of bench.parts.filter((each) => option.only?.includes(each.name) ?? true)) {
    signal.throwIfAborted();
    const workDir = mkdtempSync(join(tmpdir(), 'lk-bench-'));
    const context: BenchContext = {
      quick: option.quick === true,
      runCount: option.runs ?? (option.quick === true ? 1 : 5),
      dataDir: process.env['LATCHKEY_DATA'],
      modelPath: option.model,
      draws: option.out !== undefined,
      workDir,
      signal,
      note: (line) => process.stderr.write(`  ${part.name}: ${line}\n`),
    };
    try {
      const report = await part.run(context);
      reports.push(report);
      for (const table of report.tables) console.log(`\n${tableText(table)}`);
    } finally {
      rmSync(workDir, { recursive: true, force: true });
    }
  }
  const after = readLoad();
  const targets = reports.flatMap((report) => report.targets);
  const leftOut = reports.flatMap((report) => report.leftOut);
  if (targets.length > 0) console.log(`\n${tableText(targetTable(targets))}`);
  if (option.quick === true) console.log('--quick measures too little to judge a target by');
  for (const what of leftOut) console.log(`left out: ${what}`);
  console.log(`${loadText(before, after)}\n`);
  return { name, at: new Date().toISOString(), quick: option.quick === true, machine, before, after, reports };
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1000) throw new InvalidArgumentError('expected 1 to 1000');
  return value;
}

const stop = new AbortController();
/** The first is heard between two steps, and everything is put away; the second ends it at once. */
function onSignal(): void {
  if (stop.signal.aborted) process.exit(1);
  stop.abort(new Error('stopped'));
}
process.on('SIGINT', onSignal).on('SIGTERM', onSignal);

const program = new Command('bench')
  .argument('[names...]', `which benches: ${benchNames().join(', ')}; all by default`)
  .option('--json <file>', 'write every figure, each run of it, as JSON')
  .option('--out <folder>', 'write tables and plots, and pictures of the worst mistakes, into a folder')
  .option('--quick', 'one short run of everything: shows that it works, measures little')
  .option('--runs <n>', 'repetitions of whatever is timed (5)', wholeNumber)
  .option('--only <part>', 'only this part; several with commas', (text: string) => text.split(','))
  .option('--model <file>', 'people: one more ONNX model to measure beside the others')
  .addHelpText('after', '\nLATCHKEY_DATA names the folder of the recorded data sets; without it they are left out.')
  .addHelpText('after', '\nExample: npm run bench -- motion --out results --json results/motion.json')
  .action(async (names: string[], option: Option) => {
    const known = benchNames();
    const unknown = names.filter((name) => !known.includes(name));
    if (unknown.length > 0) throw new Error(`no bench ${unknown.join(', ')}; there are ${known.join(', ')}`);
    const results: BenchResult[] = [];
    for (const name of names.length > 0 ? names : known) results.push(await runBench(name, option, stop.signal));
    if (option.json !== undefined) writeJson(option.json, results);
    if (option.out !== undefined) await writeFolder(option.out, results);
  });

try {
  await program.parseAsync();
} catch (thrown) {
  console.error(`bench: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  process.exitCode = 1;
}
