/**
 * Sixty locked devices after their requests have expired: twenty declined what came, twenty ignored it, twenty had no footage
 * of the time, with the same sessions of their owners. Whoever takes the cards and measures everything about the files can
 * name which is which no better than by guessing.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../agent/base/clock.ts';
import { ControlClient } from '../../agent/base/control.ts';
import { silentLog } from '../../agent/base/log.ts';
import { runOwner } from '../../agent/owner/program.ts';
import type { RequestSummary } from '../../agent/owner/service.ts';
import { reportFigure } from '../figure.ts';
import { TestHouse, testPassphrase } from '../house.ts';
import { bestGuess, featuresOf, type Image, namedRight } from '../image-features.ts';
import { Running, until } from '../owner-program.ts';

const labels = ['declined', 'ignored', 'no footage'] as const;
type Label = (typeof labels)[number];
const imagesPerLabel = 20;
const requestCount = 3;
const dayMs = 86_400_000;
const work = mkdtempSync(join(tmpdir(), 'lk-images-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** The owner's clock, which a test sets ahead; what waits for real things goes on in real time. */
class AheadClock implements Clock {
  aheadMs = 0;
  wallMs(): number {
    return Date.now() + this.aheadMs;
  }
  monotonicMs(): number {
    return performance.now() + this.aheadMs;
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal);
  }
}

async function live(label: Label): Promise<Image & { readonly copy: string }> {
  using house = await TestHouse.make();
  const clock = new AheadClock();
  const nowS = Math.floor(Date.now() / 1000);
  house.addClip({ startMs: (nowS - 600) * 1000 });
  // Only to spool messages as the courier does.
  const spooler = new Running(house);
  const verdicts: string[] = [];
  const stop = new AbortController();
  const done = runOwner({
    config: spooler.config,
    signal: stop.signal,
    clock,
    log: silentLog,
    onVerdict: (code) => verdicts.push(code),
    trust: () => 'trusted',
  });
  const path = join(house.dataDir, 'run/owner.sock');
  const owner = await until('owner', () => ControlClient.connect(path).catch(() => undefined));
  await owner.call('addRoot', { passphrase: testPassphrase, root: house.rootDescription });
  await owner.call('importAgency', { envelopeBase64: Buffer.from(house.agency()).toString('base64') });
  await owner.call('setAgencyEnabled', { agency: 'test-police', enabled: true });
  verdicts.length = 0;
  const window = label === 'no footage' ? { from: nowS - 7200, to: nowS - 5400 } : { from: nowS - 1800, to: nowS - 60 };
  for (let i = 0; i < requestCount; i += 1) {
    const { topic, envelope } = house.request({ change: (r) => ({ ...r, window }) });
    spooler.spool(topic, envelope);
  }
  await until('verdicts', () => verdicts.length === requestCount);
  expect(new Set(verdicts)).toEqual(new Set(['accepted']));
  await owner.call('unlockDeciding', { passphrase: testPassphrase });
  const pending = (await owner.call('listRequests')) as RequestSummary[];
  if (label === 'declined') for (const { requestId } of pending) await owner.call('decline', { requestId });
  await owner.call('lock');
  clock.aheadMs = 9 * dayMs;
  await until('expiry', async () => ((await owner.call('listRequests')) as RequestSummary[]).length === 0);
  // Beyond the hour after which what is over is forgotten, and beyond the memory of replays.
  clock.aheadMs = 30 * dayMs;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  owner.close();
  stop.abort();
  await done;
  const features = featuresOf(house.dataDir);
  const copy = join(mkdtempSync(join(work, 'image-')), 'ledger.db');
  cpSync(join(house.dataDir, 'ledger.db'), copy);
  return { label, features, copy };
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, by: Math.random() }))
    .toSorted((a, b) => a.by - b.by)
    .map(({ value }) => value);
}

it('sixty shuffled images of data directories tell nothing of what was decided', async () => {
  const order = shuffled(labels.flatMap((label) => Array<Label>(imagesPerLabel).fill(label)));
  const images: (Image & { copy: string })[] = [];
  const lane = async (): Promise<void> => {
    for (let label = order.pop(); label !== undefined; label = order.pop()) images.push(await live(label));
  };
  await Promise.all([lane(), lane()]);
  const guess = bestGuess(images.length, labels.length);
  const { byNeighbours, byMeans } = namedRight(images);
  reportFigure(
    `named right: by neighbours ${byNeighbours.toFixed(3)}, by means ${byMeans.toFixed(3)}; guessing up to ${guess.toFixed(3)}`,
  );
  expect(byNeighbours).toBeLessThanOrEqual(guess);
  expect(byMeans).toBeLessThanOrEqual(guess);
  for (const [a, b] of [['declined', 'ignored'], ['declined', 'no footage'], ['ignored', 'no footage']]) {
    const pair = images.filter(({ label }) => label === a || label === b);
    const found = namedRight(pair);
    expect([a, b, Math.max(found.byNeighbours, found.byMeans) <= bestGuess(pair.length, 2)]).toEqual([a, b, true]);
  } // biome-ignore format: a table

  // A careless device that notes a decline in one more row would be found out by the same look.
  const careless = images.map(({ label, features, copy }): Image => {
    if (label !== 'declined') return { label: 'other', features };
    const db = new Database(copy);
    db.prepare('INSERT INTO record (sealed) VALUES (zeroblob(256))').run();
    db.close();
    const altered = new Map(features);
    for (const [name, value] of featuresOf(join(copy, '..'))) altered.set(name, value);
    return { label, features: altered };
  });
  const found = namedRight(careless);
  reportFigure(
    `a careless device: by neighbours ${found.byNeighbours.toFixed(3)}, by means ${found.byMeans.toFixed(3)}`,
  );
  expect(Math.max(found.byNeighbours, found.byMeans)).toBeGreaterThan(0.9);
});
