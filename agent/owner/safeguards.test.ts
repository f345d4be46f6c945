import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LedgerDb } from '../store/ledger-db.ts';
import { SafeguardKeeper, type Safeguards, weakeningDelayMs } from './safeguards.ts';

const hourMs = 3600_000;

let dir: string;
let db: LedgerDb;
let steadyMs: number;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lk-safeguards-'));
  db = new LedgerDb(join(dir, 'ledger.db'));
  steadyMs = 0;
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true, force: true });
});

/** The program starts anew with this configuration; its steady clock begins at zero. */
function start(coolingOffMs: number, secondApprover: string | null = null): SafeguardKeeper {
  steadyMs = 0;
  return new SafeguardKeeper({ db, configured: { coolingOffMs, secondApprover }, monotonicMs: () => steadyMs });
}

function run(keeper: SafeguardKeeper, ms: number): void {
  for (let left = ms; left > 0; left -= hourMs) {
    steadyMs += Math.min(hourMs, left);
    keeper.tick();
  }
}

it('a longer cooling-off counts at once, a shorter one after 72 hours of running', () => {
  expect(start(hourMs).inForce.coolingOffMs).toBe(hourMs);
  expect(start(2 * hourMs).inForce.coolingOffMs).toBe(2 * hourMs);
  const shorter = start(0);
  expect(shorter.inForce.coolingOffMs).toBe(2 * hourMs);
  expect(shorter.coming).toEqual({ coolingOffMs: 0, secondApprover: null, leftMs: weakeningDelayMs });
  run(shorter, weakeningDelayMs - 1000);
  expect(shorter.inForce.coolingOffMs).toBe(2 * hourMs);
  run(shorter, 1000);
  expect(shorter.inForce).toEqual({ coolingOffMs: 0, secondApprover: null });
  expect(shorter.coming).toBeUndefined();
  expect(start(0).inForce.coolingOffMs).toBe(0);
});

it('the wait goes on after a restart, and loses at most half a minute of what has passed', () => {
  start(hourMs);
  run(start(0), weakeningDelayMs / 2);
  const again = start(0);
  expect(again.coming?.leftMs).toBeLessThanOrEqual(weakeningDelayMs / 2 + 30_000);
  expect(again.inForce.coolingOffMs).toBe(hourMs);
});

it('asking for something else in between begins the wait anew, and going back ends it', () => {
  start(hourMs);
  run(start(0), weakeningDelayMs - 60_000);
  const other = start(hourMs / 2);
  expect(other.coming?.leftMs).toBe(weakeningDelayMs);
  expect(start(hourMs).coming).toBeUndefined();
  expect(start(0).coming?.leftMs).toBe(weakeningDelayMs);
});

it('a second approver counts at once; another, or none, only after the wait', () => {
  start(hourMs);
  expect(start(hourMs, 'grandma').inForce.secondApprover).toBe('grandma');
  for (const name of [null, 'accomplice']) {
    const keeper = start(hourMs, name);
    expect(keeper.inForce.secondApprover).toBe('grandma');
    run(keeper, weakeningDelayMs);
    expect(keeper.inForce.secondApprover).toBe(name);
    start(hourMs, 'grandma');
    run(start(hourMs, 'grandma'), weakeningDelayMs);
  }
});

it('whatever is configured and however often it starts, nothing gets weaker without the whole wait', () => {
  const guards = fc.record({
    coolingOffMs: fc.constantFrom(0, hourMs, 2 * hourMs),
    secondApprover: fc.constantFrom(null, 'ada', 'bob'),
  });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(guards, fc.integer({ min: 0, max: weakeningDelayMs / 4 })), { maxLength: 6 }),
      (days) => {
        const fresh = mkdtempSync(join(tmpdir(), 'lk-safeguards-'));
        const own = new LedgerDb(join(fresh, 'ledger.db'));
        try {
          let strongest: Safeguards = { coolingOffMs: 0, secondApprover: null };
          // Six starts of a quarter of the wait each, and never the same wish for all of it.
          for (const [configured, ranMs] of days.slice(0, 3)) {
            let nowMs = 0;
            const keeper = new SafeguardKeeper({ db: own, configured, monotonicMs: () => nowMs });
            nowMs = ranMs;
            keeper.tick();
            const { coolingOffMs, secondApprover } = keeper.inForce;
            expect(coolingOffMs).toBeGreaterThanOrEqual(strongest.coolingOffMs);
            if (strongest.secondApprover !== null) expect(secondApprover).toBe(strongest.secondApprover);
            strongest = keeper.inForce;
          }
        } finally {
          own.close();
          rmSync(fresh, { recursive: true, force: true });
        }
      },
    ),
    { numRuns: 8 },
  );
});

it('a record that was damaged counts as none', () => {
  start(2 * hourMs);
  db.keep('safeguards', '{"inForce":');
  expect(start(hourMs).inForce.coolingOffMs).toBe(hourMs);
});
