// Keys of a real house changed, its clips opened by stock age: what opens before and after, and after an interruption anywhere.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { generateIdentity, parseIdentity } from '../protocol/age-file.ts';
import { sha256Hex } from '../protocol/bytes.ts';
import { openNote, sealNote } from '../protocol/sealed-note.ts';
import { ClipsDb } from '../store/clips-db.ts';
import { ClipsReader } from '../store/clips-reader.ts';
import { type Salvaged, salvageClips, settleSalvaged } from '../store/clips-salvage.ts';
import { LedgerDb } from '../store/ledger-db.ts';
import { newPaperKey, recoverKeys, rotateKeys } from './key-change.ts';
import { wholeOf } from './media-content.ts';
import { VaultSession } from './session.ts';
import { readVaultFile } from './vault-file.ts';

const startMs = Date.parse('2026-11-01T12:00:00Z');
const newPassphrase = 'quite another passphrase for tests';
const code = (wanted: string) => expect.objectContaining({ code: wanted });

let house: TestHouse;
let clipIds: string[];
let oldIdentity: string;
beforeEach(async () => {
  house = await TestHouse.make();
  clipIds = [0, 1, 2].map((n) =>
    house.addClip({ startMs: startMs + n * 60_000, cut: n === 1, cameraId: n === 2 ? 'back' : 'front' }),
  );
  oldIdentity = (await readVaultFile(house.dataDir, testPassphrase)).ownerIdentity;
});
afterEach(() => house[Symbol.dispose]());

const change = (more: object = {}) => ({
  dataDir: house.dataDir,
  log: silentLog,
  clock: systemClock,
  log2Work: 8,
  ...more,
});
const rotate = (more: object = {}) => rotateKeys({ ...change(more), passphrase: testPassphrase });
const recover = (more: object = {}) =>
  recoverKeys({
    ...change(),
    paper: parseIdentity(house.recoveryIdentity),
    passphrase: newPassphrase,
    regions: ['US-CA'],
    ...more,
  });

interface Stored {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

function stored(): Stored[] {
  return ['back', 'front']
    .flatMap((camera) => {
      using reader = ClipsReader.open(join(house.dataDir, 'cameras', camera, 'clips.db'));
      return reader
        .listClips()
        .flatMap(({ seq }) => [
          ...reader.listSegments(seq).map((row) => reader.segment(row)),
          ...(['opening', 'closing'] as const).map((phase) => reader.meta(seq, phase)),
        ]);
    })
    .filter((each) => each !== undefined);
}

/** How many of the stored files the stock program opens with this key. */
function opensByAge(identity: string): number {
  const path = join(house.dataDir, 'key.txt');
  writeFileSync(path, `${identity}\n`);
  return stored().filter(({ header, body }) => {
    const done = spawnSync('age', ['-d', '-i', path], { input: Buffer.concat([header, body]), maxBuffer: 1 << 26 });
    return done.status === 0;
  }).length;
}

async function listed(passphrase: string): Promise<string[]> {
  const session = new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8 });
  await session.openDeciding(passphrase);
  for (const clipId of clipIds) expect(session.clipMedia(clipId).length).toBeGreaterThan(1000);
  return session.listClips(0, Date.now()).map(({ clipId }) => clipId);
}

/** Everything that the cameras have on the disk. */
function disk(): Buffer {
  const files = ['front', 'back'].map((camera) => join(house.dataDir, 'cameras', camera));
  return Buffer.concat(files.flatMap((folder) => readdirSync(folder).map((name) => readFileSync(join(folder, name)))));
}

const fileCount = 3 * 2 + 3 + 2;

