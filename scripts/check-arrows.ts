/**
 * The imports between rooms go one way and make no cycle (agent/README.md, Arrows). Prints each import that breaks a rule.
 * Tests may look anywhere.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');

/** A room is the longest listed prefix of a file's path; it may import itself and what stands here. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  'agent/base': [],
  'agent/protocol': ['agent/base'],
  'agent/config': ['agent/base', 'agent/protocol'],
  'agent/store': ['agent/base', 'agent/protocol'],
  'agent/recorder/stages.ts': [],
  'agent/recorder/capture': ['agent/base', 'agent/recorder/stages.ts'],
  'agent/recorder/motion': ['agent/base', 'agent/recorder/stages.ts'],
  'agent/recorder/person': ['agent/base', 'agent/recorder/stages.ts'],
  'agent/recorder/clip': ['agent/base', 'agent/protocol', 'agent/store', 'agent/config', 'agent/recorder/stages.ts'],
  'agent/recorder': ['agent/base', 'agent/protocol', 'agent/config', 'agent/store', 'agent/recorder'],
  // Redaction looks for people and movement as the recorder does: those two stages know nothing of cameras or clips.
  'agent/vault': [
    'agent/base',
    'agent/protocol',
    'agent/store',
    'agent/recorder/stages.ts',
    'agent/recorder/motion',
    'agent/recorder/person',
  ],
  'agent/owner': ['agent/base', 'agent/protocol', 'agent/config', 'agent/store', 'agent/vault/client.ts'],
  'agent/courier': ['agent/base', 'agent/protocol', 'agent/config'],
  'agent/web': ['agent/owner/api', 'agent/owner/service.ts'],
  'agent/cli': ['agent', 'scripts/demo'],
  'agent/main.ts': ['agent'],
  'scripts/portal': ['agent/base', 'agent/protocol'],
  scripts: ['agent', 'scripts'],
  'scripts/bench': ['agent', 'scripts', 'test-fixtures'],
};
/** The web room sees only types of the owner's. */
const typesOnly: Readonly<Record<string, readonly string[]>> = { 'agent/web': ['agent/owner'] };

function roomOf(path: string): string {
  const rooms = Object.keys(arrows).filter((room) => path === room || path.startsWith(`${room}/`));
  return rooms.toSorted((a, b) => b.length - a.length)[0] ?? '';
}

const files = globSync(['agent/**/*.{ts,tsx}', 'scripts/**/*.ts'], { cwd: root }).filter(
  (path) => !/\.test\.tsx?$|\/dist\/|fixture/.test(path),
);
const imports = new Map<string, string[]>();
const broken: string[] = [];
for (const file of files) {
  const source = readFileSync(join(root, file), 'utf8');
  const targets: string[] = [];
  for (const match of source.matchAll(
    /(?:^|\n)\s*(import|export)\s+(type\s+)?[^;'"]*?from\s+['"](\.[^'"]+)['"]|import\(\s*['"](\.[^'"]+)['"]\s*\)/g,
  )) {
    const specifier = match[3] ?? match[4];
    if (specifier === undefined) continue;
    const target = relative(root, join(root, dirname(file), specifier));
    const isType = match[2] !== undefined;
    if (!isType) targets.push(target);
    const room = roomOf(file);
    const allowed = [room, ...(arrows[room] ?? [])];
    if (!allowed.some((a) => target === a || target.startsWith(`${a}/`)))
      broken.push(`${file} must not import ${target}`);
    if (!isType && (typesOnly[room] ?? []).some((a) => target.startsWith(a)))
      broken.push(`${file} may import only types from ${target}`);
  }
  imports.set(file, targets);
}

const state = new Map<string, 'open' | 'done'>();
function visit(file: string, trail: readonly string[]): void {
  if (state.get(file) === 'done') return;
  if (state.get(file) === 'open') {
    broken.push(`cycle: ${[...trail.slice(trail.indexOf(file)), file].join(' → ')}`);
    return;
  }
  state.set(file, 'open');
  for (const target of imports.get(file) ?? []) visit(target, [...trail, file]);
  state.set(file, 'done');
}
for (const file of imports.keys()) visit(file, []);

for (const line of broken) console.log(line);
console.log(`${files.length} files, ${broken.length} broken arrows`);
process.exitCode = broken.length === 0 ? 0 : 1;
