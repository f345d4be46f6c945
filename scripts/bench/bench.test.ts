// The benches on the committed streams, as short as they go: that everything runs and is written, never what it measures.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { benchNames, loadBench } from './registry.ts';

const main = join(import.meta.dirname, 'main.ts');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lk-bench-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Without the data sets, whatever the environment says. */
async function runBench(...args: readonly string[]): Promise<Ran> {
  const { LATCHKEY_DATA: _, ...env } = process.env;
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, ...args], { env });
    return { status: 0, stdout, stderr };
  } catch (thrown) {
    const { code, stdout, stderr } = thrown as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}

interface Written {
  readonly name: string;
  readonly machine: { readonly cpu: string };
  readonly before: { readonly averages: number[] };
  readonly parts: {
    readonly part: string;
    readonly tables: { readonly rows: string[][] }[];
    readonly leftOut: string[];
  }[];
}

describe('npm run bench', () => {
  it('finds every bench by its folder, and each part has a name of its own', async () => {
    expect(benchNames()).toEqual(expect.arrayContaining(['motion', 'people']));
    for (const name of benchNames()) {
      const bench = await loadBench(name);
      expect(bench.name).toBe(name);
      expect(new Set(bench.parts.map((part) => part.name)).size).toBe(bench.parts.length);
    }
  });

  it('says how it is used, and what it does not know', async () => {
    expect((await runBench('--help')).stdout).toContain('LATCHKEY_DATA');
    expect(await runBench('nothing')).toMatchObject({ status: 1, stderr: expect.stringContaining('no bench nothing') });
    const part = await runBench('motion', '--only', 'nothing');
    expect(part).toMatchObject({ status: 1, stderr: expect.stringContaining('its parts are speed') });
    expect((await runBench('motion', '--runs', '0')).stderr).toContain('expected 1 to 1000');
  });

  it('motion: measures, prints and writes tables, figures and plots', { timeout: 300_000 }, async () => {
    const json = join(folder, 'deep', 'motion.json');
    const out = join(folder, 'out');
    const ran = await runBench('motion', '--quick', '--only', 'speed,pixels,events', '--json', json, '--out', out);
    expect(ran.status, ran.stderr).toBe(0);
    expect(ran.stdout).toMatch(/motion core, fastest kernel, ns\/px/);
    expect(ran.stdout).toContain('left out: pixel F: cdnet-highway and wallflower-trees are not there');
    expect(ran.stdout).toMatch(/^load .* before, .* after/m);
    const [written] = JSON.parse(readFileSync(json, 'utf8')) as Written[];
    expect(written?.parts.map(({ part }) => part)).toEqual(['speed', 'pixels', 'events']);
    expect(written?.before.averages).toHaveLength(3);
    expect(written?.parts[0]?.tables[0]?.rows.flat().join(' ')).toContain('latchkey scalar');
    const files = readdirSync(join(out, 'motion'));
    const drawn = files.find((name) => /^motion-speed-.*\.png$/.test(name)) ?? '';
    expect(files).toEqual(
      expect.arrayContaining(['results.md', 'motion-timelines.png', drawn.replace('.png', '.svg')]),
    );
    expect((await sharp(join(out, 'motion', drawn)).metadata()).width).toBe(860);
    expect(readFileSync(join(out, 'motion', 'results.md'), 'utf8')).toContain(
      '![motion-timelines](motion-timelines.png)',
    );
  });

  it('people: runs the real recorder and scores what it kept', { timeout: 300_000 }, async () => {
    const json = join(folder, 'people.json');
    const ran = await runBench('people', '--quick', '--only', 'accuracy,rendered,visits', '--json', json);
    expect(ran.status, ran.stderr).toBe(0);
    expect(ran.stdout).toContain('Visits from end to end');
    expect(ran.stdout).toContain('left out: AP on coco-val-a and penn-fudan: they are not there');
    const [written] = JSON.parse(readFileSync(json, 'utf8')) as Written[];
    expect(written?.parts[2]?.tables[0]?.rows[0]?.[0]).toMatch(/^embedded: /);
  });
});