describe('rotating', () => {
  it('gives every stored key to the new owner, leaves bodies and paper alone, and nothing to the old key', async () => {
    const before = stored();
    const bodies = before.map(({ body }) => sha256Hex(body));
    expect(opensByAge(oldIdentity)).toBe(fileCount);
    const changed = await rotate();
    expect(changed).toMatchObject({ rewrappedCount: fileCount, keptCount: 0, foreignCount: 0, resumed: false });
    const { ownerIdentity, formerIdentities } = await readVaultFile(house.dataDir, testPassphrase);
    expect(formerIdentities).toEqual([oldIdentity]);
    expect(opensByAge(oldIdentity)).toBe(0);
    expect(opensByAge(ownerIdentity)).toBe(fileCount);
    expect(opensByAge(house.recoveryIdentity)).toBe(fileCount);
    expect(stored().map(({ body }) => sha256Hex(body))).toEqual(bodies);
    const image = disk();
    // The end of a header is its own MAC: found nowhere else.
    for (const { header } of before) expect(image.includes(Buffer.from(header).subarray(-40))).toBe(false);
    expect(await listed(testPassphrase)).toEqual(clipIds);
    expect(JSON.parse(house.read('keys', 'recipients.json').toString())).toEqual({
      owner: changed.ownerRecipient,
      recovery: changed.recoveryRecipient,
    });
  });

  it('with a new paper key leaves nothing to the old paper', async () => {
    const paper = newPaperKey();
    const changed = await rotateKeys({
      ...change(),
      passphrase: testPassphrase,
      newRecoveryRecipient: paper.recipient,
    });
    expect(changed.recoveryRecipient).toBe(paper.recipient);
    expect([opensByAge(house.recoveryIdentity), opensByAge(paper.identity)]).toEqual([0, fileCount]);
    expect(await listed(testPassphrase)).toEqual(clipIds);
  });

  it('unpairs every browser, because their keys never were here', async () => {
    const session = new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8 });
    const { record } = await session.pair(testPassphrase, 'phone');
    mkdirSync(join(house.dataDir, 'owner', 'viewing'), { recursive: true });
    writeFileSync(join(house.dataDir, 'owner', 'viewing', `${record.pairingId}.json`), JSON.stringify(record));
    expect(await rotate()).toMatchObject({ revokedPairingCount: 1 });
    expect(readdirSync(join(house.dataDir, 'owner', 'viewing'))).toEqual([]);
  });

  it('keeps what was decided, and old ledger entries readable with the passphrase alone', async () => {
    const ledger = new LedgerDb(join(house.dataDir, 'ledger.db'));
    const owner = house.recipients[0] ?? '';
    const row = {
      request_hash: 'a'.repeat(64),
      request_id: 'b'.repeat(32),
      agency: 'test-police',
      case_number: '26-1',
      envelope: Buffer.from('e'),
      agency_envelope: Buffer.from('a'),
      state: 'PENDING' as const,
      note: sealNote(owner, 'declined'),
      warnings: '[]',
      accepted_at_s: 1,
      issued_at_s: 1,
      expires_at_s: 2,
      window_from_s: 0,
      window_to_s: 1,
    };
    ledger.accept(row, 9);
    ledger.appendEntry(sealNote(owner, 'a session', 4096), 1);
    ledger.close();
    await rotate();
    const { ownerIdentity } = await readVaultFile(house.dataDir, testPassphrase);
    const after = new LedgerDb(join(house.dataDir, 'ledger.db'));
    const [note, entry] = [after.requests()[0]?.note, after.entries()[0]?.sealed];
    after.close();
    if (note === undefined || entry === undefined) throw new Error('the ledger lost a row');
    expect(openNote(note, parseIdentity(ownerIdentity))).toBe('declined');
    const session = new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8 });
    await session.openDeciding(testPassphrase);
    expect(session.openNotes([{ id: '1', sealed: entry }])).toEqual([{ id: '1', text: 'a session' }]);
  });

  it.each([1, 3, 5])('cut short after step %i opens nothing by halves, and is completed by the next', async (steps) => {
    let done = 0;
    const cut = (): void => {
      done += 1;
      if (done === steps) throw new Error('the power went');
    };
    await expect(rotate({ onProgress: cut })).rejects.toThrow('the power went');
    const halfway = new VaultSession({ dataDir: house.dataDir, clock: systemClock });
    await expect(halfway.openDeciding(testPassphrase)).rejects.toThrow(code('vault/keys-unfinished'));
    await expect(halfway.pair(testPassphrase, 'phone')).rejects.toThrow(code('vault/keys-unfinished'));
    // Nothing is lost meanwhile: the paper opens everything.
    expect(opensByAge(house.recoveryIdentity)).toBe(fileCount);
    const resumed = await rotate();
    expect(resumed).toMatchObject({ resumed: true, foreignCount: 0 });
    expect(resumed.rewrappedCount + resumed.keptCount).toBe(fileCount);
    expect(opensByAge(oldIdentity)).toBe(0);
    expect(await listed(testPassphrase)).toEqual(clipIds);
  });

  it('leaves what it can not open as it is, and counts it', async () => {
    const { recipients } = house;
    Object.assign(house, { recipients: [generateIdentity().recipient, generateIdentity().recipient] });
    house.addClip({ startMs });
    Object.assign(house, { recipients });
    expect(await rotate()).toMatchObject({ rewrappedCount: fileCount, foreignCount: 4 });
    expect(await listed(testPassphrase)).toEqual(clipIds);
  });
});

