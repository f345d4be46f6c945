/**
 * The files of the image's last stage, put together on this machine from the same lists that a build reads: the COPY
 * lines of `Dockerfile.arm64`, `.dockerignore`, and the lockfile for the packages that are left without development.
 */
import {
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, matchesGlob, relative } from 'node:path';
import { systemCode } from '../agent/base/errors.ts';

export const projectRoot = join(import.meta.dirname, '..');

export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** The instructions of the last stage, continuation lines joined. */
export function lastStage(): Instruction[] {
  const text = readFileSync(join(projectRoot, 'Dockerfile.arm64'), 'utf8');
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  const stage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  return stage.filter((line) => line !== '').map((line) => ({ name: line.split(' ', 1)[0] ?? '', text: line }));
}

/** What the last stage takes from the one that built it, by its path in the project. */
export function copiedPaths(): string[] {
  return lastStage()
    .filter(({ name }) => name === 'COPY')
    .flatMap(({ text }) => {
      const [flag, ...paths] = text.split(' ').slice(1);
      const target = paths.pop() ?? '';
      if (flag !== '--from=build') throw new Error(`expected every file to come from the build: ${text}`);
      return paths.map((path) => {
        const source = path.replace(/^\/(src|image)\//, '');
        if (target !== './' && target !== source) throw new Error(`expected to keep its place: ${text}`);
        return source;
      });
    });
}

const ignoreRules = readFileSync(join(projectRoot, '.dockerignore'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => ({ take: line.startsWith('!'), pattern: line.replace(/^!/, '') }));

/** The last rule that names the path or a folder above it decides. */
function isIgnored(path: string): boolean {
  const parts = path.split('/');
  const paths = parts.map((_, i) => parts.slice(0, i + 1).join('/'));
  return ignoreRules.findLast(({ pattern }) => paths.some((p) => matchesGlob(p, pattern)))?.take === false;
}

function filesUnder(folder: string): string[] {
  if (!lstatSync(folder).isDirectory()) return [folder];
  return readdirSync(folder).flatMap((name) => filesUnder(join(folder, name)));
}

/** A link costs no time and no room; across file systems it has to be a copy. */
function place(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  if (lstatSync(source).isSymbolicLink()) return symlinkSync(readlinkSync(source), target);
  try {
    linkSync(source, target);
  } catch (thrown) {
    if (systemCode(thrown) !== 'EXDEV' && systemCode(thrown) !== 'EPERM') throw thrown;
    copyFileSync(source, target);
  }
}

interface LockEntry {
  readonly dev?: boolean;
}

/** Folders of the installed packages that `npm prune --omit=dev` leaves. */
export function productionPackages(): string[] {
  const lock = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockEntry>>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true && existsSync(join(projectRoot, path)))
    .map(([path]) => path);
}

function placePackages(target: string): void {
  const packages = productionPackages();
  for (const path of packages) {
    for (const name of readdirSync(join(projectRoot, path))) {
      if (name === 'node_modules') continue;
      for (const file of filesUnder(join(projectRoot, path, name))) {
        place(file, join(target, relative(projectRoot, file)));
      }
    }
  }
  const bin = join(projectRoot, 'node_modules/.bin');
  for (const name of readdirSync(bin)) {
    const program = relative(projectRoot, join(bin, readlinkSync(join(bin, name))));
    if (packages.some((path) => program.startsWith(`${path}/`))) {
      place(join(bin, name), join(target, 'node_modules/.bin', name));
    }
  }
}

/** What the build makes rather than finds: it is there although the build is not given it. */
const built = ['native/build/Release/latchkey.node', 'agent/web/dist'];

/** Puts the set into an empty folder, this machine's packages unless others are wanted; returns the files outside `node_modules`. */
export function assembleImage(target: string, options: { readonly packages?: boolean } = {}): string[] {
  const placed: string[] = [];
  for (const path of copiedPaths()) {
    if (path === 'node_modules') {
      if (options.packages !== false) placePackages(target);
      continue;
    }
    // Git keeps no empty folder, and the build makes this one.
    if (path === 'models' && !existsSync(join(projectRoot, path))) continue;
    for (const file of filesUnder(join(projectRoot, path))) {
      const name = relative(projectRoot, file);
      const isBuilt = built.some((b) => name === b || name.startsWith(`${b}/`));
      if (!isBuilt && isIgnored(name)) continue;
      place(file, join(target, name));
      placed.push(name);
    }
  }
  return placed;
}
