import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestHouse } from '../../test-fixtures/house.ts';
import { silentLog } from '../base/log.ts';
import { loadConfig } from '../config/loader.ts';
import { ClipsDb } from '../store/clips-db.ts';
import { type CommandResult, runCommand } from './fixture/command.ts';
import { register } from './retention.ts';

const dayMs = 86_400_000;
let house: TestHouse;
let configPath: string;
let clipIds: string[];
beforeEach(async () => {
  house = await TestHouse.make();
  configPath = join(house.dataDir, 'config.json');
  clipIds = [5, 4, 3].map((days) => house.addClip({ startMs: Date.now() - days * dayMs }));
  house.addClip({ startMs: Date.now() - 3 * dayMs, cameraId: 'back' });
  const cameras = ['front', 'back', 'new'].map((id) => ({ id, name: id, source: { kind: 'file', path: 'x' } }));
  writeFileSync(configPath, JSON.stringify({ dataDir: '.', cameras, regions: ['US-CA'], coolingOffMs: 1000 }));
});
afterEach(() => house[Symbol.dispose]());

const retention = (...args: readonly string[]): Promise<CommandResult> =>
  runCommand([register], ['retention', '--config', configPath, ...args]);

it('shows what would go, of which camera, and changes nothing', async () => {
  const before = readFileSync(configPath);
  const now = await retention();
  expect([now.status, now.stdout.match(/nothing would go/g)]).toEqual([0, Array(3).fill('nothing would go')]);
  const strict = await retention('--max-days', '3.5', '--max-bytes', '1 MiB');
  expect(strict.stdout).toMatch(/^With at most 1.* for all cameras, 3.5 days/);
  expect(strict.stdout).toMatch(
    /front: 1 clip as too old \(.* of \d{4}-\d\d-\d\d to .*\) would go|front: 2 clips as too old/,
  );
  expect(strict.stderr).toContain('Nothing was changed');
  expect(readFileSync(configPath).equals(before)).toBe(true);
});

it('says what is kept whatever the rules are, and what it costs', async () => {
  using db = ClipsDb.open({ path: join(house.dataDir, 'cameras/front/clips.db'), log: silentLog, wallMs: Date.now() });
  db.setPinned([clipIds[0] ?? ''], true);
  db.hold({ clipIds: [clipIds[1] ?? ''] }, Date.now() + dayMs, 1e9);
  const { stdout } = await retention('--json', '--max-days', '1');
  const report = JSON.parse(stdout) as {
    cameras: { camera: string; tooOld: string[]; pinnedBytes: number; heldBytes: number }[];
  };
  const front = report.cameras.find(({ camera }) => camera === 'front');
  expect(front?.tooOld).toEqual([clipIds[2]]);
  expect(front?.pinnedBytes).toBeGreaterThan(1000);
  expect(front?.heldBytes).toBe(front?.pinnedBytes);
  expect((await retention('--max-days', '1')).stdout).toMatch(/pinned by you \d.*held for open requests \d/);
});

it('--write changes the rules and nothing else', async () => {
  const written = await retention('--max-days', '3', '--min-free', '1GiB', '--write');
  expect([written.status, written.stderr]).toEqual([0, expect.stringContaining('Written to')]);
  const config = loadConfig(configPath);
  expect(config).toMatchObject({ coolingOffMs: 1000, retention: { maxAgeMs: 3 * dayMs, minFreeBytes: 2 ** 30 } });
  expect(config.cameras.map(({ id }) => id)).toEqual(['front', 'back', 'new']);
});

it.each([
  ['--max-bytes', 'much', 'retention/bad-size'],
  ['--min-free', '3 apples', 'retention/bad-size'],
  ['--max-days', 'never', 'retention/bad-days'],
  ['--max-days', '0', 'retention/bad-days'],
  ['--max-bytes', '5', 'config/invalid'],
])('%s %s is refused', async (option, value, code) => {
  const result = await retention(option, value);
  expect([result.stdout, result.stderr]).toEqual(['', expect.stringContaining(`(${code})`)]);
});
