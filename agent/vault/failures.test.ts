/** What the vault says when what it stands on fails: the kernel's filter, its parent, the disk, a clip's own rows. */
import { execFileSync, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { TestHouse, testPassphrase } from '../../test-fixtures/house.ts';
import { SmallDisk } from '../../test-fixtures/small-disk.ts';
import { systemClock } from '../base/clock.ts';
import { generateIdentity } from '../protocol/age-file.ts';
import { VaultSession } from './session.ts';
import { requireRoom, writeSealedShare } from './share.ts';

vi.setConfig({ testTimeout: 60_000 });
let house: TestHouse;
beforeEach(async () => {
  house = await TestHouse.make();
});
afterEach(() => house[Symbol.dispose]());

const source = (name: string): string => JSON.stringify(join(import.meta.dirname, name));

/** A program of three lines, in a file of its own. */
function script(text: string): string {
  const path = join(house.dataDir, 'script.ts');
  writeFileSync(path, text);
  return path;
}

it('a kernel that refuses the filter gives vault/cannot-start, with the reason', () => {
  const path = script(
    `import { VaultClient } from ${source('client.ts')};
     await VaultClient.start(${JSON.stringify(house.dataDir)}).then(
       () => console.log('started'),
       (thrown) => console.log(thrown.code, thrown.kind, thrown.message));`,
  );
  const strace = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=seccomp', '-e', 'inject=seccomp:error=EPERM'];
  expect(execFileSync('strace', [...strace, process.execPath, path], { encoding: 'utf8' })).toMatch(
    /^vault\/cannot-start unavailable Cannot start the vault: Cannot deny this process the network: the kernel answered EPERM/,
  );
});

it('a vault that can reach the network refuses to serve: vault/network-open', async () => {
  const path = script(
    `import { serveVault } from ${source('server.ts')};
     await serveVault().catch((thrown) => process.send({ code: thrown.code, message: thrown.message }));
     process.disconnect();`,
  );
  const child = fork(path, [house.dataDir], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const [answer] = await once(child, 'message');
  expect(answer).toMatchObject({ code: 'vault/network-open' });
  await once(child, 'exit');
});

it('started by hand it says that only the owner program starts it: vault/no-parent', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'process.ts'), house.dataDir], {
    encoding: 'utf8',
  });
  expect(status).not.toBe(0);
  expect(stderr).toContain("code: 'vault/no-parent'");
});

it('a clip whose metadata is damaged is vault/clip-unreadable, and the others are still shown', async () => {
  const startMs = Math.floor(Date.now() / 1000) * 1000 - 600_000;
  const [whole, damaged] = [house.addClip({ startMs }), house.addClip({ startMs: startMs + 60_000 })];
  const db = new Database(join(house.dataDir, 'cameras/front/clips.db'));
  const row = db
    .prepare<[string], { clip: number; body: Buffer }>(
      `SELECT clip, body FROM meta JOIN clip ON clip.seq = meta.clip WHERE clip_id = ? AND phase = 'opening'`,
    )
    .get(damaged);
  const body = Buffer.from(row?.body ?? []);
  body[20] = (body[20] ?? 0) ^ 1;
  db.prepare(`UPDATE meta SET body = ? WHERE clip = ? AND phase = 'opening'`).run(body, row?.clip);
  db.close();
  const session = new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8 });
  await session.openDeciding(testPassphrase);
  expect(() => session.clipMedia(damaged)).toThrow(expect.objectContaining({ code: 'vault/clip-unreadable' }));
  expect(session.clipMedia(whole).length).toBeGreaterThan(1000);
  expect(session.listClips(0, Date.now()).map(({ clipId }) => clipId)).toContain(whole);
});

it('room for a share is looked for before it is begun', () => {
  expect(() => requireRoom(house.dataDir, 2 ** 50)).toThrow(
    expect.objectContaining({ code: 'vault/disk-full', kind: 'full' }),
  );
  requireRoom(house.dataDir, 1);
});

it.skipIf(!SmallDisk.possible)(
  'a full disk (needs root and a loop device to mount a file system of its own) while a share is sealed: vault/disk-full, and no part of it stays',
  () => {
    using disk = new SmallDisk(16 << 20);
    disk.fill(3 << 20);
    const { recipient } = generateIdentity();
    const folder = join(disk.path, 'share');
    const piece = Buffer.alloc(1 << 20, 7);
    const before = disk.freeBytes;
    expect(() =>
      writeSealedShare(
        folder,
        recipient,
        Array.from({ length: 8 }, () => piece),
      ),
    ).toThrow(expect.objectContaining({ code: 'vault/disk-full', kind: 'full' }));
    expect(existsSync(folder)).toBe(false);
    expect(disk.freeBytes).toBeGreaterThan(before - 65_536);
    writeSealedShare(folder, recipient, [piece]);
  },
);
