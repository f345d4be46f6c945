/** Requests come, are decided, shared and forgotten, and sessions leave their entries; said before and after each step. Traced by a test. */
import { createHash } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { LedgerDb } from '../../agent/store/ledger-db.ts';
import { randomFrom } from './image.ts';

const folder = process.argv[2] ?? '';
const marks = openSync(join(folder, 'marks'), 'a');
const mark = (...words: readonly (string | number)[]): number => writeSync(marks, `${words.join(' ')}\n`);
const random = randomFrom(11);
const hex = (what: string): string => createHash('sha256').update(what).digest('hex');
const filled = (what: string, bytes: number): Buffer => Buffer.alloc(bytes, hex(what));

const db = new LedgerDb(join(folder, 'ledger.db'));
const waiting: string[] = [];
const numbers = new Map<string, number>();
let recordCount = 0;

/** Said around every change: until it returns either state may be found, afterwards only the new one. */
function become(hash: string, state: string, act: () => void): void {
  mark('changing', hash, state);
  act();
  mark('is', hash, state);
}

function session(n: number): void {
  mark('resealing', n);
  db.replaceNotes(new Map(waiting.map((hash) => [hash, filled(`note ${hash} ${n}`, 256)])));
  db.appendEntry(filled(`entry ${n}`, 4096), n);
  const last = db.entries().at(-1);
  mark('entry', last?.seq ?? 0, last?.hash.toString('hex') ?? '');
}

for (let n = 1; n <= 40; n += 1) {
  const hash = hex(`request ${n}`);
  const nowS = 1_000_000 + n * 3600;
  become(hash, 'PENDING', () =>
    db.accept(
      {
        request_hash: hash,
        request_id: hash.slice(0, 32),
        agency: 'test-police',
        case_number: `26-${n % 7}`,
        // Found nowhere else, and long enough for pages of its own.
        envelope: filled(`envelope ${n}`, 1000 + Math.floor(random() * 9000)),
        agency_envelope: filled('agency', 3000),
        state: 'PENDING',
        note: filled(`note ${hash} 0`, 256),
        warnings: '[]',
        accepted_at_s: nowS,
        issued_at_s: nowS,
        expires_at_s: nowS + 100,
        window_from_s: nowS - 900,
        window_to_s: nowS,
      },
      nowS + 1e9,
    ),
  );
  waiting.push(hash);
  numbers.set(hash, n);
  db.raiseClockFloor(nowS);
  mark('floor', nowS);
  if (n % 3 === 0) session(n);
  if (n % 4 === 0) {
    const shareId = hash.slice(32);
    become(hash, 'COOLING', () =>
      db.beginShare({
        share_id: shareId,
        request_hash: hash,
        body_bytes: 1,
        release_not_before_ms: 1,
        deadline_ms: 2,
        grant_hash: hex(`grant ${n}`),
        cooling_left_ms: 1000,
        second_approver: null,
      }),
    );
    db.setCoolingLeft(shareId, 0);
    for (const state of ['BODY_UP', 'RELEASE'] as const) become(hash, state, () => db.setState(hash, state));
    become(hash, 'SHARED', () =>
      db.finishShare({ share_id: shareId, request_hash: hash }, nowS, { deleteS: nowS + 1, outcomeS: nowS + 2 }),
    );
    waiting.pop();
  }
  const leaving = waiting[0];
  if (waiting.length <= 6 || leaving === undefined) continue;
  mark('changing', leaving, 'gone');
  db.expire(leaving, filled(`record ${leaving}`, 256));
  recordCount += 1;
  mark('expired', leaving, recordCount, numbers.get(leaving) ?? 0);
  waiting.shift();
  db.forget(nowS);
}
db.close();
