/** `latchkey run` for five minutes on a camera that never rests: no program's memory grows after the first minute. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { Child } from '../../agent/base/child.ts';
import { ControlClient } from '../../agent/base/control.ts';
import { reportFigure } from '../figure.ts';
import { processTree } from '../memory.ts';

const root = join(import.meta.dirname, '../..');
const mainPath = join(root, 'agent/main.ts');
const streamPath = join(root, 'test-fixtures/streams/porch-day.mp4');
const sampleMs = 2000;
const warmMs = 60_000;
const soakMs = 300_000;
/** Medians of this many samples are compared: one sample may stand just before a collection, the next just after. */
const windowCount = 15;
const maxGrowthRatio = 1.15;

let folder: string | undefined;
afterEach(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

function setUp(home: string): string {
  const configPath = join(home, 'config.json');
  const where = ['--config', configPath, '--data-dir', join(home, 'data'), '--web-port', '0'];
  const camera = ['--camera-id', 'door', '--camera-source', `file:${streamPath}`];
  const place = ['--region', 'US-CA', '--lat', '37.77', '--lon', '-122.41'];
  const secrets = ['--passphrase-file', join(home, 'passphrase'), '--recovery-out', join(home, 'paper')];
  execFileSync(process.execPath, [mainPath, 'init', '--yes', ...where, ...camera, ...place, ...secrets], {
    stdio: 'ignore',
  });
  const config = JSON.parse(readFileSync(configPath, 'utf8')) as { cameras: object[] };
  Object.assign(config.cameras[0] ?? {}, {
    source: { kind: 'file', path: streamPath, pace: 'realtime', loop: true },
    clip: { maxClipMs: 20_000, preRollMs: 2000, postRollMs: 2000 },
  });
  // Small enough that clips are deleted during the test as they are during years.
  writeFileSync(configPath, JSON.stringify({ ...config, retention: { maxBytes: 1 << 20, minFreeBytes: 0 } }));
  return configPath;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

interface Track {
  readonly name: string;
  readonly rssKb: number[];
}

test('five minutes of a looped camera cost no memory', { timeout: soakMs + 120_000 }, async () => {
  folder = mkdtempSync(join(tmpdir(), 'lk-soak-'));
  await using house = new Child({
    // As an owner starts it.
    command: join(root, 'scripts/latchkey'),
    args: ['run', '--config', setUp(folder)],
    stdio: ['ignore', 'ignore', 'pipe'],
    graceMs: 20_000,
  });
  const pid = house.process.pid ?? 0;
  await delay(warmMs);
  const tracks = new Map<number, Track>();
  const pssSumsKb: number[] = [];
  for (let elapsedMs = warmMs; elapsedMs < soakMs && house.running; elapsedMs += sampleMs) {
    const tree = processTree(pid);
    pssSumsKb.push(tree.reduce((sum, { pssKb }) => sum + pssKb, 0));
    for (const { pid: of, name, rssKb } of tree) {
      const track = tracks.get(of) ?? { name, rssKb: [] };
      tracks.set(of, track);
      track.rssKb.push(rssKb);
    }
    await delay(sampleMs);
  }
  expect(house.running).toBe(true);
  using recorder = await ControlClient.connect(join(folder, 'data/run/recorder-door.sock'));
  const status = (await recorder.call('status')) as Record<string, unknown>;
  expect(status).toMatchObject({ problem: null, lostFragmentCount: 0 });
  expect(Number(status['closedCount'])).toBeGreaterThan(5);

  // A program that was started again would hide its growth; only ffmpeg has a process for every pass of the file.
  const programs = [...tracks.values()].filter(({ name }) => name.startsWith('node'));
  expect(programs.map(({ name }) => name).toSorted()).toEqual([
    'node program courier',
    'node program owner',
    'node program recorder',
    'node run',
  ]);
  const grown = programs.map(({ name, rssKb }) => {
    const [before, after] = [rssKb.slice(0, windowCount), rssKb.slice(-windowCount)].map(median);
    const ratio = (after ?? 0) / (before ?? 1);
    reportFigure(
      `soak: ${name}: ${((before ?? 0) / 1024).toFixed(0)} → ${((after ?? 0) / 1024).toFixed(0)} MiB resident`,
    );
    return { name, ratio };
  });
  reportFigure(`soak: all programs with ffmpeg, PSS: median ${(median(pssSumsKb) / 1024).toFixed(0)} MiB`);
  expect(grown.filter(({ ratio }) => ratio > maxGrowthRatio)).toEqual([]);
});
