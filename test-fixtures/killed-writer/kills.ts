/** Kills the writer by -9 at random moments, again and again on the same database, and holds what is left against what it had said. */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { generateIdentity, type OwnerIdentity, parseIdentity } from '../../agent/protocol/age-file.ts';
import { ClipsReader } from '../../agent/store/clips-reader.ts';
import { checkOpened } from '../../agent/vault/clip-check.ts';
import { brokenPromises, promisedBefore } from '../power-cut/clips-after.ts';
import type { DiskOperation } from '../power-cut/trace.ts';

export interface Kills {
  readonly killCount: number;
  /** Before the writer had its database open and healed. */
  readonly earlyCount: number;
  /** Segments that the writer had been told are safe. */
  readonly promisedCount: number;
  readonly deletedCount: number;
  readonly failures: readonly string[];
  /** Of the clips left at the end. */
  readonly opened: Readonly<Record<string, number>>;
}

const workPath = join(import.meta.dirname, 'work.ts');
const longestMs = 400;
const mostSteps = 20;

const marksOf = (path: string): string[] =>
  existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];

/** Returns when the writer is dead: somewhere in its start or, more often, in its work. */
async function writeAndKill(folder: string, marksPath: string): Promise<boolean> {
  const known = marksOf(marksPath).length;
  const child = spawn(process.execPath, [workPath, folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const early = randomInt(8) === 0;
  if (early) await delay(randomInt(longestMs));
  else {
    // So many steps, however fast the disk is; then anywhere in the next.
    const wanted = known + randomInt(1, mostSteps);
    while (marksOf(marksPath).length < wanted && child.exitCode === null) await delay(5);
    await delay(randomInt(50));
  }
  if (child.exitCode !== null) throw new Error('the writer ended by itself');
  child.kill('SIGKILL');
  await gone;
  return marksOf(marksPath).length === known;
}

/** What holds for the clips that are left; what is over need not be looked for again and again. */
function settle(marks: readonly string[], folder: string): string[] {
  const path = join(folder, 'clips.db');
  if (!existsSync(path)) return [];
  using reader = ClipsReader.open(path);
  const left = new Set(reader.listClips().map(({ clipId }) => clipId));
  return marks.filter((line) => /^(stored|closed) /.test(line) && left.has(line.split(' ')[1] ?? ''));
}

function openAll(folder: string, identity: OwnerIdentity): Record<string, number> {
  using reader = ClipsReader.open(join(folder, 'clips.db'));
  const counts: Record<string, number> = {};
  for (const clip of reader.listClips()) {
    const verdict = `${clip.state} ${checkOpened(reader, clip, identity)}`;
    counts[verdict] = (counts[verdict] ?? 0) + 1;
  }
  return counts;
}

export async function killOften(killCount: number, signal: AbortSignal): Promise<Kills> {
  const dir = mkdtempSync(join(tmpdir(), 'lk-killed-'));
  try {
    const owner = generateIdentity();
    const folder = join(dir, 'camera');
    const marksPath = join(dir, 'marks');
    mkdirSync(folder);
    writeFileSync(join(dir, 'recipients'), `${owner.recipient}\n${generateIdentity().recipient}\n`);
    const failures: string[] = [];
    let [earlyCount, promisedCount, deletedCount] = [0, 0, 0];
    for (let round = 1; round <= killCount; round += 1) {
      signal.throwIfAborted();
      const before = new Set(marksOf(marksPath));
      if (await writeAndKill(folder, marksPath)) earlyCount += 1;
      // The last word may have been cut.
      const marks = marksOf(marksPath);
      const operations = marks.map((text): DiskOperation => ({ kind: 'mark', text }));
      const fresh = marks.filter((line) => !before.has(line));
      promisedCount += fresh.filter((line) => line.startsWith('stored')).length;
      deletedCount += fresh.filter((line) => line.startsWith('deleted')).length;
      const broken = brokenPromises(folder, promisedBefore(operations, operations.length));
      failures.push(...broken.map((why) => `kill ${round}: ${why}`));
      const settled = settle(marks, folder);
      writeFileSync(marksPath, settled.map((line) => `${line}\n`).join(''));
    }
    return {
      killCount,
      earlyCount,
      promisedCount,
      deletedCount,
      failures,
      opened: openAll(folder, parseIdentity(owner.identity)),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
