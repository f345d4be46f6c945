/** Promises about the whole device that no single room keeps: what a locked one holds, and what a clock or a decision leaves. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { Running } from '../../test-fixtures/owner-program.ts';
import { silentLog } from '../base/log.ts';
import { openFile, parseIdentity } from '../protocol/age-file.ts';
import { ClipsReader } from '../store/clips-reader.ts';
import { LedgerDb } from '../store/ledger-db.ts';
import { readVaultFile } from '../vault/vault-file.ts';
import { House } from './house.ts';
import { Intake } from './intake.ts';

const clipStartMs = Math.floor(Date.now() / 1000) * 1000 - 600_000;

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

it('a locked device holds nothing that opens a closed segment, although it was unlocked, paired and has shared', async () => {
  using house = await TestHouse.make();
  const clipId = house.addClip({ startMs: clipStartMs });
  const owner = new Running(house);
  await owner.start();
  try {
    await owner.enable();
    const { requestId } = await owner.send();
    const { viewingKey } = await owner.call<{ viewingKey: string }>('pair', {
      passphrase: testPassphrase,
      name: 'phone',
    });
    await owner.approve(requestId, clipId);
    await owner.call('clipMedia', { clipId, offset: 0, length: 1000 });
    await owner.call('lock');
    const { ownerIdentity, ownerRootSeedHex } = await readVaultFile(house.dataDir, testPassphrase);
    const identity = parseIdentity(ownerIdentity);
    const raw = identity.privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
    const seed = Buffer.from(ownerRootSeedHex, 'hex');
    const secrets = [ownerIdentity, ownerRootSeedHex, testPassphrase, viewingKey, house.recoveryIdentity];
    const spelt = [raw, seed].flatMap((key) => [key.toString('hex'), key.toString('base64').slice(0, 42)]);
    for (const path of filesUnder(house.dataDir)) {
      const bytes = readFileSync(path);
      const found = [...secrets, ...spelt].filter((text) => bytes.includes(text));
      expect([path, found, bytes.includes(raw), bytes.includes(seed)]).toEqual([path, [], false, false]);
    }
    // The segments are there, closed, and open with that key: the search was for the right one.
    using reader = ClipsReader.open(join(house.dataDir, 'cameras/front/clips.db'));
    const [clip] = reader.listClips({ fromDay: '0000-00-00', toDay: '9999-99-99' });
    const [segment] = reader.listSegments(clip?.seq ?? 0);
    const sealed = segment && reader.segment(segment);
    if (sealed === undefined) throw new Error('there is a segment');
    expect(openFile(sealed, identity).length).toBeGreaterThan(1000);
    // And the process that had it is gone.
    await expect(owner.call('clipMedia', { clipId, offset: 0, length: 10 })).rejects.toMatchObject({
      code: 'owner/locked',
    });
  } finally {
    await owner.stop();
  }
});

it('declined, ignored and without footage leave the same files, rows, sizes and free pages after expiry', async () => {
  const look = async (what: 'declined' | 'ignored' | 'none'): Promise<unknown> => {
    using house = await TestHouse.make();
    const clipId = house.addClip({ startMs: what === 'none' ? clipStartMs - 86_400_000 : clipStartMs });
    let owner = new Running(house);
    await owner.start();
    await owner.enable();
    const { verdict, requestId } = await owner.send();
    expect(verdict).toBe('accepted');
    // The same sessions: everybody looks, one says no.
    await owner.call('unlockDeciding', { passphrase: testPassphrase });
    const { clips } = await owner.call<{ clips: { clipId: string }[] }>('review', { requestId });
    expect(clips.map((c) => c.clipId)).toEqual(what === 'none' ? [] : [clipId]);
    if (what === 'declined') await owner.call('decline', { requestId });
    await owner.call('lock');
    await owner.stop();
    const db = new LedgerDb(join(house.dataDir, 'ledger.db'));
    const [row] = db.requests();
    expect(row?.state).toBe('PENDING');
    db.expire(row?.request_hash ?? '', row?.note ?? new Uint8Array());
    db.forget((row?.expires_at_s ?? 0) + 86_401);
    db.close();
    owner = new Running(house);
    await owner.start();
    await owner.stop();
    const raw = new Database(join(house.dataDir, 'ledger.db'), { readonly: true });
    const tables = raw
      .prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .all()
      .map(({ name }) => [name, raw.prepare<[], { n: number }>(`SELECT count(*) AS n FROM "${name}"`).get()?.n]);
    const pages = ['page_count', 'freelist_count'].map((name) => raw.pragma(name, { simple: true }));
    raw.close();
    const skip = (path: string): boolean => path.startsWith('cameras/') || path.startsWith('owner/tls/');
    const files = filesUnder(house.dataDir)
      .map((path) => path.slice(house.dataDir.length + 1))
      .filter((path) => !skip(path))
      .toSorted()
      .map((path) => [path, statSync(join(house.dataDir, path)).size]);
    return { tables, pages, files };
  };
  const [declined, ignored, none] = [await look('declined'), await look('ignored'), await look('none')];
  expect(declined).toEqual(ignored);
  expect(none).toEqual(ignored);
});

it('a clock that is set back revives no request that expired, and no request that was turned away', async () => {
  using house = await TestHouse.make();
  using db = disposable(new LedgerDb(join(house.dataDir, 'ledger.db')));
  const known = new House(house.dataDir);
  known.setRoots([house.rootDescription]);
  const verdicts: string[] = [];
  let wallMs = Date.now();
  const intake = new Intake({
    dataDir: house.dataDir,
    db: db.db,
    house: known,
    regions: ['US-CA'],
    log: silentLog,
    nowMs: () => Math.max(wallMs, db.db.clockFloorS * 1000),
    wallMs: () => wallMs,
    clockTrusted: () => true,
    onPending: () => {},
    onRevoked: () => {},
    onVerdict: (code) => verdicts.push(code),
  });
  intake.importAgency(house.agency());
  db.db.setAgencyEnabled('test-police', true);
  const old = house.request();
  const laterS = old.document.expires_at + 100;
  // The newest verified request moves the floor up to the clock, and there it stays.
  wallMs = laterS * 1000;
  const newer = house.request({
    change: (r) => ({
      ...r,
      issued_at: laterS,
      expires_at: laterS + 86_400,
      window: { from: laterS - 1800, to: laterS },
    }),
  });
  intake.take(newer.topic, newer.envelope);
  expect(verdicts.at(-1)).toBe('accepted');
  wallMs -= 8 * 86_400_000;
  intake.take(old.topic, old.envelope);
  expect(verdicts.at(-1)).toBe('request/expired');
  intake.take(newer.topic, newer.envelope);
  expect(verdicts.at(-1)).toBe('request/replayed');
  expect(db.db.requests()).toHaveLength(1);
});

function disposable(db: LedgerDb): { readonly db: LedgerDb } & Disposable {
  return { db, [Symbol.dispose]: () => db.close() };
}
