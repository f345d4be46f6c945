/** The recorder killed without warning, again and again, while it writes as fast as it can: nothing that was finished is lost. */
import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { AgentError } from '../../agent/base/errors.ts';
import { findFfmpeg } from '../../agent/base/ffmpeg.ts';
import { type OwnerIdentity, openFile, parseIdentity } from '../../agent/protocol/age-file.ts';
import { fromHex, sha256Hex, toHex } from '../../agent/protocol/bytes.ts';
import { parseClosingMetadata, parseOpeningMetadata } from '../../agent/protocol/clip-metadata.ts';
import { openEnvelope } from '../../agent/protocol/envelope.ts';
import { leafHash, rootOf } from '../../agent/protocol/merkle.ts';
import { ClipsReader } from '../../agent/store/clips-reader.ts';
import { reportFigure } from '../figure.ts';
import { TestCamera } from '../recording.ts';

const rounds = 60;
const mainPath = join(import.meta.dirname, '../../agent/main.ts');

let camera: TestCamera | undefined;
let folder: string | undefined;
afterEach(() => {
  camera?.remove();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** Noise that no encoder can make small: a segment fills every fraction of a second. */
function makeBusyStream(inFolder: string): string {
  const path = join(inFolder, 'busy.mp4');
  const input = 'testsrc2=size=640x360:rate=15:duration=10,noise=alls=60:allf=t';
  const encoder = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-b:v',
    '8M',
    '-maxrate',
    '8M',
    '-bufsize',
    '8M',
    '-g',
    '15',
  ];
  const made = spawnSync(findFfmpeg(), [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    input,
    ...encoder,
    '-pix_fmt',
    'yuv420p',
    path,
  ]);
  expect(made.stderr.toString()).toBe('');
  return path;
}

function processesOfGroup(group: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const [state, , pgrp] = readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        return Number(pgrp) === group && state !== 'Z';
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** What is committed at this moment, as another program sees it; nothing while the database is not there or recovering. */
function committedSegments(path: string): number[] {
  try {
    using reader = ClipsReader.open(path);
    return reader.listClips().flatMap(({ seq }) => reader.listSegments(seq).map(({ segment }) => segment));
  } catch (thrown) {
    if (thrown instanceof AgentError && thrown.kind === 'unavailable') return [];
    throw thrown;
  }
}

async function recordAndKill(target: TestCamera, wholeGroup: boolean): Promise<number[]> {
  const args = [mainPath, 'program', 'recorder', '--camera', 'door', '--config', target.configPath];
  const child = spawn(process.execPath, args, { stdio: 'ignore', detached: true });
  const pid = child.pid ?? 0;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  await delay(randomInt(100, 4000));
  const committed = committedSegments(target.databasePath);
  process.kill(wholeGroup ? -pid : pid, 'SIGKILL');
  await gone;
  // What the recorder had started ends by itself.
  while (processesOfGroup(pid).length > 0) await delay(50);
  return committed;
}

/** Opens what this round added; what was there before must be there still. */
function checkSegments(
  path: string,
  identity: OwnerIdentity,
  committed: readonly number[],
  known: Map<number, string>,
): void {
  using reader = ClipsReader.open(path, { offline: true });
  const found = new Set<number>();
  for (const { seq } of reader.listClips()) {
    for (const row of reader.listSegments(seq)) {
      const { segment } = row;
      found.add(segment);
      if (known.has(segment)) continue;
      const sealed = reader.segment(row);
      if (sealed === undefined) throw new Error('a segment without bytes');
      known.set(segment, sha256Hex(openFile(sealed, identity)));
    }
  }
  expect([...committed, ...known.keys()].filter((segment) => !found.has(segment))).toEqual([]);
}

/** Returns the bytes of the clip's video, every fragment checked against the signed manifest where there is one. */
function checkClip(reader: ClipsReader, seq: number, identity: OwnerIdentity, known: Map<number, string>): Buffer {
  const pieces = reader.listSegments(seq).map((row) => {
    const sealed = reader.segment(row);
    if (sealed === undefined) throw new Error('a segment without bytes');
    const bytes = openFile(sealed, identity);
    if (known.has(row.segment)) expect(sha256Hex(bytes)).toBe(known.get(row.segment));
    return bytes;
  });
  const video = Buffer.concat(pieces);
  const [opening, closing] = [reader.meta(seq, 'opening'), reader.meta(seq, 'closing')];
  if (opening === undefined) throw new Error('a clip without metadata');
  const { key } = parseOpeningMetadata(openFile(opening, identity));
  if (closing === undefined) return video;
  const { fragments, manifest } = parseClosingMetadata(openFile(closing, identity));
  const rule = { role: 'clip', threshold: 1, keys: [fromHex(key)] };
  const { document } = openEnvelope('manifest', Buffer.from(manifest, 'base64'), [rule]);
  const leaves = fragments.map(({ offset, bytes, salt, track, sha256 }) => {
    expect(sha256Hex(video.subarray(offset, offset + bytes))).toBe(sha256);
    return leafHash(fromHex(salt), track, fromHex(sha256));
  });
  expect(toHex(rootOf(leaves))).toBe(document.root);
  return video;
}

function decodes(video: Buffer): boolean {
  const args = ['-v', 'error', '-f', 'mp4', '-i', 'pipe:0', '-f', 'null', '-'];
  const decoded = spawnSync(findFfmpeg(), args, { input: video, maxBuffer: 1 << 20 });
  return decoded.status === 0 && decoded.stderr.length === 0;
}

test(`killed by -9 at ${rounds} random moments, every finished segment opens and matches its hash`, {
  timeout: 900_000,
}, async () => {
  folder = mkdtempSync(join(tmpdir(), 'lk-killed-'));
  camera = new TestCamera({
    camera: {
      source: { kind: 'file', path: makeBusyStream(folder), pace: 'fast', loop: true },
      clip: { mode: 'continuous', preRollMs: 1000, maxClipMs: 20_000 },
      person: { model: 'off' },
    },
    retention: { maxBytes: 2 ** 40, minFreeBytes: 0 },
  });
  const identity = parseIdentity(camera.owner.identity);
  const known = new Map<number, string>();
  let confirmedCount = 0;
  for (let round = 0; round < rounds; round += 1) {
    const committed = await recordAndKill(camera, round % 2 === 0);
    confirmedCount += committed.length;
    if (existsSync(camera.databasePath)) checkSegments(camera.databasePath, identity, committed, known);
  }
  expect(known.size).toBeGreaterThan(rounds);
  expect(confirmedCount).toBeGreaterThan(rounds);

  const last = camera.start();
  await camera.waitFor(({ closedCount }) => Number(closedCount) >= 1);
  await last.stop();
  const aside = readdirSync(dirname(camera.databasePath)).filter((name) => name.includes('damaged'));
  expect(aside).toEqual([]);
  using reader = ClipsReader.open(camera.databasePath);
  const states = { open: 0, closed: 0, cut: 0 };
  let broken = 0;
  for (const { seq, state, bytes } of reader.listClips()) {
    states[state] += 1;
    const video = checkClip(reader, seq, identity, known);
    if (bytes > 0 && !decodes(video)) broken += 1;
  }
  reportFigure(`${known.size} segments survived ${rounds} kills; clips: ${JSON.stringify(states)}, ${broken} broken`);
  expect(states.open).toBe(0);
  expect(states.closed).toBeGreaterThan(0);
  expect(states.cut).toBeGreaterThan(0);
  expect(broken).toBe(0);
});
