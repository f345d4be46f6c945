import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LedgerDb } from '../store/ledger-db.ts';
import { DayHolds, daysAround } from './day-holds.ts';

let dir: string;
let db: LedgerDb;
let steadyMs: number;
let away: boolean;
let told: string[];
let failed: string[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lk-holds-'));
  db = new LedgerDb(join(dir, 'ledger.db'));
  steadyMs = 0;
  away = false;
  told = [];
  failed = [];
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true, force: true });
});

const dayS = 86_400;

function accept(letter: string, fromS: number): void {
  const row = {
    request_hash: letter.repeat(64),
    request_id: letter.repeat(32),
    agency: 'a-police',
    case_number: letter,
  };
  const bytes = { envelope: Buffer.from('x'), agency_envelope: Buffer.from('x'), note: Buffer.alloc(256) };
  const times = { accepted_at_s: 1, issued_at_s: 1, window_from_s: fromS, window_to_s: fromS + 3600 };
  db.accept({ ...row, ...bytes, ...times, state: 'PENDING', warnings: '[]', expires_at_s: fromS + 9 * dayS }, 1);
}

function holds(): DayHolds {
  return new DayHolds({
    db,
    cameras: ['front', 'back'],
    monotonicMs: () => steadyMs,
    hold: async (camera, { days, untilMs }) => {
      if (away && camera === 'back') throw new Error('not running');
      told.push(`${camera} ${days.join(',')} ${untilMs}`);
    },
    onFailure: (camera) => failed.push(camera),
  });
}

async function tick(all: DayHolds): Promise<void> {
  all.tick();
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}

it('every recorder is told of the days of every open request, a day before and after, until it expires', async () => {
  const noonS = Date.UTC(2026, 10, 21, 12) / 1000;
  accept('a', noonS);
  const all = holds();
  await tick(all);
  const until = (noonS + 9 * dayS) * 1000;
  expect(told).toEqual(['front', 'back'].map((camera) => `${camera} 2026-11-20,2026-11-21,2026-11-22 ${until}`));
  // Whatever became of it: from what is held nothing can be told.
  db.setState('a'.repeat(64), 'WITHDRAWN');
  told = [];
  steadyMs += 600_000;
  await tick(all);
  expect(told).toHaveLength(2);
  await tick(all);
  expect(told).toHaveLength(2);
});

it('a request that comes in between is told at once, and a recorder that was away as soon as it is back', async () => {
  const all = holds();
  await tick(all);
  accept('b', 86_400 * 300);
  away = true;
  all.soon();
  await tick(all);
  expect([told.length, failed]).toEqual([1, ['back']]);
  await tick(all);
  expect(failed).toHaveLength(1);
  away = false;
  steadyMs += 15_000;
  await tick(all);
  expect(told.filter((line) => line.startsWith('back'))).toHaveLength(1);
});

it('a window over midnight holds one day more, and the last days that there are hold', () => {
  const evening = Date.UTC(2026, 11, 31, 23, 30);
  expect(daysAround(evening, evening + 3600_000)).toEqual(['2026-12-30', '2026-12-31', '2027-01-01', '2027-01-02']);
  expect(daysAround(0, 900_000)).toEqual(['1969-12-31', '1970-01-01', '1970-01-02']);
});
