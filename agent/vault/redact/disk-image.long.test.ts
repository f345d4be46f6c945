/**
 * The raw disk after a redaction that was killed without warning: whatever the vault or its ffmpeg had written anywhere, and
 * were it deleted at once, would be found. Everything they could write to is on that disk.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../test-fixtures/eventually.ts';
import { type FilmedClip, film } from '../../../test-fixtures/filmed.ts';
import { TestHouse, testPassphrase } from '../../../test-fixtures/house.ts';
import { PlainRuns } from '../../../test-fixtures/plain-runs.ts';
import { SmallDisk } from '../../../test-fixtures/small-disk.ts';
import { systemClock } from '../../base/clock.ts';
import { findFfmpeg } from '../../base/ffmpeg.ts';
import { wholeOf } from '../media-content.ts';
import { VaultSession } from '../session.ts';
import { redactionChoice } from './choice.ts';
import { decodeSmall } from './small-pictures.ts';

const checkout = join(import.meta.dirname, '../../..');
const diskBytes = 48 << 20;
const pictureBytes = (640 * 360 * 3) / 2;

let house: TestHouse;
let clip: FilmedClip;
/** Recorded, decoded in both ways that redaction decodes, and encoded anew. */
let plain: { readonly recorded: Buffer; readonly pictures: Buffer; readonly small: Buffer; readonly made: Buffer };
let runs: PlainRuns;

async function prepare(): Promise<void> {
  house = await TestHouse.make();
  await house.pinRoot();
  const session = new VaultSession({ dataDir: house.dataDir, clock: systemClock, log2Work: 8 });
  await session.openDeciding(testPassphrase);
  clip = await film(house, session, join(checkout, 'test-fixtures/streams/runs-past.mp4'));
  const span = { fromMs: clip.startMs, toMs: clip.endMs };
  const choice = redactionChoice.parse({ fill: 'people' });
  const { redactionId } = await session.redactClip({ clipId: clip.clipId, span, choice });
  const selection = [{ clipId: clip.clipId, ...span, redactionId }];
  const request = house.request().envelope;
  const { previewId } = session.preview({ request, agency: house.agency(), floorS: 0, selection });
  const recorded = wholeOf(session.clipMedia(clip.clipId));
  const decoding = ['-v', 'error', '-f', 'mp4', '-i', 'pipe:0', '-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'];
  const pictures = spawnSync('ffmpeg', decoding, { input: recorded, maxBuffer: 2 ** 30 }).stdout;
  const small: Buffer[] = [];
  const job = { ffmpegPath: findFfmpeg(), input: [recorded], widthPx: 640, heightPx: 360, turns: 0 as const };
  for await (const picture of decodeSmall(job)) small.push(Buffer.from(picture));
  const made = wholeOf(session.previewMedia(previewId, '40-video.mp4'));
  plain = { recorded, pictures, small: Buffer.concat(small), made };
  expect(pictures.length).toBe(small.length * pictureBytes);
  runs = new PlainRuns(Object.values(plain));
}

/** Folders that anybody may write to, whatever they are told: an environment may be ignored, a mounted folder can't be. */
const writable = [...new Set([tmpdir(), '/tmp', '/var/tmp', '/dev/shm', homedir()])];

/** Runs a program for which these folders lie on the disk. */
function runOnDisk(disk: SmallDisk, command: string, args: readonly string[]): ChildProcess {
  const needed = [checkout, disk.path, dirname(process.execPath), dirname(findFfmpeg())];
  const steps = ['set -e'];
  for (const [i, folder] of writable.entries()) {
    const instead = join(disk.path, `instead-${i}`);
    mkdirSync(instead, { recursive: true });
    for (const path of needed.filter((each) => each.startsWith(`${folder}/`))) {
      const place = join(instead, path.slice(folder.length));
      mkdirSync(place, { recursive: true });
      steps.push(`mount --rbind '${path}' '${place}'`);
    }
    steps.push(`mount --rbind '${instead}' '${folder}'`);
  }
  const script = [...steps, 'cd /', 'exec "$@"'].join('\n');
  return spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', command, ...args], {
    // What is killed complains.
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
}

const isOver = (pid: string): boolean => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] === 'Z';
  } catch {
    return true;
  }
};

/** The ffmpeg of the vault: whether it encodes, and how much it has read and written. */
function lookAtFfmpeg(vault: string): { pid: string; encodes: boolean; read: number; written: number } | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[3] !== vault) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      const io = readFileSync(`/proc/${pid}/io`, 'utf8');
      const count = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(io)?.[1] ?? 0);
      return { pid, encodes: command.includes('pipe:3'), read: count('rchar'), written: count('wchar') };
    } catch {
      // It ended while it was looked at.
    }
  }
  return undefined;
}

type Moment = 'first pictures' | 'many pictures' | 'encoder' | 'encoded bytes' | 'redacted' | 'previewed';