describe('clips that were set aside as damaged', () => {
  const cameraFolder = () => join(house.dataDir, 'cameras', 'front');
  const asideName = () => readdirSync(cameraFolder()).find((name) => /\.(damaged|salvaged)-\d+$/.test(name)) ?? '';

  function damage(): void {
    const path = join(cameraFolder(), 'clips.db');
    const bytes = readFileSync(path);
    // Its first page says where the tables are, the second is one of them.
    bytes.fill(0x5a, 4096, 8192);
    writeFileSync(path, bytes);
  }

  function repair(): Salvaged {
    const path = join(cameraFolder(), asideName());
    using db = ClipsDb.open({ path: join(cameraFolder(), 'clips.db'), log: silentLog, wallMs: startMs });
    const salvaged = salvageClips(path, db);
    settleSalvaged(path, salvaged);
    return salvaged;
  }

  it('would keep their old keys and open with no new one: no key is changed before they are repaired', async () => {
    const before = house.read('owner', 'vault.age');
    renameSync(join(cameraFolder(), 'clips.db'), join(cameraFolder(), 'clips.db.damaged-1'));
    for (const changed of [rotate, recover]) await expect(changed()).rejects.toThrow(code('vault/clips-set-aside'));
    expect(house.read('owner', 'vault.age').equals(before)).toBe(true);
    expect(repair()).toMatchObject({ savedCount: 2, lostCount: 0 });
    expect(asideName()).toBe('');
    expect(await rotate()).toMatchObject({ rewrappedCount: fileCount, foreignCount: 0 });
    expect(await listed(testPassphrase)).toEqual(clipIds);
  });

  it('are found damaged before the first key is changed, not in the middle', async () => {
    damage();
    await expect(rotate()).rejects.toThrow(code('vault/clips-set-aside'));
    expect(asideName()).toMatch(/damaged/);
    const session = new VaultSession({ dataDir: house.dataDir, clock: systemClock });
    await session.openDeciding(testPassphrase);
  });

  it('leave nothing that an old key opens: what could not be saved has to go first, but not for a recovery', async () => {
    writeFileSync(join(cameraFolder(), 'clips.db.salvaged-1'), 'what is left');
    await expect(rotate()).rejects.toThrow(code('vault/clips-set-aside'));
    expect(await recover()).toMatchObject({ rewrappedCount: fileCount });
  });
});

describe('recovering with the paper key', () => {
  it('opens every clip with a new passphrase, and stock age alone opens them too', async () => {
    const changed = await recover();
    expect(changed).toMatchObject({ rewrappedCount: fileCount, foreignCount: 0 });
    expect(await listed(newPassphrase)).toEqual(clipIds);
    expect([opensByAge(oldIdentity), opensByAge(house.recoveryIdentity)]).toEqual([0, fileCount]);
    const session = new VaultSession({ dataDir: house.dataDir, clock: systemClock });
    await expect(session.openDeciding(testPassphrase)).rejects.toThrow(code('vault/wrong-passphrase'));
    expect(house.read('keys', 'owner-root.pub').toString().trim()).toBe(changed.ownerRootPublicKeyHex);
    expect((await readVaultFile(house.dataDir, newPassphrase)).roots).toEqual([]);
  });

  it('wants the right paper', async () => {
    const before = house.read('owner', 'vault.age');
    const other = parseIdentity(generateIdentity().identity);
    await expect(recover({ paper: other })).rejects.toThrow(code('vault/wrong-paper-key'));
    expect(house.read('owner', 'vault.age').equals(before)).toBe(true);
  });

  it('cut short, is begun again', async () => {
    const cut = (): void => {
      throw new Error('the power went');
    };
    await expect(recover({ onProgress: cut })).rejects.toThrow('the power went');
    await expect(readVaultFile(house.dataDir, newPassphrase)).rejects.toThrow(code('vault/keys-unfinished'));
    const other = { ...change(), passphrase: newPassphrase };
    await expect(rotateKeys(other)).rejects.toThrow(code('vault/keys-unfinished'));
    expect(await recover()).toMatchObject({ rewrappedCount: fileCount, foreignCount: 0 });
    expect(await listed(newPassphrase)).toEqual(clipIds);
  });

  it('says what is missing or damaged', async () => {
    writeFileSync(join(house.dataDir, 'keys', 'recipients.json'), '{}');
    await expect(recover()).rejects.toThrow(code('vault/damaged-files'));
    rmSync(join(house.dataDir, 'keys', 'recipients.json'));
    await expect(recover()).rejects.toThrow(code('vault/not-enrolled'));
  });
});

it('after all that, the clip plays', async () => {
  await rotate();
  const session = new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8 });
  await session.openDeciding(testPassphrase);
  const args = ['-v', 'error', '-f', 'mp4', '-i', 'pipe:0', '-f', 'null', '-'];
  expect(execFileSync('ffmpeg', args, { input: wholeOf(session.clipMedia(clipIds[0] ?? '')) }).length).toBe(0);
});
