import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LedgerDb } from './ledger-db.ts';

let dir: string;
let db: LedgerDb;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lk-ledger-'));
  db = new LedgerDb(join(dir, 'ledger.db'));
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true, force: true });
});

const hash = (letter: string): string => letter.repeat(64);

function accept(letter: string, into = db): void {
  into.accept(
    {
      request_hash: hash(letter),
      request_id: letter.repeat(32),
      agency: 'test-police',
      case_number: `CASE-${letter}`,
      envelope: Buffer.from('what was asked for '.repeat(300)),
      agency_envelope: Buffer.from('who asked'),
      state: 'PENDING',
      note: Buffer.alloc(256),
      warnings: '[]',
      accepted_at_s: 1,
      issued_at_s: 1,
      expires_at_s: 2,
      window_from_s: 1,
      window_to_s: 1,
    },
    3,
  );
}

/** Everything that a thief of the card reads. */
const stolen = (): Buffer => Buffer.concat(readdirSync(dir).map((name) => readFileSync(join(dir, name))));

it('keeps nothing of an expired request, in the database or its journal', () => {
  accept('a');
  db.published.claimNumber({
    agency: 'test-police',
    kind: 'rq',
    seq: 1,
    docHash: hash('a'),
    envelope: Buffer.from('the envelope again'),
    dropAfterS: 3,
  });
  expect(stolen().includes('CASE-a')).toBe(true);
  db.expire(hash('a'), Buffer.alloc(256));
  db.forget(4);
  for (const text of ['CASE-a', 'what was asked for', 'who asked', 'the envelope again', hash('a')]) {
    expect(stolen().includes(text)).toBe(false);
  }
  // Its size stays: the next small change needs no free space.
  expect(statSync(join(dir, 'ledger.db-journal')).size).toBeGreaterThan(4096);
});

it('can be read by its own user only, also when it was made otherwise', () => {
  const modes = (): number[] => readdirSync(dir).map((name) => statSync(join(dir, name)).mode & 0o777);
  expect(modes()).toEqual([0o600, 0o600]);
  db.close();
  for (const name of readdirSync(dir)) chmodSync(join(dir, name), 0o644);
  db = new LedgerDb(join(dir, 'ledger.db'));
  expect(modes()).toEqual([0o600, 0o600]);
});

it('wipes at the next start what a kill kept it from wiping', () => {
  accept('a');
  db.close();
  const raw = new Database(join(dir, 'ledger.db'));
  raw.pragma('journal_mode = PERSIST');
  raw.pragma('secure_delete = ON');
  raw.prepare('DELETE FROM request').run();
  raw.close();
  expect(stolen().includes('CASE-a')).toBe(true);
  db = new LedgerDb(join(dir, 'ledger.db'));
  expect(stolen().includes('CASE-a')).toBe(false);
});

it('looks the same whether a request was declined or ignored', () => {
  const look = (note: Buffer): { sizes: number[]; free: unknown; rows: unknown[] } => {
    const folder = mkdtempSync(join(tmpdir(), 'lk-ledger-'));
    const path = join(folder, 'ledger.db');
    const other = new LedgerDb(path);
    accept('a', other);
    other.replaceNotes(new Map([[hash('a'), note]]));
    other.appendEntry(Buffer.alloc(4096), 1);
    other.expire(hash('a'), note);
    other.forget(4);
    other.close();
    const raw = new Database(path);
    const tables = [
      'request',
      'share',
      'replay',
      'record',
      'entry',
      'numbered',
      'asked',
      'waiting',
      'evidence',
      'revoked',
    ];
    const rows = tables.map((t) => raw.prepare<[], { n: number }>(`SELECT count(*) AS n FROM ${t}`).get()?.n);
    const free: unknown = raw.pragma('freelist_count', { simple: true });
    raw.close();
    const sizes = readdirSync(folder)
      .toSorted()
      .map((name) => statSync(join(folder, name)).size);
    rmSync(folder, { recursive: true, force: true });
    return { sizes, free, rows };
  };
  expect(look(Buffer.alloc(256, 1))).toEqual(look(Buffer.alloc(256, 2)));
});

it('remembers as many numbers of an agency as a disk can bear, and of every kind by itself', () => {
  const claim = (seq: number, letter: string, kind: 'rq' | 'oc' = 'oc') =>
    db.published.claimNumber({
      agency: 'loud-police',
      kind,
      seq,
      docHash: hash(letter),
      envelope: Buffer.from(letter),
      dropAfterS: 9,
    });
  expect(claim(1, 'a', 'rq')).toBeUndefined();
  for (let seq = 1; seq <= 301; seq += 1) claim(seq, 'a');
  expect(claim(301, 'b')?.toString()).toBe('a');
  expect(claim(1, 'b', 'rq')?.toString()).toBe('a');
  // The oldest is forgotten.
  expect(claim(1, 'b')).toBeUndefined();
  db.forget(10);
  expect(claim(301, 'b')).toBeUndefined();
});

it('takes a ledger of the first schema along', () => {
  db.close();
  const path = join(dir, 'old.db');
  const raw = new Database(path);
  raw.exec(readFileSync(join(import.meta.dirname, 'ledger.sql'), 'utf8'));
  raw.pragma('user_version = 1');
  raw
    .prepare("INSERT INTO agency (agency, version, envelope, doc_hash) VALUES ('x-police', 1, x'00', ?)")
    .run(hash('a'));
  raw.close();
  db = new LedgerDb(path);
  expect(db.agency('x-police')).toMatchObject({ root_id: null, recipient_seen_s: null });
});

it('without its own settings it is damaged, and says so', () => {
  const path = join(dir, 'ledger.db');
  db.close();
  const raw = new Database(path);
  raw.prepare("DELETE FROM setting WHERE name = 'replay_key'").run();
  raw.close();
  expect(() => new LedgerDb(path)).toThrow(expect.objectContaining({ code: 'store/missing-setting', kind: 'corrupt' }));
});
