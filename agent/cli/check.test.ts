import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestCamera } from '../../test-fixtures/recording.ts';
import { generateIdentity } from '../protocol/age-file.ts';
import { register } from './check.ts';
import { withDataLock } from './data-lock.ts';
import { type CommandResult, runCommand } from './fixture/command.ts';

let camera: TestCamera;
let keyFile: string;

let recorded: Buffer;

beforeAll(async () => {
  camera = new TestCamera({
    camera: { person: { model: 'off' }, clip: { mode: 'continuous', preRollMs: 0, maxClipMs: 5000 } },
  });
  keyFile = join(camera.dataDir, 'paper.txt');
  await camera.recordAll();
  recorded = readFileSync(camera.databasePath);
});
afterAll(() => camera.remove());

beforeEach(() => {
  writeFileSync(keyFile, `# paper key\n${camera.recovery.identity}\n`);
  const folder = join(camera.dataDir, 'cameras', 'door');
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  writeFileSync(camera.databasePath, recorded);
});

const check = (...args: readonly string[]): Promise<CommandResult> =>
  runCommand([register], ['check', '--config', camera.configPath, ...args]);

async function report(...args: readonly string[]) {
  const { status, stdout } = await check('--json', ...args);
  return { status, camera: (JSON.parse(stdout) as Record<string, unknown>[])[0] ?? {} };
}

function damage(sql: string, ...params: readonly unknown[]): void {
  const db = new Database(camera.databasePath);
  db.pragma('foreign_keys = OFF');
  expect(db.prepare(sql).run(...params).changes).toBeGreaterThan(0);
  db.close();
}

describe('a sound store', () => {
  it('is said to be whole without a key, and unaltered with the paper key', async () => {
    const plain = await check();
    expect([plain.status, plain.stdout]).toEqual([
      0,
      expect.stringMatching(
        /^door: 5 clips in 5 segments, [\d.,]+ [kM]i?B\n {2}All there, each with the size and hash/,
      ),
    ]);
    expect(plain.stdout).not.toContain('unaltered');
    const opened = await report('--paper-key', keyFile);
    expect(opened).toMatchObject({ status: 0, camera: { clipCount: 5, unalteredCount: 5, faulty: [], cutCount: 0 } });
  });

  it('is not said to be ours with a stranger\u2019s key', async () => {
    writeFileSync(keyFile, generateIdentity().identity);
    const { status, stdout, stderr } = await check('--paper-key', keyFile);
    expect(status).toBe(6);
    expect(stdout.match(/it is not sealed to this key/g)).toHaveLength(5);
    expect(stderr).toContain('(check/damaged)');
  });

  it.each([
    ['no key in the file', 'nothing here', 'check/no-key'],
    ['a broken key', 'AGE-SECRET-KEY-1QQQ', 'age/bad-identity'],
  ])('%s', async (_, text, code) => {
    writeFileSync(keyFile, text);
    expect((await check('--paper-key', keyFile)).stderr).toContain(code);
    expect((await check('--paper-key', `${keyFile}.not`)).stderr).toContain('check/no-key');
  });

  it('has only cameras that exist', async () => {
    expect((await check('--camera', 'garden')).stderr).toContain('check/unknown-camera');
  });
});

describe('damage', () => {
  it.each([
    ['a lost segment', 'DELETE FROM segment_body WHERE segment = 2', 'segment-missing'],
    ['a lost header', 'UPDATE segment SET header = NULL WHERE segment = 2', 'segment-missing'],
    [
      'a shortened segment',
      'UPDATE segment_body SET body = substr(body, 1, length(body) - 1) WHERE segment = 2',
      'segment-size',
    ],
    [
      'a flipped bit',
      "UPDATE segment_body SET body = CAST(substr(body, 1, 999) || x'00' || substr(body, 1001) AS BLOB) WHERE segment = 2",
      'segment-hash',
    ],
    ['a malformed header', "UPDATE segment SET header = x'00' WHERE segment = 2", 'segment-header'],
    ['a gap', 'UPDATE segment SET position = 1 WHERE segment = 2', 'segment-gap'],
    ['no footage', 'DELETE FROM segment WHERE segment = 2', 'no-segments'],
    ['a lost opening', "DELETE FROM meta WHERE clip = 2 AND phase = 'opening'", 'opening-missing'],
    ['a lost closing', "DELETE FROM meta_header WHERE clip = 2 AND phase = 'closing'", 'closing-missing'],
    ['a sum that does not add up', 'UPDATE clip SET bytes = bytes + 1 WHERE seq = 2', 'clip-size'],
  ])('%s is found without a key, named, and marked by --repair', async (_, sql, fault) => {
    damage(sql);
    const found = await report();
    expect(found).toMatchObject({ status: 6, camera: { clipCount: 5, faulty: [{ faults: [fault] }] } });
    // A clip without a key is a deletion that a power cut interrupted: it goes.
    const repaired = sql.includes('header = NULL') ? { goneCount: 1 } : { markedCut: 1 };
    expect(await report('--repair')).toMatchObject({ status: 6, camera: repaired });
    const after = await report('--paper-key', keyFile);
    expect(after.camera).toMatchObject({ unalteredCount: 4 });
  });

  it('that covers its traces is found with the key', async () => {
    const db = new Database(camera.databasePath);
    // Two whole segments change places, hashes and all: each is a perfect age file of ours.
    db.exec(`CREATE TEMP TABLE t AS SELECT segment, header, body, bytes, body_sha256 FROM segment
             JOIN segment_body USING (segment) WHERE segment IN (2, 3)`);
    for (const [to, from] of [
      [2, 3],
      [3, 2],
    ] as const) {
      db.prepare('UPDATE segment_body SET body = (SELECT body FROM t WHERE segment = ?) WHERE segment = ?').run(
        from,
        to,
      );
      db.prepare(
        'UPDATE segment SET (bytes, body_sha256, header) = (SELECT bytes, body_sha256, header FROM t WHERE segment = ?) WHERE segment = ?',
      ).run(from, to);
    }
    db.exec('UPDATE clip SET bytes = (SELECT sum(s.bytes + length(s.header)) FROM segment s WHERE s.clip = clip.seq)');
    db.close();
    expect((await report()).status).toBe(0);
    expect(await report('--paper-key', keyFile)).toMatchObject({
      status: 6,
      camera: { unalteredCount: 3, faulty: [{ opened: 'altered' }, { opened: 'altered' }] },
    });
  });
});

