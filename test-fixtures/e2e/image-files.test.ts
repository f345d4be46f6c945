/** What the arm64 image holds is enough to run Latchkey, and holds nothing else. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from '../../agent/base/child.ts';
import { parseConfig } from '../../agent/config/loader.ts';
import { assembleImage, copiedPaths, lastStage, productionPackages, projectRoot } from '../image-set.ts';

interface Package {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as Package;
let folder: string;
let image: string;
let files: string[];

beforeAll(() => {
  // A short path: a Unix socket's name has room for about a hundred bytes.
  folder = mkdtempSync(join(tmpdir(), 'lk-image-'));
  image = join(folder, 'opt');
  files = assembleImage(image);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Answer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function latchkey(...args: string[]): Promise<Answer> {
  return new Promise((resolve) => {
    const launcher = join(image, 'scripts/latchkey');
    // No Node on the path: the image's own has to do.
    const env = { PATH: '/usr/bin:/bin', HOME: folder };
    execFile(launcher, args, { env, cwd: folder }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const instructions = (name: string): string[] =>
  lastStage()
    .filter((instruction) => instruction.name === name)
    .map(({ text }) => text.slice(name.length + 1));

describe('the files of the image', () => {
  it('are no tests, no fixtures, no sources of the page and no scripts but the launcher', () => {
    const strays = files.filter((file) => /\.test\.|fixture|\.tsx$|\.cc$/.test(file));
    expect(strays).toEqual([]);
    expect(files.filter((file) => file.startsWith('scripts/'))).toEqual(['scripts/latchkey']);
    expect(files.length).toBeGreaterThan(150);
  });

  it('hold every package that runs and none that only develops', () => {
    const packages = productionPackages();
    for (const name of Object.keys(manifest.dependencies)) expect(packages).toContain(`node_modules/${name}`);
    // One of ours may still be needed by a package that runs.
    const kept = Object.keys(manifest.devDependencies).filter((name) => packages.includes(`node_modules/${name}`));
    expect(kept.filter((name) => !['node-addon-api', '@types/node'].includes(name))).toEqual([]);
  });

  it('import nothing that is not among them, the demo apart', () => {
    const found = new Set<string>();
    const missing: string[] = [];
    for (const file of files.filter((name) => name.endsWith('.ts'))) {
      const source = readFileSync(join(image, file), 'utf8');
      const imports = source.matchAll(
        /(?:^|\n)\s*(?:import|export)\s+(?!type\s)[^;'"]*?from\s+['"]([^'"]+)['"]|(?<!typeof )\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
      );
      for (const match of imports) {
        const specifier = match[1] ?? match[2] ?? '';
        if (specifier.startsWith('.')) {
          const target = relative(image, join(image, dirname(file), specifier));
          if (!existsSync(join(image, target))) missing.push(`${file} → ${target}`);
        } else if (!specifier.startsWith('node:')) {
          const [scope = '', name = ''] = specifier.split('/');
          found.add(scope.startsWith('@') ? `${scope}/${name}` : scope);
        }
      }
    }
    expect(missing).toEqual(['agent/cli/demo.ts → scripts/demo/demo.ts']);
    expect([...found].filter((name) => !Object.hasOwn(manifest.dependencies, name))).toEqual([]);
  });

  it('are started by a user who is not root and does not own them', () => {
    const users = instructions('USER');
    expect(users).toHaveLength(1);
    expect(users[0]).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    const afterUser = lastStage().slice(lastStage().findIndex(({ name }) => name === 'USER'));
    expect(afterUser.some(({ name }) => name === 'COPY' || name === 'RUN')).toBe(false);
    expect(lastStage().some(({ text }) => text.includes('--chown'))).toBe(false);
  });

  it('are where the entry point, the health check and the open port expect them', () => {
    const camera = {
      id: 'door',
      name: 'Door',
      source: { kind: 'rpicam', widthPx: 1920, heightPx: 1080, fps: 15, bitrateBps: 4e6 },
    };
    const { web } = parseConfig({ dataDir: 'data', cameras: [camera], regions: ['US-CA'] }, folder);
    expect(instructions('EXPOSE')).toEqual([String(web.port)]);
    const [workdir] = instructions('WORKDIR');
    const launcher = join(workdir ?? '', 'scripts/latchkey');
    expect(instructions('ENTRYPOINT')).toEqual([JSON.stringify([launcher])]);
    expect(instructions('HEALTHCHECK')[0]).toContain(
      `["${launcher}", "status", "--config", "/data/config.json", "--json"]`,
    );
    expect(copiedPaths()).toContain('scripts/latchkey');
  });
});

describe('in the image', () => {
  it('the command line shows its help, and says plainly what is not there', async () => {
    const help = await latchkey('--help');
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toContain('Usage: latchkey');
    const status = await latchkey('status', '--config', join(folder, 'config.json'));
    expect(status.status).toBe(3);
    expect(status.stderr).toMatch(/^latchkey: Cannot .*\(config\/missing\)\n$/);
    const demo = await latchkey('demo', '--yes');
    expect(demo.status).toBe(4);
    expect(demo.stderr).toMatch(/^latchkey: Cannot run the demo: .*"npm run demo".*\(demo\/not-here\)\n$/);
  });

  it('a house is set up and runs, and its health check passes', { timeout: 60_000 }, async () => {
    const config = join(folder, 'config.json');
    const camera = ['--camera-source', `file:${join(folder, 'none.mp4')}`, '--web-port', '0'];
    const place = ['--region', 'US-CA', '--lat', '37.77', '--lon', '-122.41'];
    const secrets = ['--passphrase-file', join(folder, 'passphrase'), '--recovery-out', join(folder, 'paper')];
    const where = ['--config', config, '--data-dir', join(folder, 'house')];
    const made = await latchkey('init', '--yes', '--json', ...where, ...camera, ...place, ...secrets);
    expect(made.status).toBe(0);
    await using house = new Child({
      command: join(image, 'scripts/latchkey'),
      args: ['run', '--config', config],
      stdio: ['ignore', 'ignore', 'pipe'],
      graceMs: 20_000,
    });
    const health = ['status', '--config', config, '--json'];
    let answer = await latchkey(...health);
    while (answer.status !== 0 && house.running) {
      await delay(200);
      answer = await latchkey(...health);
    }
    expect(house.lastLines.filter((line) => line.includes('page-not-built'))).toEqual([]);
    expect(JSON.parse(answer.stdout)).toMatchObject({ lock: 'locked', broker: 'not-configured' });
  });
});
