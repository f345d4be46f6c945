/** One program, or the whole house, killed at one named call of a run; then everything is started again. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Scene } from './good-run.ts';
import { drive } from './house-left.ts';
import { readLedger } from './images.ts';
import { appears } from './story.ts';
import type { Killing, Point } from './trace.ts';

export interface KilledRun {
  /** False where the run came to its end without that call. */
  readonly reached: boolean;
  readonly wrong: readonly string[];
}

export async function runKilledAt(scene: Scene, killing: Killing): Promise<KilledRun> {
  for (const name of readdirSync(join(scene.work, 'intake'))) rmSync(join(scene.work, 'intake', name));
  const { trace, dataDir, intake } = await scene.run(killing);
  const progress: { approved?: string } = {};
  let isTold = false;
  const killed = new AbortController();
  const telling = scene
    .tell(dataDir, progress, killed.signal)
    .catch(() => undefined)
    .finally(() => {
      isTold = true;
    });
  await appears('the kill, or the end', () => trace.wasKilled || isTold);
  // The others go on for a tick or two: they notice, or they don't.
  if (!killing.whole) await delay(700);
  await trace.stop(['owner', 'courier'], killing.whole && trace.wasKilled ? 'SIGKILL' : 'SIGTERM');
  // Some calls are only made when a program stops.
  const reached = trace.wasKilled;
  killed.abort();
  scene.letGo();
  await telling;
  const before = readLedger(join(dataDir, 'ledger.db'), scene.requestId).entries.length;
  const told = { approved: progress.approved, withdrawn: false, demanded: false };
  const { house, request, broker } = scene;
  const wrong = await drive({ house, request, brokerUrl: broker.url, dataDir, intake, before, ...told });
  rmSync(join(dataDir, '..'), { recursive: true, force: true });
  mkdirSync(intake, { recursive: true });
  return { reached, wrong };
}

/** Every call that each program makes, at the first time that it makes it about one and the same thing. */
export function firstOfEach(points: readonly Point[]): Point[] {
  return points.filter(({ ordinal }) => ordinal === 1);
}