describe('--repair', () => {
  /** Overwrites pages in the middle of the file and lets the recorder find it. */
  async function setAside(): Promise<void> {
    const { size } = statSync(camera.databasePath);
    const db = new Database(camera.databasePath, { readonly: true });
    const page = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'segment'").pluck().get() as number;
    db.close();
    const fd = openSync(camera.databasePath, 'r+');
    writeSync(fd, Buffer.alloc(4096, 0xaa), 0, 4096, (page - 1) * 4096);
    closeSync(fd);
    expect(size).toBeGreaterThan(100_000);
  }

  it('does not run beside a recorder', async () => {
    await withDataLock(camera.dataDir, async () => {
      expect((await check('--repair')).stderr).toContain('run/already-running');
      expect((await check()).status).toBe(0);
    });
  });

  it('saves every clip of a database that only looks damaged, and does not keep it twice', async () => {
    const path = `${camera.databasePath}.damaged-1`;
    const db = new Database(camera.databasePath);
    db.prepare('VACUUM INTO ?').run(path);
    db.exec('DELETE FROM clip WHERE seq > 2');
    db.close();
    const before = await check();
    expect([before.status, before.stdout]).toEqual([
      6,
      expect.stringContaining('clips.db.damaged-1: set aside as damaged'),
    ]);
    const mended = await report('--repair');
    expect(mended).toMatchObject({
      status: 0,
      camera: { salvaged: [{ savedCount: 3, presentCount: 2, lostCount: 0, settled: 'removed' }] },
    });
    expect(existsSync(path)).toBe(false);
    expect(await report('--paper-key', keyFile)).toMatchObject({
      status: 0,
      camera: { clipCount: 5, unalteredCount: 5 },
    });
  });

  it('does not take damage for a clip, keeps cut ones, and is not led on by a number', async () => {
    const path = `${camera.databasePath}.damaged-1`;
    const db = new Database(camera.databasePath);
    db.exec("UPDATE clip SET state = 'cut' WHERE seq = 3");
    db.prepare('VACUUM INTO ?').run(path);
    db.exec('DELETE FROM clip');
    db.close();
    const aside = new Database(path);
    aside.exec(`UPDATE segment_body SET body = CAST(substr(body, 1, 999) || x'00' || substr(body, 1001) AS BLOB) WHERE segment = 2;
                UPDATE sqlite_sequence SET seq = 9007199254740991 WHERE name = 'clip'`);
    aside.close();
    const mended = await report('--repair');
    expect(mended.camera['salvaged']).toMatchObject([{ savedCount: 4, partCount: 0, lostCount: 1, settled: 'kept' }]);
    const after = await report('--paper-key', keyFile);
    expect(after).toMatchObject({ status: 0, camera: { clipCount: 4, cutCount: 1, unalteredCount: 3 } });
  });

  it('says that a database cannot be read', async () => {
    const broken = Buffer.from(recorded);
    broken.fill(0xaa, 4096, 3 * 4096);
    writeFileSync(camera.databasePath, broken);
    const result = await check();
    expect([result.status, result.stdout]).toEqual([6, expect.stringContaining('cannot be read to its end')]);
  });

  it('takes out what can be read of a database with a damaged page, keeps the rest, and can be repeated', async () => {
    await setAside();
    expect(await report()).toMatchObject({ status: 6 });
    const mended = await report('--repair');
    const salvaged = (mended.camera['salvaged'] as { lostCount: number; settled: string }[])[0];
    expect(salvaged).toMatchObject({ lostCount: 5, settled: 'kept' });
    expect(readdirSync(join(camera.dataDir, 'cameras', 'door')).some((name) => name.includes('.salvaged-'))).toBe(true);
    expect(await report('--repair')).toMatchObject({ status: 0 });
  });

  it('says when not even the list of clips can be read', async () => {
    writeFileSync(`${camera.databasePath}.damaged-7`, Buffer.alloc(8192, 7));
    const mended = await check('--repair');
    expect([mended.status, mended.stdout]).toEqual([
      6,
      expect.stringContaining('not even its list of clips can be read'),
    ]);
  });
});