/** Kills the vault at the moment and waits until nothing of it runs. Whether the moment came. */
async function killAt(disk: SmallDisk, dataDir: string, moment: Moment): Promise<boolean> {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const job = {
    dataDir,
    passphrase: testPassphrase,
    clipId: clip.clipId,
    span: { fromMs: clip.startMs, toMs: clip.endMs },
    requestHex: hex(house.request().envelope),
    agencyHex: hex(house.agency()),
  };
  const jobPath = join(disk.path, 'job.json');
  writeFileSync(jobPath, JSON.stringify(job));
  const work = runOnDisk(disk, process.execPath, [join(checkout, 'test-fixtures/redaction-work.ts'), jobPath]);
  const ended = once(work, 'close');
  const said: string[] = [];
  if (work.stdout !== null) createInterface(work.stdout).on('line', (line) => said.push(line));
  let vault = '';
  const started = new Set<string>();
  const hasCome = (): boolean => {
    const ffmpeg = lookAtFfmpeg(vault);
    if (ffmpeg !== undefined) started.add(ffmpeg.pid);
    if (moment === 'redacted' || moment === 'previewed') return said.includes(moment);
    if (ffmpeg === undefined) return false;
    const { encodes, read, written } = ffmpeg;
    if (moment === 'first pictures') return !encodes && written >= pictureBytes;
    if (moment === 'many pictures') return !encodes && written >= 20 * pictureBytes;
    return encodes && (moment === 'encoder' || (read > 100_000 && written > 20_000));
  };
  const over: Record<Moment, string> = {
    'first pictures': 'redacted',
    'many pictures': 'redacted',
    encoder: 'redacted',
    'encoded bytes': 'redacted',
    redacted: 'previewed',
    previewed: 'approved',
  };
  try {
    await eventually(() => {
      vault = /^opened (\d+)$/.exec(said[0] ?? '')?.[1] ?? '';
      expect(vault).not.toBe('');
    });
    while (!hasCome() && !said.includes('approved') && work.exitCode === null) await sleep(2);
    process.kill(Number(vault), 'SIGKILL');
    await ended;
    await eventually(() => expect([vault, ...started].every(isOver)).toBe(true));
    return !said.includes(over[moment]);
  } finally {
    if (work.exitCode === null && work.pid !== undefined) process.kill(-work.pid, 'SIGKILL');
  }
}

/** A disk with the house's recordings on it: nothing else of them was ever there. */
function furnish(disk: SmallDisk): string {
  const dataDir = join(disk.path, 'data');
  cpSync(house.dataDir, dataDir, { recursive: true });
  return dataDir;
}

describe.skipIf(!SmallDisk.possible)(
  'the raw disk (needs root and a loop device to mount a file system of its own)',
  () => {
    beforeAll(prepare, 120_000);
    afterAll(() => house?.[Symbol.dispose]());

    it('shows every piece that any program wrote to any folder and deleted at once', async () => {
      using disk = new SmallDisk(diskBytes, { sync: true });
      furnish(disk);
      const pieces = writable.flatMap((folder, i) =>
        Object.values(plain).map((bytes) => {
          const at = Math.floor((bytes.length * (i + 1)) / (writable.length + 1));
          return { folder, piece: bytes.subarray(at, at + 4096) };
        }),
      );
      const path = join(disk.path, 'pieces.json');
      writeFileSync(path, JSON.stringify(pieces.map((each) => ({ ...each, piece: each.piece.toString('hex') }))));
      // Deleted before it is written, and open to the end so that none takes another's place.
      const program = `
      const { openSync, readFileSync, rmSync, writeSync } = require('node:fs');
      for (const { folder, piece } of JSON.parse(readFileSync(process.argv[1], 'utf8'))) {
        const file = openSync(folder + '/planted', 'w');
        rmSync(folder + '/planted');
        writeSync(file, Buffer.from(piece, 'hex'));
      }`;
      const planting = runOnDisk(disk, process.execPath, ['-e', program, path]);
      expect(await once(planting, 'close')).toEqual([0, null]);
      const image = disk.unmountAndRead();
      for (const { folder, piece } of pieces) expect([folder, image.includes(piece)]).toEqual([folder, true]);
      expect(runs.findIn(image, 100).length).toBeGreaterThanOrEqual(pieces.length);
      for (const [name, bytes] of Object.entries(plain))
        expect([name, new PlainRuns([bytes]).findIn(image)]).not.toEqual([name, []]);
    }, 120_000);

    it.each(['first pictures', 'many pictures', 'encoder', 'encoded bytes', 'redacted', 'previewed'] as const)(
      'holds no run of 32 bytes of the recording, its pictures or what was made of them when the vault is killed: %s',
      async (moment) => {
        expect(runs.blockCount).toBeGreaterThan(100_000);
        for (let attempt = 1; ; attempt++) {
          using disk = new SmallDisk(diskBytes, { sync: true });
          const come = await killAt(disk, furnish(disk), moment);
          expect(runs.findIn(disk.unmountAndRead())).toEqual([]);
          if (come) break;
          expect(attempt).toBeLessThan(4);
        }
      },
      300_000,
    );
  },
);
