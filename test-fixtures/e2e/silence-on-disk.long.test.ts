/**
 * Sixty locked devices after their requests have expired: twenty declined what came, twenty ignored it, twenty had no footage
 * of the time, with the same sessions of their owners and the same kills. Whoever takes the cards and measures everything about the files can
 * name which is which no better than by guessing.
 */
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterAll, expect, it } from 'vitest';
import { Child } from '../../agent/base/child.ts';
import { ControlClient } from '../../agent/base/control.ts';
import { writeFileDurable } from '../../agent/base/files.ts';
import type { RequestSummary } from '../../agent/owner/service.ts';
import { reportFigure } from '../figure.ts';
import { TestHouse, testPassphrase } from '../house.ts';
import { bestGuess, featuresOf, type Image, namedRight } from '../image-features.ts';
import { until } from '../owner-program.ts';

const program = join(import.meta.dirname, '../device-process.ts');
const labels = ['declined', 'ignored', 'no footage'] as const;
type Label = (typeof labels)[number];
const imagesPerLabel = 20;
/** As many as one agency may ask in a day. */
const requestCount = 5;
const dayMs = 86_400_000;
const work = mkdtempSync(join(tmpdir(), 'lk-images-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** The owner program in a process of its own, so that it can be killed; its clock stands `aheadMs` ahead. */
async function withOwner<T>(
  dataDir: string,
  aheadMs: number,
  ending: 'SIGTERM' | 'SIGKILL',
  act: (owner: ControlClient) => Promise<T>,
): Promise<T> {
  const child = new Child({
    command: process.execPath,
    args: [program, 'owner', dataDir, '', String(aheadMs)],
    stdio: ['ignore', 'ignore', 'inherit'],
    graceMs: 60_000,
  });
  try {
    const path = join(dataDir, 'run/owner.sock');
    using owner = await until('owner', () => ControlClient.connect(path).catch(() => undefined));
    return await act(owner);
  } finally {
    if (ending === 'SIGKILL') child.kill('SIGKILL');
    await child.stop();
  }
}

/** As the courier does: a file appears whole, or the owner may read half of it. */
function spool(dataDir: string, topic: string, envelope: Uint8Array): void {
  const receivedAtMs = Date.now();
  const text = JSON.stringify({ topic, receivedAtMs, envelope: Buffer.from(envelope).toString('base64') });
  writeFileDurable(join(dataDir, 'spool/inbox', `${receivedAtMs}-${randomBytes(8).toString('hex')}.json`), text);
}

async function listed(owner: ControlClient): Promise<RequestSummary[]> {
  return (await owner.call('listRequests')) as RequestSummary[];
}

/** What every house goes through, whatever its label: five requests, two sessions of its owner, two kills, and a month. */
async function live(label: Label): Promise<Image & { readonly copy: string }> {
  using house = await TestHouse.make();
  const { dataDir } = house;
  const nowS = Math.floor(Date.now() / 1000);
  house.addClip({ startMs: (nowS - 600) * 1000 });
  const window = label === 'no footage' ? { from: nowS - 7200, to: nowS - 5400 } : { from: nowS - 1800, to: nowS - 60 };
  const session = async (owner: ControlClient): Promise<void> => {
    await owner.call('unlockDeciding', { passphrase: testPassphrase });
    for (const { requestId, state } of await listed(owner)) {
      if (label === 'declined' && state === 'PENDING') await owner.call('decline', { requestId });
    }
    await owner.call('lock');
  };
  await withOwner(dataDir, 0, 'SIGKILL', async (owner) => {
    await owner.call('addRoot', { passphrase: testPassphrase, root: house.rootDescription });
    await owner.call('importAgency', { envelopeBase64: Buffer.from(house.agency()).toString('base64') });
    await owner.call('setAgencyEnabled', { agency: 'test-police', enabled: true });
    for (let i = 0; i < requestCount; i += 1) {
      const { topic, envelope } = house.request({ change: (r) => ({ ...r, window }) });
      spool(dataDir, topic, envelope);
    }
    await until('requests', async () => (await listed(owner)).length === requestCount);
    await session(owner);
  });
  await withOwner(dataDir, dayMs, 'SIGKILL', session);
  // Beyond every expiry and the memory of replays: what is over is cleared away and forgotten.
  await withOwner(dataDir, 40 * dayMs, 'SIGTERM', async (owner) => {
    await until('expiry', async () => (await listed(owner)).length === 0);
    await delay(2500);
  });
  const features = featuresOf(dataDir);
  const copy = join(mkdtempSync(join(work, 'image-')), 'ledger.db');
  cpSync(join(dataDir, 'ledger.db'), copy);
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
    try {
      for (let label = order.pop(); label !== undefined; label = order.pop()) images.push(await live(label));
    } finally {
      // One that failed ends the other too, but only between two houses: none is left behind.
      order.length = 0;
    }
  };
  for (const lived of await Promise.allSettled([lane(), lane()])) {
    if (lived.status === 'rejected') throw lived.reason;
  }
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
