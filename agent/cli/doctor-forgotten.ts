/** What lies in the data directory and nobody looks after: no recorder deletes it when it is too old, and no list shows it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import { ClipsReader } from '../store/clips-reader.ts';
import { type Finding, poor } from './doctor-finding.ts';
import { byteSize } from './terminal-text.ts';

export function lookAtForgotten({ dataDir, cameras }: Config): Finding[] {
  const root = join(dataDir, 'cameras');
  const entries = existsSync(root) ? readdirSync(root, { withFileTypes: true }) : [];
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return names.toSorted().flatMap((name) => {
    const folder = join(root, name);
    const known = cameras.some(({ id }) => id === name);
    return [...(known ? [] : lookAtClipsOf(name, folder)), ...lookAside(name, folder)];
  });
}

function lookAtClipsOf(camera: string, folder: string): Finding[] {
  const path = join(folder, 'clips.db');
  const { count, bytes } = existsSync(path) ? stored(path) : { count: 0, bytes: 0 };
  if (count === 0) return [];
  const what = `the configuration has no such camera, so they stay whatever "retention" says: ${count}, ${byteSize(bytes)}`;
  return [poor(`clips of ${camera}`, what, `put it back, or delete ${folder} with all of its clips`)];
}

/** Where it can't be read there is something. */
function stored(path: string): { readonly count: number; readonly bytes: number } {
  try {
    using reader = ClipsReader.open(path);
    return { count: reader.listClips().length, bytes: reader.usedBytes() };
  } catch (thrown) {
    if (thrown instanceof AgentError) return { count: 1, bytes: 0 };
    throw thrown;
  }
}

function lookAside(camera: string, folder: string): Finding[] {
  return readdirSync(folder).flatMap((name) => {
    const [, kind] = /\.(damaged|salvaged)-\d+$/.exec(name) ?? [];
    if (kind === undefined) return [];
    const what = `${name} holds clips that were set aside as damaged: none is listed, and none goes when it is too old`;
    const advice = kind === 'damaged' ? 'latchkey check --repair' : `delete ${join(folder, name)}: the rest was saved`;
    return [poor(`damaged clips of ${camera}`, what, advice)];
  });
}
