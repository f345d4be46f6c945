/** The whole proof of one story: one good run, every disk that a crash at any of its points leaves, and houses started on them. */
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { disksLeft, type LeftDisk, oneOfEachKind, type Scene } from './good-run.ts';
import { isKeyOutTooEarly, wrongAfterRestart, wrongOnDisk } from './house-left.ts';
import { readUploads } from './intake-copy.ts';
import { nameOf, type Point } from './trace.ts';

export interface Proof {
  readonly points: readonly Point[];
  readonly disks: readonly LeftDisk[];
  /** One disk of each kind. */
  readonly kinds: readonly LeftDisk[];
  readonly drivenCount: number;
  /** Point by point, what did not hold. */
  readonly wrong: readonly string[];
}

export function describeDisk({ point, how, when }: LeftDisk): string {
  return `${how} ${when} ${nameOf(point)}`;
}

/** Does `work` for all, a few at a time. */
export async function fewAtATime<T>(all: readonly T[], count: number, work: (one: T) => Promise<void>): Promise<void> {
  const waiting = all.values();
  const take = async (): Promise<void> => {
    for (const one of waiting) await work(one);
  };
  await Promise.all(Array.from({ length: count }, take));
}

export async function prove(
  scene: Scene,
  options: { readonly choose: (kinds: readonly LeftDisk[]) => readonly LeftDisk[]; readonly atOnce: number },
): Promise<Proof> {
  const { trace, dataDir } = await scene.run();
  await scene.tell(dataDir);
  await trace.stop(['owner', 'courier']);
  const { points, disks } = disksLeft(trace, scene);
  const kinds = oneOfEachKind(disks);
  const wrong: string[] = [];
  const note = (disk: LeftDisk, found: readonly string[]): void => {
    for (const what of found) wrong.push(`${describeDisk(disk)}: ${what}`);
  };
  const folder = join(scene.work, 'uploads');
  for (const disk of disks) {
    mkdirSync(folder);
    for (const [path, content] of Object.entries(disk.known.image.intake ?? {}))
      copyFileSync(join(scene.store, content), join(folder, path));
    note(disk, wrongOnDisk(disk, readUploads(folder)));
    rmSync(folder, { recursive: true });
  }
  const known = new Map(disks.map((disk) => [disk.known.image.id, disk.known]));
  for (const point of points) {
    for (const { kill, cut } of [point.before, point.after]) {
      const [now, afterPowerCut] = [known.get(kill), known.get(cut)];
      if (now === undefined || afterPowerCut === undefined || isKeyOutTooEarly(now, afterPowerCut))
        wrong.push(`${nameOf(point)}: the key is out before its release is durable`);
    }
  }
  const { house, request, broker, store } = scene;
  const chosen = options.choose(kinds);
  await fewAtATime(chosen, options.atOnce, async (disk) => {
    const work = scene.folder();
    note(disk, await wrongAfterRestart(disk, { house, request, brokerUrl: broker.url, store, work }));
  });
  return { points, disks, kinds, drivenCount: chosen.length, wrong };
}

/** How many points each program has, by call. */
export function countPoints(points: readonly Point[]): string {
  const counts = new Map<string, number>();
  for (const { program, call } of points) counts.set(`${program} ${call}`, (counts.get(`${program} ${call}`) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
}
