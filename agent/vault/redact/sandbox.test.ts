/** What redaction leaves behind: nothing but ciphertext, by its system calls and after a kill without warning. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../../test-fixtures/eventually.ts';
import { type FilmedClip, filmHouse } from '../../../test-fixtures/filmed.ts';
import { type TestHouse, testPassphrase } from '../../../test-fixtures/house.ts';
import { VaultClient } from '../client.ts';
import { wholeOf } from '../media-content.ts';
import type { VaultSession } from '../session.ts';
import { redactionChoice } from './choice.ts';

let house: TestHouse;
let session: VaultSession;
let clip: FilmedClip;

beforeAll(async () => {
  const path = join(import.meta.dirname, '../../../test-fixtures/streams/runs-past.mp4');
  ({ house, session, clip } = await filmHouse(path));
}, 60_000);
afterAll(() => house[Symbol.dispose]());

interface Opened {
  readonly program: string;
  readonly path: string;
}

/** Files opened for writing, made or renamed, by the vault and everything it started. */
function readWrites(trace: string): { writes: Opened[]; programs: Set<string> } {
  const parents = new Map<string, string>();
  const names = new Map<string, string>();
  const [writes, programs]: [(Opened & { pid: string })[], Set<string>] = [[], new Set()];
  for (const line of readFileSync(trace, 'utf8').split('\n')) {
    const [, pid = '', text = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const child = /(?:clone3?|v?fork)(?:\(| resumed).* = (\d+)$/.exec(text)?.[1];
    if (child !== undefined) parents.set(child, pid);
    if (/^execve\(.*vault\/process\.ts/.test(text)) names.set(pid, 'vault');
    else if (/^execve\("[^"]*ffmpeg"/.test(text)) names.set(pid, 'ffmpeg');
    const path = /^(?:open|openat|creat|rename|renameat2?|link|mkdir|mkdirat|symlink|truncate)\(.*?"([^"]*)"/.exec(
      text,
    )?.[1];
    const forWriting = /O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE|^creat|^rename|^link|^mkdir|^symlink|^truncate/.test(text);
    if (path !== undefined && forWriting && !/= -1 /.test(text)) writes.push({ pid, program: '', path });
  }
  const nameOf = (pid: string | undefined): string =>
    pid === undefined ? '' : (names.get(pid) ?? nameOf(parents.get(pid)));
  for (const name of names.values()) programs.add(name);
  return {
    writes: writes.flatMap(({ pid, path }) => (nameOf(pid) === '' ? [] : [{ program: nameOf(pid), path }])),
    programs,
  };
}

it('opens no file for writing but those of the sealed share, by its system calls', () => {
  const job = join(house.dataDir, 'job.json');
  const trace = join(house.dataDir, 'calls.txt');
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const span = { fromMs: clip.startMs, toMs: clip.endMs };
  writeFileSync(
    job,
    JSON.stringify({
      dataDir: house.dataDir,
      passphrase: testPassphrase,
      clipId: clip.clipId,
      span,
      requestHex: hex(house.request().envelope),
      agencyHex: hex(house.agency()),
    }),
  );
  const calls =
    'trace=execve,clone,clone3,fork,vfork,open,openat,creat,rename,renameat,renameat2,link,linkat,mkdir,mkdirat,symlink,symlinkat,truncate,memfd_create';
  const work = join(import.meta.dirname, '../../../test-fixtures/redaction-work.ts');
  execFileSync('strace', ['-f', '-qq', '-s', '300', '-e', calls, '-o', trace, process.execPath, work, job], {
    stdio: 'pipe',
  });
  const { writes, programs } = readWrites(trace);
  expect(programs).toEqual(new Set(['vault', 'ffmpeg']));
  const devices = new Set(['/dev/null', '/dev/tty']);
  // Where there is one, an encoder of the hardware is looked for.
  const isVideo = (path: string): boolean => /^\/dev\/video\d+$/.test(path);
  expect(writes.filter(({ program, path }) => program === 'ffmpeg' && !devices.has(path) && !isVideo(path))).toEqual(
    [],
  );
  const shares = join(house.dataDir, 'owner', 'held');
  const elsewhere = writes.filter(({ path }) => !devices.has(path) && !isVideo(path) && !path.startsWith(shares));
  expect(elsewhere).toEqual(elsewhere.filter(({ path }) => /\/owner(?:\/\.?vault\.age[^/]*)?$/.test(path)));
  const held = writes
    .filter(({ path }) => path.startsWith(`${shares}/`))
    .map(({ path }) => path.split('/').at(-1) ?? '');
  expect(held.some((name) => name.startsWith('body.age'))).toBe(true);
}, 120_000);

it('lets ffmpeg open a device and ask it, as an encoder of the hardware must be: what is forbidden is the network', () => {
  const script = join(house.dataDir, 'device.ts');
  writeFileSync(
    script,
    `import { spawnSync } from 'node:child_process';
     import { denyNetwork, setNotDumpable } from ${JSON.stringify(join(import.meta.dirname, '../../base/native.ts'))};
     denyNetwork();
     setNotDumpable();
     // Opened for reading and writing, and asked by ioctl.
     const asked = spawnSync('stty', ['-F', '/dev/ptmx', '-a'], { encoding: 'utf8' });
     console.log(asked.status, asked.stdout, asked.stderr);`,
  );
  expect(execFileSync(process.execPath, [script], { encoding: 'utf8' })).toMatch(/^0 speed \d+ baud/);
});

function* filesIn(folder: string): Generator<string> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* filesIn(path);
    else yield path;
  }
}

it('killed in the middle, leaves no ffmpeg and nothing of the pictures', async () => {
  const vault = await VaultClient.start(house.dataDir);
  await vault.openDeciding(testPassphrase);
  const span = { fromMs: clip.startMs, toMs: clip.endMs };
  const choice = redactionChoice.parse({ fill: 'moving' });
  const redacting = vault.redactClip({ clipId: clip.clipId, span, choice });
  redacting.catch(() => {});
  const children = (): string[] =>
    readdirSync('/proc').filter((pid) => {
      try {
        return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[3] === String(vault.pid);
      } catch {
        return false;
      }
    });
  let started: string[] = [];
  await eventually(() => {
    started = children();
    expect(started.length).toBeGreaterThan(0);
  });
  process.kill(vault.pid ?? 0, 'SIGKILL');
  await expect(redacting).rejects.toMatchObject({ code: 'vault/locked' });
  const isOver = (pid: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] === 'Z';
    } catch {
      return true;
    }
  };
  await eventually(() => expect(started.every(isOver)).toBe(true));
  const plain = wholeOf(session.clipMedia(clip.clipId));
  const marks = Array.from({ length: 40 }, (_, i) =>
    plain.subarray(Math.floor(((i + 0.5) * plain.length) / 40)).subarray(0, 16),
  );
  for (const path of filesIn(house.dataDir)) {
    const bytes = readFileSync(path);
    expect([path, marks.some((mark) => bytes.includes(mark))]).toEqual([path, false]);
  }
}, 120_000);
